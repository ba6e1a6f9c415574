"""Padded work of fixed shapes against work of just the right ones: the paths that CUDA records, run here unrecorded."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from random_checkpoints import write_qwen2_audio

from models.qwen_audio.checkpoint import Checkpoint, load
from models.qwen_audio.encoder import encode
from models.qwen_audio.recording import Recorder, shortest
from models.qwen_audio.runner import ENCODE_LENGTHS, HIDDEN, READ_LENGTHS, Runner
from models.qwen_audio.slots import FIRST_CAPACITY

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=["v1", "small", "qwen2_audio"])
def checkpoint(request, v1_folder, small_folder, tmp_path_factory) -> Checkpoint:
    if request.param == "qwen2_audio":
        folder = tmp_path_factory.mktemp("qwen2_audio")
        write_qwen2_audio(folder, is_instruct=False)
        return load(folder, CPU)
    return load(v1_folder if request.param == "v1" else small_folder, CPU)


def tokens(n: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(200, (n,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n", [1, 3, 4, 5, 11])
def test_a_padded_reading_is_an_exact_one_and_leaves_nothing_to_be_seen(checkpoint, n):
    exact, padded = Runner(checkpoint), Runner(checkpoint)
    padded.prepare_readings([4, 8])
    for runner in (exact, padded):  # what a request before has left
        runner.forward(runner.embed(tokens(8, seed=9)), torch.arange(8))
        runner.slots.clear()
    for first in (0, n, 2 * n):  # the prompt, which sees all before it, then what a mask shows apart
        positions = torch.arange(first, first + n)
        mask = None if first == 0 else torch.zeros(n, first + n).index_fill_(1, torch.tensor([first - 1]), HIDDEN)
        if mask is not None:
            mask[:, first:] = torch.full((n, n), HIDDEN).triu_(1)
        found, expected = (r.forward(r.embed(tokens(n, seed=first)), positions, mask) for r in (padded, exact))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        assert padded.slots.used == exact.slots.used == first + n


def test_what_is_watched_is_not_read_by_a_recording(checkpoint, monkeypatch):
    runner = Runner(checkpoint)
    runner.prepare_readings([4])
    monkeypatch.setattr(type(runner._readings[0]), "read", lambda *_: pytest.fail("a recording was replayed"))
    assert runner.forward(runner.embed(tokens(3)), torch.arange(3), is_watched=True).shape[0] == 3


def test_where_the_slots_end_tokens_are_read_unpadded_and_in_more_slots(checkpoint):
    exact, padded = Runner(checkpoint), Runner(checkpoint)
    padded.prepare_readings([8])
    n = FIRST_CAPACITY - 5
    for runner in (exact, padded):
        runner.forward(runner.embed(tokens(n)), torch.arange(n))
    for _ in range(3):
        shown = torch.zeros(3, exact.slots.used + 3)
        found, expected = (r.forward(r.embed(tokens(3)), torch.arange(n, n + 3), shown) for r in (padded, exact))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert padded.slots.capacity > FIRST_CAPACITY


@pytest.mark.parametrize("n", [480, 8_000, 16_001, 20_479, 20_480, 47_840])
def test_a_padded_encoding_is_an_exact_one(checkpoint, n):
    samples = np.random.default_rng(n).standard_normal(n).astype(np.float32) * 0.1
    mel = checkpoint.front_end.log_mel(samples)
    runner = Runner(checkpoint)
    runner.prepare_encodings([16, 64, 160])
    assert shortest(runner.encodings, 160) is not None
    encode(checkpoint, mel.flip(0), runner.encodings)  # what a clip before has left
    found = encode(checkpoint, mel, runner.encodings)
    torch.testing.assert_close(found, encode(checkpoint, mel), atol=1e-5, rtol=0)


def test_a_length_goes_to_the_shortest_that_takes_it(checkpoint):
    runner = Runner(checkpoint)
    runner.prepare_encodings([4, 8])
    lengths = [one.length if (one := shortest(runner.encodings, n)) else None for n in (1, 4, 5, 8, 9)]
    assert lengths == [4, 4, 8, 8, None]


def test_the_lengths_recorded_are_in_order_and_take_the_longest_clip():
    assert list(READ_LENGTHS) == sorted(READ_LENGTHS)
    assert list(ENCODE_LENGTHS) == sorted(ENCODE_LENGTHS)
    assert ENCODE_LENGTHS[-1] >= 1500
    assert READ_LENGTHS[-1] < FIRST_CAPACITY


def refuses(error: Exception):
    def prepare(*_args: object, **_kwargs: object) -> None:
        raise error

    return prepare


def test_where_kernels_cannot_be_recorded_work_goes_on_without(small_folder, monkeypatch, caplog):
    runner = Runner(load(small_folder, CPU))
    runner.device = torch.device("cuda")  # nothing is put there: each recording is refused before
    tried: list[bool] = []
    monkeypatch.setattr(runner, "prepare_readings", refuses(RuntimeError("no")))
    monkeypatch.setattr(runner, "prepare_encodings", refuses(subprocess.CalledProcessError(1, "a compiler")))
    monkeypatch.setattr(
        runner, "prepare_steps", lambda *, is_fused: tried.append(is_fused) or refuses(RuntimeError())()
    )
    runner.warm_up()
    assert (tried, runner.stepper, runner.encodings) == ([True, False], None, [])
    assert len([record for record in caplog.records if "do not work here" in record.message]) == 4
    monkeypatch.setattr(runner, "prepare_readings", refuses(torch.OutOfMemoryError("full")))
    with pytest.raises(torch.OutOfMemoryError):
        runner.warm_up()


class FakeGraph:
    """Is replayed by doing again what was done while it was recorded."""

    def __init__(self) -> None:
        self.replay = None


def test_what_a_recorder_records_shares_its_memory_and_its_stream(monkeypatch):
    """torch.cuda's part is played: that it is asked as it should be, not that it answers."""
    done: list[str] = []
    recordings: list[tuple[object, object]] = []

    @contextmanager
    def graph(made, pool, stream):
        recordings.append((pool, stream))
        yield
        made.replay = lambda: done.append("replayed")

    streams = iter(range(9))
    monkeypatch.setattr(torch.cuda, "Stream", lambda _: SimpleNamespace(at=next(streams), wait_stream=id))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(wait_stream=id))
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", object)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    recorder, other = (Recorder(torch.device("cuda")) for _ in range(2))
    one, two = (recorder.recorded(lambda name=name: done.append(name)) for name in "ab")
    assert done == [*4 * "a", *4 * "b"]  # three times to warm up, then into the recording
    two()
    one()
    assert done[8:] == ["replayed"] * 2
    assert recordings[0] == recordings[1]
    other.recorded(lambda: None)
    assert all(mine is not its for mine, its in zip(recordings[0], recordings[2], strict=True))


def test_off_cuda_nothing_is_recorded(checkpoint, monkeypatch):
    runner = Runner(checkpoint)
    for name in ("prepare_steps", "prepare_readings", "prepare_encodings"):
        monkeypatch.setattr(runner, name, refuses(AssertionError(name)))
    runner.warm_up()
