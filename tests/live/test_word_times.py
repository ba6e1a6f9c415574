"""Words of a transcript take the times of what was heard, and keep their own text."""

from __future__ import annotations

import random

import pytest

from live.events import Word
from live.word_times import timed
from models.base import Piece


def heard(*pieces: tuple[str, int, int]) -> list[Piece]:
    return [Piece((1,), text, -0.1, at=at, end=end) for text, at, end in pieces]


def words(*texts: str) -> list[Word]:
    return [Word(text) for text in texts]


def times(found) -> list[tuple[str, int | None, int | None]]:
    return [(word.text, word.start, word.end) for word in found]


def test_words_take_the_times_of_the_same_words_whatever_their_case_and_marks():
    found = timed(
        words("Good", " morning", ",", " Li", "."), heard(("good", 0, 10), (" morning", 10, 30), (" li", 40, 50))
    )
    assert times(found) == [
        ("Good", 0, 10),
        (" morning", 10, 30),
        (",", None, None),
        (" Li", 40, 50),
        (".", None, None),
    ]


def test_hanzi_heard_together_share_their_time():
    assert times(timed(words("面", "条", "。"), heard(("面条", 54, 118)))) == [
        ("面", 54, 86),
        ("条", 86, 118),
        ("。", None, None),
    ]


def test_a_number_written_otherwise_takes_the_time_in_between():
    found = timed(
        words("up", " 15%", " now"), heard(("up", 0, 10), (" fifteen", 10, 30), (" percent", 30, 50), (" now", 60, 70))
    )
    assert times(found) == [("up", 0, 10), (" 15%", 10, 50), (" now", 60, 70)]


def test_a_word_that_was_not_heard_has_no_length():
    assert times(timed(words("so", " um", " yes"), heard(("so", 5, 10), (" yes", 20, 30)))) == [
        ("so", 5, 10),
        (" um", 10, 10),
        (" yes", 20, 30),
    ]
    assert times(timed(words("um", " yes"), heard(("yes", 20, 30)))) == [("um", 20, 20), (" yes", 20, 30)]


@pytest.mark.parametrize("pieces", [[], heard(("。", 0, 10)), [Piece((1,), "so", -0.1)]])
def test_without_a_time_heard_words_stay_as_they_are(pieces):
    assert timed(words("so", "."), pieces) == (Word("so"), Word("."))


def test_times_never_go_back_whatever_the_texts():
    draw = random.Random(7)
    for _ in range(200):
        said = [draw.choice(["a", "b", "ab", "12", "好", ","]) for _ in range(draw.randint(0, 8))]
        edges = sorted(draw.randint(0, 99) for _ in range(9))
        found = timed(
            words(*(draw.choice(["a", "B", "ab ", "1", "好", "."]) for _ in range(8))),
            heard(*((text, edges[i], edges[i + 1]) for i, text in enumerate(said))),
        )
        flat = [time for word in found if word.start is not None for time in (word.start, word.end)]
        assert flat == sorted(flat)


def test_in_a_long_text_the_common_letters_count_too():
    said = [f"{a}e{b}e" for a in "abcdefgh" for b in "nopqrstu"] + ["end"]
    pieces = heard(*((f" {word}", 1000 * i, 1000 * i + 900) for i, word in enumerate(said)))
    found = timed(words("new", *(f" {word}" for word in said)), pieces)
    assert times(found)[1:] == [(f" {word}", 1000 * i, 1000 * i + 900) for i, word in enumerate(said)]
