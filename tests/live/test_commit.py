"""Which pieces of a growing utterance are settled, rule by rule."""

from __future__ import annotations

import math

import pytest

from live.policy.commit import (
    FAR,
    SOFT_HOLD,
    SURE_LOGPROB,
    Agreed,
    AgreedAndPast,
    Certain,
    ClearlyOld,
    Past,
    Sight,
    committable,
)
from live.policy.lines import Seen
from models.base import SAMPLE_RATE, Gate, Piece

END = 5 * SAMPLE_RATE
GATE = Gate(hold=6400, tail_mass_below=0.35, auc=0.9)
SIGHT = Sight(END, gate=GATE)
PAUSING = Sight(END, is_soft_end=True)
DOUBTFUL = math.log(0.4)
ALWAYS = (Agreed(times=0),)


def seen(text="word", *, age=1, born=END - 8000, at=None, tail_mass=None, logprob=-0.01) -> Seen:
    return Seen(Piece((1,), text, logprob, at=at, tail_mass=tail_mass), age, born, at)


def line(*texts: str, age=1) -> list[Seen]:
    return [seen(text, age=age) for text in texts]


def test_what_was_said_again_is_agreed():
    assert [Agreed(1).allows(seen(age=age), SIGHT) for age in (0, 1, 2)] == [False, True, True]
    assert [Agreed(2).allows(seen(age=age), SIGHT) for age in (0, 1, 2)] == [False, False, True]


@pytest.mark.parametrize(
    ("piece", "allowed"),
    [
        (seen(at=END - 6401, tail_mass=0.1), True),
        (seen(at=END - 6400, tail_mass=0.1), False),
        (seen(at=END - 16000, tail_mass=0.35), False),
        (seen(at=END - 16000), True),
        (seen(), False),
        (seen(at=END - 16000, age=0), False),
    ],
    ids=["before the hold", "in it", "looks into it", "looks nowhere", "points nowhere", "said once"],
)
def test_agreed_pieces_before_the_hold_are_settled(piece, allowed):
    assert AgreedAndPast().allows(piece, SIGHT) is allowed
    assert not AgreedAndPast().allows(piece, Sight(END)), "without a gate pointing says nothing"


def test_the_gate_alone_needs_no_agreement():
    assert Past().allows(seen(age=0, at=END - 16000), SIGHT)


@pytest.mark.parametrize(
    ("piece", "allowed"),
    [
        (seen(age=0, at=END - FAR - 1), True),
        (seen(age=0, at=END - FAR), False),
        (seen(age=0, at=END - FAR - 1, logprob=math.log(0.49)), False),
        (seen(age=9), False),
    ],
    ids=["old", "too new", "doubtful", "points nowhere"],
)
def test_what_is_clearly_old_is_settled_on_first_sight(piece, allowed):
    assert ClearlyOld().allows(piece, SIGHT) is allowed


def test_what_the_model_is_sure_of_is_settled_on_first_sight():
    likely, unlikely = SURE_LOGPROB, SURE_LOGPROB - 0.01
    assert [Certain().allows(seen(age=0, logprob=logprob), SIGHT) for logprob in (likely, unlikely)] == [True, False]


def test_in_a_pause_the_hold_is_short():
    pausing = Sight(END, is_soft_end=True, gate=GATE)
    late = seen(age=1, at=END - SOFT_HOLD - 1)
    assert not AgreedAndPast().allows(late, SIGHT)
    assert AgreedAndPast().allows(late, pausing)
    assert ClearlyOld().allows(late, pausing)


def test_pieces_are_settled_up_to_the_first_that_no_rule_allows():
    rest = [*line("One", " two"), seen(" three", age=0), *line(" four", " five")]
    assert committable(rest, SIGHT, (Agreed(1),)) == 2


@pytest.mark.parametrize("sight", [SIGHT, PAUSING], ids=["speaking", "pausing"])
def test_the_last_piece_is_not_settled(sight):
    assert committable(line("One", " two", " thr"), sight, ALWAYS) == 2
    assert committable(line("One"), sight, ALWAYS) == 0
    assert committable([], sight, ALWAYS) == 0


def test_the_last_piece_is_settled_where_it_closes_a_sentence_in_a_pause():
    assert committable(line("One", " two", "."), PAUSING, ALWAYS) == 3
    assert committable(line("One", " two", "."), SIGHT, ALWAYS) == 1
    assert committable([*line("One", " two"), seen(".", age=0)], PAUSING, (Agreed(1),)) == 1


def test_half_a_character_is_never_settled():
    assert committable(line("一", "\ufffd", "二", "三"), SIGHT, ALWAYS) == 1


def test_a_closing_mark_waits_for_what_comes_behind_it():
    mark = seen("。", logprob=DOUBTFUL)
    assert committable([seen("好"), mark, seen("我")], SIGHT, ALWAYS) == 1
    assert committable([seen("好"), mark, *line("我", "们")], SIGHT, ALWAYS) == 3


def test_a_closing_mark_of_which_the_model_is_sure_waits_for_nothing():
    assert committable(line("好", "。", "我"), SIGHT, ALWAYS) == 2


def test_a_closing_mark_is_settled_in_a_pause():
    assert committable([seen("好"), seen("。", logprob=DOUBTFUL), seen("我")], PAUSING, ALWAYS) == 2


def test_a_closing_mark_is_settled_where_its_place_is_old():
    old = [seen(text, at=END - FAR - 1, logprob=DOUBTFUL) for text in ("好", "。", "我")]
    assert committable(old, SIGHT, ALWAYS) == 2


@pytest.mark.parametrize("mark", [".", ",", "?", "%", "'s"])
def test_a_word_waits_for_the_mark_that_is_written_to_it(mark):
    assert committable(line("We", " end", mark), SIGHT, ALWAYS) == 1


def test_a_number_with_its_sign_waits_for_the_mark_too():
    assert committable(line("to", " 84%", "."), SIGHT, ALWAYS) == 1


@pytest.mark.parametrize(("word", "following"), [("end", " we"), ("好", "，"), ("Zoom", "会"), ("end.", "”")])
def test_other_words_wait_for_nothing(word, following):
    assert committable(line("A", word, following), PAUSING, ALWAYS) == 2
