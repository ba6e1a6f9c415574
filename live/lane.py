"""The segmenter thread: one opening of a source, from its first block to the utterance that was open when it closed.

In: blocks from a Source. Out: utterances in the JobQueue; UtteranceClosed, LevelChanged and AudioDropped; the chunks.
Pausing and changing a source close one LaneThread and open another on the same clock. Models are not its business.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from live.audio import AudioBlock, AudioChunk, Utterance
from live.capture import Source
from live.errors import LiveError, unworded
from live.events import AudioDropped, Event, LevelChanged, UtteranceClosed
from live.queues import AudioQueue, JobQueue
from live.resample import Resampler
from live.segmenter import Segmenter
from models.base import SAMPLE_RATE

AUDIO_QUEUE_S = 10.0
"""Seconds of sound that may wait for the segmenter."""
MAX_WAITING_FINALS = 4
"""A file read as fast as possible waits while so many utterances wait for the model."""
LEVEL_EVERY = SAMPLE_RATE // 15
"""Samples between two LevelChanged."""
SILENCE_DBFS = -100.0
"""The lowest level said."""
HANDOVER_S = 5.0
"""How long a lane waits for the one before it to hand on what it heard."""
_POLL_S = 0.1

Pace = Literal["live", "fast", "lockstep"]
"""With the clock; as fast as the model, finals only; with each update translated before sound goes on."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LaneEnded:
    """Reported last: all that was heard has been handed on; `error` is the sentence to show."""

    lane: LaneThread
    error: str | None


@dataclass(frozen=True, slots=True)
class SourceLost:
    """Reported when the source delivers no more by itself; `message` says why."""

    lane: LaneThread
    message: str


class LaneThread:
    """Reads one source in a thread of its own.

    Args:
        segmenter: a fresh one; for pace `fast`, one that gives finals only.
        report: takes LaneEnded and SourceLost; called from this lane's threads.
        hear: takes every chunk, on this lane's thread, before it may become part of an utterance; must not wait for
            the session.
        ignores: whether a block of that monotonic time is the program's own sound: a device's is then kept, and
            counts as silence.
        after: the lane this one follows on the same clock; its utterances go first.
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        jobs: JobQueue,
        emit: Callable[[Event], None],
        report: Callable[[LaneEnded | SourceLost], None],
        *,
        pace: Pace,
        hear: Callable[[AudioChunk], None],
        ignores: Callable[[float], bool],
        after: LaneThread | None = None,
    ) -> None:
        self.source = source
        self.started_s: float | None = None
        """Monotonic time at which sample 0 of the lane's clock was heard; None before the first block."""
        self._heard = 0
        self._base = 0
        self._segmenter = segmenter
        self._jobs = jobs
        self._emit = emit
        self._report = report
        self._tell_sound = hear
        self._ignores = ignores
        self._pace = pace
        self._after = after
        self._queue = AudioQueue(AUDIO_QUEUE_S)
        self._meter = _Meter()
        self._next_first = 0  # device sample expected next
        self._n_said = 0  # device samples that the queue dropped and AudioDropped has told of
        self._is_open = threading.Event()
        self._is_free = threading.Event()
        self._is_free.set()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"segmenter {source.lane}", daemon=True)

    @property
    def heard(self) -> int:
        """The sample after the last one heard, on the lane's clock."""
        return self._heard

    def open(self) -> None:
        """Start the thread, then the source.

        Raises:
            CaptureError: the source cannot be opened; LaneEnded is reported all the same.
        """
        self._thread.start()
        try:
            self.source.open(self._queue, lambda message: self._report(SourceLost(self, message)))
            self._queue.rate = self.source.rate
        except BaseException:
            self._queue.close()
            raise
        finally:
            self._is_open.set()

    def close(self) -> None:
        """Close the source; what was heard is still handed on."""
        self._is_closing.set()
        self._is_free.set()
        try:
            self.source.close()
        finally:
            self._queue.close()

    def hold(self, is_held: bool) -> None:
        """Keep a file where it is, its reader with it, or let it go on."""
        self._queue.capacity_s = 0.0 if is_held else AUDIO_QUEUE_S
        if is_held:
            self._is_free.clear()
        else:
            self._is_free.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; False where it has not ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        error: str | None = None
        try:
            self._follow()
            self._is_open.wait()
            self._listen()
        except LiveError as failure:
            error = str(failure)
        except Exception as failure:  # noqa: BLE001 - the top of a thread
            _log.error("The segmenter thread failed:\n%s", unworded(failure))
            error = f"Listening stopped on an error of the program ({type(failure).__name__}); the log has the place."
        finally:
            self._report(LaneEnded(self, error))

    def _listen(self) -> None:
        resampler: Resampler | None = None
        while (block := self._next_block()) is not None:
            if resampler is None:
                self._tie(block)
                resampler = Resampler(self.source.lane, self.source.rate, self.source.channels)
            self._say_gap(block.first - self._next_first)
            self._next_first = block.first + len(block.samples)
            is_own = self.source.lane != "file" and self._ignores(block.stamp_s)
            self._hear(resampler.push(block), is_own=is_own)
        if resampler is not None:
            self._hear(resampler.flush())
            self._hand_on(self._segmenter.flush())
            self._say_gap(self._queue.n_dropped - self._n_said)

    def _next_block(self) -> AudioBlock | None:
        """Wait for a block; None once there is no more to be heard."""
        while True:
            self._is_free.wait()
            if self._is_closing.is_set() and self.source.lane == "file":
                return None  # a file is stopped where it is; of a device all that was heard counts
            block = self._queue.get(_POLL_S)
            if block is not None or self._queue.is_closed:
                return block

    def _follow(self) -> None:
        """Wait for the lane before this one and take over its clock."""
        before, self._after = self._after, None
        if before is not None:
            before.join(HANDOVER_S)
            self._heard, self.started_s = before.heard, before.started_s

    def _tie(self, first: AudioBlock) -> None:
        """Place this opening on the lane's clock."""
        began_s = first.stamp_s - (first.first + len(first.samples)) / self.source.rate
        if self.started_s is None:
            self.started_s = began_s
        self._base = max(self._heard, round((began_s - self.started_s) * SAMPLE_RATE))

    def _hear(self, chunk: AudioChunk, *, is_own: bool = False) -> None:
        if not len(chunk.samples):
            return
        chunk = replace(chunk, start=chunk.start + self._base)
        self._tell_sound(chunk)
        if is_own:
            chunk = replace(chunk, samples=np.zeros_like(chunk.samples))
        utterances = self._segmenter.push(chunk)
        self._heard = chunk.end
        if self._pace == "live" and (level_dbfs := self._meter.push(chunk)) is not None:
            self._emit(LevelChanged(chunk.lane, level_dbfs, self._segmenter.speech))
        self._hand_on(utterances)

    def _hand_on(self, utterances: list[Utterance]) -> None:
        for utterance in utterances:
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

    def _say_gap(self, n_missing: int) -> None:
        """Tell of device samples that never came; their time counts all the same."""
        if n_missing <= 0:
            return
        n_overflowed = min(n_missing, self._queue.n_dropped - self._n_said)
        self._n_said += n_overflowed
        reason = "the program could not keep up" if n_overflowed else "the device delivered nothing"
        rate = self.source.rate
        start = self._base + self._next_first * SAMPLE_RATE // rate
        self._emit(AudioDropped(self.source.lane, start, n_missing * SAMPLE_RATE // rate, reason))


class _Meter:
    """Loudness of a lane, a few times a second."""

    def __init__(self) -> None:
        self._n = 0
        self._energy = 0.0

    def push(self, chunk: AudioChunk) -> float | None:
        """Level in dB of full scale since the last one given, once enough was heard."""
        self._n += len(chunk.samples)
        self._energy += float(np.dot(chunk.samples, chunk.samples))
        if self._n < LEVEL_EVERY:
            return None
        power = self._energy / self._n
        self._n, self._energy = 0, 0.0
        return max(SILENCE_DBFS, 10 * math.log10(power)) if power > 0 else SILENCE_DBFS
