"""The translator thread: utterances in, captions out.

In: jobs from a JobQueue. Out: CaptionUpdated, UtteranceSilent, UtteranceSkipped, LagChanged, UtteranceFailed,
ModelLoading and ModelRestarted, in order. It owns the model worker and calls the policy; where sound comes from and
when a session ends is not its business.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from live.audio import Lane, Utterance
from live.errors import unworded
from live.events import (
    CaptionUpdated,
    Event,
    LagChanged,
    ModelLoading,
    ModelRestarted,
    UtteranceFailed,
    UtteranceSilent,
    UtteranceSkipped,
)
from live.policy import Level, LivePolicy, Load
from live.queues import Job, JobQueue
from models.base import (
    Capabilities,
    Died,
    Done,
    Failed,
    Hypothesis,
    Loading,
    ModelError,
    Ready,
    Reply,
    Request,
    TranslatorFactory,
)

IDLE_POLL_S = 0.1
"""How often an idle thread looks whether the model process has something to say."""
REPLY_POLL_S = 0.02
"""How often a waiting thread looks whether a final waits behind the partial that runs."""

_log = logging.getLogger(__name__)


class Worker(Protocol):
    """What is used of models.worker.ModelWorker."""

    replies: queue.Queue[Reply]

    def submit(self, request: Request) -> int: ...
    def cancel(self, ticket: int) -> None: ...
    def close(self) -> None: ...


StartWorker = Callable[[TranslatorFactory], Worker]
Cut = Callable[[Lane, int, int], None]
"""Asks a lane's segmenter to end its growing utterance of this id before this session sample."""


@dataclass(frozen=True, slots=True)
class TranslatorReady:
    """Reported once: the model is loaded."""

    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class TranslatorEnded:
    """Reported last, once the model process is gone; `error` is the sentence to show."""

    error: str | None


class _Ended(Exception):  # noqa: N818 - perhaps nothing went wrong
    """Nothing more is translated: the model is lost for good (`error` says why), or the session waits no longer."""

    def __init__(self, error: str | None = None) -> None:
        super().__init__()
        self.error = error


class TranslatorThread:
    """Translates what waits, one job at a time, until the queue is closed and empty.

    Args:
        start_worker: starts the model process for the factory.
        report: takes TranslatorReady and TranslatorEnded; called from this thread.
        cut: takes the policy's wishes to cut; called from this thread.
        skips: the oldest utterance that nobody has begun may be left out when translation is far behind.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        factory: TranslatorFactory,
        start_worker: StartWorker,
        jobs: JobQueue,
        emit: Callable[[Event], None],
        report: Callable[[TranslatorReady | TranslatorEnded], None],
        *,
        model_name: str,
        cut: Cut = lambda _lane, _utterance_id, _at: None,
        skips: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy: LivePolicy | None = None
        """Set once TranslatorReady was reported, before the first job."""
        self._factory = factory
        self._start_worker = start_worker
        self._jobs = jobs
        self._emit = emit
        self._report = report
        self._model_name = model_name
        self._cut = cut
        self._skips = skips
        self._lateness = Load()
        self._begun: set[int] = set()  # growing utterances of which something was asked
        self._clock = clock
        self._is_abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="translator", daemon=True)

    def start(self) -> None:
        """Begin to load the model."""
        self._thread.start()

    def abandon(self) -> None:
        """Give up what runs and what waits."""
        self._is_abandoned.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the model process to be gone; longer than `timeout_s` never."""
        self._thread.join(timeout_s)

    def give_up(self, utterance: Utterance, message: str) -> None:
        """Say that an utterance is not translated; a growing one still has its final. What was settled of it stays.

        For the session, too, once this thread has ended.
        """
        if not utterance.is_final:
            return
        settled = self._policy().forget(utterance.id)
        if settled is not None:
            self._emit(CaptionUpdated(settled))
        self._emit(UtteranceFailed(utterance.lane, utterance.id, utterance.start, utterance.end, message))

    def _run(self) -> None:
        error: str | None = None
        worker: Worker | None = None
        try:
            worker = self._start_worker(self._factory)
            self._load(worker)
            self._serve(worker)
        except _Ended as end:
            error = end.error
        except ModelError as failure:
            error = str(failure)
        except Exception as failure:  # noqa: BLE001 - the top of a thread
            _log.error("The translator thread failed:\n%s", unworded(failure))
            error = f"Translation stopped on an error of the program ({type(failure).__name__}); the log has the place."
        finally:
            if worker is not None:
                worker.close()
            self._report(TranslatorEnded(error))

    def _load(self, worker: Worker) -> None:
        self._emit(ModelLoading(self._model_name, 0.0))
        while True:
            reply = self._next_reply(worker)
            if isinstance(reply, Ready):
                self._report(TranslatorReady(reply.capabilities))
                return
            if reply is not None:
                self._hear(reply)

    def _serve(self, worker: Worker) -> None:
        while True:
            was_closed = self._jobs.is_closed  # read first: what was put before closing is then still found
            job = self._jobs.get(IDLE_POLL_S)
            while not worker.replies.empty():
                self._hear(worker.replies.get_nowait())
            if job is not None:
                try:
                    self._translate(worker, job)
                finally:
                    self._jobs.done()
            elif was_closed or self._is_abandoned.is_set():
                return

    def _translate(self, worker: Worker, job: Job) -> None:
        """Handle one job: a caption, a failure, or nothing where a partial was cancelled or none is due."""
        utterance = job.utterance
        try:
            self._caption(worker, job)
        except _Ended as end:
            self.give_up(utterance, end.error or "The session was stopped before this was translated.")
            raise
        except ModelError as error:
            self.give_up(utterance, str(error))
        except Exception as error:  # noqa: BLE001 - around one job
            _log.error("Utterance %d failed:\n%s", utterance.id, unworded(error))
            self.give_up(utterance, f"This could not be translated: an error of the program ({type(error).__name__}).")

    def _caption(self, worker: Worker, job: Job) -> None:
        policy, utterance = self._policy(), job.utterance
        began_s = self._clock()
        request = policy.request(utterance)
        if request is None:
            self._keep_up(policy, began_s - job.since_s, began_s)
            return
        if utterance.is_final:
            self._begun.discard(utterance.id)
        else:
            self._begun.add(utterance.id)
        hypothesis = self._ask(worker, request, gives_way=not utterance.is_final)
        answered_s = self._clock()
        # What a final computes itself is no reason to leave anything out; that others wait for it, they say themselves.
        lag_s = (began_s if utterance.is_final else answered_s) - job.since_s
        if hypothesis is None:
            self._keep_up(policy, lag_s, answered_s)
            return
        caption = policy.caption(utterance, hypothesis)
        if caption is not None:
            self._emit(CaptionUpdated(caption))
        elif utterance.is_final:
            self._emit(UtteranceSilent(utterance.lane, utterance.id, utterance.start, utterance.end))
        if (at := policy.cut_after(utterance.id)) is not None:
            self._cut(utterance.lane, utterance.id, at)
        self._emit(LagChanged(began_s - job.since_s, answered_s - began_s, policy.stability_s))
        self._keep_up(policy, lag_s, answered_s)

    def _keep_up(self, policy: LivePolicy, lag_s: float, now_s: float) -> None:
        """Leave out what there is no time for; an utterance only where the user allows it."""
        level = self._lateness.note(lag_s, now_s)
        policy.keep_to(level)
        if self._skips and level is Level.SKIPPING:
            skipped = self._jobs.skip(self._begun.__contains__)
            if skipped is not None:
                self._emit(UtteranceSkipped(skipped.lane, skipped.id, skipped.start, skipped.end))

    def _ask(self, worker: Worker, request: Request, *, gives_way: bool) -> Hypothesis | None:
        """Wait for the answer; None where the request was cancelled because a final waits."""
        ticket = worker.submit(request)
        try:
            while True:
                reply = self._next_reply(worker)
                if isinstance(reply, Done) and reply.ticket == ticket:
                    return reply.hypothesis
                if isinstance(reply, Failed) and reply.ticket == ticket:
                    raise reply.error
                if reply is not None:
                    self._hear(reply)
                elif gives_way and self._jobs.n_finals:
                    worker.cancel(ticket)
                    return None
        except _Ended:
            worker.cancel(ticket)
            raise

    def _next_reply(self, worker: Worker) -> Reply | None:
        """The next reply; None where none came in a short while. Raises _Ended."""
        if self._is_abandoned.is_set():
            raise _Ended
        try:
            return worker.replies.get(timeout=REPLY_POLL_S)
        except queue.Empty:
            return None

    def _hear(self, reply: Reply) -> None:
        """Take a reply that answers nothing that is waited for.

        Raises:
            _Ended: the model is lost for good.
        """
        match reply:
            case Loading(share):
                self._emit(ModelLoading(self._model_name, share))
            case Failed(None, error):
                raise _Ended(str(error))
            case Died(reason, is_final=True):
                raise _Ended(reason)
            case Died(reason):
                self._emit(ModelRestarted(reason))
            case Ready() | Done() | Failed():
                pass  # loaded again after a restart, or the answer to a cancelled ticket
            case _:
                assert_never(reply)

    def _policy(self) -> LivePolicy:
        assert self.policy is not None, "jobs come only once the session has set the policy"
        return self.policy
