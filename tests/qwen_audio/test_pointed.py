"""Pieces with what their ids point to: as far as any of them, and never back."""

from __future__ import annotations

from models.base import Piece
from models.qwen_audio.pointed import Pointed, n_in_hold, pointing


def piece(text: str, n_ids: int = 1) -> Piece:
    return Piece(tuple(range(n_ids)), text, -0.1)


def at(*samples: int) -> list[Pointed]:
    return [Pointed(sample, 0.0) for sample in samples]


def test_a_piece_points_as_far_and_as_much_to_the_end_as_any_of_its_ids():
    of_ids = [Pointed(900, 0.1), Pointed(700, 0.6), Pointed(2000, 0.2)]
    first, second = pointing([piece("a", 2), piece("b")], of_ids, None)
    assert (first.at, first.tail_mass) == (900, 0.6)
    assert (second.at, second.tail_mass) == (2000, 0.2)
    assert first.logprob == -0.1


def test_no_piece_points_before_the_one_in_front_of_it():
    pieces = pointing([piece(c) for c in "abcd"], at(500, 300, 800, 100), None)
    assert [each.at for each in pieces] == [500, 500, 800, 800]


def test_nor_before_what_was_committed():
    pieces = pointing([piece("a"), piece("b")], at(500, 900), 600)
    assert [each.at for each in pieces] == [600, 900]


def test_ids_that_are_no_whole_piece_yet_are_passed_over():
    (only,) = pointing([piece("a", 2)], at(1, 2, 99), None)
    assert only.at == 2


def test_only_pieces_at_the_end_count_as_held():
    pieces = [piece(c) for c in "abcd"]
    assert n_in_hold(pieces, at(900, 100, 900, 1000), 900) == 2
    assert n_in_hold(pieces, at(900, 900, 900, 899), 900) == 0
    assert n_in_hold([], [], 900) == 0
