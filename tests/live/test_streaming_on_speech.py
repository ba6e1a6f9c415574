"""The streaming policy on speech that goes on for three quarters of a minute, with the model that ships."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from audio_clips import noise, silence, speech

from live.evaluation.simul.costs import Rates
from live.evaluation.simul.measures import erasure
from live.evaluation.simul.player import Played, play
from live.evaluation.simul.record import Talk
from live.policy import Direction, Streaming
from live.vad import make_detector
from models.base import SAMPLE_RATE
from models.qwen_audio.translator import QwenAudioTranslator

SENTENCES = (
    "Customers in Italy like our website.",
    "I have lost my watch.",
    "We sell cars in Britain.",
    "Peter is in charge of the new product.",
    "The last item is customer feedback.",
    "We lost money last year.",
    "The workshop has been delayed by eight hours.",
    "Please restart the booking system.",
    "Customers in Britain like the new design.",
    "Kevin is sharing the document.",
    "The team dinner was held last Tuesday.",
    "The main reason is a serious mistake.",
    "We will discuss the new office next Sunday.",
    "Helen checked the form the day before yesterday.",
    "The login page will be back to normal on Thursday afternoon.",
    "I want to learn German.",
    "Please put the phones at the front desk.",
    "I left the report in the warehouse.",
    "John has not checked the report yet.",
    "The conference was held last night.",
    "The document is on John's desk.",
    "I left the photo in the meeting room.",
    "The software team did a great job.",
)
"""Some that the model knows when they are said alone."""
GAP_S = 0.15
"""Too short to end an utterance, or for the segmenter to cut there by itself."""
FAST = Rates("fast", encode_s=0.005, prefill_s=0.0002, decode_s=0.002)
"""So that what is due does not depend on the machine."""


@dataclass(frozen=True)
class Monologue:
    played: Played
    gaps: list[tuple[int, int]]
    """Samples between two sentences."""

    @property
    def finals(self):
        return [shown.caption for shown in self.played.playback.shown if shown.caption.is_final]


@pytest.fixture(scope="module")
def monologue() -> Monologue:
    translator = QwenAudioTranslator(str(importlib.resources.files("models.embedded")), device="cpu")
    can = translator.load(lambda _: None)
    parts, gaps = [silence(0.5)], []
    for sentence in SENTENCES:
        said = speech(sentence.split(), "en")
        loud = np.flatnonzero(np.abs(said) > 0.01)
        start = sum(map(len, parts))
        parts += [said[loud[0] : loud[-1]], noise(GAP_S, 0.0005)]
        gaps.append((start + loud[-1] - loud[0], start + loud[-1] - loud[0] + len(parts[-1])))
    sound = np.concatenate([*parts, silence(1.0)])
    policy = Streaming(can, Direction("en", {"en": "zh"}))
    talk = Talk("monologue", "en", "zh", sound, ())
    detector = make_detector("silero")
    told = lambda request: translator.translate(request, lambda: False)  # noqa: E731 - shorter than a function
    return Monologue(play(talk, policy, told, costs=FAST, detector=detector, name="ours"), gaps)


def test_a_monologue_without_a_pause_is_cut_between_its_sentences(monologue):
    captions = monologue.finals
    assert monologue.gaps[-1][0] > 45 * SAMPLE_RATE
    assert len(captions) >= 6
    for before, after in pairwise(captions):
        assert before.end == after.start
        assert any(start - 800 <= before.end <= end + 800 for start, end in monologue.gaps)


def test_nothing_that_is_settled_is_rewritten_and_the_tail_seldom(monologue):
    settled: dict[tuple[int, str], str] = {}
    for shown in monologue.played.playback.shown:
        for name in ("translation", "transcript"):
            text = getattr(shown.caption, name).settled_text
            assert text.startswith(settled.get((shown.caption.id, name), ""))
            settled[shown.caption.id, name] = text
    playback = monologue.played.playback
    assert erasure([playback], "reading") == 0.0
    assert erasure([playback], "balanced") < erasure([playback], "follow") / 2 < 0.2
