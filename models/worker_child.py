"""The model process from inside: loads one translator and answers jobs until the pipe says otherwise.

In, by the pipe: Job, Cancel, Leave. Out, by the pipe: Loading, Ready, Done, Failed, Dropped. What libraries print goes
to a log file. Restarting, deadlines and the order of jobs are the parent's business (models/worker.py).
"""

from __future__ import annotations

import faulthandler
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import assert_never

from models.base import (
    Cancelled,
    Capabilities,
    Done,
    Failed,
    Loading,
    ModelLoadError,
    Ready,
    Request,
    TranslateError,
    Translator,
    TranslatorFactory,
)
from models.memory import give_back

SPARE_CORES = 2
"""Cores left to sound and screen: as many threads as cores measured 3 to 6 times slower, and made audio late."""

MAX_LOG_BYTES = 1_000_000
"""A log longer than this begins anew."""

PICKLE_PROTOCOL = 5
"""Carries an array without copying it first, and keeps a read-only one read-only."""

_KERNELS_KEPT = "64"
"""oneDNN keeps 1,024 prepared kernels by default, a few for each length of sound it meets: 88 MB after 400 answers of
the embedded model, against 34 MB with so many."""

_WORDY = ("bitsandbytes", "torchao", "torch.utils._pytree")
"""Libraries that warn of their own insides, when they are imported or at every token."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """To the process: answer this request."""

    ticket: int
    request: Request


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the process: nobody waits for this ticket any more."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Leave:
    """To the process: close the translator and end."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """From the process: this ticket was cancelled, the next may come."""

    ticket: int


Order = Job | Cancel | Leave
Word = Loading | Ready | Done | Failed | Dropped


def packed(message: Order | Word) -> bytes:
    """A message as it travels; both sides read it with `unpacked_order` or `unpacked_word`."""
    return pickle.dumps(message, protocol=PICKLE_PROTOCOL)


def unpacked_order(message: bytes) -> Order:
    """An order as the process reads it."""
    order: Order = pickle.loads(message)
    return order


def unpacked_word(message: bytes) -> Word:
    """What the process says, as the parent reads it."""
    word: Word = pickle.loads(message)
    return word


def serve(connection: Connection, factory: TranslatorFactory, log_path: str) -> None:
    """Be the model process: load, then answer one job after the other.

    Args:
        connection: the process's end of a duplex pipe.
        factory: builds the translator, here.
        log_path: file that takes what libraries print; appended to, owner-only.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the app, which then says Leave
    inbox = _Inbox(connection)
    try:
        _redirect_output(log_path)
        set_environment()
        translator, capabilities = _load(factory, connection)
    except ModelLoadError as error:
        connection.send_bytes(packed(Failed(None, error)))
        return
    inbox.is_loaded = True
    connection.send_bytes(packed(Ready(capabilities)))
    while (job := inbox.next_job()) is not None:
        connection.send_bytes(packed(_answer(translator, job, inbox)))
        if job.request.is_final:
            give_back()
    translator.close()


class _Inbox:
    """Reads the pipe in a thread of its own: a cancelled job and a dead parent are noticed while the model computes."""

    def __init__(self, connection: Connection) -> None:
        self.is_loaded = False
        self._connection = connection
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._cancelled = 0
        self._is_leaving = False
        threading.Thread(target=self._read, name="pipe reader", daemon=True).start()

    def next_job(self) -> Job | None:
        """Wait for a job; None once the process should leave."""
        return self._jobs.get()

    def is_cancelled(self, ticket: int) -> bool:
        """Whether nobody waits for this ticket; one job runs at a time, so the last one cancelled is all there is."""
        return self._is_leaving or self._cancelled == ticket

    def _read(self) -> None:
        try:
            while True:
                self._take(unpacked_order(self._connection.recv_bytes()))
        except (EOFError, OSError):
            os._exit(0)  # the app is gone, and the main thread may be stuck in the model
        except Exception as error:  # noqa: BLE001 - top of a thread: a deaf process is worse than a dead one
            _log.error("The pipe cannot be read", exc_info=error)
            os._exit(1)

    def _take(self, order: Order) -> None:
        match order:
            case Job():
                self._jobs.put(order)
            case Cancel(ticket):
                self._cancelled = ticket
            case Leave():
                if not self.is_loaded:
                    os._exit(0)  # reading weights cannot be cancelled, and nothing is held yet
                self._is_leaving = True
                self._jobs.put(None)
            case _:
                assert_never(order)


class _Unworded(logging.Formatter):
    """Exceptions with their types and places, not their messages, which may quote what was said."""

    def formatException(self, ei: tuple[object, BaseException | None, object] | tuple[None, None, None]) -> str:  # noqa: N802 - logging's name
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            lines += [*traceback.format_tb(error.__traceback__), type(error).__name__, "\n"]
            error = error.__cause__ or error.__context__
        return "".join(lines).rstrip()


def _redirect_output(log_path: str) -> None:
    """Send file descriptors, streams and logging to the log; where it cannot be written, nowhere."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    try:
        is_full = Path(log_path).is_file() and Path(log_path).stat().st_size > MAX_LOG_BYTES
        descriptor = os.open(log_path, flags | (os.O_TRUNC if is_full else 0), 0o600)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # Python's own streams too: on Windows they write to the console past the descriptors.
    sys.stdout = sys.stderr = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    faulthandler.enable(sys.stderr)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Unworded("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)


def set_environment() -> None:
    """Tell the libraries, before they are imported, to leave cores free and the network alone."""
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(_n_threads())
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _KERNELS_KEPT)
    for name in _WORDY:
        logging.getLogger(name).setLevel(logging.ERROR)


def _n_threads() -> int:
    """Cores less the spare ones, at least 1; fewer where the user's OMP_NUM_THREADS says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = max(1, cores - SPARE_CORES)
    wished = os.environ.get("OMP_NUM_THREADS", "")
    return min(most, max(1, int(wished))) if wished.isdecimal() else most


def _load(factory: TranslatorFactory, connection: Connection) -> tuple[Translator, Capabilities]:
    try:
        translator = factory()
        return translator, translator.load(lambda share: connection.send_bytes(packed(Loading(share))))
    except ModelLoadError:
        raise
    except Exception as error:  # a library's own, of any kind
        _log.error("The model cannot be loaded", exc_info=error)
        raise ModelLoadError(f"The model cannot be loaded ({type(error).__name__}: {error}).") from error


def _answer(translator: Translator, job: Job, inbox: _Inbox) -> Word:
    try:
        return Done(job.ticket, translator.translate(job.request, lambda: inbox.is_cancelled(job.ticket)))
    except TranslateError as error:
        return Failed(job.ticket, error)
    except Exception as error:  # noqa: BLE001 - around one job: whatever a library raises, the others go on
        if isinstance(error, Cancelled) and inbox.is_cancelled(job.ticket):
            return Dropped(job.ticket)
        _log.error("A job failed", exc_info=error)
        return Failed(
            job.ticket,
            TranslateError(f"The model failed on this utterance ({_place(error)}); it is left out, the rest goes on."),
        )


def _place(error: BaseException) -> str:
    """What was raised and where; never its message, which may quote what was said."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}, {Path(last.filename).name} line {last.lineno}"
