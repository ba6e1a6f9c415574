"""The two places where work waits, with what gives way when it is full.

In: blocks of sound from a source; utterances from the segmenters. Out: the same, to the next thread.
Back-pressure is stated here and nowhere else. What is in a block or an utterance is not its business.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from live.audio import AudioBlock, Lane, Utterance

POLL_S = 0.01
"""How often a waiting consumer looks: half a device block, since a callback may wake nobody."""
STOP_POLL_S = 0.05
"""How often a waiting producer asks whether it should stop."""
QUEUE_RATE = 48_000
"""Samples a second assumed until the source has said its own."""


def _never() -> bool:
    return False


class AudioQueue:
    """Blocks from one source to one segmenter thread: one producer, one consumer.

    A device offers and loses what does not fit; a file's reader puts and waits.

    Args:
        capacity_s: seconds of sound it holds.
        rate: samples a second of the blocks; `rate` may be set once the source has opened.
    """

    def __init__(self, capacity_s: float, rate: int = QUEUE_RATE) -> None:
        self.capacity_s = capacity_s
        self.rate = rate
        self._blocks: deque[AudioBlock] = deque()
        # Each counter is written by one thread only, so that neither needs a lock.
        self._n_in = 0
        self._n_out = 0
        self._n_dropped = 0
        self._changed = threading.Condition()
        self._closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        """Nothing more comes in; what is inside can still be taken."""
        return self._closed.is_set()

    @property
    def n_dropped(self) -> int:
        """Samples (at the device's rate) offered and not taken, in all."""
        return self._n_dropped

    @property
    def waiting_s(self) -> float:
        """Seconds of sound inside."""
        return (self._n_in - self._n_out) / self.rate

    def offer(self, block: AudioBlock) -> bool:
        """Take a block if it fits; for an audio callback: no lock, no wait.

        Returns:
            False where the block was dropped (its time still counts: the next block's `first` is after it) or the
            queue was closed.
        """
        if self._closed.is_set():
            return False
        n = len(block.samples)
        if self._n_in - self._n_out + n > self.capacity_s * self.rate:
            self._n_dropped += n
            return False
        self._n_in += n
        self._blocks.append(block)
        return True

    def put(self, block: AudioBlock, stop: Callable[[], bool] = _never) -> bool:
        """Add a block, waiting while the queue is full; for a file's reader.

        A block longer than the whole queue goes in when the queue is empty.

        Returns:
            False where the queue was closed or `stop` said so, and the block was not taken.
        """
        n = len(block.samples)
        with self._changed:
            while self._n_in > self._n_out and self._n_in - self._n_out + n > self.capacity_s * self.rate:
                if self._closed.is_set() or stop():
                    return False
                self._changed.wait(STOP_POLL_S)
            if self._closed.is_set():
                return False
            self._n_in += n
            self._blocks.append(block)
            self._changed.notify_all()
        return True

    def get(self, timeout_s: float) -> AudioBlock | None:
        """The next block; None where none came in time, or at once where the queue is closed and empty."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._blocks:
                left = deadline - time.monotonic()
                # Closing stands after the last block, so a closed queue found empty stays so.
                if left <= 0 or (self._closed.is_set() and not self._blocks):
                    return None
                self._changed.wait(min(left, POLL_S))
            block = self._blocks.popleft()
            self._n_out += len(block.samples)
            self._changed.notify_all()
        return block

    def close(self) -> None:
        """Take nothing more; waiting threads go on at once."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Job:
    """An utterance to be translated."""

    utterance: Utterance
    since_s: float
    """Monotonic time at which it began to wait."""


@dataclass(slots=True)
class _LaneJobs:
    finals: deque[Job]
    partial: Job | None = None
    used_s: float = 0.0
    """Seconds for which its jobs have run."""

    @property
    def is_waiting(self) -> bool:
        return bool(self.finals) or self.partial is not None


class JobQueue:
    """Utterances from the segmenter threads to the translator thread.

    Keeps every final in order and at most one partial a lane, the newest. Finals go before partials; among lanes, the
    one goes first whose jobs have run for the shortest time, so that they share the model by time, however long the
    utterances of each are. Jobs are handled one after another; each counts as unfinished until `done` is called.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes: dict[Lane, _LaneJobs] = {}  # the lane served last stands last
        self._running: deque[tuple[Lane, float]] = deque()  # with the time at which it was taken
        self._is_closed = False
        self._changed = threading.Condition()

    @property
    def n_finals(self) -> int:
        """Finals waiting."""
        with self._changed:
            return self._count_finals()

    @property
    def is_closed(self) -> bool:
        """Nothing more comes in; finals inside can still be taken."""
        return self._is_closed

    def put_partial(self, utterance: Utterance) -> None:
        """Offer a growing utterance: it takes the place of its lane's waiting partial."""
        with self._changed:
            if self._is_closed:
                return
            self._coming(utterance.lane).partial = Job(utterance, self._clock())
            self._changed.notify_all()

    def put_final(self, utterance: Utterance) -> bool:
        """Add an ended utterance: it takes the place of its own waiting partial.

        Returns:
            False where the queue was closed already, and the utterance not taken.
        """
        with self._changed:
            if self._is_closed:
                return False
            lane = self._coming(utterance.lane)
            if lane.partial is not None and lane.partial.utterance.id == utterance.id:
                lane.partial = None
            lane.finals.append(Job(utterance, self._clock()))
            self._changed.notify_all()
        return True

    def get(self, timeout_s: float) -> Job | None:
        """The next job; None where none came in time, or at once where the queue is closed and empty."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while (job := self._take()) is None:
                left = deadline - time.monotonic()
                if left <= 0 or self._is_closed:
                    return None
                self._changed.wait(left)
            self._running.append((job.utterance.lane, self._clock()))
            self._changed.notify_all()
            return job

    def done(self) -> None:
        """Say that the job taken first of those unfinished has been handled."""
        with self._changed:
            name, began_s = self._running.popleft()
            self._lanes[name].used_s += self._clock() - began_s
            self._changed.notify_all()

    def skip(self, is_begun: Callable[[int], bool]) -> Utterance | None:
        """Take out the final that has waited longest and of whose id nothing was begun; it is never translated."""
        with self._changed:
            waiting = [(job, lane) for lane in self._lanes.values() for job in lane.finals]
            left = [(job, lane) for job, lane in waiting if not is_begun(job.utterance.id)]
            if not left:
                return None
            job, lane = min(left, key=lambda found: found[0].since_s)
            lane.finals = deque(other for other in lane.finals if other is not job)
            self._changed.notify_all()
            return job.utterance

    def wait_below(self, n_finals: int, stop: Callable[[], bool] = _never) -> bool:
        """Wait until fewer than `n_finals` finals wait; False where `stop` said so first."""
        return self._wait(lambda: self._count_finals() < n_finals, stop)

    def wait_idle(self, stop: Callable[[], bool] = _never) -> bool:
        """Wait until nothing waits or runs; False where `stop` said so first."""
        return self._wait(self._is_idle, stop)

    def close(self) -> None:
        """Take nothing more and drop the partials waiting; finals inside can still be taken."""
        with self._changed:
            self._is_closed = True
            for lane in self._lanes.values():
                lane.partial = None
            self._changed.notify_all()

    def _coming(self, name: Lane) -> _LaneJobs:
        """The lane that something comes in on. Time in which a lane asked for nothing is not kept for later."""
        lane = self._lanes.setdefault(name, _LaneJobs(deque()))
        running = {name for name, _ in self._running}
        if not lane.is_waiting and name not in running:
            busy = [other.used_s for key, other in self._lanes.items() if other.is_waiting or key in running]
            lane.used_s = max(lane.used_s, min(busy, default=0.0))
        return lane

    def _count_finals(self) -> int:
        return sum(len(lane.finals) for lane in self._lanes.values())

    def _is_idle(self) -> bool:
        return not self._running and not any(lane.is_waiting for lane in self._lanes.values())

    def _take(self) -> Job | None:
        lanes = sorted(self._lanes.items(), key=lambda item: item[1].used_s)  # stable: else by turns
        for name, lane in lanes:
            if lane.finals:
                return self._serve(name, lane.finals.popleft())
        for name, lane in lanes:
            if lane.partial is not None:
                job, lane.partial = lane.partial, None
                return self._serve(name, job)
        return None

    def _serve(self, name: Lane, job: Job) -> Job:
        self._lanes[name] = self._lanes.pop(name)
        return job

    def _wait(self, condition: Callable[[], bool], stop: Callable[[], bool]) -> bool:
        with self._changed:
            while not condition():
                if stop():
                    return False
                self._changed.wait(STOP_POLL_S)
        return True
