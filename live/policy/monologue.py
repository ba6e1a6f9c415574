"""Where somebody who makes no pause is cut: behind a sentence, at a quiet place, before the model can hold no more.

In: a growing utterance and its two texts. Out: how far they may be settled meanwhile, and the sample to cut before.
What is settled must lie before the cut, or it would be said twice. The segmenter does the cutting; it may refuse, and
it cuts by itself where no sentence ends. Pure: no clock but the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live.audio import Utterance
from live.policy.lines import Seen, StreamLine
from live.policy.text import closes
from live.segmenter import LONG, MIN_CUT, quietest
from models.base import SAMPLE_RATE

HOLD_FROM = MIN_CUT - SAMPLE_RATE
"""Samples from which on nothing is settled past the end of a sentence."""
MARGIN = round(0.2 * SAMPLE_RATE)
"""Samples around the places that texts tell, in which the quietest one is looked for."""
PATIENCE = 2 * SAMPLE_RATE
"""Samples that an utterance may grow after a cut was asked for; then it was refused."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A cut that was asked for."""

    at: int
    heard: int
    """Where the sound ended then."""


def settle_up_to(line: StreamLine, n: int, utterance: Utterance) -> int:
    """How many of the first `n` pieces of a line's rest may be settled, so that a cut leaves them in one piece."""
    length = utterance.end - utterance.start
    if length < HOLD_FROM:
        return n
    if line.committed and closes(line.committed[-1].text):
        return 0
    for index, seen in enumerate(line.rest[:n]):
        if seen.born > utterance.start + LONG:  # the segmenter's own cut may be anywhere behind
            return index
        if closes(seen.piece.text):
            return index + 1
    return n


def place(lines: Sequence[StreamLine], utterance: Utterance) -> int | None:
    """Where the utterance is to be cut: the quietest place between two sentences; None where there is none yet."""
    if utterance.end - utterance.start < MIN_CUT:
        return None
    if not all(line.committed and closes(line.committed[-1].text) for line in lines):
        return None
    pointed = [line for line in lines if line.reach]
    first = max(line.reach for line in pointed) if pointed else max(line.settled_to for line in lines) - MARGIN
    nexts = [_begin(line.rest[0]) for line in lines if line.rest]
    last = min(min(nexts, default=utterance.end) + MARGIN, utterance.end)
    first = max(first, utterance.start + MARGIN)
    last = max(last, first + MARGIN)  # never before what is settled
    if last > utterance.end:
        return None
    return first + quietest(utterance.samples[first - utterance.start : last - utterance.start])


def _begin(seen: Seen) -> int:
    """The latest sample at which what a piece stands for can begin."""
    return seen.born if seen.piece.at is None else seen.piece.at
