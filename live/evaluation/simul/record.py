"""What is played to a policy, and what it put before a reader: the types between player, measures and log files.

Every time named `heard` is a sample of the talk at 16 kHz; seconds are those of the simulated clock, 0 where the talk
begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from live.events import Caption
from models.base import Cost, Samples


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a talk."""

    start: int
    """Sample of the talk at which it begins."""
    end: int
    """The sample after its last."""
    source: str
    """What is said."""
    reference: str
    """Its translation."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A long recording in one language, with every sentence of it known."""

    name: str
    """Unique in its set; names files."""
    source: str
    """Language code of what is said."""
    target: str
    samples: Samples
    """(n,) float32 in [-1, 1], 16 kHz mono."""
    sentences: tuple[Sentence, ...]
    """In order, not overlapping."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A caption as it was put before the reader."""

    caption: Caption
    heard: int
    """Samples of the talk that had been heard when it was asked for."""
    emitted_s: float
    """When it appeared, waiting and computing included."""
    cost: Cost


@dataclass(frozen=True, slots=True)
class Playback:
    """One talk played through one policy."""

    talk: Talk
    policy: str
    shown: tuple[Shown, ...]
    """In the order of `emitted_s`."""
