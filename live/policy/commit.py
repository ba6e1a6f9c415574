"""Which pieces of a growing utterance are settled: named rules, each of its own, and what is held back in any case.

In: the pieces that may still change, and what is known of the sound. Out: how many of them, from the first on, will
not change any more. Pure: no clock but the samples.

Source: LocalAgreement is Liu et al. 2020 and Polák et al. 2022; the attention gate is AlignAtt, Papi et al. 2023, and
for decoders without cross-attention Papi and Bentivogli 2026 (arXiv 2605.31432).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from live.policy.lines import Seen
from live.policy.text import closes, joins
from models.base import SAMPLE_RATE, Gate

FAR = round(1.2 * SAMPLE_RATE)
"""Samples from the end from which on a piece points to what is clearly old."""
SOFT_HOLD = round(0.16 * SAMPLE_RATE)
"""Both hold and FAR once speech has probably ended."""
SURE_LOGPROB = -0.3
"""A piece less likely is not settled on first sight, nor a closing mark while speech goes on.

On 36 minutes of talks of other seeds than the evaluation's, -0.1 to -0.36 were within 1.1 BLEU and 0.06 s.
-0.5 cost the demonstration 10 of its 92 BLEU into English.
"""
BROKEN = "\ufffd"
"""Stands for bytes that are no whole character."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of the sound that an answer is about."""

    end: int
    """The sample after the last."""
    is_soft_end: bool = False
    """Speech has paused for so long that it has probably ended."""
    gate: Gate | None = None
    """How far pointing is to be trusted; None: not at all."""

    @property
    def hold(self) -> int:
        """Samples at the end into which a settled piece does not point."""
        return self.shortened(0 if self.gate is None else self.gate.hold)

    @property
    def far(self) -> int:
        """Samples from the end from which on sound is old."""
        return SOFT_HOLD if self.is_soft_end else FAR

    def shortened(self, hold: int) -> int:
        """A hold as long as it needs to be with no speech behind."""
        return min(hold, SOFT_HOLD) if self.is_soft_end else hold

    def is_old(self, seen: Seen) -> bool:
        """Whether a piece, and all before it, points to what was heard long ago."""
        return self.gate is not None and seen.reach is not None and seen.reach < self.end - self.far


class Rule(Protocol):
    """One reason to settle a piece."""

    def allows(self, seen: Seen, sight: Sight) -> bool:
        """Whether it holds for this piece; those before it are settled."""
        ...


@dataclass(frozen=True, slots=True)
class AgreedAndPast:
    """Said again, and pointing to sound before the hold: what is still to come will hardly change it."""

    times: int = 1

    def allows(self, seen: Seen, sight: Sight) -> bool:
        """Whether it holds for this piece."""
        return seen.age >= self.times and is_past(seen, sight)


@dataclass(frozen=True, slots=True)
class Past:
    """Pointing to sound before the hold, on first sight: the attention gate alone."""

    def allows(self, seen: Seen, sight: Sight) -> bool:
        """Whether it holds for this piece."""
        return is_past(seen, sight)


@dataclass(frozen=True, slots=True)
class Agreed:
    """Said again so often: once is LocalAgreement-2. Needs no pointing."""

    times: int = 2

    def allows(self, seen: Seen, sight: Sight) -> bool:
        """Whether it holds for this piece."""
        return seen.age >= self.times


@dataclass(frozen=True, slots=True)
class Certain:
    """What the model is sure of, on first sight. Needs no pointing."""

    def allows(self, seen: Seen, sight: Sight) -> bool:
        """Whether it holds for this piece."""
        return is_sure(seen)


@dataclass(frozen=True, slots=True)
class ClearlyOld:
    """Pointing to what was heard long ago, on first sight, where the model is sure of it."""

    def allows(self, seen: Seen, sight: Sight) -> bool:
        """Whether it holds for this piece."""
        return sight.is_old(seen) and is_sure(seen)


def is_sure(seen: Seen) -> bool:
    """Whether the model was sure of a piece."""
    return seen.piece.logprob >= SURE_LOGPROB


def is_past(seen: Seen, sight: Sight) -> bool:
    """Whether a piece, and all before it, points to sound before the hold and looks little into it."""
    if sight.gate is None or seen.reach is None or seen.reach >= sight.end - sight.hold:
        return False
    return seen.piece.tail_mass is None or seen.piece.tail_mass < sight.gate.tail_mass_below


def committable(rest: Sequence[Seen], sight: Sight, rules: Sequence[Rule]) -> int:
    """How many pieces are settled now.

    The last one of an answer is not, for it may be half a word, unless it closes a sentence and speech has paused. A
    mark that closes a sentence, with nothing settled behind it, is not, unless the model is sure of it, speech has
    paused there or its place is old: where speech goes on, the sentence may. A word in letters waits for the mark that
    is written to it.

    Args:
        rest: the pieces that may still change.
        sight: the sound they are about.
        rules: any one of them settles a piece.
    """
    is_whole = sight.is_soft_end and bool(rest) and closes(rest[-1].piece.text)
    n = 0
    for seen in rest if is_whole else rest[:-1]:
        if BROKEN in seen.piece.text or not any(rule.allows(seen, sight) for rule in rules):
            break
        n += 1
    while n and (_closes_too_early(rest[n - 1], sight) or _is_joined(rest[n - 1], rest[n:])):
        n -= 1
    return n


def _closes_too_early(seen: Seen, sight: Sight) -> bool:
    return closes(seen.piece.text) and not (sight.is_soft_end or sight.is_old(seen) or is_sure(seen))


def _is_joined(seen: Seen, following: Sequence[Seen]) -> bool:
    return bool(following) and joins(seen.piece.text, following[0].piece.text)
