"""How loud a lane is, and how loud it is when nobody speaks.

In: a lane's AudioChunks. Out: a Level about fifteen times a second. What is speech is not its business.

The noise floor is the least power of the last ten seconds (minimum statistics: Martin, "Noise power spectral density
estimation based on optimal smoothing and minimum statistics", 2001): even who speaks without a pause is silent between
words for longer than one measurement. Powers are means of a thousand samples and more, so the least of 150 lies no
more than a dB below the mean of steady noise, and is not corrected for that.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from live.audio import AudioChunk
from models.base import SAMPLE_RATE

LEVEL_EVERY = SAMPLE_RATE // 15
"""Samples between two levels."""
SILENCE_DBFS = -100.0
"""The lowest level said."""
NOISE_WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness in dB of full scale, a square wave's being 0."""

    dbfs: float
    """Since the last one given."""
    noise_dbfs: float
    """Of the quietest moment of the last NOISE_WINDOW_S."""


class LevelMeter:
    """Measures one lane."""

    def __init__(self) -> None:
        self._n = 0
        self._energy = 0.0
        self._recent: deque[float] = deque(maxlen=round(NOISE_WINDOW_S * SAMPLE_RATE / LEVEL_EVERY))

    def push(self, chunk: AudioChunk) -> Level | None:
        """The level since the last one given, once enough was heard."""
        self._n += len(chunk.samples)
        self._energy += float(np.dot(chunk.samples, chunk.samples))
        if self._n < LEVEL_EVERY:
            return None
        dbfs = dbfs_of(self._energy / self._n)
        self._n, self._energy = 0, 0.0
        self._recent.append(dbfs)
        return Level(dbfs, min(self._recent))


def dbfs_of(power: float) -> float:
    """A mean square in dB of full scale."""
    return max(SILENCE_DBFS, 10 * math.log10(power)) if power > 0 else SILENCE_DBFS
