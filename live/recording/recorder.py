"""The recorder thread: events in from any thread, each handed to every file of the session.

Nobody who emits waits for a disk: the queue is bounded, and what does not fit is lost and said.
A file that fails is given up, said once, and the session goes on. What a file holds is the sink's business.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from live.errors import RecordingError, unworded
from live.events import Event

CAPACITY = 20_000
"""Events that may wait for the disk: some minutes of a live session."""

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


class Recorder:
    """Hands events to sinks on a thread of its own; call it with each event.

    Args:
        sinks: Where events go; closed by this class.
        failed: Told of each sink that fails, from the recorder's thread.
        waits: A full queue makes the caller wait (a file being read) instead of losing the event (live sound).
        capacity: Events that may wait.
    """

    def __init__(
        self,
        sinks: Iterable[Sink],
        failed: Callable[[RecordingError], None],
        *,
        waits: bool = False,
        capacity: int = CAPACITY,
    ) -> None:
        self._sinks = list(sinks)
        self._failed = failed
        self._waits = waits
        self._queue: queue.Queue[tuple[Event, float] | None] = queue.Queue(capacity)
        self._n_lost = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take an event, now."""
        try:
            self._queue.put((event, time.monotonic()), block=self._waits)
        except queue.Full:
            self._n_lost += 1

    def close(self, timeout_s: float | None = None) -> bool:
        """Write all that waits and close the files.

        Returns:
            False where the disk did not take it all in time.
        """
        try:
            self._queue.put(None, timeout=timeout_s)
        except queue.Full:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            event, at_s = item
            for sink in tuple(self._sinks):
                self._try(sink, lambda sink=sink, event=event, at_s=at_s: sink.take(event, at_s))  # type: ignore[misc]
        for sink in tuple(self._sinks):
            self._try(sink, sink.close)
        if self._n_lost:
            self._failed(RecordingError(f"The disk was too slow: {self._n_lost} events are missing from the files."))

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
