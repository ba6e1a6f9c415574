"""Pieces with what they point to.

In: pieces, and what each of their ids points to. Out: the same pieces with `at` and `tail_mass`, and whether the last
of them only point to the sound's end. How an id's pointing is read is pointing's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from models.base import Piece


class Pointed(NamedTuple):
    """What an id points to."""

    at: int
    """A session sample."""
    tail_mass: float
    """Share of its attention on the end of the sound, 0 to 1."""


def pointing(pieces: Sequence[Piece], of_ids: Sequence[Pointed], since: int | None) -> tuple[Piece, ...]:
    """Pieces that point where their ids do, and never before the piece in front of them.

    A piece points as far, and as much to the sound's end, as any of its ids. What a text says in another order than
    the sound is held back with what stands before it anyway, so no piece points back.

    Args:
        pieces: of a text, from behind what was committed on.
        of_ids: of each of their ids, and perhaps of some behind them.
        since: where the last committed piece points.
    """
    found: list[Piece] = []
    left = iter(of_ids)
    floor = since or 0
    for piece in pieces:
        own = list(islice(left, len(piece.ids)))
        floor = max(floor, *(each.at for each in own))
        found.append(replace(piece, at=floor, tail_mass=max(each.tail_mass for each in own)))
    return tuple(found)


def n_in_hold(pieces: Sequence[Piece], of_ids: Sequence[Pointed], hold_from: int) -> int:
    """How many pieces at the end of a text, one after the other, point to the sound's end.

    Args:
        pieces: of a text, from behind what was committed on.
        of_ids: of each of their ids, and perhaps of some behind them.
        hold_from: session sample at which that end begins.
    """
    count = 0
    left = iter(of_ids)
    for piece in pieces:
        is_held = max(each.at for each in islice(left, len(piece.ids))) >= hold_from
        count = count + 1 if is_held else 0
    return count
