"""The talks of simultaneous evaluation: what they promise of pauses, sentences and times."""

import random

import numpy as np
import pytest

from models.base import SAMPLE_RATE
from models.embedded.recipe import speech, talks
from models.embedded.recipe.grammar import sample

SHORT_S = 40.0
MEETING, MONOLOGUE, NOISE = 1, 3, 5


def spoken(number: int) -> talks.SpokenTalk:
    speech.seed(talks.SEED + number)
    return talks.make_talk(number, seconds=SHORT_S)


@pytest.fixture(scope="module")
def meeting() -> talks.SpokenTalk:
    return spoken(MEETING)


def pauses_s(talk: talks.SpokenTalk) -> list[float]:
    pairs = zip(talk.sentences, talk.sentences[1:], strict=False)
    return [(later.start - earlier.end) / SAMPLE_RATE for earlier, later in pairs]


def test_a_talk_is_as_long_as_asked_and_its_sentences_follow_each_other(meeting):
    assert len(meeting.samples) >= SHORT_S * SAMPLE_RATE
    assert all(pause > 0 for pause in pauses_s(meeting))
    assert meeting.sentences[-1].end <= len(meeting.samples)


def test_speech_is_where_a_sentence_is_said_to_be_and_nowhere_else(meeting):
    is_speech = np.zeros(len(meeting.samples), bool)
    for sentence in meeting.sentences:
        is_speech[sentence.start : sentence.end] = True
    loudness = np.square(meeting.samples)

    assert loudness[is_speech].mean() > 100 * loudness[~is_speech].mean()


def test_pauses_are_within_a_stretch_or_between_stretches(meeting):
    pauses = pauses_s(meeting)

    assert any(pause <= talks.STRETCH_PAUSE_S[1] for pause in pauses)
    assert any(pause >= talks.GAP_S[0] for pause in pauses)
    assert max(pauses) <= talks.GAP_S[1] + 0.001


def test_a_monologue_never_pauses_for_long():
    assert max(pauses_s(spoken(MONOLOGUE))) <= talks.STRETCH_PAUSE_S[1] + 0.001


def test_noise_is_as_loud_as_it_is_said_to_be():
    quiet, noisy = spoken(MEETING), spoken(NOISE)
    lead = slice(0, round(talks.LEAD_S * SAMPLE_RATE) - 800)

    assert np.square(noisy.samples[lead]).mean() > 50 * np.square(quiet.samples[lead]).mean()


def test_no_sentence_comes_twice_in_a_talk_and_none_is_trained_on(meeting):
    texts = [sentence.source for sentence in meeting.sentences]
    rng = random.Random(0)
    trained = {sample(rng, "train").en.written for _ in range(3000)}

    assert len(set(texts)) == len(texts)
    assert not trained & set(texts)


def test_only_held_out_voices_speak(monkeypatch):
    heard = set()
    synthesise = speech.synthesise
    monkeypatch.setattr(
        speech, "synthesise", lambda tokens, voice: heard.add(voice.variant) or synthesise(tokens, voice)
    )

    talks.make_talk(MEETING, seconds=SHORT_S)

    assert len(heard) > 1
    assert heard <= set(speech.HELD_VARIANTS)


@pytest.mark.parametrize(("minutes", "n"), [(1, 2), (8, 2), (9, 4), (30, 8)])
def test_as_many_talks_are_made_as_fill_the_minutes_in_both_languages(minutes, n):
    assert talks.n_talks(minutes) == n


def test_the_fingerprint_changes_with_what_talks_are_made_of(monkeypatch):
    before = talks.fingerprint()
    monkeypatch.setattr(talks, "GAP_S", (0.5, 3.0))

    assert talks.fingerprint() != before


def test_a_talk_made_in_a_process_of_its_own_is_always_the_same(monkeypatch):
    monkeypatch.setattr(talks, "TALK_S", 2.0)
    first, second = (list(talks.make_talks(0.05, 2, print)) for _ in range(2))

    assert {talk.name for talk in first} == {"zh-meeting-1", "en-meeting-1"}
    for talk in first:
        (same,) = (other for other in second if other.name == talk.name)
        assert np.array_equal(talk.samples, same.samples)
        assert talk.sentences == same.sentences


def test_a_long_sound_without_speech_has_another_example_every_few_seconds():
    sound = talks.make_sound("keys", 3 * talks.SOUND_PART_S)
    first, second, third = sound.reshape(3, -1)

    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    assert np.array_equal(sound, talks.make_sound("keys", 3 * talks.SOUND_PART_S))
