"""Which language is expected of a lane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from live.audio import Lane, Utterance
from live.policy.conversation import ENOUGH, Conversation, speech_length
from live.segmenter import PRE_ROLL, TAIL
from models.base import SAMPLE_RATE, UNKNOWN

BOTH = {"zh": 1.0, "en": 1.0, "de": 0.0}


def utterance(n: int = 2 * SAMPLE_RATE, *, lane: Lane = "microphone", final: bool = True) -> Utterance:
    return Utterance(1, lane, np.zeros(n, np.float32), 0, final)


def named(priors: dict[str, float], scores: dict[str, float]) -> str:
    """As a translator names a language."""
    return max(scores, key=lambda language: scores[language] * priors.get(language, 1.0))


def test_nothing_is_expected_of_a_lane_that_has_not_spoken():
    assert Conversation().priors(utterance(), BOTH) == BOTH


@pytest.mark.parametrize(("likely", "turns"), [(0.5, False), (0.79, False), (0.81, True), (0.99, True)])
def test_another_language_is_named_where_it_is_four_times_as_likely(likely, turns):
    conversation = Conversation()
    conversation.note(utterance(), "zh")
    priors = conversation.priors(utterance(), BOTH)
    assert named(priors, {"en": likely, "zh": 1 - likely}) == ("en" if turns else "zh")
    assert priors["de"] == 0.0


@pytest.mark.parametrize(("likely", "turns"), [(0.9, False), (0.96, True)])
def test_a_short_sound_has_to_be_surer(likely, turns):
    conversation = Conversation()
    conversation.note(utterance(), "zh")
    short = utterance(PRE_ROLL + ENOUGH + TAIL - 1)
    assert named(conversation.priors(short, BOTH), {"en": likely, "zh": 1 - likely}) == ("en" if turns else "zh")


def test_no_speech_stays_no_speech():
    conversation = Conversation()
    conversation.note(utterance(), "zh")
    assert named(conversation.priors(utterance(), BOTH), {"zh": 0.3, "en": 0.1, UNKNOWN: 0.6}) == UNKNOWN


def test_short_sounds_and_sounds_without_speech_turn_nothing():
    conversation = Conversation()
    conversation.note(utterance(), "zh")
    conversation.note(utterance(), UNKNOWN)
    conversation.note(utterance(PRE_ROLL + ENOUGH + TAIL - 1), "en")
    assert conversation.priors(utterance(), BOTH)["zh"] == 1.0
    assert conversation.priors(utterance(), BOTH)["en"] == pytest.approx(0.25)


def test_each_lane_has_its_own():
    conversation = Conversation()
    conversation.note(utterance(lane="system"), "en")
    assert conversation.priors(utterance(lane="microphone"), BOTH) == BOTH


def test_a_language_that_is_not_expected_any_more_says_nothing():
    conversation = Conversation()
    conversation.note(utterance(), "de")
    assert conversation.priors(utterance(), BOTH) == BOTH


def test_a_hundred_utterances_with_one_foreign_noun_keep_their_language():
    conversation, rng = Conversation(), np.random.default_rng(5)
    conversation.note(utterance(), "zh")
    for foreign in rng.uniform(0.0, 0.78, 100):  # as the model might score them; no model is asked here
        said = utterance(int(rng.integers(SAMPLE_RATE, 8 * SAMPLE_RATE)))
        source = named(conversation.priors(said, BOTH), {"zh": 1 - foreign, "en": foreign})
        assert source == "zh"
        conversation.note(said, source)


def test_what_follows_a_cut_is_speech_from_its_beginning_on():
    said = Utterance(1, "microphone", np.zeros(2 * SAMPLE_RATE, np.float32), 0, False)
    assert speech_length(replace(said, continues=7)) - speech_length(said) == PRE_ROLL
