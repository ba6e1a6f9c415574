"""One translator in one spawned process, supervised: ModelWorker.

In: Requests. Out: one queue of Replies. A process that dies or does not answer in time is restarted and the ticket it
held is sent again. Which request to send when, and what the answers mean, is not its business.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import math
import os
import queue
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait
from types import TracebackType
from typing import Self, assert_never

from models.base import (
    SAMPLE_RATE,
    Died,
    Done,
    Failed,
    Loading,
    ModelLoadError,
    Ready,
    Reply,
    Request,
    TranslatorFactory,
    WorkerDied,
)
from models.worker_child import Cancel, Dropped, Job, Word, packed
from models.worker_process import ModelProcess

MAX_DEATHS = 2
"""Deaths in a row after which a ticket, or a model being loaded, is given up."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long the model process may take, in seconds."""

    job_s: float = 10.0
    """For a job, whatever its length."""
    per_audio_s: float = 2.0
    """Added to `job_s` for each second of the job's audio."""
    load_silence_s: float = 600.0
    """Without a word while loading."""
    leave_s: float = 3.0
    """To leave when asked, before it is told by signal."""
    end_s: float = 2.0
    """To be gone after that, or after it closed its pipe, before it is killed."""

    def of(self, request: Request) -> float:
        """Seconds within which a request is to be answered."""
        return self.job_s + self.per_audio_s * request.samples.size / SAMPLE_RATE


@dataclass(slots=True)
class _Held:
    """A ticket not answered yet."""

    ticket: int
    job: bytes
    """Packed, ready for the pipe."""
    allowed_s: float
    """From being sent to being answered."""
    due: float = math.inf
    """Monotonic second by which it is to be answered; infinite until it is sent."""
    n_deaths: int = 0
    is_cancelled: bool = False
    is_told: bool = False
    """Whether the process knows that it is cancelled."""


@dataclass(slots=True)
class _Shift:
    """One process's time at work; the supervisor's own."""

    process: ModelProcess
    load_due: float
    """Monotonic second by which it is to say something while it loads."""
    is_ready: bool = False


class ModelWorker:
    """Translates in a process of its own; every ticket gets one Done or Failed, unless it is cancelled.

    `replies` first brings Loading and Ready. A model that cannot be loaded brings Failed(None, ...), Failed for each
    waiting ticket, and Died with `is_final`: later tickets fail at once. Methods may be called from any thread.
    """

    def __init__(
        self, factory: TranslatorFactory, *, log_path: str = os.devnull, deadlines: Deadlines | None = None
    ) -> None:
        """Start the process and return at once.

        Args:
            factory: builds the translator, in the process.
            log_path: file that takes what the model's libraries print.
            deadlines: shorter ones for tests.
        """
        self.replies: queue.Queue[Reply] = queue.Queue()
        self._factory = factory
        self._log_path = log_path
        self._deadlines = deadlines or Deadlines()
        self._tickets = itertools.count(1)
        self._closing = threading.Event()
        self._lock = threading.Lock()  # guards all that follows
        self._waiting: deque[_Held] = deque()
        self._running: _Held | None = None
        self._process: ModelProcess | None = None
        self._is_over = False
        self._bell, self._bell_rope = Pipe(duplex=False)  # wakes the supervisor, which waits for the process
        self._is_rung = False
        self._thread = threading.Thread(target=self._supervise, name="model supervisor", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # before multiprocessing's own, which would look like a death

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, request: Request) -> int:
        """Queue a request; never waits for the model.

        Returns:
            Its ticket; tickets increase.

        Raises:
            WorkerDied: the worker was closed.
        """
        ticket = next(self._tickets)
        held = _Held(ticket, packed(Job(ticket, request)), self._deadlines.of(request))
        with self._lock:
            if self._closing.is_set():
                raise WorkerDied("The model was closed: nothing more can be translated.")
            if self._is_over:
                self._refuse(held)
            else:
                self._waiting.append(held)
                self._ring()
        return ticket

    def cancel(self, ticket: int) -> None:
        """Take a ticket back: no reply to it is queued from now on. Unknown and answered tickets are ignored."""
        with self._lock:
            self._waiting = deque(held for held in self._waiting if held.ticket != ticket)
            if self._running is not None and self._running.ticket == ticket:
                self._running.is_cancelled = True
                self._ring()

    def close(self) -> None:
        """End the process, by force where it does not leave; tickets not answered get no reply."""
        with self._lock:
            self._closing.set()
            self._ring()
        self._thread.join(2 * self._deadlines.leave_s + self._deadlines.end_s)
        if self._thread.is_alive():
            with self._lock:
                process = self._process
            if process is not None:
                process.kill()
            self._thread.join()
        atexit.unregister(self.close)

    def _ring(self) -> None:
        """Wake the supervisor; holds the lock."""
        if not self._is_rung and not self._bell_rope.closed:
            self._is_rung = True
            self._bell_rope.send_bytes(b".")

    def _supervise(self) -> None:
        """Keep a process running until the worker is closed or the model given up."""
        try:
            n_failed_loads = 0
            while not self._closing.is_set():
                is_ready, reason = self._run_process()
                if self._closing.is_set():
                    break
                n_failed_loads = 0 if is_ready else n_failed_loads + 1
                if n_failed_loads == MAX_DEATHS:
                    raise ModelLoadError(f"The model cannot be loaded: {reason}, {MAX_DEATHS} times in a row.")
                self._mourn(reason)
        except ModelLoadError as error:
            self._give_up(error)
        except Exception as error:  # noqa: BLE001 - top of a thread: without it, tickets would wait for ever
            _log.exception("The model process cannot be run")
            self._give_up(ModelLoadError(f"The model process cannot be run ({type(error).__name__}: {error})."))
        finally:
            with self._lock:
                self._bell.close()
                self._bell_rope.close()

    def _run_process(self) -> tuple[bool, str]:
        """Run one process to its end.

        Returns:
            Whether it ever was ready, and how it ended.

        Raises:
            ModelLoadError: the model cannot be loaded, and another process would not help.
        """
        process = ModelProcess(self._factory, self._log_path)
        with self._lock:
            self._process = process
        shift = _Shift(process, load_due=time.monotonic() + self._deadlines.load_silence_s)
        try:
            while not self._closing.is_set():
                self._hand_out(shift)
                self._listen(shift)
            process.dismiss(self._deadlines.leave_s)
        except (EOFError, OSError):
            pass  # the process closed its pipe by ending
        finally:
            is_late = process.was_killed
            exit_code = process.bury(self._deadlines.end_s)
        return shift.is_ready, "it did not answer in time" if is_late else _ending(exit_code)

    def _hand_out(self, shift: _Shift) -> None:
        """Send what the process should know: the next job, or that nobody waits for the running one."""
        with self._lock:
            running = self._running
            if running is None and shift.is_ready and self._waiting:
                running = self._running = self._waiting.popleft()
                order = running.job
                running.due = time.monotonic() + running.allowed_s
            elif running is not None and running.is_cancelled and not running.is_told:
                running.is_told = True
                order = packed(Cancel(running.ticket))
            else:
                return
        shift.process.send(order, within_s=max(0.0, running.due - time.monotonic()))

    def _listen(self, shift: _Shift) -> None:
        """Wait for the process, for a caller's ring, or for the deadline."""
        connection = shift.process.connection
        with self._lock:
            due = self._running.due if self._running else math.inf if shift.is_ready else shift.load_due
        heard = wait([connection, self._bell], None if math.isinf(due) else max(0.0, due - time.monotonic()))
        if self._bell in heard:
            with self._lock:
                self._bell.recv_bytes()
                self._is_rung = False
        if connection in heard:
            self._take(shift, shift.process.receive())
        elif time.monotonic() >= due:
            shift.process.kill()
            raise EOFError

    def _take(self, shift: _Shift, word: Word) -> None:
        """Act on what the process says."""
        match word:
            case Loading():
                shift.load_due = time.monotonic() + self._deadlines.load_silence_s
                self.replies.put(word)
            case Ready():
                shift.is_ready = True
                self.replies.put(word)
            case Failed(None, error):
                raise error
            case Done() | Failed() | Dropped():
                with self._lock:
                    held, self._running = self._running, None
                    if not (isinstance(word, Dropped) or held is None or held.is_cancelled):
                        self.replies.put(word)
            case _:
                assert_never(word)

    def _mourn(self, reason: str) -> None:
        """Decide what becomes of the ticket a dead process held."""
        _log.warning("The model process is started again: %s", reason)
        with self._lock:
            held, self._running = self._running, None
            again = None
            if held is not None and not held.is_cancelled:
                held.n_deaths += 1
                if held.n_deaths < MAX_DEATHS:
                    self._waiting.appendleft(held)
                    again = held.ticket
                else:
                    self._refuse(held, f"The model process was lost {held.n_deaths} times on this utterance: {reason}.")
            self.replies.put(Died(reason, again))

    def _give_up(self, error: ModelLoadError) -> None:
        """Say that there is no model, to everyone who waits for one."""
        with self._lock:
            self._is_over = True
            self.replies.put(Failed(None, error))
            for held in self._waiting:
                self._refuse(held)
            self._waiting.clear()
            self.replies.put(Died(str(error), None, is_final=True))

    def _refuse(self, held: _Held, why: str = "No model is running: start again, or choose another one.") -> None:
        self.replies.put(Failed(held.ticket, WorkerDied(why)))


def _ending(exit_code: int | None) -> str:
    """How a process ended, in words."""
    if exit_code is None:
        return "it could not be ended"
    if exit_code >= 0:
        return f"it ended with exit code {exit_code}"
    try:
        return f"it was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"it was ended by signal {-exit_code}"
