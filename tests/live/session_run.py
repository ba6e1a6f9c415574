"""A session with stand-ins at its edges, run by a test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from fakes import FAKE, WAIT_S, FakeWorker, Recorder

from live.events import Stop
from live.session import Session
from live.settings import Settings
from models.base import TranslatorFactory

SAID = "a sentence that somebody said"


class Run:
    """A session with all it stands on."""

    def __init__(
        self, source, *others, start_worker: Callable = FakeWorker, sinks=(), settings=None, **options
    ) -> None:
        self.source = source
        self.recorder = Recorder()
        self.workers: list[FakeWorker] = []

        def start(factory: TranslatorFactory) -> FakeWorker:
            self.workers.append(start_worker(factory))
            return self.workers[-1]

        self.session = Session(
            settings or Settings(),
            [source, *others],
            FAKE,
            [self.recorder, *sinks],
            model_name="fake",
            start_worker=start,
            **options,
        )

    @property
    def worker(self) -> FakeWorker:
        return self.workers[0]

    def listen(self) -> Run:
        """Start, and wait until the source is open."""
        self.session.start()
        self.recorder.wait_state("listening")
        return self

    def end(self) -> Run:
        """Wait for an end that comes by itself."""
        assert self.session.join(WAIT_S), f"the session did not end: {self.recorder.events}"
        assert self.recorder.stopped
        return self

    def stop(self) -> Run:
        self.session.send(Stop())
        return self.end()


def gated(gate: threading.Semaphore, **options) -> Callable:
    return partial(FakeWorker, gate=gate, **options)
