"""A session without threads: one talk through segmenter, queue, policy and translator, on a clock of its own.

In: a Talk, a Policy, a translator and a cost model. Out: Played: what was put before the reader and when, and what was
computed. The segmenter, the queue and the policies are the session's own classes. The clock is the sound's, and a
single worker is busy for as long as each call costs. What it all was worth is measures' business.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live.audio import BLOCK_S, AudioChunk, Lane, Utterance
from live.evaluation.simul.costs import CostModel
from live.evaluation.simul.record import Playback, Shown, Talk
from live.policy import LivePolicy, Load
from live.queues import Job, JobQueue
from live.segmenter import Segmenter
from live.vad import Detector
from models.base import SAMPLE_RATE, Cost, Hypothesis, Request, Samples

LANE: Lane = "file"
Translate = Callable[[Request], Hypothesis]


@dataclass(frozen=True, slots=True)
class Call:
    """One question to the translator."""

    utterance_id: int
    began_s: float
    ended_s: float
    """When it was answered, or given up for a final."""
    heard: int
    """Samples of the talk heard when its utterance was handed out."""
    is_final: bool
    cost: Cost

    @property
    def lag_s(self) -> float:
        """How far behind the sound its answer came."""
        return self.ended_s - self.heard / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Played:
    """One talk played through one policy under one cost model."""

    playback: Playback
    cost_model: str
    calls: tuple[Call, ...]

    @property
    def busy_s(self) -> float:
        """Seconds for which the worker computed."""
        return sum(call.ended_s - call.began_s for call in self.calls)


class HeardBefore:
    """A detector that says again what another one said of the same sound, from its beginning on."""

    def __init__(self, probabilities: NDArray[np.float32], window: int) -> None:
        self.window = window
        self._probabilities = probabilities
        self._at = 0

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """The next ones."""
        begin, self._at = self._at, self._at + len(samples) // self.window
        return self._probabilities[begin : self._at]

    def reset(self) -> None:
        """Nothing: what is heard goes on."""


def hear(talk: Talk, detector: Detector) -> NDArray[np.float32]:
    """What a detector says of a whole talk, a probability a window."""
    n_windows = len(talk.samples) // detector.window
    return detector.probabilities(talk.samples[: n_windows * detector.window])


def play(
    talk: Talk,
    policy: LivePolicy,
    translate: Translate,
    *,
    costs: CostModel,
    detector: Detector,
    name: str,
    show: Callable[[Shown], None] | None = None,
) -> Played:
    """Play a talk.

    Args:
        talk: what is heard.
        policy: new, and used for nothing else.
        translate: asks the model.
        costs: what each call takes.
        detector: has heard nothing, or HeardBefore.
        name: what the policy is called.
        show: takes each caption, in the place of the playback, which then holds none: an hour's fill 100 MB.

    Raises:
        TranslateError: the translator failed.
    """
    shown: list[Shown] = []
    segmenter = Segmenter(LANE, detector, ids=itertools.count(1))
    session = _Session(talk, policy, translate, costs, segmenter, show=show or shown.append)
    session.play()
    return Played(Playback(talk, name, tuple(shown)), costs.name, tuple(session.calls))


@dataclass(frozen=True, slots=True)
class _Running:
    job: Job
    began_s: float
    ends_s: float
    hypothesis: Hypothesis


class _Session:
    def __init__(
        self,
        talk: Talk,
        policy: LivePolicy,
        translate: Translate,
        costs: CostModel,
        segmenter: Segmenter,
        *,
        show: Callable[[Shown], None],
    ) -> None:
        self.calls: list[Call] = []
        self._talk = talk
        self._policy = policy
        self._translate = translate
        self._costs = costs
        self._segmenter = segmenter
        self._show = show
        self._load = Load()
        self._now_s = 0.0
        self._jobs = JobQueue(clock=lambda: self._now_s)
        self._running: _Running | None = None
        self._cuts: list[tuple[int, int]] = []

    def play(self) -> None:
        for chunk in _chunks(self._talk):
            now_s = chunk.end / SAMPLE_RATE
            self._work(until_s=now_s)
            self._now_s = now_s
            for utterance_id, at in self._cuts:
                self._hand_on(self._segmenter.cut(utterance_id, at))
            self._cuts.clear()
            self._hand_on(self._segmenter.push(chunk))
            self._work(until_s=now_s)
        self._hand_on(self._segmenter.flush())
        self._work(until_s=float("inf"))

    def _hand_on(self, utterances: list[Utterance]) -> None:
        for utterance in utterances:
            if not utterance.is_final:
                self._jobs.put_partial(utterance)
                continue
            self._jobs.put_final(utterance)
            if self._running is not None and not self._running.job.utterance.is_final:
                self._end_call(self._running, self._now_s)  # it gives way, unanswered

    def _work(self, until_s: float) -> None:
        """Let the worker go on with what waits."""
        while True:
            if self._running is None and not self._start():
                return
            running = self._running
            if running is None or running.ends_s > until_s:
                return
            self._now_s = running.ends_s
            self._end_call(running, running.ends_s)
            self._answer(running)

    def _start(self) -> bool:
        """Take the next job that anything is asked about; False where there is none."""
        while (job := self._jobs.get(timeout_s=0.0)) is not None:
            request = self._policy.request(job.utterance)
            if request is not None:
                hypothesis = self._charged(self._translate(request))
                ends_s = self._now_s + hypothesis.cost.total_s
                self._running = _Running(job, self._now_s, ends_s, hypothesis)
                return True
            self._keep_up(self._now_s - job.since_s)
            self._jobs.done()
        return False

    def _charged(self, hypothesis: Hypothesis) -> Hypothesis:
        """The answer with its cost as the clock has it, for policies keep pace by it."""
        seconds = self._costs.seconds(hypothesis)
        return replace(hypothesis, cost=replace(hypothesis.cost, encode_s=0.0, prefill_s=0.0, decode_s=seconds))

    def _end_call(self, running: _Running, ended_s: float) -> None:
        utterance, cost = running.job.utterance, running.hypothesis.cost
        heard = round(running.job.since_s * SAMPLE_RATE)
        self.calls.append(Call(utterance.id, running.began_s, ended_s, heard, utterance.is_final, cost))
        self._running = None
        self._jobs.done()
        self._keep_up((running.began_s if utterance.is_final else ended_s) - running.job.since_s)

    def _keep_up(self, lag_s: float) -> None:
        self._policy.keep_to(self._load.note(lag_s, self._now_s))

    def _answer(self, running: _Running) -> None:
        utterance, hypothesis = running.job.utterance, running.hypothesis
        caption = self._policy.caption(utterance, hypothesis)
        if caption is not None:
            heard = round(running.job.since_s * SAMPLE_RATE)
            self._show(Shown(caption, heard, running.ends_s, hypothesis.cost))
        if (at := self._policy.cut_after(utterance.id)) is not None:
            self._cuts.append((utterance.id, at))


def _chunks(talk: Talk) -> Iterator[AudioChunk]:
    size = round(BLOCK_S * SAMPLE_RATE)
    for start in range(0, len(talk.samples), size):
        yield AudioChunk(LANE, talk.samples[start : start + size], start)
