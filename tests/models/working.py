"""A worker at work: what the tests of the model process share."""

from __future__ import annotations

import multiprocessing
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models.base import SAMPLE_RATE, Branch, Died, Done, Failed, Ready, Reply, Request, TranslatorFactory
from models.worker import Deadlines, ModelWorker

PATIENCE_S = 60
"""How long a test waits for what should come at once, on a machine that is busy."""
FOREVER_S = 3600.0
SOON = Deadlines(job_s=1.5, per_audio_s=0.0)

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and named pipes")


def sound(seconds: float) -> np.ndarray:
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (np.sin(2 * np.pi * 2000 * time_s) * (0.1 + np.sin(2.1 * time_s) ** 2) / 2).astype(np.float32)


def ask(utterance_id: int = 1, seconds: float = 2.0) -> Request:
    return Request(utterance_id, 0, sound(seconds), None, {"en": "zh", "zh": "en"}, (Branch("translate"),))


def fake(**options: object) -> TranslatorFactory:
    return TranslatorFactory("models.fake:FakeTranslator", options)


@contextmanager
def working(deadlines: Deadlines | None = None, log: Path | None = None, **options: object) -> Iterator[ModelWorker]:
    log_path = str(log or os.devnull)
    with ModelWorker(fake(**options), deadlines=deadlines, log_path=log_path) as worker:
        yield worker


def next_of(worker: ModelWorker, *kinds: type) -> Reply:
    """The next reply of these kinds; others before it are passed over."""
    while True:
        reply = worker.replies.get(timeout=PATIENCE_S)
        if isinstance(reply, kinds):
            return reply


def next_but_loading(worker: ModelWorker) -> Reply:
    return next_of(worker, Ready, Done, Failed, Died)


def model_processes() -> list[multiprocessing.process.BaseProcess]:
    return [process for process in multiprocessing.active_children() if process.name == "tongchuan-model"]


class NamedPipe:
    """A log that tells a test, without waiting for a clock, what the model process does and that it is gone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"
        os.mkfifo(self.path)
        self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._text = ""

    def wait_for(self, text: str) -> None:
        while text not in self._text:
            assert self._read(), f"the process ended without saying {text!r}"

    def wait_for_end(self) -> None:
        while self._read():
            pass

    def _read(self) -> bytes:
        assert select.select([self._fd], [], [], PATIENCE_S)[0], "the process goes on"
        heard = os.read(self._fd, 65536)
        self._text += heard.decode(errors="replace")
        return heard

    def close(self) -> None:
        os.close(self._fd)
