"""Trials of our policy, with a scripted model and tones for speech."""

from dataclasses import replace

import numpy as np
import pytest

from live.evaluation.simul import stress
from live.evaluation.simul.record import Sentence, Talk
from live.evaluation.simul.stress import Model
from live.policy import Direction
from models.base import SAMPLE_RATE
from tests.live.fakes import EnergyDetector
from tests.live.simul_captions import CAN, Scripted, at
from tests.live.test_simul_player import spoken


class ScriptedTranslator:
    """The scripted translator behind the protocol."""

    def __init__(self, cost_s: float) -> None:
        self.script = Scripted(cost_s)

    def translate(self, request, cancelled):
        return self.script.translate(request)


def model(cost_s: float = 0.05) -> Model:
    return Model(ScriptedTranslator(cost_s), CAN, EnergyDetector)


def talk() -> Talk:
    sounding = spoken((1, 3), (5, 8), (10, 11), length_s=15.0)
    sentences = tuple(Sentence(at(start), at(end), "said", "一丁") for start, end in ((1, 3), (5, 8), (10, 11)))
    return Talk("tones", "en", "zh", sounding.samples, sentences)


def test_a_slow_model_leaves_no_sentence_without_its_final():
    missed, order, lag = stress.slowed(model(0.5), talk())

    assert missed.is_met
    assert missed.figure == "0"
    assert order.is_met
    assert float(lag.figure.removesuffix(" s")) > 4.0


def test_an_hour_with_steady_lag_and_memory_is_met(monkeypatch):
    monkeypatch.setattr(stress, "HOUR_S", 600.0)
    lag, memory = stress.hour(model(), [talk()], lambda: 100_000_000)

    assert lag.is_met
    assert memory.is_met
    assert memory.figure == "100 MB"


def test_after_every_final_of_the_hour_the_model_rests(monkeypatch):
    monkeypatch.setattr(stress, "HOUR_S", 600.0)
    rests = []
    asked = model()
    translate = asked.translator.translate
    asked.translator.translate = lambda request, cancelled: (
        rests.append(request.is_final) or translate(request, cancelled)
    )
    stress.hour(replace(asked, rest=lambda: rests.append("rest")), [talk()], lambda: 1)

    after_finals = [rests[n + 1 : n + 2] for n, each in enumerate(rests) if each is True]
    assert len(after_finals) > 100
    assert after_finals == [["rest"]] * len(after_finals) == [["rest"]] * rests.count("rest")


def test_the_hour_keeps_no_captions_for_they_would_look_like_a_leak(monkeypatch):
    monkeypatch.setattr(stress, "HOUR_S", 600.0)
    play, played = stress.play, []
    monkeypatch.setattr(stress, "play", lambda *given, **how: played.append(play(*given, **how)) or played[0])
    stress.hour(model(), [talk()], lambda: 1)

    assert played[0].calls
    assert played[0].playback.shown == ()


def test_memory_that_grows_is_found(monkeypatch):
    monkeypatch.setattr(stress, "HOUR_S", 600.0)
    held = iter(range(100_000_000, 10**12, 1_000_000))
    _, memory = stress.hour(model(), [talk()], lambda: next(held))

    assert not memory.is_met


def test_repeated_talks_keep_their_sentences_in_place():
    one = talk()
    long = stress.repeated([one], 40.0)

    assert len(long.samples) == 3 * len(one.samples)
    assert [said.start for said in long.sentences[3:6]] == [said.start + len(one.samples) for said in one.sentences]


@pytest.mark.parametrize(("level", "is_met"), [(0.0, True), (0.5, False)])
def test_text_for_a_sound_without_speech_is_found(level, is_met):
    samples = np.full(10 * SAMPLE_RATE, level, np.float32)
    samples[-SAMPLE_RATE:] = 0.0

    assert stress.sound(model(), "hum", samples, Direction("en", {"en": "zh"})).is_met is is_met
