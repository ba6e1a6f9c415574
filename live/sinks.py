"""One order of events for everyone who listens to a session.

In: events from several threads. Out: the same events, one at a time, to each sink; nothing after SessionStopped.
What a sink does with an event is not its business.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from live.errors import LiveError, unworded
from live.events import Event, SessionStopped

Sink = Callable[[Event], None]
"""Takes one event. Called from any thread of a session, never from two at once; must not wait for the session."""

_log = logging.getLogger(__name__)


class Sinks:
    """Hands every event to every sink; a sink that raises is dropped, and the others go on."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self._sinks = list(sinks)
        self._is_over = False
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Deliver an event to all sinks; ignored once SessionStopped was delivered."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = isinstance(event, SessionStopped)
            for sink in tuple(self._sinks):
                self._deliver(sink, event)

    def _deliver(self, sink: Sink, event: Event) -> None:
        try:
            sink(event)
        except LiveError as error:
            _log.error("%s", error)
            self._sinks.remove(sink)
        except Exception as error:  # noqa: BLE001 - around one job: one receiver must not end the session for the others
            _log.error("A receiver of events failed and gets no more:\n%s", unworded(error))
            self._sinks.remove(sink)
