"""Where sound is quiet for a moment: between two sentences, or in a word that holds its breath.

In: samples. Out: lulls. Quiet is judged by the sound itself: near its own floor, whatever noise there is. Which lull
is meant is not its business. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.base import SAMPLE_RATE, Samples

STEP = round(0.005 * SAMPLE_RATE)
WINDOW = round(0.03 * SAMPLE_RATE)
"""Samples over which loudness is taken: long enough that noise is even."""
FLOOR_SHARE, SPEECH_SHARE = 3, 70
"""Percentiles of loudness taken for the floor and for speech."""
LOWEST_DB = -70.0
"""No floor is lower: below it nothing is heard."""
NEAR_FLOOR = 0.25
"""Quiet is what lies in this share of the way from floor to speech."""
SHORTEST = round(0.07 * SAMPLE_RATE)
"""Samples of a lull, at least. Of the closures inside espeak's words 19 of 20 are shorter than 0.06 s, and of pauses of
0.05 to 0.35 s between sentences 19 of 20 are longer than this."""


@dataclass(frozen=True, slots=True)
class Lull:
    """A quiet stretch, in samples of the sound."""

    start: int
    end: int

    @property
    def middle(self) -> int:
        """The place furthest from what is said on both sides."""
        return (self.start + self.end) // 2


def lulls(samples: Samples) -> list[Lull]:
    """All quiet stretches, in order.

    Args:
        samples: (n,) float32, some seconds of speech: shorter sound says little about its floor.
    """
    if len(samples) < WINDOW:
        return []
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - WINDOW + 1, STEP)
    loudness_db = 10 * np.log10((energy[starts + WINDOW] - energy[starts]) / WINDOW + 1e-12)
    floor_db, speech_db = np.maximum(np.percentile(loudness_db, [FLOOR_SHARE, SPEECH_SHARE]), LOWEST_DB)
    is_quiet = loudness_db <= floor_db + NEAR_FLOOR * (speech_db - floor_db)
    turns = np.flatnonzero(np.diff(is_quiet, prepend=False, append=False))
    found = [Lull(int(begin) * STEP, (int(end) - 1) * STEP + WINDOW) for begin, end in turns.reshape(-1, 2)]
    return [lull for lull in found if lull.end - lull.start >= SHORTEST]
