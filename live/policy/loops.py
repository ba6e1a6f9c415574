"""Whether an answer runs in circles, or says more than anybody can have spoken: then nothing of it is settled.

In: the pieces of a text, and how much sound they are about. A loop that is agreed on answer after answer is still a
loop, so agreement alone would settle it (WhisperLiveKit #338).
"""

from __future__ import annotations

from collections.abc import Sequence

from models.base import SAMPLE_RATE, Piece

SHORTEST, LONGEST = 2, 4
"""Pieces in the runs that are looked for; one piece said thrice may be meant ("very, very, very")."""
TIMES = 3
PIECES_PER_SECOND = 12
"""Twice what fast speech has."""
PIECES_BESIDES = 12
"""So many more may be: marks, and what is spoken fast at the beginning."""


def is_loop(committed: Sequence[Piece], rest: Sequence[Piece], n_samples: int) -> bool:
    """Whether a text cannot be what was said.

    Args:
        committed: what is settled of it.
        rest: what is not.
        n_samples: the sound's length.
    """
    if len(committed) + len(rest) > PIECES_BESIDES + PIECES_PER_SECOND * n_samples / SAMPLE_RATE:
        return True
    # What was settled long ago is no reason to settle nothing more.
    before = committed[-LONGEST * (TIMES - 1) :]
    texts = [piece.text.strip() for piece in (*before, *rest)]
    return any(_repeats(texts, length) for length in range(SHORTEST, LONGEST + 1))


def _repeats(texts: Sequence[str], length: int) -> bool:
    """Whether a run of that length stands TIMES in a row anywhere."""
    streak = 0
    for earlier, later in zip(texts, texts[length:], strict=False):
        streak = streak + 1 if earlier == later else 0
        if streak >= (TIMES - 1) * length:
            return True
    return False
