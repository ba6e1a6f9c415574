"""When a text is over: its end tag, the pieces asked for, a loop, a guess at what comes, more than anybody can speak.

In: steps, one token at a time, and the draft that they may confirm. Out: an Outcome. Where steps come from is not its
business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.base import SAMPLE_RATE, Branch, Cancelled, Outcome, Piece, Stop
from models.qwen_audio.decoder import Step
from models.qwen_audio.pointed import Pointed, n_in_hold, pointing
from models.qwen_audio.pointing import Sight

CANCEL_EVERY = 4
"""Tokens from one question whether anybody still waits to the next."""
TOKENS_BESIDES = 24
TOKENS_PER_SECOND = 16
"""Twice what fast speech needs where each hanzi takes two ids."""
LOOP_TOKENS = 20
LOOP_TIMES = 4
"""A run of ids said so often, and so long in all, is a loop: not "very, very", nor the noughts of a billion."""
HELD_PIECES = 7
"""Pieces, one after the other, that point to the sound's end: what follows them is guessed. Two more than any display
mode hides of a text (live.policy.modes)."""


class Builder(Protocol):
    """Groups tokens into pieces as they come; only the last piece may still change when another token is added."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces so far, the one that may still grow included."""
        ...

    def add(self, token: int, logprob: float) -> None:
        """Take the next token."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How tokens are read as a text, and what ends it."""

    builder: Callable[[], Builder]
    """Makes one that has read nothing but what was committed."""
    ends: frozenset[int]
    """Tokens that end the text."""
    limit: int
    """Tokens that the whole text may have, the committed ones included."""
    sight: Sight | None = None
    """Reads what was seen of each step; None where the text does not point."""


def max_tokens(n_samples: int) -> int:
    """Tokens that a text of so much sound may have."""
    return TOKENS_BESIDES + TOKENS_PER_SECOND * n_samples // SAMPLE_RATE


class Collector:
    """Takes steps until the text is over.

    The same steps give the same pieces whether a draft confirmed some of them or not, and wherever `committed` ends;
    only `branch.max_new` and what points to the sound's end count from where the draft stopped being right.
    """

    def __init__(self, branch: Branch, reading: Reading, cancelled: Callable[[], bool]) -> None:
        """Start behind `branch.committed`.

        Args:
            branch: what has been committed, the draft, and the pieces asked for.
            reading: how tokens become pieces, and which end them.
            cancelled: whether nobody waits any more.
        """
        self._branch = branch
        self._reading = reading
        self._cancelled = cancelled
        self._builder = reading.builder()
        self._taken: list[Step] = []
        self._pointed: list[Pointed] = []
        self._ids = [i for piece in branch.committed for i in piece.ids]
        self._outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """What became of the branch.

        Raises:
            ValueError: its text is not over.
        """
        if self._outcome is None:
            raise ValueError("the steps ended before the text")
        return self._outcome

    def take(self, step: Step) -> bool:
        """Take the next step; whether the text goes on behind it.

        Raises:
            Cancelled: nobody waits for it.
        """
        if step.token in self._reading.ends:
            return self._end(self._builder.pieces, "end")
        if len(self._ids) >= self._reading.limit:
            return self._end(self._builder.pieces, "budget")
        if len(self._taken) % CANCEL_EVERY == 0 and self._cancelled():
            raise Cancelled
        self._taken.append(step)
        self._ids.append(step.token)
        self._builder.add(step.token, step.logprob)
        if self._reading.sight is not None and step.seen is not None:
            self._pointed.append(self._reading.sight.pointed(step.seen))
        if surplus := looped(self._ids):
            kept = self._taken[: max(0, len(self._taken) - surplus)]
            return self._end(_pieces(kept, self._reading), "loop")
        wanted, pieces = self._branch.max_new, self._builder.pieces
        if wanted is not None and _is_enough(pieces, self._branch.draft, wanted):
            return self._end(pieces[:-1], "budget")
        if self._is_guessing(pieces[:-1]):
            return self._end(pieces[:-1], "hold")
        return True

    def _is_guessing(self, pieces: Sequence[Piece]) -> bool:
        """Whether enough whole pieces that are not the draft's point to the sound's end, one after the other."""
        sight, n_agreed = self._reading.sight, _agreed(pieces, self._branch.draft)
        if sight is None or not sight.hold or len(pieces) - n_agreed < HELD_PIECES:
            return False
        return min(n_in_hold(pieces, self._pointed, sight.hold_from), len(pieces) - n_agreed) >= HELD_PIECES

    def _end(self, pieces: tuple[Piece, ...], stop: Stop) -> bool:
        if self._pointed:
            committed = self._branch.committed
            pieces = pointing(pieces, self._pointed, committed[-1].at if committed else None)
        self._outcome = Outcome(pieces, _agreed(pieces, self._branch.draft), stop)
        return False


def _pieces(steps: Iterable[Step], reading: Reading) -> tuple[Piece, ...]:
    builder = reading.builder()
    for step in steps:
        builder.add(step.token, step.logprob)
    return builder.pieces


def looped(ids: Sequence[int]) -> int:
    """How many ids at the end only repeat what stands before them, once that is a loop; else 0."""
    for period in range(1, len(ids) // LOOP_TIMES + 1):
        if ids[-1] != ids[-1 - period]:
            continue
        times = max(LOOP_TIMES, -(-LOOP_TOKENS // period))
        span = times * period
        # Everything shifted by a period is itself: the last `times` runs are equal.
        if span <= len(ids) and ids[-span:-period] == ids[-span + period :]:
            return span - period
    return 0


def _is_enough(pieces: Sequence[Piece], draft: Sequence[Piece], max_new: int) -> bool:
    """Whether all pieces asked for are whole: they are once another, which is not the draft's, has begun."""
    n_agreed = _agreed(pieces[:-1], draft)
    if not pieces or len(pieces) - 1 - n_agreed < max_new:
        return False
    begun = pieces[-1].ids
    is_drafts = len(pieces) - 1 == n_agreed < len(draft) and draft[n_agreed].ids[: len(begun)] == begun
    return not is_drafts


def _agreed(pieces: Sequence[Piece], draft: Sequence[Piece]) -> int:
    """How many pieces are the draft's, from the first on."""
    for count, (piece, drafted) in enumerate(zip(pieces, draft, strict=False)):
        if piece.ids != drafted.ids:
            return count
    return min(len(pieces), len(draft))
