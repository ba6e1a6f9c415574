"""How much new sound is worth another answer: as little as the model keeps up with.

In: what answers cost. Out: samples. Pure: no clock but the samples.
"""

from __future__ import annotations

from live.policy.load import Level
from models.base import SAMPLE_RATE

SHORTEST = round(0.4 * SAMPLE_RATE)
"""Samples of new sound between two answers about an utterance, at least."""
LONGEST = 2 * SAMPLE_RATE
"""At most, while all is well."""
THINNED = 1.5
"""So many times more once answers come late."""
ROOM = 1.2
"""Sound between two answers, as a multiple of what one costs: the model must rest, or finals wait."""
NEWEST = 0.3
"""Weight of the latest cost in the running mean."""


class Pace:
    """Keeps a running mean of what an answer costs.

    Args:
        adapts: False asks for an answer with every SHORTEST whatever it costs.
    """

    def __init__(self, *, adapts: bool = True) -> None:
        self.adapts = adapts
        self._cost_s: float | None = None

    def note(self, cost_s: float) -> None:
        """Take the cost of an answer about a growing utterance, in seconds."""
        self._cost_s = cost_s if self._cost_s is None else (1 - NEWEST) * self._cost_s + NEWEST * cost_s

    def due(self, level: Level) -> int:
        """Samples of new sound from one answer to the next."""
        if not self.adapts or self._cost_s is None:
            return SHORTEST
        wished = round(ROOM * self._cost_s * SAMPLE_RATE)
        due = min(max(wished, SHORTEST), LONGEST)
        match level:
            case Level.NORMAL:
                return due
            case Level.THINNED:
                return round(THINNED * due)
            case _:
                return LONGEST
