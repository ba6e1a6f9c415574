"""What is left out while answers come late, and in which order: partials first, then delay, a sentence only if allowed.

In: lags in seconds, told with the time: how late answers about growing utterances come, how long ended ones wait. What
an ended one computes itself is no lag: a model that is slow but idle leaves nothing out. Out: a level. Pure: time
comes as an argument.
"""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """What is still done; each one leaves out what those before it do, too."""

    NORMAL = 0
    THINNED = 1
    """Growing utterances are translated more rarely, and only a little of their tail."""
    VERIFY_ONLY = 2
    """Of growing utterances only what was said before is looked at again."""
    FINALS_ONLY = 3
    SKIPPING = 4
    """If the user allows it, the oldest utterance that nobody has begun is left out."""


BEHIND_S = {Level.THINNED: 1.5, Level.VERIFY_ONLY: 3.0, Level.FINALS_ONLY: 6.0, Level.SKIPPING: 12.0}
"""Lag from which on a level holds."""
CALM_S = 3.0
"""A level is left once the lag has been below its mark for so long."""


class Load:
    """Follows the lag: up at once, down a level at a time."""

    def __init__(self) -> None:
        self.level = Level.NORMAL
        self._calm_since_s: float | None = None

    def note(self, lag_s: float, now_s: float) -> Level:
        """Take a lag.

        Args:
            lag_s: of an ended utterance how long it waited; of a growing one until it was answered, gave way to an
                ended one, or nothing was due.
            now_s: any clock that only grows.

        Returns:
            The level from now on.
        """
        asked = max((level for level, behind_s in BEHIND_S.items() if lag_s >= behind_s), default=Level.NORMAL)
        if asked >= self.level:
            self.level, self._calm_since_s = asked, None
        elif self._calm_since_s is None:
            self._calm_since_s = now_s
        elif now_s - self._calm_since_s >= CALM_S:
            self.level, self._calm_since_s = Level(self.level - 1), now_s
        return self.level
