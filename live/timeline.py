"""One opening of a source on the session's clock: what its device dropped, swallowed or sent too late costs no time.

In: AudioBlocks as they arrived. Out: AudioChunks where they belong, within 100 ms for as long as the opening lasts, and
AudioDropped for what is missing. A file has no clock but its samples. Threads and speech are not its business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from live.audio import AudioBlock, AudioChunk
from live.capture import Source
from live.clock import DeviceClock, SessionClock
from live.events import AudioDropped
from live.queues import AudioQueue
from live.resample import Resampler
from models.base import SAMPLE_RATE

LONGEST_SILENCE_S = 10.0
"""Where nothing came for longer, time goes on without sound in its place."""
BURST_S = 0.1
"""Sound from whose arrival it is told whether a device stalled, or delivered in time and was not listened to."""
AWAY = "the device was away"
STALLED = "the device delivered nothing"
SLOW = "the program could not keep up"
LATE = "it came when its time had passed"


class Timeline:
    """Used from one thread.

    Args:
        source: What was opened.
        queue: What it was opened with, which counts what did not fit.
        clock: The session's.
        tell: Takes what is missing.
        heard: The lane's sample after the last that was heard before.
        was_away: Whether the source was lost since.
    """

    def __init__(
        self,
        source: Source,
        queue: AudioQueue,
        clock: SessionClock,
        tell: Callable[[AudioDropped], None],
        *,
        heard: int,
        was_away: bool,
    ) -> None:
        self._source, self._queue, self._clock, self._tell = source, queue, clock, tell
        self._heard = heard
        self._reason = AWAY if was_away else None
        """Why there is nothing before the next beginning, if that is to be said."""
        self._device: DeviceClock | None = None
        self._resampler: Resampler | None = None
        self._next_first = 0  # device sample expected next
        self._shift = 0  # from device samples to the resampler's
        self._n_said = 0  # device samples that the queue dropped and AudioDropped has told of
        self._stamp_s = 0.0
        self._late: list[AudioBlock] = []
        """So late that what follows them says why."""

    def push(self, block: AudioBlock) -> list[AudioChunk]:
        """What is new once a block has come; some of the chunks may be empty."""
        self._late.append(block)
        n_samples = sum(len(each.samples) for each in self._late)
        if self._device and self._device.is_stalled(block) and n_samples < BURST_S * self._source.rate:
            return []
        return self._release()

    def _release(self) -> list[AudioChunk]:
        """Place what was kept back: after a stall blocks come one by one, after they were held up all at once."""
        late, self._late = self._late, []
        came_s = late[-1].stamp_s - late[0].stamp_s if late else 0.0
        sound_s = sum(len(block.samples) for block in late[1:]) / self._source.rate
        return [chunk for block in late for chunk in self._place(block, is_held_up=came_s < sound_s / 2)]

    def _place(self, block: AudioBlock, *, is_held_up: bool) -> list[AudioChunk]:
        chunks = []
        if self._resampler is not None and self._device and block.stamp_s - self._stamp_s > LONGEST_SILENCE_S:
            chunks = [self._end(self._resampler)]
            self._reason = None if self._may_idle else STALLED
            self._next_first = block.first
        resampler = self._resampler or self._begin(block)
        self._say_gap(resampler, block.first - self._next_first)
        self._next_first = block.first + len(block.samples)
        self._stamp_s = block.stamp_s
        if self._device is not None:
            self._align(resampler, self._device, block, is_held_up=is_held_up)
        return [*chunks, resampler.push(replace(block, first=block.first + self._shift))]

    def wait(self, seconds: float) -> list[AudioChunk]:
        """Let time pass in which nothing came, as silence."""
        chunks = self._release()
        if self._resampler is None or self._device is None:
            return chunks
        n_samples = round(seconds * self._source.rate)
        self._device.wait(n_samples)
        self._shift += n_samples
        self._stamp_s += seconds
        nothing = np.zeros((0, self._source.channels), np.int16)
        first = self._next_first + self._shift
        return [*chunks, self._resampler.push(AudioBlock(self._source.lane, nothing, first, self._stamp_s))]

    def flush(self) -> list[AudioChunk]:
        """The rest, after the last block."""
        chunks = self._release()
        if self._resampler is None:
            return chunks
        self._say_gap(self._resampler, self._queue.n_dropped - self._n_said)
        return [*chunks, self._end(self._resampler)]

    @property
    def _may_idle(self) -> bool:
        """Whether nothing comes where nothing is played: then it is silence, and nothing is lost."""
        return self._source.lane == "system"

    def _begin(self, block: AudioBlock) -> Resampler:
        """Place what comes from device sample `_next_first` on."""
        source, start = self._source, self._heard
        n_since = block.first + len(block.samples) - self._next_first
        began_s = block.stamp_s - n_since / source.rate
        at = round((began_s - self._clock.begin(began_s)) * SAMPLE_RATE)
        if source.lane != "file":
            self._device = DeviceClock(source.rate)
            start = max(at, self._heard)
            # What was heard already, or before the session began, comes before the resampler's sample 0.
            self._shift = -self._next_first - (start - at) * source.rate // SAMPLE_RATE
            if self._reason is not None and start > self._heard:
                self._tell(AudioDropped(source.lane, self._heard, start - self._heard, self._reason))
        self._resampler = Resampler(source.lane, source.rate, source.channels, start=start)
        return self._resampler

    def _end(self, resampler: Resampler) -> AudioChunk:
        rest = resampler.flush()
        self._heard, self._resampler, self._device = rest.end, None, None
        return rest

    def _align(self, resampler: Resampler, device: DeviceClock, block: AudioBlock, *, is_held_up: bool) -> None:
        """Keep the lane where the device is."""
        n_later = device.hear(block, is_held_up=is_held_up)
        resampler.speed = device.speed
        self._shift += n_later
        if n_later < 0 or (n_later > 0 and not self._may_idle):
            n_missing = abs(n_later) * SAMPLE_RATE // self._source.rate
            reason = LATE if n_later < 0 else STALLED
            self._tell(AudioDropped(self._source.lane, resampler.reached, n_missing, reason))

    def _say_gap(self, resampler: Resampler, n_missing: int) -> None:
        """Tell of device samples that never came; their time counts all the same."""
        if n_missing <= 0:
            return
        n_overflowed = min(n_missing, self._queue.n_dropped - self._n_said)
        self._n_said += n_overflowed
        n_samples = n_missing * SAMPLE_RATE // self._source.rate
        reason = SLOW if n_overflowed else STALLED
        self._tell(AudioDropped(self._source.lane, resampler.reached, n_samples, reason))
