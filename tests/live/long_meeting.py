"""A meeting of both lanes in made-up time, through a whole session: hours pass as fast as threads hand on sound.

The session, its threads and queues are real; the devices, the clock and the model's speed are not. Sound goes on once
what was heard before has been dealt with, so that little depends on how fast this computer is.
"""

from __future__ import annotations

import queue
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from fakes import CHINESE_HZ, ENGLISH_HZ, FAKE, WAIT_S, FakeSource, quiet, tone

from live.audio import AudioBlock, Lane
from live.events import (
    AudioDropped,
    CaptionUpdated,
    Event,
    LagChanged,
    StateChanged,
    Stop,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSkipped,
)
from live.session import Session
from live.settings import Settings
from live.sinks import Sink
from models.base import SAMPLE_RATE, Done, Ready, Reply, Request, TranslatorFactory
from models.fake import FakeTranslator

STEP_S = 0.1
"""Sound that passes at once."""
STEP = round(STEP_S * SAMPLE_RATE)
SLOWNESS = 1.5
"""Seconds that the model computes for a second of sound."""
HZ: dict[Lane, float] = {"microphone": CHINESE_HZ, "system": ENGLISH_HZ}
LANES: dict[str, Lane] = {"zh": "microphone", "en": "system"}
SPEECH = {lane: tone(STEP_S, hz)[:, None] for lane, hz in HZ.items()}
SILENCE = quiet(STEP_S)[:, None]


@dataclass(frozen=True, slots=True)
class _Running:
    ticket: int
    lane: Lane
    is_final: bool
    began_s: float
    ends_s: float
    answer: Done


class SlowWorker:
    """A model that answers when the meeting's clock says so, and books whose sound it computed on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.replies: queue.Queue[Reply] = queue.Queue()
        self.busy_s: Counter[Lane] = Counter()
        self.n_calls = self.n_cancelled = 0
        self.running: _Running | None = None
        self._clock = clock
        self._translator = FakeTranslator()
        self._lock = threading.Lock()
        self.replies.put(Ready(self._translator.load(lambda _share: None)))

    def submit(self, request: Request) -> int:
        hypothesis = self._translator.translate(request, lambda: False)
        took_s = SLOWNESS * len(request.samples) / SAMPLE_RATE
        hypothesis = replace(hypothesis, cost=replace(hypothesis.cost, decode_s=took_s))
        with self._lock:
            self.n_calls += 1
            now_s, lane = self._clock(), LANES[hypothesis.source]
            done = Done(self.n_calls, hypothesis)
            self.running = _Running(self.n_calls, lane, request.is_final, now_s, now_s + took_s, done)
            return self.n_calls

    def cancel(self, ticket: int) -> None:
        with self._lock:
            if self.running is not None and self.running.ticket == ticket:
                self.n_cancelled += 1
                self._book(self.running, self._clock())

    def answer(self) -> None:
        """Answer what is due."""
        with self._lock:
            running = self.running
            if running is not None and running.ends_s <= self._clock():
                self._book(running, running.ends_s)
                self.replies.put(running.answer)

    def close(self) -> None:
        """Nothing is held."""

    def _book(self, running: _Running, until_s: float) -> None:
        self.busy_s[running.lane] += until_s - running.began_s
        self.running = None


@dataclass(slots=True)
class Tally:
    """A sink that counts, and keeps nothing of what was said."""

    closed: set[int] = field(default_factory=set)
    captioned: set[int] = field(default_factory=set)
    n: Counter[type[Event]] = field(default_factory=Counter)
    n_partials: Counter[Lane] = field(default_factory=Counter)
    dropped_s: float = 0.0
    longest_wait_s: float = 0.0
    listens: threading.Event = field(default_factory=threading.Event)

    def __call__(self, event: Event) -> None:
        self.n[type(event)] += 1
        match event:
            case UtteranceClosed(id=number):
                self.closed.add(number)
            case CaptionUpdated(caption) if caption.is_final:
                self.captioned.add(caption.id)
            case CaptionUpdated(caption):
                self.n_partials[caption.lane] += 1
            case AudioDropped():
                self.dropped_s += event.n_samples / SAMPLE_RATE
            case LagChanged():
                self.longest_wait_s = max(self.longest_wait_s, event.waiting_s)
            case StateChanged(state="listening"):
                self.listens.set()

    @property
    def n_lost(self) -> int:
        """Utterances that were given up or left out."""
        return self.n[UtteranceFailed] + self.n[UtteranceSkipped]


class LongMeeting:
    """Two people by turns, sometimes at once: together they speak for not quite 60 % of the time.

    Args:
        length_s: Of the meeting.
        sinks: Take its events too.
        seed: Of who speaks when.
    """

    def __init__(self, length_s: float, sinks: Iterable[Sink] = (), seed: int = 1) -> None:
        self.tally = Tally()
        self.now_s = 0.0
        self._n_steps = round(length_s / STEP_S)
        self._random = random.Random(seed)
        self._speaks_until: dict[Lane, float] = dict.fromkeys(HZ, 0.0)
        self._next_turn_s, self._next_lane = 1.0, 0
        self._sources = {lane: FakeSource(lane) for lane in HZ}
        self.worker = SlowWorker(lambda: self.now_s)
        self._session = Session(
            Settings(source="both", drop_echo=False),
            list(self._sources.values()),
            FAKE,
            [self.tally, *sinks],
            model_name="slow",
            start_worker=self._start_worker,
            clock=lambda: self.now_s,
        )

    def run(self, at: Callable[[float], None] = lambda _share: None) -> None:
        """Hold it to its end, then let the model translate what waits. `at` is told what share of it has passed."""
        self._session.start()
        assert self.tally.listens.wait(WAIT_S)
        for step in range(self._n_steps):
            self._take_turns()
            first = step * STEP
            self.now_s = (step + 1) * STEP_S
            for lane, source in self._sources.items():
                samples = SPEECH[lane] if self._speaks_until[lane] >= self.now_s else SILENCE
                assert source.queue is not None
                source.queue.put(AudioBlock(lane, samples, first, self.now_s))
            self._settle()
            at((step + 1) / self._n_steps)
        self._session.send(Stop())
        while not self._session.join(0.001):
            self.now_s += STEP_S
            self._settle()

    def _start_worker(self, _factory: TranslatorFactory) -> SlowWorker:
        return self.worker

    def _take_turns(self) -> None:
        if self.now_s < self._next_turn_s:
            return
        lanes = list(HZ)
        speaker = lanes[self._next_lane % 2]
        ends_s = self.now_s + self._random.uniform(2.0, 10.0)
        self._speaks_until[speaker] = ends_s
        if self._random.random() < 0.1:  # the other falls in
            self._speaks_until[lanes[(self._next_lane + 1) % 2]] = self.now_s + self._random.uniform(1.0, 3.0)
        self._next_lane += 1
        self._next_turn_s = ends_s + self._random.uniform(2.0, 8.5)

    def _settle(self) -> None:
        """Wait until all sound was taken and the model computes or has nothing to do."""
        self.worker.answer()
        pause = threading.Event()
        while not self._is_settled():
            pause.wait(0.0005)

    def _is_settled(self) -> bool:
        if any(source.queue is not None and source.queue.waiting_s for source in self._sources.values()):
            return False
        jobs, running = self._session._jobs, self.worker.running
        if running is not None:
            return running.is_final or not jobs.n_finals
        return jobs.wait_idle(lambda: True)
