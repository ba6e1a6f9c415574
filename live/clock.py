"""One time for all lanes: a session's zero, and how a device's own clock runs beside the monotonic one.

In: when blocks arrived, and which samples they hold. Out: where a device's samples belong, and how fast they are to be
played to stay there. Pure: time comes with the blocks. Moving samples is the business of `live.timeline`.
"""

from __future__ import annotations

import threading
from collections import deque

from live.audio import AudioBlock

LATE_S = 0.08
"""A device that is behind by more, block after block, has delivered nothing for so long."""
STALL_S = 0.4
"""A block that is behind by more was held up, if what follows it catches up, and otherwise came after a stall."""
EARLY_S = 0.1
"""Sound that comes earlier by more belongs to a time that has passed."""
BUCKET_S = 0.5
"""The earliest block in so many seconds is the one that scheduling held up least."""
BUCKETS = 20
"""Of these, the earliest in all says where the device is: 10 s."""
SETTLE_S = 60.0
"""Seconds in which a difference is made up for: slowly enough that jitter of 1 ms is 17 ppm."""
MAX_SPEED = 1e-3
"""At most 1000 ppm, a sixtieth of a semitone; sound cards are within 200."""


class SessionClock:
    """The monotonic time of sample 0, the same on every lane. Any thread."""

    def __init__(self) -> None:
        self._zero_s: float | None = None
        self._lock = threading.Lock()

    @property
    def zero_s(self) -> float | None:
        """When sample 0 was heard; None before anything was."""
        return self._zero_s

    def begin(self, at_s: float) -> float:
        """Let the session begin at a monotonic time, unless it has begun; returns when it did."""
        with self._lock:
            if self._zero_s is None:
                self._zero_s = at_s
            return self._zero_s


class DeviceClock:
    """One opening of a device. It is played at its own rate, times 1 + `speed`, moved by what `hear` returns.

    A block's stamp is never early, and often late by what else the computer did: the earliest of many is believed.

    Args:
        rate: samples a second, as the device says.
    """

    def __init__(self, rate: int) -> None:
        self.speed = 0.0
        """How much longer each sample lasts than it says: above 0 for a device that is slow."""
        self._rate = rate
        self._zero_s: float | None = None
        """Monotonic time of the device's sample 0, as it is played now."""
        self._bucket_s = 0.0  # sound in the present bucket
        self._earliest_s = float("inf")  # of the present bucket
        self._buckets: deque[float] = deque(maxlen=BUCKETS)

    def is_stalled(self, block: AudioBlock) -> bool:
        """Whether a block is behind by so much that its own time says nothing before it is known what follows."""
        return self._zero_s is not None and self._zero(block) - self._zero_s > STALL_S

    def hear(self, block: AudioBlock, *, is_held_up: bool = False) -> int:
        """Take a block's time; returns by how many samples it and all after it are to come later (below 0: earlier).

        Args:
            block: the next one.
            is_held_up: it came at once with others: that says when somebody looked, not when it was heard.
        """
        n = len(block.samples)
        zero_s = self._zero(block)
        if self._zero_s is None:
            self._zero_s = zero_s
        self._zero_s += self.speed * n / self._rate
        if is_held_up:
            return 0
        late_s = zero_s - self._zero_s
        if late_s > STALL_S or late_s < -EARLY_S:
            return self._move(late_s)
        self._earliest_s = min(self._earliest_s, zero_s)
        self._bucket_s += n / self._rate
        return self._settle() if self._bucket_s >= BUCKET_S else 0

    def wait(self, n_samples: int) -> None:
        """Say that so many samples of silence were played while nothing came."""
        if self._zero_s is not None:
            self._zero_s += n_samples / self._rate
            self._forget()

    def _zero(self, block: AudioBlock) -> float:
        """When the device's sample 0 was heard, if the block came at once."""
        return block.stamp_s - (block.first + len(block.samples)) / self._rate

    def _settle(self) -> int:
        """Take a bucket's earliest block into account."""
        assert self._zero_s is not None
        late_s = self._earliest_s - self._zero_s
        if late_s > LATE_S:
            return self._move(late_s)
        self._buckets.append(self._earliest_s)
        self._bucket_s, self._earliest_s = 0.0, float("inf")
        error_s = min(self._buckets) - self._zero_s
        self.speed = min(max(error_s / SETTLE_S, -MAX_SPEED), MAX_SPEED)
        return 0

    def _move(self, late_s: float) -> int:
        n_samples = round(late_s * self._rate)
        self.wait(n_samples)
        return n_samples

    def _forget(self) -> None:
        self._bucket_s, self._earliest_s = 0.0, float("inf")
        self._buckets.clear()
