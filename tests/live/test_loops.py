"""Which texts run in circles."""

from __future__ import annotations

import pytest

from live.policy.loops import is_loop
from models.base import SAMPLE_RATE, Piece


def pieces(text: str) -> tuple[Piece, ...]:
    return tuple(Piece((1,), word, -0.1) for word in text.split())


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("we go on we go on we go on", True),
        ("and so thank you thank you thank you", True),
        ("a b c d a b c d a b c d", True),
        ("we go on we go on and on", False),
        ("very very very good", False),
        ("one two three four five six", False),
        ("", False),
    ],
)
def test_the_same_few_words_three_times_over_are_a_loop(text, loops):
    assert is_loop((), pieces(text), 10 * SAMPLE_RATE) is loops


def test_a_loop_that_is_half_settled_is_one():
    assert is_loop(pieces("then we go on we go on"), pieces("we go on"), 10 * SAMPLE_RATE)


def test_a_loop_settled_long_ago_is_none_any_more():
    before = pieces("we go on we go on we go on then all of that came to its end")
    assert not is_loop(before, pieces("at last"), 20 * SAMPLE_RATE)


def test_more_words_than_anybody_can_speak_are_one():
    text = pieces(" ".join(str(number) for number in range(40)))
    assert is_loop((), text, SAMPLE_RATE)
    assert is_loop(text[:35], text[35:], SAMPLE_RATE)
    assert not is_loop((), text, 4 * SAMPLE_RATE)
