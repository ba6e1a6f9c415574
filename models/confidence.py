"""How sure a translator was of a caption, as one number, and from where on that is too little.

In: the pieces of a caption's lines with their log-probabilities; for a threshold, the confidences of captions known to
be right. Out: a confidence, a threshold. Pure Python: it is asked for each caption, growing or final. Keeping a
threshold is calibration's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from models.base import Piece

SURE_PIECES = 10
"""Pieces of log-probability 0 that are counted besides: of a few pieces, a doubtful one says little yet. Finals are
told apart as well as by their plain mean, and half as many right captions are marked while they grow."""
DEFAULT_UNCERTAIN_BELOW = -0.7
"""For a translator that nobody calibrated: what Whisper's own `logprob_threshold`, a mean of -1, is for a caption of
some two dozen pieces. It marks only what is hardly right."""
RIGHT_MARKED = 0.02
"""Share of right captions that a threshold may mark on the data it is read from: 3 % is promised on others."""


def confidence(lines: Iterable[Sequence[Piece]]) -> float:
    """The mean log-probability of the pieces of all lines and SURE_PIECES more; 0 where there is nothing to doubt.

    Both lines count: what a model does not know makes it hesitate in the transcript, what it takes for something else
    in the translation.

    Args:
        lines: the pieces of transcript and translation, those committed earlier included.

    Returns:
        At most 0; higher is surer.
    """
    logprobs = [piece.logprob for line in lines for piece in line]
    return sum(logprobs) / (len(logprobs) + SURE_PIECES)


def find_threshold(right: Sequence[float]) -> float:
    """The highest confidence to be asked for that leaves all but RIGHT_MARKED of right captions unmarked.

    No higher one keeps the promise to right captions, and a lower one would mark fewer wrong ones.

    Args:
        right: confidences of captions that are right.

    Raises:
        ValueError: there is none, or one is not finite.
    """
    if not right or not all(isfinite(value) for value in right):
        raise ValueError("a threshold needs right captions, and finite confidences")
    return sorted(right)[int(RIGHT_MARKED * len(right))]


def share_marked(confidences: Sequence[float], below: float) -> float:
    """Percent of captions that a threshold marks; 0 of none."""
    return 100.0 * sum(value < below for value in confidences) / len(confidences) if confidences else 0.0
