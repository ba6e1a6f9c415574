"""What a session listens to now: one lane at a time on one clock, opened, held and closed.

In: a Source. Out: a running LaneThread, and the ones before it until they have handed on what they heard. When to
listen is the business of the session.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from live.audio import AudioChunk
from live.capture import Source
from live.events import DeviceChanged, Event
from live.lane import LaneEnded, LaneThread, Pace, SourceLost
from live.queues import JobQueue
from live.segmenter import PARTIAL_MS, Segmenter
from live.settings import Settings
from live.vad import make_detector


class Lanes:
    """Used from the session's thread.

    Args:
        jobs: takes utterances.
        emit: takes events.
        report: takes what becomes of a lane; called from its threads.
        hear: take every chunk.
        ignores: see LaneThread.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: JobQueue,
        emit: Callable[[Event], None],
        report: Callable[[LaneEnded | SourceLost], None],
        *,
        pace: Pace,
        hear: Iterable[Callable[[AudioChunk], None]],
        ignores: Callable[[float], bool],
    ) -> None:
        self.newest: LaneThread | None = None
        self.running: set[LaneThread] = set()
        """Lanes that have not handed on everything yet."""
        self.is_open = False
        """The newest listens, or is held."""
        self._settings, self._jobs, self._emit, self._report = settings, jobs, emit, report
        self._pace: Pace = pace
        self._hear, self._ignores = tuple(hear), ignores
        self._ids = itertools.count(1)

    def open(self, source: Source) -> None:
        """Listen to a source from now on. Raises CaptureError."""
        segmenter = Segmenter(
            source.lane,
            make_detector(self._settings.detector),
            ids=self._ids,
            endpoint_ms=self._settings.endpoint_ms,
            partial_ms=None if self._pace == "fast" else PARTIAL_MS,
        )
        lane = LaneThread(
            source,
            segmenter,
            self._jobs,
            self._emit,
            self._report,
            pace=self._pace,
            hear=self._spread,
            ignores=self._ignores,
            after=self.newest,
        )
        self.running.add(lane)
        self.newest = lane
        lane.open()
        self.is_open = True
        if source.lane != "file":
            self._emit(DeviceChanged(source.lane, source.name))

    def hold(self, is_held: bool) -> None:
        """Keep a file where it is, or let it go on."""
        if self.newest is not None:
            self.newest.hold(is_held)

    def close(self) -> None:
        """Listen no more; what was heard is still handed on."""
        if self.is_open and self.newest is not None:
            self.is_open = False
            self.newest.close()

    def is_listening(self, lane: LaneThread) -> bool:
        """Whether it is this one that listens now."""
        return self.is_open and lane is self.newest

    def _spread(self, chunk: AudioChunk) -> None:
        for hear in self._hear:
            hear(chunk)
