"""The program's log: a file of the owner's, never the screen.

In: nothing. Out: the standard library's logging, set up once by `main`, and a place for what libraries in C print.
Recognised text and sound are never logged.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import platformdirs

from live.files import OWNER_ONLY, OWNER_ONLY_FOLDER

MAX_BYTES = 1_000_000
BACKUPS = 3

_STDERR = 2

_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


class _OwnerOnlyHandler(RotatingFileHandler):
    """A rotating file that its owner alone can read, from its first byte."""

    def _open(self) -> io.TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, OWNER_ONLY)

        file = open(self.baseFilename, "a", encoding="utf-8", opener=opener)  # noqa: SIM115 - kept open
        assert isinstance(file, io.TextIOWrapper)
        return file


def log_path() -> Path:
    """Where the log is."""
    return platformdirs.user_log_path("tongchuan", appauthor=False) / "tongchuan.log"


def model_log_path() -> Path:
    """Where what the model's libraries print goes, in the process of its own."""
    return log_path().with_name("model.log")


def configure() -> Path:
    """Send log records and Python's warnings to the log; where it cannot be written, nowhere.

    Returns:
        The log's path.
    """
    path = log_path()
    logging.raiseExceptions = False  # a full disk must not put tracebacks on the user's screen
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
        handler = _OwnerOnlyHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    return path


@contextmanager
def native_noise_logged() -> Iterator[None]:
    """Send what libraries in C print on the terminal, PortAudio and ALSA before all, to the log.

    What Python prints to standard error still reaches the terminal. Where standard error is none, nothing changes.
    """
    before = sys.__stderr__
    if before is None or before is not sys.stderr or not os.isatty(_STDERR):
        yield
        return
    before.flush()
    try:
        log = os.open(log_path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(os.dup(_STDERR), "w", encoding=before.encoding, errors=before.errors, buffering=1) as terminal:
        os.dup2(log, _STDERR)
        os.close(log)
        sys.stderr = terminal
        try:
            yield
        finally:
            sys.stderr = before
            terminal.flush()
            os.dup2(terminal.fileno(), _STDERR)
