"""Stand-ins at a session's edges: tones for speech, a source driven by the test, a model worker without a process."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from live.audio import BLOCK_S, AudioBlock, Lane
from live.capture import Lost
from live.events import CaptionUpdated, Event, SessionStopped, StateChanged
from live.queues import AudioQueue
from models.base import (
    SAMPLE_RATE,
    Cancelled,
    Died,
    Done,
    Failed,
    Loading,
    ModelError,
    Ready,
    Reply,
    Request,
    Translator,
    TranslatorFactory,
    WorkerDied,
)

WAIT_S = 20.0
"""Longer than anything takes; a test that waits so long has failed."""
BLOCK = round(BLOCK_S * SAMPLE_RATE)
FAKE = TranslatorFactory("models.fake:FakeTranslator")
CHINESE_HZ, ENGLISH_HZ = 200.0, 1500.0
"""Tones that the fake translator takes for the two languages."""

Pcm = NDArray[np.int16]


def tone(seconds: float, hz: float = CHINESE_HZ, level: float = 0.5) -> Pcm:
    """Sound that the energy detector takes for speech."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.round(np.sin(2 * np.pi * hz * times + 0.1) * level * 32_767).astype(np.int16)


def quiet(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def conversation(n_turns: int, turn_s: float = 1.5, pause_s: float = 1.0) -> Pcm:
    """Chinese and English by turns, each of another length."""
    turns = []
    for turn in range(n_turns):
        turns += [tone(turn_s + 0.2 * turn, (CHINESE_HZ, ENGLISH_HZ)[turn % 2]), quiet(pause_s)]
    return np.concatenate([quiet(0.5), *turns])


def blocks_of(samples: Pcm) -> list[Pcm]:
    return [samples[i : i + BLOCK, None] for i in range(0, len(samples), BLOCK)]


class EnergyDetector:
    """Calls speech what is loud."""

    window = 512

    def probabilities(self, samples):
        return (np.abs(samples.reshape(-1, self.window)).max(axis=1) > 0.01).astype(np.float32)

    def reset(self) -> None:
        pass


class FakeSource:
    """A source whose sound comes when the test says so; no clock, nothing dropped unless `offers`.

    Time passes with the sound: a block's stamp is when its last sample was heard, if the source opened at `opened_s`.
    """

    channels = 1

    def __init__(
        self,
        lane: Lane = "microphone",
        *,
        is_live: bool = True,
        refuses: Exception | None = None,
        rate: int = SAMPLE_RATE,
    ) -> None:
        self.lane = lane
        self.rate = rate
        self.name = f"fake {lane}"
        self.is_live = is_live
        self.refuses = refuses
        self.opened_s = 0.0
        self.n_opened = 0
        self.queue: AudioQueue | None = None
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._lost: Lost | None = None
        self._position = 0

    @property
    def is_open(self) -> bool:
        return self.queue is not None

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        if self.refuses is not None:
            raise self.refuses
        with self._changed:
            self.queue, self._lost, self._position = queue, lost, 0
            self._stop.clear()
            self.n_opened += 1
            self._changed.notify_all()
        self.opened()

    def opened(self) -> None:
        """What happens next by itself: nothing."""

    def close(self) -> None:
        with self._changed:
            self._stop.set()
            if self.queue is not None:
                self.queue.close()
            self.queue = None
            self._changed.notify_all()

    def wait_open(self, n_opened: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.n_opened >= n_opened and self.is_open, WAIT_S)

    def wait_closed(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: not self.is_open, WAIT_S)

    def say(self, samples: Pcm, *, offered: bool = False) -> None:
        """Deliver sound in blocks; it waits for room, unless offered as by a device."""
        audio = self.queue
        for block in blocks_of(samples):
            if audio is None:
                return
            first, self._position = self._position, self._position + len(block)
            stamped = AudioBlock(self.lane, block, first, self.opened_s + self._position / self.rate)
            if offered:
                audio.offer(stamped)
            elif not audio.put(stamped, self._stop.is_set):
                return

    def skip(self, n_samples: int) -> None:
        """The device delivers nothing for so long."""
        self._position += n_samples

    def end(self) -> None:
        """No more sound comes, as at the end of a file."""
        audio = self.queue
        if audio is not None:
            audio.close()

    def lose(self, reason: str) -> None:
        """The device is gone."""
        assert self._lost is not None
        self._lost(reason)


class FakeFile(FakeSource):
    """Sound that is read by a thread of its own as soon as it is opened, and ends."""

    def __init__(self, samples: Pcm, *, is_live: bool = False) -> None:
        super().__init__("file", is_live=is_live)
        self._samples = samples
        self._reader: threading.Thread | None = None

    def opened(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        super().close()
        if self._reader is not None:
            self._reader.join(WAIT_S)

    def _read(self) -> None:
        self.say(self._samples)
        self.end()


class FakeWorker:
    """The interface of ModelWorker, in a thread: runs the factory's translator, and breaks on demand.

    Args:
        gate: each request takes a permit before it is answered; None: answered at once.
        load_error: loading fails.
        loads: loading ends at all.
        die_on: requests (counted from 1) at which the process dies once and is started again.
        die_for_good_on: the request at which the process dies and cannot be started again.
        fail_on: requests that fail.
    """

    def __init__(
        self,
        factory: TranslatorFactory,
        *,
        gate: threading.Semaphore | None = None,
        load_error: ModelError | None = None,
        loads: bool = True,
        die_on: Iterable[int] = (),
        die_for_good_on: int | None = None,
        fail_on: Iterable[int] = (),
    ) -> None:
        self.replies: queue.Queue[Reply] = queue.Queue()
        self.requests: list[Request] = []
        """All that were submitted, without their sound."""
        self.cancelled: set[int] = set()
        self.is_closed = False
        self._factory = factory
        self._gate = gate
        self._load_error = load_error
        self._loads = loads
        self._die_on = set(die_on)
        self._die_for_good_on = die_for_good_on
        self._fail_on = set(fail_on)
        self._waiting: deque[tuple[int, Request]] = deque()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> int:
        with self._changed:
            self.requests.append(replace(request, samples=np.zeros(0, np.float32)))
            self._waiting.append((len(self.requests), request))
            self._changed.notify_all()
            return len(self.requests)

    def cancel(self, ticket: int) -> None:
        with self._changed:
            self.cancelled.add(ticket)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
        self._thread.join(WAIT_S)

    def wait_requests(self, n_requests: int) -> None:
        """Wait until so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= n_requests, WAIT_S)

    def wait_cancelled(self) -> None:
        """Wait until a request was cancelled."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.cancelled), WAIT_S)

    def _run(self) -> None:
        translator = self._factory()
        if not self._load(translator):
            return
        while (job := self._next()) is not None:
            ticket, request = job
            if ticket == self._die_for_good_on:
                error = WorkerDied("The model process cannot be started again: start the session anew.")
                self.replies.put(Failed(None, error))
                self.replies.put(Died("it was killed", ticket, is_final=True))
                return
            if ticket in self._die_on:
                self.replies.put(Died("it was killed", ticket))
            if self._passes(ticket):
                self._answer(translator, ticket, request)

    def _load(self, translator: Translator) -> bool:
        if self._load_error is not None:
            self.replies.put(Failed(None, self._load_error))
            return False
        if not self._loads:
            return False
        self.replies.put(Ready(translator.load(lambda share: self.replies.put(Loading(share)))))
        return True

    def _next(self) -> tuple[int, Request] | None:
        with self._changed:
            self._changed.wait_for(lambda: self.is_closed or self._waiting)
            return None if self.is_closed else self._waiting.popleft()

    def _passes(self, ticket: int) -> bool:
        """Wait at the gate; False where nobody waits for the answer any more."""
        while self._gate is not None and not self._gate.acquire(timeout=0.005):
            if ticket in self.cancelled or self.is_closed:
                return False
        return True

    def _answer(self, translator: Translator, ticket: int, request: Request) -> None:
        if ticket in self._fail_on:
            self.replies.put(Failed(ticket, ModelError("The fake worker was told to fail.")))
            return
        with suppress(Cancelled):
            self.replies.put(Done(ticket, translator.translate(request, lambda: ticket in self.cancelled)))


class Recorder:
    """A sink that keeps every event, and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[Event], bool], n: int = 1) -> Event:
        """The n-th event that `wanted` holds for, once it has come."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._nth(wanted, n), WAIT_S)
        assert found, f"it has not come; there were {self.events}"
        return found

    def comes(self, wanted: Callable[[Event], bool], n: int, within_s: float) -> bool:
        """Whether the n-th event that `wanted` holds for comes in time; for what must not come."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._nth(wanted, n), within_s))

    def _nth(self, wanted: Callable[[Event], bool], n: int) -> Event | None:
        matching = [event for event in self.events if wanted(event)]
        return matching[n - 1] if len(matching) >= n else None

    def wait_state(self, state: str, n: int = 1) -> StateChanged:
        event = self.wait_for(lambda event: isinstance(event, StateChanged) and event.state == state, n)
        assert isinstance(event, StateChanged)
        return event

    def of(self, *kinds: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def finals(self):
        return [event.caption for event in self.of(CaptionUpdated) if event.caption.is_final]

    @property
    def partials(self):
        return [event.caption for event in self.of(CaptionUpdated) if not event.caption.is_final]

    @property
    def stopped(self) -> SessionStopped:
        """The last event, which must be the only one of its kind."""
        assert [event for event in self.events if isinstance(event, SessionStopped)] == self.events[-1:]
        return self.events[-1]
