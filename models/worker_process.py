"""The model process from outside: spawned, spoken to, ended, and surely gone afterwards.

In: a factory. Out: the words the process says, and its exit. What is said, when, and what an exit means is the
supervisor's business (models/worker.py).
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait

from models import worker_child
from models.base import TranslatorFactory
from models.worker_child import Leave, Word, packed, unpacked_word

KILLED_WITHIN_S = 5.0
"""How long a killed process may take to vanish before it is left to the system."""

_CONTEXT = multiprocessing.get_context("spawn")
_PROCESSES = threading.Lock()
"""multiprocessing keeps one list of children for all threads, and starting one reaps others: one thread at a time."""


class ModelProcess:
    """One spawned process that serves one translator.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, factory: TranslatorFactory, log_path: str) -> None:
        self.connection: Connection
        """This side's end of the pipe: ready to be read when the process says something, or has ended."""
        self.connection, theirs = _CONTEXT.Pipe()
        self.was_killed = False
        self._is_buried = False
        self._process = _CONTEXT.Process(
            target=worker_child.serve, args=(theirs, factory, log_path), name="tongchuan-model", daemon=True
        )
        try:
            with _PROCESSES, _interrupts_held_off():
                self._process.start()
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()  # the only other holder is the process: its end is an EOF here

    def send(self, order: bytes, within_s: float) -> None:
        """Send a packed order; a process that does not take it in time is killed.

        Raises:
            OSError: the process is gone.
        """
        watchdog = threading.Timer(within_s, self.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            self.connection.send_bytes(order)
        finally:
            watchdog.cancel()

    def receive(self) -> Word:
        """Take what the process says. Raises EOFError or OSError once it is gone."""
        return unpacked_word(self.connection.recv_bytes())

    def kill(self) -> None:
        """End the process at once; may be called from any thread, at any time."""
        with _PROCESSES:
            if not self._is_buried:
                self.was_killed = True
                self._process.kill()

    def dismiss(self, within_s: float) -> None:
        """Ask the process to leave, then insist."""
        with suppress(OSError):
            self.send(packed(Leave()), within_s)
        if not self._is_gone(within_s):
            self._process.terminate()

    def bury(self, within_s: float) -> int | None:
        """Wait for the end, kill a process that lingers, and release everything.

        Returns:
            The exit code, negative for a signal; None where even killing did not help.
        """
        if not self._is_gone(within_s):
            self.kill()
        exit_code = None
        is_gone = self._is_gone(KILLED_WITHIN_S)
        with _PROCESSES:
            self._is_buried = True
            if is_gone:
                self._process.join()
                exit_code = self._process.exitcode
                self._process.close()
        self.connection.close()
        return exit_code

    def _is_gone(self, within_s: float) -> bool:
        return bool(wait([self._process.sentinel], within_s))


@contextmanager
def _interrupts_held_off() -> Iterator[None]:
    """Let a child be born with Ctrl-C blocked: until it ignores it itself, its traceback would reach the terminal."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # started inside, it would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
