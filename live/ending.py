"""How a session ends: why, and how long is still waited for whom.

In: reasons and spans of time. Out: the first reason, the time that is left. Stopping anything is not its business.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Ending:
    """Used from one thread.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.error: str | None = None
        """Why, if by an error: the first reason there was."""
        self.is_abandoned = False
        """What is not translated yet is given up."""
        self._clock = clock
        self._deadline_s: float | None = None

    def fail(self, error: str | None) -> None:
        """Take a reason."""
        self.error = self.error or error

    def wait(self, seconds: float) -> None:
        """Set how long is waited, unless that was set before."""
        if self._deadline_s is None:
            self._deadline_s = self._clock() + seconds

    def abandon(self, seconds: float) -> None:
        """Give up what is not translated yet, and wait only so much longer."""
        self.is_abandoned = True
        self._deadline_s = self._clock() + seconds

    @property
    def left_s(self) -> float | None:
        """Seconds that are left; None: as long as it takes."""
        return None if self._deadline_s is None else max(0.0, self._deadline_s - self._clock())
