"""Events from the session's threads to the GUI thread.

In: `post`, from any thread. Out: one call of `deliver` for each event, on the GUI thread, in order. Of the levels that
wait, a lane's newest alone is delivered: they come faster than a screen shows them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from live.audio import Lane
from live.events import Event, LevelChanged


class Bridge(QObject):
    """Lives on the GUI thread."""

    _arrived = Signal(object)

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        super().__init__()
        self._deliver = deliver
        self._lock = threading.Lock()
        self._levels: dict[Lane, LevelChanged] = {}
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    def post(self, event: Event) -> None:
        """Take an event; returns at once. Any thread."""
        if isinstance(event, LevelChanged):
            with self._lock:
                is_on_its_way = event.lane in self._levels
                self._levels[event.lane] = event
            if is_on_its_way:
                return
        self._arrived.emit(event)

    def _on_arrived(self, event: Event) -> None:
        if isinstance(event, LevelChanged):
            with self._lock:
                event = self._levels.pop(event.lane)
        self._deliver(event)
