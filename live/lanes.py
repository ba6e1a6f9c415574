"""What a session listens to now: one source a lane, all on one clock, opened, held, closed and exchanged.

In: Sources. Out: a running LaneThread each, and the ones before them until they have handed on what they heard. When to
listen is the business of the session.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from live.audio import AudioChunk, Lane, Utterance
from live.capture import Source
from live.clock import SessionClock
from live.echo import EchoFilter
from live.errors import CaptureError
from live.events import DeviceChanged, EchoDropped, Event
from live.lane import LaneEnded, LaneThread, Pace
from live.queues import JobQueue
from live.segmenter import PARTIAL_MS, Segmenter
from live.settings import Settings
from live.vad import make_detector


class Lanes:
    """Used from the session's thread, `cut` from any.

    Args:
        jobs: takes utterances.
        emit: takes events.
        report: takes what becomes of a lane; called from its thread.
        hear: take every chunk.
        ignores: see LaneThread.
        now: monotonic seconds, those of blocks.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: JobQueue,
        emit: Callable[[Event], None],
        report: Callable[[LaneEnded], None],
        *,
        pace: Pace,
        hear: Iterable[Callable[[AudioChunk], None]],
        ignores: Callable[[float], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = SessionClock()
        self.running: set[LaneThread] = set()
        """Lanes that have not handed on everything yet."""
        self._newest: dict[Lane, LaneThread] = {}
        self._open: dict[Lane, LaneThread] = {}
        """Those of the newest that listen, are held, or wait for a device."""
        self._settings, self._jobs, self._emit, self._report = settings, jobs, emit, report
        self._pace: Pace = pace
        self._hear, self._ignores, self._now = tuple(hear), ignores, now
        self._echo = EchoFilter() if settings.drop_echo else None
        self._ids = itertools.count(1)

    @property
    def is_open(self) -> bool:
        """Whether anything is listened to, or held."""
        return bool(self._open)

    @property
    def heard(self) -> int:
        """The sample after the last one heard on any lane."""
        return max((lane.heard for lane in self._newest.values()), default=0)

    def open(self, sources: Sequence[Source]) -> None:
        """Listen to sources from now on, beside those that are listened to; one that cannot be opened is waited for.

        Raises:
            CaptureError: nothing at all is listened to then; none is waited for.
        """
        lanes = [self._lane(source) for source in sources]
        refusals: dict[LaneThread, CaptureError] = {}
        for lane in lanes:
            try:
                lane.open()
            except CaptureError as refusal:
                refusals[lane] = refusal
            else:
                self._keep(lane)
        if refusals and not self._open:
            raise next(iter(refusals.values()))
        for lane, error in refusals.items():
            self._keep(lane)
            lane.wait(str(error))

    def hold(self, is_held: bool) -> None:
        """Keep a file where it is, or let it go on."""
        for lane in self._open.values():
            lane.hold(is_held)

    def close(self, lanes: Collection[Lane] | None = None) -> None:
        """Listen no more, on some lanes or on all; what was heard is still handed on."""
        for name in [name for name in self._open if lanes is None or name in lanes]:
            self._open.pop(name).close()

    def drop(self, lane: Lane) -> None:
        """Listen to a lane no more, and say that nobody waits for its device."""
        self.close([lane])
        self._emit(DeviceChanged(lane, None, is_wanted=False))

    def cut(self, lane: Lane, utterance_id: int, at: int) -> None:
        """Ask for a growing utterance to be cut before sample `at`. Any thread; returns at once."""
        thread = self._open.get(lane)
        if thread is not None:
            thread.cut(utterance_id, at)

    def is_listening(self, lane: LaneThread) -> bool:
        """Whether it is one of those that listen now."""
        return lane in self._open.values()

    def _lane(self, source: Source) -> LaneThread:
        segmenter = Segmenter(
            source.lane,
            make_detector(self._settings.detector),
            ids=self._ids,
            endpoint_ms=self._settings.endpoint_ms,
            partial_ms=None if self._pace == "fast" else PARTIAL_MS,
        )
        return LaneThread(
            source,
            segmenter,
            self._jobs,
            self._emit,
            self._report,
            clock=self.clock,
            pace=self._pace,
            hear=self._spread,
            ignores=self._ignores,
            keeps=self._keeps,
            after=self._newest.get(source.lane),
            now=self._now,
        )

    def _keep(self, lane: LaneThread) -> None:
        self.running.add(lane)
        self._newest[lane.source.lane] = self._open[lane.source.lane] = lane

    def _keeps(self, utterance: Utterance) -> bool:
        """Whether somebody speaks in it; where not, that is said once it has ended."""
        if self._echo is None or self._echo.keeps(utterance):
            return True
        if utterance.is_final:
            self._emit(EchoDropped(utterance.lane, utterance.start, utterance.end))
        return False

    def _spread(self, chunk: AudioChunk) -> None:
        if self._echo is not None:
            self._echo.hear(chunk)
        for hear in self._hear:
            hear(chunk)
