"""The segmenter thread: one lane, from its source's first block to the utterance that was open when it was closed.

In: blocks from a Source, which is opened again where its device was lost. Out: utterances in the JobQueue;
UtteranceClosed, LevelChanged, AudioDropped and DeviceChanged; the chunks. Pausing and choosing another source close one
LaneThread and open another on the same clock. Models are not its business.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from live.audio import AudioChunk, Utterance
from live.capture import Source
from live.clock import SessionClock
from live.errors import CaptureError, LiveError, unworded
from live.events import DeviceChanged, Event, LevelChanged, UtteranceClosed
from live.level import LevelMeter
from live.queues import AudioQueue, JobQueue
from live.segmenter import Segmenter
from live.timeline import Timeline

AUDIO_QUEUE_S = 10.0
"""Seconds of sound that may wait for the segmenter."""
MAX_WAITING_FINALS = 4
"""A file read as fast as possible waits while so many utterances wait for the model."""
HANDOVER_S = 5.0
"""How long a lane waits for the one before it to hand on what it heard."""
IDLE_S = 0.5
"""Computer sound that has not come for so long will not: nothing is played, and it is silence."""
RETRY_S, LONGEST_RETRY_S = 0.25, 1.0
"""Between two tries to open a lost device: at first, and later."""
CLOSE_S = 2.0
"""How long closing waits for a device that is just being opened."""
_POLL_S = 0.1

Pace = Literal["live", "fast", "lockstep"]
"""With the clock; as fast as the model, finals only; with each update translated before sound goes on."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LaneEnded:
    """Reported last: all that was heard has been handed on; `error` is the sentence to show."""

    lane: LaneThread
    error: str | None


@dataclass(slots=True)
class _Opening:
    """A source that was opened."""

    queue: AudioQueue
    why_lost: str | None = None

    def lose(self, message: str) -> None:
        """Take the source's word that no more comes."""
        self.why_lost = message
        self.queue.close()


class LaneThread:
    """Listens to one source in a thread of its own.

    Args:
        segmenter: a fresh one; for pace `fast`, one that gives finals only.
        report: takes LaneEnded; called from this lane's thread.
        clock: the session's zero.
        pace: what waits for what.
        hear: takes every chunk, on this lane's thread, before it may become part of an utterance; must not wait for
            the session.
        ignores: whether a block of that monotonic time is the program's own sound: a device's is then kept, and
            counts as silence.
        keeps: whether an utterance is to be translated; asked on this lane's thread, of growing ones too.
        after: the lane this one follows; its utterances go first.
        now: monotonic seconds, those of blocks.
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        jobs: JobQueue,
        emit: Callable[[Event], None],
        report: Callable[[LaneEnded], None],
        *,
        clock: SessionClock,
        pace: Pace,
        hear: Callable[[AudioChunk], None],
        ignores: Callable[[float], bool],
        keeps: Callable[[Utterance], bool] = lambda _utterance: True,
        after: LaneThread | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self._heard = 0
        self._segmenter = segmenter
        self._jobs = jobs
        self._emit = emit
        self._report = report
        self._clock, self._now = clock, now
        self._tell_sound = hear
        self._ignores = ignores
        self._keeps = keeps
        self._pace = pace
        self._after = after
        self._opening: _Opening | None = None
        self._why_missing = ""
        self._device = threading.Lock()
        """Held while the source is opened or closed."""
        self._cuts: deque[tuple[int, int]] = deque()
        self._meter = LevelMeter()
        self._is_free = threading.Event()
        self._is_free.set()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"segmenter {source.lane}", daemon=True)

    @property
    def heard(self) -> int:
        """The sample after the last one heard, on the session's clock."""
        return self._heard

    def open(self) -> None:
        """Open the source, then listen.

        Raises:
            CaptureError: the source cannot be opened; nothing was started.
        """
        with self._device:
            self._opening = self._open()
        self._thread.start()

    def wait(self, why: str) -> None:
        """Listen as soon as the source, which could not be opened, can be."""
        self._say_missing(why)
        self._thread.start()

    def close(self) -> None:
        """Close the source; what was heard is still handed on."""
        self._is_closing.set()
        self._is_free.set()
        if not self._device.acquire(timeout=CLOSE_S):
            return  # it hangs in being opened; if ever it is, this lane's thread closes it
        try:
            self._close()
        finally:
            self._device.release()

    def hold(self, is_held: bool) -> None:
        """Keep a file where it is, its reader with it, or let it go on."""
        if self._opening is not None:
            self._opening.queue.capacity_s = 0.0 if is_held else AUDIO_QUEUE_S
        if is_held:
            self._is_free.clear()
        else:
            self._is_free.set()

    def cut(self, utterance_id: int, at: int) -> None:
        """Ask for the growing utterance to be cut before sample `at`. Any thread; returns at once."""
        self._cuts.append((utterance_id, at))

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; False where it has not ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        error: str | None = None
        try:
            self._follow()
            error = self._attend()
        except LiveError as failure:
            error = str(failure)
        except Exception as failure:  # noqa: BLE001 - the top of a thread
            _log.error("The segmenter thread failed:\n%s", unworded(failure))
            error = f"Listening stopped on an error of the program ({type(failure).__name__}); the log has the place."
        finally:
            self._report(LaneEnded(self, error))

    def _attend(self) -> str | None:
        """Listen until the lane is closed or a file ends; returns why it ended, if by an error."""
        was_away = False
        while (opening := self._opening or self._reopen()) is not None:
            self._listen(opening.queue, was_away=was_away)
            if self._is_closing.is_set() or opening.why_lost is None:
                return None
            if self.source.lane == "file":
                return opening.why_lost
            self._lose(opening.why_lost)
            was_away = True
        return None

    def _open(self) -> _Opening:
        """Raises CaptureError."""
        opening = _Opening(AudioQueue(AUDIO_QUEUE_S))
        try:
            self.source.open(opening.queue, opening.lose)
        except BaseException:
            opening.queue.close()
            raise
        opening.queue.rate = self.source.rate
        self._why_missing = ""
        if self.source.lane != "file" and not self._is_closing.is_set():
            self._emit(DeviceChanged(self.source.lane, self.source.name))
        return opening

    def _close(self) -> None:
        try:
            self.source.close()
        finally:
            if self._opening is not None:
                self._opening.queue.close()

    def _lose(self, why: str) -> None:
        _log.warning("%s", why)
        with self._device:
            self._close()
            self._opening = None
        self._say_missing(why)

    def _say_missing(self, why: str) -> None:
        """Say why there is no device, once for each reason, for as long as one is wanted."""
        if why != self._why_missing and not self._is_closing.is_set():
            self._why_missing = why
            self._emit(DeviceChanged(self.source.lane, None, why))

    def _reopen(self) -> _Opening | None:
        """Open the source as soon as that can be; None once the lane is closed."""
        wait_s = RETRY_S
        while not self._is_closing.wait(wait_s):
            with self._device:
                if self._is_closing.is_set():
                    break
                try:
                    self._opening = self._open()
                except CaptureError as error:
                    self._say_missing(str(error))
                    wait_s = min(2 * wait_s, LONGEST_RETRY_S)
                    continue
                if self._is_closing.is_set():  # whoever closes the lane did not wait for this
                    self._close()
                return self._opening
        return None

    def _listen(self, queue: AudioQueue, *, was_away: bool) -> None:
        """Hear one opening to its end."""
        timeline = Timeline(self.source, queue, self._clock, self._emit, heard=self._heard, was_away=was_away)
        came_s = self._now()
        while self._may_hear(queue):
            asked_s = self._now()  # what the program itself was held up then is no silence
            block = queue.get(_POLL_S)
            if block is not None:
                came_s = self._now()
                is_own = self.source.lane != "file" and self._ignores(block.stamp_s)
                self._hear(timeline.push(block), is_own=is_own)
            elif self.source.lane == "system" and (idle_s := asked_s - came_s - IDLE_S) > 0:
                came_s += idle_s
                self._hear(timeline.wait(idle_s))
        self._hear(timeline.flush())
        self._hand_on(self._segmenter.flush())

    def _may_hear(self, queue: AudioQueue) -> bool:
        """Wait while held; False once there is no more to be heard."""
        self._is_free.wait()
        if self._is_closing.is_set() and self.source.lane == "file":
            return False  # a file is stopped where it is; of a device all that was heard counts
        return not queue.is_closed or queue.waiting_s > 0

    def _follow(self) -> None:
        """Wait for the lane before this one and take over its time."""
        before, self._after = self._after, None
        if before is not None:
            before.join(HANDOVER_S)
            self._heard = before.heard

    def _hear(self, chunks: list[AudioChunk], *, is_own: bool = False) -> None:
        while self._cuts:
            self._hand_on(self._segmenter.cut(*self._cuts.popleft()))
        for chunk in chunks:
            if not len(chunk.samples):
                continue
            self._tell_sound(chunk)
            heard = replace(chunk, samples=np.zeros_like(chunk.samples)) if is_own else chunk
            utterances = self._segmenter.push(heard)
            self._heard = chunk.end
            if self._pace == "live" and (level := self._meter.push(heard)) is not None:
                self._emit(LevelChanged(chunk.lane, level.dbfs, self._segmenter.speech, level.noise_dbfs))
            self._hand_on(utterances)

    def _hand_on(self, utterances: list[Utterance]) -> None:
        for utterance in filter(self._keeps, utterances):
            if utterance.is_final:
                self._emit(UtteranceClosed(utterance.lane, utterance.start, utterance.end, utterance.id))
                if not self._jobs.put_final(utterance):
                    _log.error("Utterance %d ended after the session", utterance.id)
            else:
                self._jobs.put_partial(utterance)
            if self._pace == "lockstep":
                self._jobs.wait_idle(self._is_closing.is_set)
        if self._pace == "fast":
            self._jobs.wait_below(MAX_WAITING_FINALS, self._is_closing.is_set)
