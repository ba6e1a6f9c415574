"""Which lines are on screen, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ui.captions import reading_s
from ui.roll import HOLD_SHORTEST_S, Roll


@dataclass(frozen=True)
class Row:
    key: tuple[int, int]
    text: str
    is_settled: bool = True


def rows(caption: int, *texts: str, is_settled: bool = True) -> list[Row]:
    return [Row((caption, number), text, is_settled) for number, text in enumerate(texts)]


@pytest.fixture
def roll() -> Roll:
    return Roll()


def test_the_newest_two_lines_of_a_growing_text_show(roll: Roll) -> None:
    assert roll.first(rows(1, "a", is_settled=False), 0.0) == (0, None)
    assert roll.first(rows(1, "a", "b", is_settled=False), 0.1) == (0, None)
    assert roll.first(rows(1, "a", "b", "c", is_settled=False), 0.2) == (1, None)


def test_a_settled_line_gives_way_once_it_was_there_long_enough_to_read(roll: Roll) -> None:
    old = rows(1, "a", "b")
    assert roll.first(old, 0.0) == (0, None)
    new = old + rows(2, "c", is_settled=False)
    assert roll.first(new, 0.5) == (0, reading_s("a"))
    assert roll.first(new, reading_s("a")) == (1, None)


def test_a_settled_line_whose_words_changed_last_moment_is_read_from_then(roll: Roll) -> None:
    roll.first(rows(1, "a", "b", is_settled=False), 0.0)
    roll.first(rows(1, "A.", "b"), 5.0)
    new = rows(1, "A.", "b") + rows(2, "c")
    assert roll.first(new, 5.1) == (0, 5.0 + reading_s("A."))


def test_a_long_text_that_comes_at_once_is_shown_from_its_beginning(roll: Roll) -> None:
    text = rows(1, "a", "b", "c", "d")
    now, tops = 0.0, []
    while True:
        top, due = roll.first(text, now)
        tops.append(top)
        if due is None:
            break
        now = due
    assert tops == [0, 1, 2]


def test_lines_that_queue_up_shorten_the_hold_but_not_below_its_least(roll: Roll) -> None:
    text = rows(1, "a", "b", "c", "d", "e")
    assert roll.first(text, 0.0) == (0, HOLD_SHORTEST_S)
    assert roll.first(text, HOLD_SHORTEST_S)[0] == 1


def test_lines_never_come_back(roll: Roll) -> None:
    roll.first(rows(1, "a", "b", "c", is_settled=False), 0.0)
    assert roll.first(rows(1, "a", "b", "c"), 0.1) == (1, None)
    assert roll.first(rows(1, "a", "b", "c") + rows(2, "d"), 0.2)[0] == 1


def test_a_text_that_became_shorter_shows_its_end(roll: Roll) -> None:
    roll.first(rows(1, "a", "b", "c", "d", is_settled=False), 0.0)
    assert roll.first(rows(1, "a", "b", "c"), 0.1) == (1, None)


def test_the_newest_lines_show_where_the_uppermost_caption_is_gone(roll: Roll) -> None:
    roll.first(rows(1, "a", "b") + rows(2, "c", "d", is_settled=False), 0.0)
    roll.first(rows(1, "a", "b") + rows(2, "c", "d", is_settled=False), 9.0)
    assert roll.first(rows(1, "a", "b") + rows(3, "e", is_settled=False), 9.1)[0] == 1


def test_a_new_text_after_silence_begins_at_its_beginning(roll: Roll) -> None:
    roll.first(rows(1, "a", "b", "c", is_settled=False), 0.0)
    assert roll.first([], 9.0) == (0, None)
    assert roll.first(rows(2, "d", "e", "f"), 10.0)[0] == 0
