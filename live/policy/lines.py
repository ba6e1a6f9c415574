"""One text of a growing utterance: what is settled of it, and what the latest answer says comes after.

In: outcomes, answer after answer. Out: the pieces not settled yet, each with how long it has held. Which of them are
settled is the business of commit.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate

from live.policy.text import closes
from models.base import Outcome, Piece


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece of the latest answer that is not settled."""

    piece: Piece
    age: int
    """Answers after its first that said it again, all before it too."""
    born: int
    """Where the sound ended when it was said first: what it stands for lies before."""
    reach: int | None
    """The furthest sample that it or a piece before it points to; None where it does not point."""


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One text: settled pieces, then those that may still change."""

    committed: tuple[Piece, ...] = ()
    rest: tuple[Seen, ...] = ()
    settled_to: int = 0
    """Where the sound ended when the last committed word was said first."""
    sentence_from: int = 0
    """Where the sound ended when the first piece of the last committed sentence was said first."""
    reach: int = 0
    """The furthest sample that a committed piece points to."""

    @property
    def draft(self) -> tuple[Piece, ...]:
        """The pieces that may still change."""
        return tuple(seen.piece for seen in self.rest)

    def hear(self, outcome: Outcome, end: int, *, is_same: bool) -> StreamLine:
        """Take an answer.

        Args:
            outcome: of the request made of this line; where that forced nothing (pieces without ids), the whole text.
            end: where the sound ended that it is about.
            is_same: whether it is in the language of the answer before; otherwise nothing counts as said again.
        """
        pieces = self._after_committed(outcome)
        n_agreed = agreed(pieces, self.draft) if is_same else 0
        rest, reach = [], self.reach
        for index, piece in enumerate(pieces):
            reach = max(reach, piece.at or 0)
            furthest = None if piece.at is None else reach
            if index < n_agreed:
                before = self.rest[index]
                rest.append(Seen(piece, before.age + 1, before.born, furthest))
            else:
                rest.append(Seen(piece, 0, end, furthest))
        return replace(self, rest=tuple(rest))

    def commit(self, n: int) -> StreamLine:
        """Settle the first `n` pieces of the rest."""
        new = self.rest[:n]
        committed = self.committed + tuple(seen.piece for seen in new)
        first = len(self.committed)
        begins = [
            seen.born for index, seen in enumerate(new, start=first) if index == 0 or closes(committed[index - 1].text)
        ]
        return StreamLine(
            committed=committed,
            rest=self.rest[n:],
            settled_to=max([self.settled_to, *(seen.born for seen in new if is_word(seen.piece))]),
            sentence_from=begins[-1] if begins else self.sentence_from,
            reach=max([self.reach, *(seen.reach or 0 for seen in new)]),
        )

    @property
    def n_closed(self) -> int:
        """Sentences that are committed to their end."""
        return sum(closes(piece.text) for piece in self.committed)

    @property
    def is_closed(self) -> bool:
        """Whether what is committed ends with a sentence."""
        return bool(self.committed) and closes(self.committed[-1].text)

    def drop_rest(self) -> StreamLine:
        """Forget what is not settled."""
        return replace(self, rest=())

    def _after_committed(self, outcome: Outcome) -> tuple[Piece, ...]:
        """The pieces behind the committed ones."""
        if takes_ids(outcome.pieces) and takes_ids(self.committed):
            return outcome.pieces
        return behind(self.committed, outcome.pieces)


def is_word(piece: Piece) -> bool:
    """Whether a piece is more than marks."""
    return any(character.isalnum() for character in piece.text)


def takes_ids(pieces: Sequence[Piece]) -> bool:
    """Whether a translator that made these pieces takes them back; a server's have no ids."""
    return all(piece.ids for piece in pieces)


def agreed(pieces: Sequence[Piece], draft: Sequence[Piece]) -> int:
    """How many pieces say the same, from the first on. Two halves of characters look alike, and may not be."""
    for count, (piece, drafted) in enumerate(zip(pieces, draft, strict=False)):
        if (piece.ids, piece.text) != (drafted.ids, drafted.text):
            return count
    return min(len(pieces), len(draft))


def behind(committed: Sequence[Piece], pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The pieces of a whole text that come after what is committed, however the text says that now.

    Where the text says something else, the pieces after the last place that still agrees, as many as were committed
    and changed left out.
    """
    said = [piece.text.strip() for piece in committed]
    heard = [piece.text.strip() for piece in pieces]
    if heard[: len(said)] == said:
        return pieces[len(said) :]
    blocks = SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks()
    last = max((block for block in blocks if block.size), key=lambda block: block.a, default=None)
    if last is None:
        return pieces[len(said) :]
    return pieces[last.b + len(said) - last.a :]


def reaches(line: StreamLine) -> list[int]:
    """The furthest sample pointed to so far, at each piece of the rest."""
    return list(accumulate((seen.reach or 0 for seen in line.rest), max, initial=line.reach))[1:]
