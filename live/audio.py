"""Sound as it passes through the session: blocks from a device, chunks at 16 kHz, utterances of speech.

Every time is an int sample index at 16 kHz since the session began, on its lane's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.base import SAMPLE_RATE, Samples

BLOCK_S = 0.02
"""Sound in one block, as sources deliver it."""

Lane = Literal["microphone", "system", "file"]
LANE_NAMES: Mapping[Lane, str] = {"microphone": "microphone", "system": "computer sound", "file": "file"}
"""As people read them."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """What a device delivered at once."""

    lane: Lane
    samples: NDArray[np.int16]
    """(n, channels), at the device's rate."""
    first: int
    """Device sample index of the first sample, dropped ones counted."""
    stamp_s: float
    """Monotonic time at which the block arrived."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A stretch of a lane at the session's rate."""

    lane: Lane
    samples: Samples
    """(n,) float32 in [-1, 1], 16 kHz mono, read-only."""
    start: int

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech, as heard so far; it grows until its endpoint."""

    id: int
    lane: Lane
    samples: Samples
    """(n,) float32 in [-1, 1], 16 kHz mono, read-only."""
    start: int
    is_final: bool
    continues: int | None = None
    """Id of the utterance this one was cut from."""
    quiet: int = 0
    """Samples of quiet heard since its last speech, of a growing one; `samples` need not hold them all."""

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.samples)


def seconds(samples: int) -> float:
    """Samples at 16 kHz as seconds."""
    return samples / SAMPLE_RATE


def clock_text(sample: int) -> str:
    """Write a time of the session as 01:05, or 1:01:05 from an hour on."""
    minutes, second = divmod(int(seconds(sample)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"
