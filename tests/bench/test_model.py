"""Measuring a model of random weights: every stage runs, and as much is written as was asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from models.base import ModelLoadError
from models.bench import SIZES, model
from models.bench.library import Library
from models.bench.model import measure
from models.bench.shapes import TAG_IDS, layout, prompt
from models.catalogue import large
from models.memory import Processor
from models.qwen_audio.checkpoint import build_on_meta
from models.qwen_audio.prompts import task_tags
from models.qwen_audio.random_weights import random_checkpoint

CPU, F32 = torch.device("cpu"), torch.float32
TINY = layout("tiny")


@pytest.fixture(scope="module", params=["tiny", "embedded"])
def checkpoint(request):
    return random_checkpoint(layout(request.param), CPU, torch.float32)


@pytest.mark.parametrize("quant", ["none", "int8"])
def test_every_stage_of_every_clip_is_measured_beside_its_floor(quant):
    measured = measure("tiny", "cpu", quant, clips_s=(0.5, 1.0), n_tokens=3, repeats=1)
    assert [clip.seconds for clip in measured.clips] == [0.5, 1.0]
    for clip in measured.clips:
        for stages in (clip.ours, clip.floor):
            assert all(seconds > 0 for seconds in dataclasses.astuple(stages))
        assert clip.ours.first_s < clip.ours.whole_s
        assert clip.floor.first_s == clip.floor.encoder_s + clip.floor.prefill_s < clip.floor.whole_s
        assert clip.library_first_s > 0
        assert clip.library_whole_s > 0
        assert clip.memory_bytes > measured.weight_bytes
    assert (measured.quant, measured.device_type, measured.n_tokens) == (quant, "cpu", 3)


def test_the_published_size_is_the_published_shape():
    built = build_on_meta(layout("qwen-audio"))
    assert built.num_parameters() == large()[0].parts.n_bytes("none") // 2 - 2 * 4096  # the rows of <audio> apart


def test_the_embedded_size_is_the_shipped_shape(checkpoint):
    assert set(SIZES) == {"qwen-audio", "embedded", "tiny"}
    assert build_on_meta(layout("embedded")).num_parameters() < 10_000_000


def test_a_prompt_has_one_span_of_the_clip_s_length_and_as_many_tags_as_a_real_one(checkpoint):
    (span,) = checkpoint.audio_spans(prompt(checkpoint, 25))
    assert span.stop - span.start == 25
    assert len(TAG_IDS) == len(task_tags("translate", "zh", "en"))


def test_the_library_writes_as_many_tokens_as_are_asked_for(checkpoint):
    clip = np.zeros(16_000, dtype=np.float32)
    assert len(Library(checkpoint).write(clip, 4)) == 4


def test_random_weights_are_the_same_each_time():
    one, other = (random_checkpoint(layout("tiny"), CPU, torch.float32).model.lm_head.weight for _ in range(2))
    assert torch.equal(one, other)
    assert one.std() > 0


def test_a_size_that_does_not_fit_is_one_line(monkeypatch):
    def full(*_args):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(model, "random_checkpoint", full)
    with pytest.raises(ModelLoadError, match=r"The size tiny does not fit into the memory of cpu .*choose --quant"):
        measure("tiny", "cpu")


@pytest.mark.parametrize(("quant", "free"), [("none", 34e9), ("nf4", 7e9)])
def test_a_published_size_without_room_is_one_line_before_any_memory_is_taken(monkeypatch, quant, free):
    monkeypatch.setattr(model, "processor", lambda: Processor(int(free)))
    monkeypatch.setattr(model, "random_checkpoint", pytest.fail)
    with pytest.raises(ModelLoadError, match=r"The size qwen-audio takes .* GB so, and this computer has .* GB free"):
        measure("qwen-audio", "cpu", quant)


def test_a_published_size_with_room_is_built_where_it_was_asked_for(monkeypatch):
    built = []
    monkeypatch.setattr(model, "processor", lambda: Processor(10**12))
    monkeypatch.setattr(model, "random_checkpoint", lambda *_args: built.append(1) or random_checkpoint(TINY, CPU, F32))
    model.build("qwen-audio", "cpu", "none")
    assert built


def test_the_library_is_asked_for_one_token_and_for_all_as_often_as_is_measured(monkeypatch):
    asked = []

    class FakeLibrary:
        def __init__(self, _checkpoint):
            pass

        def write(self, _samples, n_tokens):
            asked.append(n_tokens)

    monkeypatch.setattr(model, "Library", FakeLibrary)
    measure("tiny", "cpu", clips_s=(0.5,), n_tokens=3, repeats=2)
    assert asked == [1, 1, 1, 3, 3, 3]  # the first of each does not count
