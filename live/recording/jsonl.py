"""Events as JSON, one object a line: for scripts, and for looking at a session afterwards.

Each line is {"event": name, "at_s": seconds since the first event, ...the event's fields}, named as in live/events.py:

    {"event": "StateChanged", "at_s": 0.0, "state": "loading", "detail": ""}
    {"event": "CaptionUpdated", "at_s": 4.125, "caption": {"id": 1, "lane": "file", "source": "zh", "target": "en",
     "translation": {"settled": [{"text": "Hello", "start": null, "end": null}], "tentative": ""}, "transcript": {...},
     "start": 5120, "end": 38400, "logprob": -0.1, "is_uncertain": false, "is_final": true}}

`start`, `end` and `at` are samples at 16 kHz; a number that is not finite is null. The last line is SessionStopped.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from live.events import Event
from live.recording.growing import GrowingFile


def encode(event: Event, at_s: float) -> bytes:
    """Return the line of an event, its line break included."""
    record = {"event": type(event).__name__, "at_s": round(at_s, 3), **_finite(dataclasses.asdict(event))}
    return (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever an event holds
    """The value with every infinite or undefined number as None, which JSON can say."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class EventFile:
    """A sink that appends every event to a file.

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self.file = GrowingFile(path, "events")
        self._first_s: float | None = None

    def take(self, event: Event, at_s: float) -> None:
        """Append an event.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        if self._first_s is None:
            self._first_s = at_s
        self.file.append(encode(event, at_s - self._first_s))

    def close(self) -> None:
        """Put everything on the disk.

        Raises:
            RecordingError: the disk refused it.
        """
        self.file.close()
