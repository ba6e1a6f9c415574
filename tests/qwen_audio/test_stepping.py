"""Several steps at once against one at a time: the path that CUDA records, run here without a recording."""

from __future__ import annotations

import dataclasses
from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch

from models.base import TranslateError
from models.qwen_audio import stepping
from models.qwen_audio.checkpoint import load
from models.qwen_audio.decoder import Decoder, Step, Text
from models.qwen_audio.frontend import V1
from models.qwen_audio.runner import Runner
from models.qwen_audio.slots import FIRST_CAPACITY
from models.qwen_audio.stepping import N_TEXTS, STEPS_AT_ONCE

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=["v1", "small"])
def checkpoint(request, v1_folder, small_folder):
    return load(v1_folder if request.param == "v1" else small_folder, CPU)


@pytest.fixture(scope="module")
def mel():
    return V1.log_mel(np.random.default_rng(5).standard_normal(20_000).astype(np.float32) * 0.1)


def prompt_for(checkpoint, mel) -> list[int]:
    first = checkpoint.audio_start_id or 255
    pad = checkpoint.model.config.audio_token_index if checkpoint.audio_start_id is None else 270
    return [first, *[pad] * (mel.shape[1] // 4), first + 1, 5]


def listening(checkpoint, mel, *, at_once: bool) -> Decoder:
    runner = Runner(checkpoint)
    if at_once:
        runner.prepare_steps(is_fused=False)
    decoder = Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool), runner)
    decoder.listen([mel], prompt_for(checkpoint, mel))
    return decoder


def written(decoder: Decoder, texts: list[Text], counts: list[int]) -> list[list[Step]]:
    steps: list[list[Step]] = [[] for _ in texts]

    def taker(own: list[Step], count: int):
        def take(step: Step) -> bool:
            own.append(step)
            return len(own) < count

        return take

    decoder.write_together(texts, [taker(own, count) for own, count in zip(steps, counts, strict=True)])
    return steps


def assert_same(found: list[Step], expected: list[Step]) -> None:
    assert [step.token for step in found] == [step.token for step in expected]
    np.testing.assert_allclose([s.logprob for s in found], [s.logprob for s in expected], atol=1e-4)


TEXTS = [Text([7, 9], [3, 4, 5]), Text([8])]


@pytest.mark.parametrize("counts", [[30, 30], [30, 2], [2, 30], [1, 9], [STEPS_AT_ONCE + 1, 2 * STEPS_AT_ONCE + 3]])
def test_steps_taken_at_once_are_those_taken_one_by_one(checkpoint, mel, counts):
    expected = written(listening(checkpoint, mel, at_once=False), TEXTS, counts)
    decoder = listening(checkpoint, mel, at_once=True)
    for found, steps in zip(written(decoder, TEXTS, counts), expected, strict=True):
        assert_same(found, steps)
    # Tokens behind the end were computed all the same, and are counted.
    assert decoder.cost.decode_steps % STEPS_AT_ONCE == 0
    assert decoder.cost.decoded_tokens >= sum(counts) - 2


def test_a_text_after_another_starts_anew(checkpoint, mel):
    decoder = listening(checkpoint, mel, at_once=True)
    written(decoder, TEXTS, [9, 5])
    alone = listening(checkpoint, mel, at_once=False)
    assert_same(list(islice(decoder.write([6, 5], ()), 12)), list(islice(alone.write([6, 5], ()), 12)))


def test_more_texts_than_are_stepped_at_once_are_stepped_one_by_one(checkpoint, mel):
    texts = [*TEXTS, Text([6])]
    assert len(texts) > N_TEXTS
    expected = written(listening(checkpoint, mel, at_once=False), texts, [12, 6, 3])
    for found, steps in zip(
        written(listening(checkpoint, mel, at_once=True), texts, [12, 6, 3]), expected, strict=True
    ):
        assert_same(found, steps)


def test_where_the_slots_end_texts_go_on_one_by_one_and_in_more_slots(small_folder, mel):
    checkpoint = load(small_folder, CPU)
    count = FIRST_CAPACITY + 40
    expected = list(islice(listening(checkpoint, mel, at_once=False).write([7, 9], ()), count))
    decoder = listening(checkpoint, mel, at_once=True)
    assert_same(list(islice(decoder.write([7, 9], ()), count)), expected)
    # The next request is back in the slots for which steps were prepared.
    decoder.listen([mel], prompt_for(checkpoint, mel))
    before = decoder.cost
    assert_same(list(islice(decoder.write([7, 9], ()), 10)), expected[:10])
    assert decoder.cost.decode_steps - before.decode_steps == 3 * STEPS_AT_ONCE  # one by one it would be 9


def test_steps_end_where_the_model_does(checkpoint, mel):
    n_prompt = len(prompt_for(checkpoint, mel))
    short = dataclasses.replace(checkpoint, max_tokens=n_prompt + 2 + STEPS_AT_ONCE + 1)
    steps = listening(short, mel, at_once=True).write([7, 9], ())
    expected = list(islice(listening(checkpoint, mel, at_once=False).write([7, 9], ()), STEPS_AT_ONCE + 2))
    assert_same(list(islice(steps, STEPS_AT_ONCE + 2)), expected)
    with pytest.raises(TranslateError, match="holds"):
        next(steps)


def test_a_step_compiles_whole_and_once_with_the_model_not_used_before(checkpoint, mel, monkeypatch):
    """Nothing in it falls back to Python, so its kernels can be fused and it can be recorded."""
    torch._dynamo.reset()  # what other models' steps compiled to
    expected = written(listening(checkpoint, mel, at_once=False), TEXTS, [30, 7])
    monkeypatch.setattr(stepping, "find_spec", lambda _name: "Triton is here")
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    runner = Runner(checkpoint)
    with torch._dynamo.config.patch(error_on_recompile=True):
        runner.prepare_steps(is_fused=True)
        for _ in range(3):
            runner.stepper._replay()  # as a recorder does, before anything was read
        decoder = Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool), runner)
        decoder.listen([mel], prompt_for(checkpoint, mel))
        for found, steps in zip(written(decoder, TEXTS, [30, 7]), expected, strict=True):
            assert_same(found, steps)
