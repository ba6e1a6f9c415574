"""Clips through a model: files in, the final translation of each out.

The model runs in its own process, as in a session, and is asked as for a final utterance whose language is given.
Which clips, and what the translations are worth, is not its business.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

from live.errors import CaptureError, LiveError
from live.evaluation.predictions import Prediction
from live.evaluation.score import joint
from live.parts import cut, read_recording
from live.policy import Direction
from live.translator_thread import StartWorker, Worker
from models.base import (
    Branch,
    Capabilities,
    Died,
    Done,
    Failed,
    Hypothesis,
    Loading,
    ModelError,
    Ready,
    Request,
    Samples,
    TranslatorFactory,
)

LONGEST_S = 10 * 60.0
"""A longer clip is broken: sentences last some seconds."""
POLL_S = 0.1
"""How often a wait for the model looks for Ctrl-C, on Windows."""


class ClipTranslator:
    """A loaded model that translates clips one after the other."""

    def __init__(self, factory: TranslatorFactory, start_worker: StartWorker, source: str, target: str) -> None:
        """Begin to load the model."""
        self._direction = Direction.between(source, target, (source, target))
        self._source, self._target = source, target
        self._ids = itertools.count(1)
        self._capabilities: Capabilities | None = None
        self._worker: Worker = start_worker(factory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._worker.close()

    def wait_ready(self, progress: Callable[[float], None]) -> Capabilities:
        """Wait until the model is loaded.

        Raises:
            SettingsError: it does not translate in this direction.
            ModelError: it cannot be loaded.
        """
        while self._capabilities is None:
            reply = self._next(progress)
            if isinstance(reply, Ready):
                self._direction.within(reply.capabilities)
                self._capabilities = reply.capabilities
        return self._capabilities

    def translate(self, name: str, file: Path) -> Prediction:
        """Translate a clip; what is too long for the model is cut, and its parts' translations joined.

        Raises:
            LiveError: the model is lost for good.
        """
        try:
            if not file.is_file():
                return Prediction(name, problem="missing")
            sound = read_recording(file, LONGEST_S)
        except (CaptureError, OSError):  # OSError: what no file can be called
            return Prediction(name, problem="broken")
        assert self._capabilities is not None, "wait_ready comes first"
        try:
            texts = [self._ask(part.samples) for part in cut(sound.samples, self._capabilities.max_samples)]
        except ModelError:
            return Prediction(name, problem="failed")
        return Prediction(name, joint(self._target).join(text.strip() for text in texts))

    def _ask(self, samples: Samples) -> str:
        ticket = self._worker.submit(
            Request(next(self._ids), 0, samples, self._source, self._direction.targets, (Branch("translate"),))
        )
        while True:
            match self._next(lambda _: None):
                case Done(answered, hypothesis) if answered == ticket:
                    return _text(hypothesis)
                case Failed(failed, error) if failed == ticket:
                    raise error

    def _next(self, progress: Callable[[float], None]) -> Ready | Done | Failed:
        """The next reply that may be an answer."""
        while True:
            try:
                reply = self._worker.replies.get(timeout=POLL_S)
            except queue.Empty:
                continue
            match reply:
                case Loading(share):
                    progress(share)
                case Failed(None, error) if self._capabilities is None:
                    raise error
                case Failed(None, error):
                    raise LiveError(str(error)) from error
                case Died(reason, is_final=True):
                    raise LiveError(reason)
                case Died():
                    pass  # it is being started again, and what it held is sent again
                case Ready() | Done() | Failed():
                    return reply
                case _:
                    assert_never(reply)


def _text(hypothesis: Hypothesis) -> str:
    return hypothesis.outcomes[0].text
