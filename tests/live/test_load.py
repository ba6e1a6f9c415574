"""What is left out while answers come late; and how often answers are due."""

from __future__ import annotations

import pytest

from live.policy.load import CALM_S, Level, Load
from live.policy.pace import LONGEST, SHORTEST, Pace
from models.base import SAMPLE_RATE


@pytest.mark.parametrize(
    ("lag_s", "level"),
    [
        (0.0, Level.NORMAL),
        (1.4, Level.NORMAL),
        (1.5, Level.THINNED),
        (3.0, Level.VERIFY_ONLY),
        (6.0, Level.FINALS_ONLY),
        (12.0, Level.SKIPPING),
        (99.0, Level.SKIPPING),
    ],
)
def test_the_later_answers_come_the_more_is_left_out(lag_s, level):
    assert Load().note(lag_s, 0.0) is level


def test_a_level_is_left_only_after_a_calm_while_and_one_at_a_time():
    load = Load()
    load.note(7.0, 0.0)
    levels = [load.note(0.1, 1.0 + step) for step in range(12)]
    downwards = (Level.FINALS_ONLY, Level.VERIFY_ONLY, Level.THINNED, Level.NORMAL)
    assert levels == [level for level in downwards for _ in range(int(CALM_S))]


def test_one_late_answer_among_calm_ones_begins_the_calm_while_anew():
    load = Load()
    load.note(2.0, 0.0)
    load.note(0.1, 1.0)
    load.note(1.6, 3.0)
    assert load.note(0.1, 4.5) is Level.THINNED
    assert load.note(0.1, 4.5 + CALM_S) is Level.NORMAL


def test_answers_are_due_as_often_as_the_model_can_give_them():
    pace = Pace()
    assert pace.due(Level.NORMAL) == SHORTEST
    for _ in range(50):
        pace.note(1.0)
    assert pace.due(Level.NORMAL) == pytest.approx(1.2 * SAMPLE_RATE, rel=0.01)
    for _ in range(50):
        pace.note(9.0)
    assert pace.due(Level.NORMAL) == LONGEST


def test_a_cheap_answer_is_due_no_more_often_than_anybody_can_read():
    pace = Pace()
    pace.note(0.01)
    assert pace.due(Level.NORMAL) == SHORTEST


def test_answers_are_due_more_rarely_when_they_come_late():
    pace = Pace()
    pace.note(0.5)
    assert pace.due(Level.THINNED) == pytest.approx(1.5 * pace.due(Level.NORMAL))
    assert pace.due(Level.VERIFY_ONLY) == LONGEST


def test_a_pace_that_does_not_adapt_goes_by_the_sound_alone():
    pace = Pace(adapts=False)
    pace.note(5.0)
    assert pace.due(Level.THINNED) == SHORTEST
