"""Clips through a model in its own process, whatever becomes of it."""

from __future__ import annotations

import functools
import queue

import pytest
from audio_clips import to_pcm, tone, write_audio

from live.errors import LiveError, SettingsError
from live.evaluation.clips import ClipTranslator
from live.evaluation.predictions import Prediction
from models.base import Capabilities, Died, Failed, ModelLoadError, Ready, TranslatorFactory, WorkerDied
from models.fake import WORDS
from models.worker import ModelWorker

LOUD = WORDS["zh"][1]
CAN = Capabilities("fake", "cpu", frozenset({("en", "zh")}), 480_000)


@pytest.fixture
def clip(tmp_path):
    return write_audio(tmp_path / "clip.wav", to_pcm(tone(0.4, hz=2000)))


def translator(target: str = "zh", **arguments) -> ClipTranslator:
    return ClipTranslator(TranslatorFactory("models.fake:FakeTranslator", arguments), ModelWorker, "en", target)


def test_a_clip_that_the_model_fails_on_is_told_from_the_next(clip):
    shares: list[float] = []
    with translator(fail_on=1) as model:
        assert model.wait_ready(shares.append).name == "fake"
        assert model.translate("a", clip) == Prediction("a", problem="failed")
        assert model.translate("b", clip) == Prediction("b", LOUD)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_clip_that_ends_the_model_twice_is_given_up_and_the_next_is_translated(clip):
    with translator(crash_utterance=1) as model:
        model.wait_ready(lambda _: None)
        assert model.translate("a", clip) == Prediction("a", problem="failed")
        assert model.translate("b", clip) == Prediction("b", LOUD)


def test_what_no_file_can_be_called_is_a_clip_that_cannot_be_read(tmp_path):
    with translator() as model:
        model.wait_ready(lambda _: None)
        assert model.translate("a", tmp_path / "\0.wav") == Prediction("a", problem="missing")
        assert model.translate("b", tmp_path / f"{'b' * 5000}.wav").problem in ("missing", "broken")  # as Python has it


def test_a_model_that_cannot_be_loaded_or_does_not_translate_so_says_so():
    with translator(fail_load=True) as model, pytest.raises(ModelLoadError, match="fail_load"):
        model.wait_ready(lambda _: None)
    with translator("de") as model, pytest.raises(SettingsError, match="fake does not translate en to de"):
        model.wait_ready(lambda _: None)


class Lost:
    """A worker whose model is ready once, and then gone for good."""

    def __init__(self, replies, _factory):
        self.replies = queue.Queue()
        for reply in replies:
            self.replies.put(reply)

    def submit(self, _request):
        return 1

    def close(self):
        pass


@pytest.mark.parametrize(
    "last", [Failed(None, WorkerDied("The model is gone.")), Died("The model is gone.", None, True)]
)
def test_a_model_lost_for_good_ends_the_run_and_makes_no_clip_a_failed_one(clip, last):
    start = functools.partial(Lost, [Ready(CAN), Died("once", 1), last])
    with ClipTranslator(TranslatorFactory("a:b"), start, "en", "zh") as model:
        model.wait_ready(lambda _: None)
        with pytest.raises(LiveError, match="The model is gone"):
            model.translate("a", clip)
