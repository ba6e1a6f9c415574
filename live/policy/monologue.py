"""Where somebody who makes no pause is cut: behind a sentence, in a lull, before the model can hold no more.

In: a growing utterance and its two texts. Out: how far they may be settled meanwhile, and the sample to cut before.
What is settled must lie before the cut, or it would be said twice; where a sentence runs into the next one without a
lull, both stay together. The segmenter does the cutting; it may refuse, and it cuts by itself where no sentence ends.
Pure: no clock but the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live.audio import Utterance
from live.policy.lines import Seen, StreamLine
from live.policy.lulls import lulls
from live.policy.text import closes
from live.segmenter import LONG, MIN_CUT
from models.base import SAMPLE_RATE

HOLD_FROM = MIN_CUT - SAMPLE_RATE
"""Samples from which on nothing is settled past the end of a sentence."""
SAID_AFTER = round(0.6 * SAMPLE_RATE)
"""Samples by which the last word of a sentence is said after it was heard, as a rule: answers come so often."""
LATE = 2 * SAMPLE_RATE
"""Samples by which it is said afterwards where the model hesitates, at most."""
SAID_BEFORE = round(0.6 * SAMPLE_RATE)
"""Samples by which a last word that the model could guess is said before it was heard, at most."""
HEARD_BEFORE = round(0.1 * SAMPLE_RATE)
"""Samples of the next sentence's first word that have been heard when it is said, at least."""
POINTS_BESIDE = round(0.2 * SAMPLE_RATE)
"""Samples by which a piece points beside the word that it stands for, at most."""
PATIENCE = 2 * SAMPLE_RATE
"""Samples that an utterance may grow after a cut was asked for; then it was refused. For so long, too, one text waits
for the other to end its sentence."""
AHEAD = SAMPLE_RATE
"""Samples by which the last word of a sentence is said after the next one's first word in the other text, at most."""
CLEAR = round(0.1 * SAMPLE_RATE)
"""Samples of a lull that is hardly ever inside a sentence."""
GIVE_UP = SAMPLE_RATE
"""Samples for which a lull is looked for between two sentences; where there is none, the next sentence goes on."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A cut that was asked for."""

    at: int
    heard: int
    """Where the sound ended then."""


def settle_up_to(line: StreamLine, n: int, utterance: Utterance, n_closed: int, n_passed: int = 0) -> int:
    """How many of the first `n` pieces of a line's rest may be settled, so that a cut leaves them in one piece.

    Args:
        line: one text of the utterance.
        n: pieces that could be settled.
        utterance: as heard so far.
        n_closed: sentences that the text which is ahead has settled to their end; the others follow it.
        n_passed: sentences behind which there is no place to cut.
    """
    if utterance.end - utterance.start < HOLD_FROM:
        return n
    if line.is_closed and line.n_closed > n_passed and line.n_closed >= n_closed:
        return 0
    for index, seen in enumerate(line.rest[:n]):
        if seen.born > utterance.start + LONG:  # the segmenter's own cut may be anywhere behind
            return index
        if closes(seen.piece.text):
            return index + 1
    return n


def place(lines: Sequence[StreamLine], utterance: Utterance) -> int | None:
    """Where the utterance is to be cut: in the lull between two sentences; None where there is none yet.

    Args:
        lines: the texts, that in the language of the sound, whose words come as they are spoken, last.
        utterance: as heard so far.
    """
    spoken = lines[-1]
    if utterance.end - utterance.start < MIN_CUT or not (spoken.is_closed and spoken.rest):
        return None
    waited = utterance.end - spoken.rest[0].born
    if not all(_is_done(line, spoken, is_late=waited > PATIENCE) for line in lines[:-1]):
        return None
    found = [(lull, utterance.start + lull.middle) for lull in lulls(utterance.samples)]
    first, likely_to, last = _between(spoken, spoken.rest[0])
    likely = [(lull, at) for lull, at in found if first <= at < min(likely_to, last)]
    if likely:
        return max(likely, key=lambda place: place[0].end - place[0].start)[1]
    later = [at for _, at in found if likely_to <= at < last]
    if later:  # the model knew the sentence's end beforehand, or left a sentence out
        return later[0]
    # It was late with the last word.
    earliest = max(spoken.sentence_from, spoken.settled_to - LATE)
    earlier = [at for lull, at in found if earliest < at < first and lull.end - lull.start >= CLEAR]
    return earlier[-1] if earlier else None


def is_without_place(spoken: StreamLine, utterance: Utterance) -> bool:
    """Whether a sentence ended without a lull, and so much came after it that none is to be found."""
    return spoken.is_closed and bool(spoken.rest) and utterance.end - spoken.rest[0].born > PATIENCE + GIVE_UP


def _is_done(line: StreamLine, spoken: StreamLine, *, is_late: bool) -> bool:
    """Whether nothing is settled of a text that belongs behind the sentence which has just ended in the spoken one.

    A text that is behind may be cut, since its final goes on to the sentence's end; it is waited for first. A text with
    as many sentences may have left one out and be ahead: then its last word came too late to be of this one.
    """
    next_from = spoken.rest[0].born
    if line.n_closed == spoken.n_closed:
        return line.is_closed and line.settled_to <= next_from + AHEAD
    return is_late and line.n_closed < spoken.n_closed and line.settled_to <= next_from


def _between(spoken: StreamLine, following: Seen) -> tuple[int, int, int]:
    """Where the sentence may end at the earliest, by when it does as a rule, and where the next one surely began."""
    if spoken.reach and following.piece.at is not None:
        last = following.piece.at + POINTS_BESIDE
        return spoken.reach - POINTS_BESIDE, last, last
    return spoken.settled_to - SAID_AFTER, spoken.settled_to + SAID_BEFORE, following.born - HEARD_BEFORE
