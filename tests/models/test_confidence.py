"""How sure a caption is, and from where on that is too little."""

from __future__ import annotations

import math
import random

import pytest

from models.base import Piece
from models.confidence import RIGHT_MARKED, SURE_PIECES, confidence, find_threshold, share_marked


def line(*logprobs: float) -> tuple[Piece, ...]:
    return tuple(Piece((1,), "x", logprob) for logprob in logprobs)


def test_each_piece_of_either_line_counts_alike():
    assert confidence([line(-0.1), line(-0.2, -0.6)]) == pytest.approx(-0.9 / (3 + SURE_PIECES))
    assert confidence([line(-0.1, -0.2, -0.6), ()]) == confidence([line(-0.1), line(-0.2, -0.6)])


def test_where_nothing_was_written_there_is_nothing_to_doubt():
    assert confidence([]) == 0.0
    assert confidence([(), ()]) == 0.0


def test_one_doubtful_piece_says_less_than_a_whole_text_of_them():
    assert confidence([line(-0.3)]) > confidence([line(*[-0.3] * 4)]) > confidence([line(*[-0.3] * 40)]) > -0.3


@pytest.mark.parametrize("n", [1, 7, 49, 50, 51, 1000])
def test_a_threshold_marks_as_many_right_captions_as_it_may_and_no_more(n):
    rng = random.Random(n)
    right = [-rng.random() for _ in range(n)]
    below = find_threshold(right)
    assert sum(value < below for value in right) == int(RIGHT_MARKED * n)


def test_right_captions_that_are_all_alike_are_not_marked():
    assert share_marked([-0.1] * 100, find_threshold([-0.1] * 100)) == 0


@pytest.mark.parametrize("right", [[], [-0.1, math.nan], [-math.inf]])
def test_no_threshold_comes_of_nothing(right):
    with pytest.raises(ValueError, match="right captions"):
        find_threshold(right)


def test_shares_are_percent():
    assert share_marked([-1.0, -2.0, -3.0, -4.0], -2.5) == 50
    assert share_marked([], -1.0) == 0
