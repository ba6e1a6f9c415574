"""The recorder thread: events and sound in from any thread, each handed to every file of the session.

Nobody who speaks to it waits for a disk: its queue is bounded, and what does not fit is lost and said.
A file that fails is given up, said once, and the session goes on. What a file holds is the sink's business.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from live.audio import AudioChunk
from live.errors import RecordingError, unworded
from live.events import AudioDropped, Event
from models.base import SAMPLE_RATE

CAPACITY = 20_000
"""Events that may wait for the disk: some minutes of a live session."""
CAPACITY_SOUND = 60 * SAMPLE_RATE
"""Samples of all lanes that may wait for it."""
TOO_SLOW = "the disk was too slow to record it"
"""Why sound is missing that found no room."""

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Something that takes a session's events, in order, from one thread."""

    def take(self, event: Event, at_s: float) -> None:
        """Take an event emitted at monotonic time `at_s`.

        Raises:
            RecordingError: it cannot be written; the sink is not called again.
        """
        ...

    def close(self) -> None:
        """Finish.

        Raises:
            RecordingError: it cannot be written.
        """
        ...


@runtime_checkable
class SoundSink(Protocol):
    """A sink that takes the sound of every lane too, in order with the events."""

    def hear(self, chunk: AudioChunk, at_s: float) -> None:
        """Take a chunk that was there at monotonic time `at_s`.

        Raises:
            RecordingError: it cannot be written; the sink is not called again.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A sink that has events of its own for the user; `tell` takes them, from the recorder's thread."""

    tell: Callable[[Event], None]


class Recorder:
    """Hands events to sinks on a thread of its own; call it with each event, and `hear` with each chunk.

    Args:
        sinks: Where events go; closed by this class.
        failed: Told of each sink that fails, from the recorder's thread.
        waits: A full queue makes the caller wait (a file being read) instead of losing the event (live sound).
        capacity: Events that may wait.
        capacity_sound: Samples that may wait.
    """

    def __init__(
        self,
        sinks: Iterable[Sink],
        failed: Callable[[RecordingError], None],
        *,
        waits: bool = False,
        capacity: int = CAPACITY,
        capacity_sound: int = CAPACITY_SOUND,
    ) -> None:
        self._sinks = list(sinks)
        self._hears = any(isinstance(sink, SoundSink) for sink in self._sinks)
        self._failed = failed
        self._waits = waits
        self._capacity, self._capacity_sound = capacity, capacity_sound
        self._items: deque[tuple[Event | AudioChunk, float]] = deque()
        self._n_events = self._n_samples = 0  # waiting
        self._n_lost = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def tell_to(self, show: Callable[[Event], None]) -> None:
        """Say where the sinks' own events go; to be called before the first event."""
        for sink in self._sinks:
            if isinstance(sink, Telling):
                sink.tell = show

    def __call__(self, event: Event) -> None:
        """Take an event, now."""
        with self._changed:
            if not self._has_room(lambda: self._n_events < self._capacity):
                self._n_lost += not self._is_closing
                return
            self._n_events += 1
            self._put(event)

    def hear(self, chunk: AudioChunk) -> None:
        """Take a chunk of sound, now; where there is no room for it, its time is silence."""
        if not self._hears:
            return
        with self._changed:
            if not self._has_room(lambda: self._n_samples < self._capacity_sound):
                if not self._is_closing:
                    self._lose(chunk)
                return
            self._n_samples += len(chunk.samples)
            self._put(chunk)

    def close(self, timeout_s: float | None = None) -> bool:
        """Write all that waits and close the files.

        Returns:
            False where the disk did not take it all in time.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _has_room(self, condition: Callable[[], bool]) -> bool:
        """Whether there is, after waiting for it where that is wanted."""
        if self._waits:
            self._changed.wait_for(lambda: condition() or self._is_closing)
        return condition() and not self._is_closing

    def _put(self, item: Event | AudioChunk) -> None:
        self._items.append((item, time.monotonic()))
        self._changed.notify_all()

    def _lose(self, chunk: AudioChunk) -> None:
        """Leave a chunk out; what is left out one after the other is one gap, said in its place."""
        start, n_samples = chunk.start, len(chunk.samples)
        match self._items[-1][0] if self._items else None:
            case AudioDropped(lane, first, n, reason) if (lane, first + n, reason) == (chunk.lane, start, TOO_SLOW):
                self._items.pop()
                start, n_samples = first, n + n_samples
            case _:
                self._n_events += 1
        self._put(AudioDropped(chunk.lane, start, n_samples, TOO_SLOW))

    def _run(self) -> None:
        while (item := self._next()) is not None:
            what, at_s = item
            for sink in tuple(self._sinks):
                if isinstance(what, AudioChunk):
                    if isinstance(sink, SoundSink):
                        self._try(sink, lambda sink=sink, what=what, at_s=at_s: sink.hear(what, at_s))  # type: ignore[misc]
                else:
                    self._try(sink, lambda sink=sink, what=what, at_s=at_s: sink.take(what, at_s))  # type: ignore[misc]
        for sink in tuple(self._sinks):
            self._try(sink, sink.close)
        if self._n_lost:
            self._failed(RecordingError(f"The disk was too slow: {self._n_lost} events are missing from the files."))

    def _next(self) -> tuple[Event | AudioChunk, float] | None:
        """The next item; None once there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_closing)
            if not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item[0], AudioChunk):
                self._n_samples -= len(item[0].samples)
            else:
                self._n_events -= 1
            self._changed.notify_all()
            return item

    def _try(self, sink: Sink, action: Callable[[], None]) -> None:
        """One sink's failure is its own: it is said, and the others go on."""
        try:
            action()
        except RecordingError as error:
            self._give_up(sink, error)
        except Exception as error:  # noqa: BLE001 - around one job: the thread outlives it
            log.error("a recording sink failed:\n%s", unworded(error))
            self._give_up(sink, RecordingError(f"A file of the session failed ({type(error).__name__}); see the log."))

    def _give_up(self, sink: Sink, error: RecordingError) -> None:
        self._sinks.remove(sink)
        self._failed(error)
