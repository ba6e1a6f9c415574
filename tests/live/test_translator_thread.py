"""The translator thread: what it asks of the policy, and what it does with the answers."""

from __future__ import annotations

import queue
from functools import partial
from threading import Semaphore
from typing import ClassVar

import numpy as np
from fakes import WAIT_S, FakeWorker, Recorder

from live.audio import Utterance
from live.events import Caption, CaptionUpdated, LagChanged, Line, UtteranceFailed, UtteranceSkipped, Word
from live.policy import Direction, Level, Retranslation
from live.queues import JobQueue
from live.translator_thread import TranslatorEnded, TranslatorReady, TranslatorThread
from models.base import TranslatorFactory

FAKE = TranslatorFactory("models.fake:FakeTranslator")


class LateQueue(JobQueue):
    """Gives nothing at first; before it is asked again, a final comes in and the queue is closed."""

    def __init__(self, late: Utterance) -> None:
        super().__init__()
        self._late: Utterance | None = late

    def get(self, timeout_s):
        if self._late is None:
            return super().get(timeout_s)
        late, self._late = self._late, None
        self.put_final(late)
        self.close()
        return None


class Cutting(Retranslation):
    """Has nothing due but finals and utterances of even id, and wants each cut at its middle."""

    def request(self, utterance):
        due = utterance.is_final or utterance.id % 2 == 0
        return super().request(utterance) if due else None

    def cut_after(self, utterance_id):
        return 8_000 * utterance_id


def sound(identity: int, *, final: bool) -> Utterance:
    samples = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    return Utterance(identity, "microphone", samples, 0, final)


def translated(
    jobs: JobQueue, policy: type[Retranslation] = Retranslation, start_worker=FakeWorker, **options
) -> Recorder:
    """What was said of the jobs of a queue until it was closed and empty."""
    events, reports = Recorder(), queue.SimpleQueue()

    def report(news):
        if isinstance(news, TranslatorReady):
            thread.policy = policy(news.capabilities, Direction.between(None, None, ("zh", "en")))
        reports.put(news)

    thread = TranslatorThread(FAKE, start_worker, jobs, events, report, model_name="fake", **options)
    thread.start()
    assert isinstance(reports.get(timeout=WAIT_S), TranslatorReady)
    assert reports.get(timeout=WAIT_S) == TranslatorEnded(None)
    return events


def captioned(events: Recorder) -> list[tuple[int, bool]]:
    return [(event.caption.id, event.caption.is_final) for event in events.of(CaptionUpdated)]


def test_a_final_that_comes_as_the_queue_is_closed_is_still_translated():
    assert captioned(translated(LateQueue(sound(1, final=True)))) == [(1, True)]


class PartialThenClose(JobQueue):
    """One growing utterance after another, each taken before the next comes in, and at last a final."""

    def __init__(self, *partials: Utterance, final: Utterance) -> None:
        super().__init__()
        self._partials = [*partials]
        self._final: Utterance | None = final

    def get(self, timeout_s):
        if self._partials:
            self.put_partial(self._partials.pop(0))
        elif self._final is not None:
            self.put_final(self._final)
            self._final = None
            job = super().get(timeout_s)
            self.close()
            return job
        return super().get(timeout_s)


def test_nothing_is_asked_where_the_policy_has_nothing_due():
    partials = [sound(identity, final=False) for identity in (1, 2, 3, 4)]
    jobs = PartialThenClose(*partials, final=sound(5, final=True))
    events = translated(jobs, Cutting)
    assert captioned(events) == [(2, False), (4, False), (5, True)]
    assert len(events.of(LagChanged)) == 3
    assert jobs.wait_idle(stop=lambda: True)


def test_the_policys_cuts_go_to_the_lane():
    cuts = []
    jobs = PartialThenClose(sound(2, final=False), final=sound(3, final=True))
    translated(jobs, Cutting, cut=lambda *wish: cuts.append(wish))
    assert cuts == [("microphone", 2, 16_000), ("microphone", 3, 24_000)]


class Late(JobQueue):
    """Four finals that have waited for 20 s when the first is taken, the first two of them begun on."""

    def __init__(self, clock) -> None:
        super().__init__(clock)
        self._clock_ahead = clock
        self._step = 0

    def get(self, timeout_s):
        self._step += 1
        if self._step <= 2:
            self.put_partial(sound(2 * self._step, final=False))
        elif self._step == 3:
            for identity in (2, 4, 6, 8):
                self.put_final(sound(identity, final=True))
            self._clock_ahead.now += 20.0
            self.close()
        return super().get(timeout_s)


class Keeping(Retranslation):
    """Had settled something of whatever is given up."""

    def forget(self, utterance_id):
        return Caption(utterance_id, "microphone", "zh", "en", Line((Word("so far"),)), Line(), 0, 1, -0.1, False, True)


def test_what_was_settled_of_a_final_that_failed_is_told_before_its_failure():
    jobs = PartialThenClose(sound(1, final=False), final=sound(1, final=True))
    events = translated(jobs, Keeping, start_worker=partial(FakeWorker, fail_on=[1, 2]))
    (told,) = events.of(CaptionUpdated)
    (failed,) = events.of(UtteranceFailed)
    assert told.caption.translation.text == "so far"
    assert events.events.index(told) < events.events.index(failed)
    assert told.caption.id == failed.id == 1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_far_behind_what_nobody_has_begun_is_skipped_where_that_is_allowed():
    clock = Clock()
    events = translated(Late(clock), Cutting, skips=True, clock=clock)
    assert [event.id for event in events.of(UtteranceSkipped)] == [6, 8]
    assert [identity for identity, final in captioned(events) if final] == [2, 4]


def test_far_behind_nothing_is_skipped_unless_that_is_allowed():
    clock = Clock()
    events = translated(Late(clock), Cutting, clock=clock)
    assert events.of(UtteranceSkipped) == []
    assert [identity for identity, final in captioned(events) if final] == [2, 4, 6, 8]
    assert events.of(LagChanged)[-1].waiting_s == 20.0


class Idle(Retranslation):
    """Has nothing due but finals, and notes the levels of load that it is told."""

    levels: ClassVar[list[Level]]

    def request(self, utterance):
        return super().request(utterance) if utterance.is_final else None

    def keep_to(self, level):
        self.levels.append(level)


class Timed(JobQueue):
    """Hands out each utterance a while after it came, and closes behind the last."""

    def __init__(self, clock: Clock, *utterances: tuple[Utterance, float]) -> None:
        super().__init__(clock)
        self._clock_ahead = clock
        self._utterances = [*utterances]

    def get(self, timeout_s):
        if not self._utterances:
            self.close()
            return super().get(timeout_s)
        utterance, waits_s = self._utterances.pop(0)
        (self.put_final if utterance.is_final else self.put_partial)(utterance)
        self._clock_ahead.now += waits_s
        return super().get(timeout_s)


def levels(clock: Clock, jobs: JobQueue, takes_s: float) -> list[Level]:
    class Slow(FakeWorker):
        def submit(self, request):
            clock.now += takes_s
            return super().submit(request)

    Idle.levels = []
    translated(jobs, Idle, start_worker=Slow, clock=clock)
    return Idle.levels


def test_what_a_final_computes_itself_leaves_nothing_out_where_nobody_waits():
    clock = Clock()
    finals = [(sound(identity, final=True), 0.1) for identity in range(1, 5)]
    assert levels(clock, Timed(clock, *finals), 20.0) == [Level.NORMAL] * 4


class FinalComesMeanwhile(JobQueue):
    """A growing utterance; while the model computes on it, another one's final comes in."""

    def get(self, timeout_s):
        if not self._lanes:
            self.put_partial(sound(1, final=False))
        return super().get(timeout_s)


def test_a_partial_that_gives_way_late_leaves_partials_out():
    clock = Clock()
    jobs = FinalComesMeanwhile(clock)

    class Busy(FakeWorker):
        def submit(self, request):
            if not request.is_final:
                clock.now += 4.0
                jobs.put_final(sound(2, final=True))
                jobs.close()
            else:
                gate.release(2)  # the one that gave way may still take one
            return super().submit(request)

    class Asking(Idle):
        def request(self, utterance):
            return Retranslation.request(self, utterance)

    gate = Semaphore(0)
    Idle.levels = []
    translated(jobs, Asking, start_worker=partial(Busy, gate=gate), clock=clock)
    assert Idle.levels[0] is Level.VERIFY_ONLY


def test_a_final_that_waits_for_another_leaves_partials_out():
    clock = Clock()
    assert levels(clock, Timed(clock, (sound(1, final=True), 7.0)), 0.1) == [Level.FINALS_ONLY]


def test_a_thread_that_has_nothing_to_do_comes_back_to_normal():
    clock = Clock()
    idle = [(sound(identity, final=False), 1.0) for identity in range(2, 14)]
    told = levels(clock, Timed(clock, (sound(1, final=True), 7.0), *idle), 0.1)
    assert told[0] is Level.FINALS_ONLY
    assert told == sorted(told, reverse=True)
    assert told[-1] is Level.NORMAL
