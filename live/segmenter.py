"""Sound into utterances: where speech begins, where it ends, and where it is cut when it does not.

In: a lane's AudioChunks, in order. Out: Utterances, growing and then final. Only here is anything cut. Pure: no threads
and no clock but the samples; how the sound came in chunks makes no difference to what goes out.
Captions and waiting are not its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

import numpy as np

from live.audio import AudioChunk, Lane, Utterance
from live.vad import Detector
from models.base import SAMPLE_RATE, Samples


def _samples(ms: int) -> int:
    return ms * SAMPLE_RATE // 1000


ONSET_PROBABILITY = 0.5
"""Speech begins, or goes on after a pause, at this probability."""
QUIET_PROBABILITY = 0.35
"""It pauses below this one; between the two nothing changes."""
ENDPOINT_MS = 550
PARTIAL_MS = 400

SOFT_END = _samples(250)
"""Quiet after which a growing utterance is given out once more: it has probably ended."""
CONFIRM = _samples(90)
"""Speech shorter than this is a click."""
PRE_ROLL = _samples(300)
"""Sound before the onset that belongs to an utterance: detectors notice soft beginnings late."""
TAIL = _samples(200)
"""Sound after the last speech that belongs to it: soft endings. The rest of the quiet is in no utterance."""
MIN_CUT = _samples(7_000)
"""An utterance this long may be cut on request: a few sentences. Models that were taught single sentences leave out
some of many, so shorter is better than the most that they can hold."""
LONG = _samples(20_000)
"""An utterance this long is cut at its next pause."""
PAUSE = _samples(200)
"""Quiet this long counts as a pause there."""
MAX_LENGTH = _samples(28_000)
"""No utterance is longer: without a pause it is cut at its quietest point after LONG."""
_LULL = _samples(100)
"""The stretch that is compared in looking for the quietest point."""


class _State(Enum):
    QUIET = auto()
    STARTING = auto()
    """Perhaps speech, perhaps a click."""
    SPEAKING = auto()
    STOPPING = auto()
    """Speech paused; perhaps it ends."""


class Segmenter:
    """One lane's utterances."""

    def __init__(
        self,
        lane: Lane,
        detector: Detector,
        *,
        ids: Iterator[int],
        endpoint_ms: int = ENDPOINT_MS,
        partial_ms: int | None = PARTIAL_MS,
    ) -> None:
        """Set up, with nothing heard yet.

        Args:
            lane: the lane its utterances are of.
            detector: decides what is speech; used by no other lane.
            ids: where utterances' ids come from; lanes share one.
            endpoint_ms: quiet that ends an utterance.
            partial_ms: new sound after which a growing utterance is given out again, and once in each pause at
                SOFT_END; None: only finals.
        """
        self.speech = 0.0
        """Probability of speech in the window heard last."""
        self._lane: Lane = lane
        self._detector = detector
        self._ids = ids
        self._endpoint = _samples(endpoint_ms)
        self._partial = None if partial_ms is None else _samples(partial_ms)
        self._tape = _Tape(2 * MAX_LENGTH)
        self._pending: Samples = np.zeros(0, np.float32)
        self._state = _State.QUIET
        self._onset = 0
        self._quiet = 0  # where the present pause began, while STOPPING
        self._id = 0
        self._continues: int | None = None
        self._start = 0
        self._shown_to = 0
        self._soft_end = 0  # where the pause began in which the growing utterance was given out at SOFT_END
        self._closed_to = 0

    def push(self, chunk: AudioChunk) -> list[Utterance]:
        """What is new once `chunk` has been heard: growing utterances, and at an end or a cut a final one.

        A chunk that does not follow the last one ends what was growing.
        """
        utterances = []
        if chunk.start != self._tape.end + len(self._pending):
            utterances = self.flush()
            self._tape.restart(chunk.start)
        heard = np.concatenate([self._pending, chunk.samples])
        window = self._detector.window
        n_whole = len(heard) // window * window
        self._pending = heard[n_whole:].copy()
        windows = heard[:n_whole]
        for i, probability in enumerate(self._detector.probabilities(windows)):
            self._tape.append(windows[i * window : (i + 1) * window])
            self.speech = float(probability)
            utterances += self._hear(self.speech)
        return utterances

    def flush(self) -> list[Utterance]:
        """The utterance that was growing, made final: no more sound follows what was heard."""
        # Too little for the detector: it counts as whatever came before it.
        self._tape.append(self._pending)
        self._pending = self._pending[:0]
        utterances = self._close() if self._is_open else []
        self._state = _State.QUIET
        self._detector.reset()
        return utterances

    def cut(self, utterance_id: int, at: int) -> list[Utterance]:
        """End the growing utterance before sample `at`; the rest goes on as another.

        Returns:
            The final one; nothing where `utterance_id` is not growing any more, is shorter than MIN_CUT, or does not
            hold `at`.
        """
        is_asked = self._is_open and utterance_id == self._id and self._tape.end - self._start >= MIN_CUT
        return self._cut(at) if is_asked and self._start < at < self._tape.end else []

    @property
    def _is_open(self) -> bool:
        return self._state in (_State.SPEAKING, _State.STOPPING)

    @property
    def _end(self) -> int:
        """Where the growing utterance ends so far: some of a pause belongs to it, not all."""
        return min(self._tape.end, self._quiet + TAIL) if self._state is _State.STOPPING else self._tape.end

    @property
    def _pause(self) -> int:
        """Quiet heard since the last speech of the growing utterance."""
        return self._tape.end - self._quiet if self._state is _State.STOPPING else 0

    @property
    def _holds_speech(self) -> bool:
        """False of the rest after a cut in a pause, until speech goes on."""
        return self._state is _State.SPEAKING or self._quiet > self._start

    def _hear(self, probability: float) -> list[Utterance]:
        """Take the window that was appended last into account."""
        self._step(probability)
        utterances: list[Utterance] = []
        if self._state is _State.STOPPING and self._pause >= self._endpoint:
            utterances = self._close()
        elif self._is_open:
            utterances = self._cut_if_long()
            if self._partial is not None and self._holds_speech:
                utterances += self._growing(self._partial)
        self._tape.forget(self._needed_from())
        return utterances

    def _growing(self, partial: int) -> list[Utterance]:
        """The growing utterance, where enough is new or its pause is long enough to be its end."""
        is_soft_end = self._pause >= SOFT_END and self._soft_end != self._quiet
        if is_soft_end:
            self._soft_end = self._quiet
        elif self._end - self._shown_to < partial:
            return []
        self._shown_to = self._end
        return [self._utterance(self._end, is_final=False)]

    def _step(self, probability: float) -> None:
        """The next state, but for an utterance's end."""
        begin = self._tape.end - self._detector.window
        is_speech, is_quiet = probability >= ONSET_PROBABILITY, probability < QUIET_PROBABILITY
        match self._state:
            case _State.QUIET if is_speech:
                self._state, self._onset = _State.STARTING, begin
            case _State.STARTING if is_quiet:
                self._state = _State.QUIET
            case _State.STARTING if self._tape.end - self._onset >= CONFIRM:
                self._state = _State.SPEAKING
                start = max(self._onset - PRE_ROLL, self._closed_to, self._tape.start)
                self._open(start, shown_to=self._onset, continues=None)
            case _State.SPEAKING if is_quiet:
                self._state, self._quiet = _State.STOPPING, begin
            case _State.STOPPING if is_speech:
                self._state = _State.SPEAKING

    def _open(self, start: int, *, shown_to: int, continues: int | None) -> None:
        self._id = next(self._ids)
        self._start, self._shown_to, self._continues = start, shown_to, continues
        self._soft_end = 0

    def _close(self) -> list[Utterance]:
        """Make the growing utterance final where it holds speech."""
        finals = [self._utterance(self._end, is_final=True)] if self._holds_speech else []
        self._closed_to = self._end if finals else self._start
        self._state = _State.QUIET
        return finals

    def _cut_if_long(self) -> list[Utterance]:
        length = self._tape.end - self._start
        if length >= LONG and self._pause >= PAUSE:
            return self._cut(self._quiet + PAUSE // 2)
        if length + self._detector.window > MAX_LENGTH:
            first = self._start + LONG
            return self._cut(first + quietest(self._tape.copy(first, self._tape.end)))
        return []

    def _cut(self, at: int) -> list[Utterance]:
        final = self._utterance(at, is_final=True)
        self._open(at, shown_to=at, continues=final.id)
        return [final]

    def _utterance(self, end: int, *, is_final: bool) -> Utterance:
        samples = self._tape.copy(self._start, end)
        quiet = 0 if is_final else self._pause
        return Utterance(self._id, self._lane, samples, self._start, is_final, self._continues, quiet)

    def _needed_from(self) -> int:
        match self._state:
            case _State.QUIET:
                return self._tape.end - PRE_ROLL
            case _State.STARTING:
                return self._onset - PRE_ROLL
            case _:
                return self._start


class _Tape:
    """The stretch of a lane that is still needed."""

    def __init__(self, capacity: int) -> None:
        self.start = 0
        self.end = 0
        self._buffer = np.zeros(capacity, np.float32)
        self._at = 0  # where in the buffer `start` is

    def append(self, samples: Samples) -> None:
        length = self.end - self.start
        if self._at + length + len(samples) > len(self._buffer):
            self._buffer[:length] = self._buffer[self._at : self._at + length]
            self._at = 0
        self._buffer[self._at + length : self._at + length + len(samples)] = samples
        self.end += len(samples)

    def forget(self, before: int) -> None:
        """Drop what is earlier than `before`."""
        n = max(0, before - self.start)
        self.start += n
        self._at += n

    def restart(self, at: int) -> None:
        """Drop everything and go on at `at`."""
        self.start = self.end = at
        self._at = 0

    def copy(self, start: int, end: int) -> Samples:
        begin = self._at + start - self.start
        samples = self._buffer[begin : begin + end - start].copy()
        samples.flags.writeable = False
        return samples


def quietest(samples: Samples) -> int:
    """The middle of the stretch with the least energy; the first of equals."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    return int(np.argmin(energy[_LULL:] - energy[:-_LULL])) + _LULL // 2
