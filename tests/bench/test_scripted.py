"""A translator that computes as a model does and writes what the script says."""

from __future__ import annotations

import numpy as np
import pytest

from models.base import SAMPLE_RATE, UNKNOWN, Branch, Cancelled, Request
from models.bench import Said
from models.bench.scripted import ScriptedTranslator

TEXT, TRANSLATION = "Good morning everyone, we begin.", "大家早上好，我们开始吧。"
SCRIPT = (
    Said(0, 2 * SAMPLE_RATE, "en", TEXT, TRANSLATION),
    Said(3 * SAMPLE_RATE, 4 * SAMPLE_RATE, "zh", "好的。", "All right."),
)
BRANCHES = (Branch("translate"), Branch("transcribe"))


@pytest.fixture(scope="module")
def translator():
    translator = ScriptedTranslator("tiny", SCRIPT, ("zh", "en"), "cpu")
    translator.can = translator.load(lambda _: None)
    return translator


def heard(start_s: float, end_s: float, branches=BRANCHES) -> Request:
    n_samples = round((end_s - start_s) * SAMPLE_RATE)
    return Request(
        1, round(start_s * SAMPLE_RATE), np.zeros(n_samples, np.float32), None, {"zh": "en", "en": "zh"}, branches
    )


def answer(translator, *args):
    return translator.translate(heard(*args), lambda: False)


def texts(hypothesis) -> list[str]:
    return [outcome.text for outcome in hypothesis.outcomes]


def test_a_whole_sentence_is_the_script_s_in_its_direction(translator):
    hypothesis = answer(translator, 0.0, 2.2)
    assert (hypothesis.source, hypothesis.target) == ("en", "zh")
    assert texts(hypothesis) == [TRANSLATION, TEXT]
    assert answer(translator, 2.8, 4.5).source == "zh"
    assert translator.can.directions == {("zh", "en"), ("en", "zh")}


def test_what_is_heard_so_far_begins_the_whole_and_what_is_cut_off_goes_on_where_it_stopped(translator):
    first, rest = texts(answer(translator, 0.0, 1.0)), texts(answer(translator, 1.0, 2.2))
    assert 0 < len(first[0]) < len(TRANSLATION)
    assert [one + other for one, other in zip(first, rest, strict=True)] == [TRANSLATION, TEXT]


def test_nothing_is_written_where_the_script_says_nothing(translator):
    hypothesis = answer(translator, 2.2, 2.9)
    assert hypothesis.source == UNKNOWN
    assert texts(hypothesis) == ["", ""]
    assert hypothesis.cost.decoded_tokens == 0
    assert hypothesis.cost.encode_s > 0


def test_as_many_tokens_are_decoded_as_the_text_has(translator):
    hypothesis = answer(translator, 0.0, 2.2, (Branch("transcribe"),))
    n_ids = sum(len(piece.ids) for piece in hypothesis.outcomes[0].pieces)
    assert hypothesis.cost.decoded_tokens == n_ids  # the first comes with the prompt, and there is the end


def test_what_was_committed_and_what_a_draft_had_right_is_not_decoded_again(translator):
    pieces = answer(translator, 0.0, 2.2, (Branch("transcribe"),)).outcomes[0].pieces
    committed, draft, new = pieces[:2], pieces[2:4], pieces[4:]
    hypothesis = answer(translator, 0.0, 2.2, (Branch("transcribe", committed=committed, draft=draft),))
    (outcome,) = hypothesis.outcomes
    assert outcome.pieces == draft + new
    assert (outcome.n_agreed, outcome.stop) == (2, "end")
    assert hypothesis.cost.decoded_tokens == sum(len(piece.ids) for piece in new)


def test_no_more_pieces_come_than_were_asked_for(translator):
    (outcome,) = answer(translator, 0.0, 2.2, (Branch("transcribe", max_new=2),)).outcomes
    assert (len(outcome.pieces), outcome.stop) == (2, "budget")


def test_it_stops_where_nobody_waits(translator):
    with pytest.raises(Cancelled):
        translator.translate(heard(0.0, 2.2), lambda: True)


def test_the_precision_is_said_with_the_device():
    lossy = ScriptedTranslator("tiny", SCRIPT, ("zh", "en"), "cpu", "int8")
    assert lossy.load(lambda _: None).device == "cpu (asked for), int8"
