"""Where somebody who makes no pause is cut: behind a sentence, at a quiet place, before the model can hold no more.

In: a growing utterance and its two texts. Out: how far they may be settled meanwhile, and the sample to cut before.
What is settled must lie before the cut, or it would be said twice. The segmenter does the cutting; it may refuse, and
it cuts by itself where no sentence ends. Pure: no clock but the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live.audio import Utterance
from live.policy.lines import StreamLine
from live.policy.text import closes
from live.segmenter import LONG, MIN_CUT, quietest
from models.base import SAMPLE_RATE

HOLD_FROM = MIN_CUT - SAMPLE_RATE
"""Samples from which on nothing is settled past the end of a sentence."""
SAID_AFTER = round(0.5 * SAMPLE_RATE)
"""Samples by which the last word of a sentence is said after it was heard, at most: answers come so often."""
HEARD_BEFORE = round(0.2 * SAMPLE_RATE)
"""Samples of the next sentence's first word that have been heard when it is said, at least."""
MARGIN = round(0.2 * SAMPLE_RATE)
"""The least stretch in which a quiet place is looked for."""
PATIENCE = 2 * SAMPLE_RATE
"""Samples that an utterance may grow after a cut was asked for; then it was refused."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A cut that was asked for."""

    at: int
    heard: int
    """Where the sound ended then."""


def settle_up_to(line: StreamLine, n: int, utterance: Utterance, n_closed: int) -> int:
    """How many of the first `n` pieces of a line's rest may be settled, so that a cut leaves them in one piece.

    Args:
        line: one text of the utterance.
        n: pieces that could be settled.
        utterance: as heard so far.
        n_closed: sentences that the text which is ahead has settled to their end; the others follow it.
    """
    if utterance.end - utterance.start < HOLD_FROM:
        return n
    if line.is_closed and line.n_closed >= n_closed:
        return 0
    for index, seen in enumerate(line.rest[:n]):
        if seen.born > utterance.start + LONG:  # the segmenter's own cut may be anywhere behind
            return index
        if closes(seen.piece.text):
            return index + 1
    return n


def place(lines: Sequence[StreamLine], utterance: Utterance) -> int | None:
    """Where the utterance is to be cut: the quietest place between two sentences; None where there is none yet.

    Args:
        lines: the texts, that in the language of the sound, whose words come as they are spoken, last.
        utterance: as heard so far.
    """
    spoken = lines[-1]
    if utterance.end - utterance.start < MIN_CUT or not spoken.rest:
        return None
    if not all(line.is_closed and line.n_closed == spoken.n_closed for line in lines):
        return None
    following = spoken.rest[0]
    if spoken.reach and following.piece.at is not None:
        first, last = spoken.reach, following.piece.at
    else:  # a word is said a little after it is heard, and the next one has been heard a little when it is said
        first, last = spoken.settled_to - SAID_AFTER, following.born - HEARD_BEFORE
    first = max(first, utterance.start + MARGIN)
    last = max(last, first + MARGIN)
    if last > utterance.end:
        return None
    return first + quietest(utterance.samples[first - utterance.start : last - utterance.start])
