"""The fake translator keeps the rules it states, since other tests stand on them."""

from __future__ import annotations

import numpy as np
import pytest

from models.base import SAMPLE_RATE, UNKNOWN, Branch, Cancelled, ModelLoadError, Piece, Request, TranslateError, Turn
from models.fake import FakeAnswerer, FakeTranslator, pieces_of

BOTH_WAYS = {"en": "zh", "zh": "en"}


def tone(seconds: float, hz: float = 2000.0, level: float = 0.4) -> np.ndarray:
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


def speech_like(seconds: float) -> np.ndarray:
    """A tone that swells and fades, so that the words differ."""
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (tone(seconds) * (0.02 + np.sin(2.1 * time_s) ** 2)).astype(np.float32)


def ask(samples, *branches: Branch, source: str | None = None, **fields) -> Request:
    return Request(1, 0, samples, source, BOTH_WAYS, branches or (Branch("translate"),), **fields)


def answer(samples, *branches: Branch, **fields):
    return FakeTranslator().translate(ask(samples, *branches, **fields), lambda: False)


def test_high_sound_is_english_and_low_sound_chinese():
    high, low = answer(tone(2, hz=2000)), answer(tone(2, hz=100))
    assert (high.source, high.target) == ("en", "zh")
    assert (low.source, low.target) == ("zh", "en")
    assert sum(high.scores.values()) == pytest.approx(1.0)


def test_priors_may_overrule_what_is_heard():
    assert answer(tone(1, hz=600)).source == "en"
    assert answer(tone(1, hz=600), priors={"en": 0.1}).source == "zh"


def test_a_given_source_is_taken():
    hypothesis = answer(tone(1, hz=2000), source="zh")
    assert (hypothesis.source, hypothesis.target) == ("zh", "en")


def test_each_piece_names_its_loudness_and_every_fifth_the_tenths_so_far():
    sound = np.concatenate([tone(1.2, level=0.9), tone(0.8, level=0.2), tone(0.4, level=0.9)])
    translation, transcript = answer(sound, Branch("translate"), Branch("transcribe")).outcomes
    assert transcript.text == "bright bright bright strong 20 bright"
    assert translation.text == "亮亮亮强20亮"
    assert (transcript.stop, transcript.n_agreed) == ("end", 0)


def test_the_same_sound_gives_the_same_answer():
    assert answer(speech_like(5)) == answer(speech_like(5))


def test_the_text_of_a_beginning_is_a_beginning_of_the_text():
    whole = answer(speech_like(8), Branch("transcribe")).outcomes[0].pieces
    for seconds in (0.8, 2.0, 3.3, 6.1):
        part = answer(speech_like(8)[: round(seconds * SAMPLE_RATE)], Branch("transcribe")).outcomes[0].pieces
        n_whole_pieces = int(seconds / 0.4)
        assert part[:n_whole_pieces] == whole[:n_whole_pieces]


def test_silence_is_of_no_language_and_has_no_text():
    for quiet in (np.zeros(SAMPLE_RATE, np.float32), tone(1, level=5e-4), np.zeros(0, np.float32)):
        hypothesis = answer(quiet, Branch("translate"), Branch("transcribe"), source="en")
        assert (hypothesis.source, hypothesis.target) == (UNKNOWN, UNKNOWN)
        assert [outcome.pieces for outcome in hypothesis.outcomes] == [(), ()]


def test_a_draft_agrees_up_to_its_first_wrong_piece():
    text = pieces_of(speech_like(4), "zh")
    draft = (*text[:3], Piece((-1,), "错", -1.0), text[4])
    outcome = answer(speech_like(4), Branch("translate", draft=draft)).outcomes[0]
    assert outcome.n_agreed == 3
    assert outcome.pieces == text


def test_a_draft_of_the_other_language_does_not_agree():
    draft = pieces_of(tone(4), "en")
    assert answer(tone(4), Branch("translate", draft=draft)).outcomes[0].n_agreed == 0


def test_numbers_that_differ_do_not_agree():
    draft = pieces_of(tone(1.9), "zh")
    assert draft[4].text == "19"
    assert answer(tone(2.0), Branch("translate", draft=draft)).outcomes[0].n_agreed == 4


def test_text_goes_on_after_what_is_committed():
    text = pieces_of(speech_like(4), "zh")
    outcome = answer(speech_like(4), Branch("translate", committed=text[:4], draft=text[4:6])).outcomes[0]
    assert outcome.pieces == text[4:]
    assert outcome.n_agreed == 2


def test_a_budget_of_none_verifies_only_and_a_small_one_is_kept():
    text = pieces_of(speech_like(4), "zh")
    verified = answer(speech_like(4), Branch("translate", draft=text[:3], max_new=0)).outcomes[0]
    assert (verified.pieces, verified.n_agreed, verified.stop) == (text[:3], 3, "budget")
    extended = answer(speech_like(4), Branch("translate", draft=text[:3], max_new=2)).outcomes[0]
    assert (extended.pieces, extended.stop) == (text[:5], "budget")


def test_a_cancelled_request_is_given_up_in_its_delay_and_in_its_text():
    with pytest.raises(Cancelled):
        FakeTranslator(delay_s=3600).translate(ask(tone(1)), lambda: True)
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        FakeTranslator().translate(ask(tone(4)), lambda: next(answers))


def test_a_piece_whose_time_is_asked_for_is_its_stretch_of_the_session():
    request = Request(1, 8000, tone(1.0), "en", BOTH_WAYS, (Branch("transcribe", word_times=True),))
    timed = FakeTranslator().translate(request, lambda: False).outcomes[0].pieces
    assert [(piece.at, piece.end) for piece in timed] == [(8000, 14_400), (14_400, 20_800), (20_800, 24_000)]
    assert [piece.text for piece in timed] == [piece.text for piece in pieces_of(tone(1.0), "en")]


def test_a_direction_it_does_not_have_is_refused():
    request = Request(1, 0, tone(1), "de", {"de": "en"}, (Branch("translate"),))
    with pytest.raises(TranslateError, match="de into en"):
        FakeTranslator().translate(request, lambda: False)


def test_too_long_an_utterance_is_refused():
    with pytest.raises(TranslateError, match="30 s"):
        answer(tone(31))


def test_it_fails_where_it_is_told_to():
    broken = FakeTranslator(fail_on=2, raise_on=3)
    broken.translate(ask(tone(1)), lambda: False)
    with pytest.raises(TranslateError):
        broken.translate(ask(tone(1)), lambda: False)
    with pytest.raises(RuntimeError, match="loud"):
        broken.translate(ask(tone(1)), lambda: False)
    broken.translate(ask(tone(1)), lambda: False)


def test_loading_reports_its_progress_and_may_fail():
    shares: list[float] = []
    capabilities = FakeTranslator().load(shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert capabilities.directions == {("en", "zh"), ("zh", "en")}
    with pytest.raises(ModelLoadError, match="fail_load"):
        FakeTranslator(fail_load=True).load(shares.append)


def test_the_answerer_counts_questions_and_sounds_and_streams():
    answerer = FakeAnswerer()
    assert answerer.load(lambda _: None).converses
    first = Turn("user", "what?", (tone(1.0), tone(2.5)))
    said = Turn("assistant", "this")
    assert list(answerer.answer([first, said, Turn("user", "why?")])) == [
        "Question 2, ",
        "sounds 1.0 s, 2.5 s: ",
        "why?",
    ]
    assert "".join(answerer.analyse("scene", tone(1.0))) == "scene of 1.0 s: sound"
    with pytest.raises(TranslateError, match="told to fail"):
        list(answerer.answer([Turn("user", "please fail", (tone(1.0),))]))
