"""What is settled of one text, and how long the rest has held."""

from __future__ import annotations

import pytest

from live.policy.lines import StreamLine, agreed, behind
from models.base import Outcome, Piece


def pieces(*texts: str, ids: bool = True) -> tuple[Piece, ...]:
    return tuple(Piece((hash(text),) if ids else (), text, -0.1) for text in texts)


def ages(line: StreamLine) -> list[tuple[str, int]]:
    return [(seen.piece.text, seen.age) for seen in line.rest]


def test_what_an_answer_says_again_grows_older_and_what_is_new_does_not():
    line = StreamLine().hear(Outcome(pieces("a", "b", "c"), 0, "end"), 100, is_same=True)
    line = line.hear(Outcome(pieces("a", "b", "x", "y"), 2, "end"), 200, is_same=True)
    assert ages(line) == [("a", 1), ("b", 1), ("x", 0), ("y", 0)]
    assert [seen.born for seen in line.rest] == [100, 100, 200, 200]


def test_an_answer_in_another_language_says_nothing_again():
    line = StreamLine().hear(Outcome(pieces("a"), 0, "end"), 100, is_same=True)
    assert ages(line.hear(Outcome(pieces("a"), 1, "end"), 200, is_same=False)) == [("a", 0)]


def test_settled_pieces_leave_the_rest():
    line = StreamLine().hear(Outcome(pieces("a", "b"), 0, "end"), 100, is_same=True).commit(1)
    assert [piece.text for piece in line.committed] == ["a"]
    assert ages(line) == [("b", 0)]
    assert line.settled_to == 100
    assert line.draft == pieces("b")


def test_a_piece_reaches_as_far_as_any_before_it():
    pointing = tuple(Piece((at,), "x", -0.1, at=at) for at in (300, 100, 500))
    line = StreamLine().hear(Outcome(pointing, 0, "end"), 900, is_same=True)
    assert [seen.reach for seen in line.rest] == [300, 300, 500]
    assert line.commit(2).reach == 300


def test_answers_without_ids_are_compared_by_their_texts():
    line = StreamLine().hear(Outcome(pieces("We", " meet", " at", ids=False), 0, "end"), 100, is_same=True)
    line = line.hear(Outcome(pieces("We", " meet", " on", ids=False), 0, "end"), 200, is_same=True)
    assert ages(line) == [("We", 1), (" meet", 1), (" on", 0)]
    line = line.commit(2).hear(Outcome(pieces("We", " meet", " on", " Monday", ids=False), 0, "end"), 300, is_same=True)
    assert ages(line) == [(" on", 1), (" Monday", 0)]


@pytest.mark.parametrize(
    ("before", "now", "n"), [("", "甲", 0), ("甲", "甲乙", 1), ("甲乙", "乙甲", 0), ("甲乙", "甲", 1)]
)
def test_what_two_answers_share_is_their_common_beginning(before, now, n):
    assert agreed(pieces(*now), pieces(*before)) == n


def test_halves_of_different_characters_look_alike_and_are_not_the_same():
    one, other = (Piece((number,), "\ufffd", -0.1) for number in (1, 2))
    assert agreed((one,), (other,)) == 0
    assert agreed((one,), (one,)) == 1


@pytest.mark.parametrize(
    ("committed", "whole", "rest"),
    [
        ("a b", "a b c d", "c d"),
        ("a b", "x b c d", "c d"),
        ("a b", "a x c d", "c d"),
        ("a b", "x y c d", "c d"),
        ("a b c", "a c d", "d"),
        ("a b", "", ""),
        ("", "a b", "a b"),
        ("a b", "a", ""),
    ],
)
def test_what_comes_after_the_settled_text_is_found_in_an_answer_that_says_it_otherwise(committed, whole, rest):
    found = behind(pieces(*committed.split(), ids=False), pieces(*whole.split(), ids=False))
    assert " ".join(piece.text for piece in found) == rest
