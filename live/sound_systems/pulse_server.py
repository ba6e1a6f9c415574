"""Questions to the sound server: PulseAudio, or PipeWire where it speaks PulseAudio's language.

In: a question, as a function of a connected pulsectl.Pulse. Out: its answer, in time or not at all: a server that hangs
holds up nobody. Recording is the business of `live.sound_systems.pulse`.
"""

from __future__ import annotations

import functools
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from live.errors import CaptureError

ANSWER_S = 0.4
"""How long the server may take to answer."""
_HANGS = "The sound server does not answer: restart it (`systemctl --user restart pipewire-pulse` or `pulseaudio -k`)."

Pulse = Any
"""A pulsectl.Pulse; the package has no types."""
T = TypeVar("T")
_Question = tuple[Callable[[Pulse], Any], "Future[Any]"]

_log = logging.getLogger(__name__)


class NoServerError(CaptureError):
    """There is no sound server, or it has ended."""


class Server:
    """May be used from any thread; each question waits for the one before it. Connects again where it has to."""

    def __init__(self) -> None:
        self.has_answered = False
        """There is, or was, a server here."""
        self._questions: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._last: Future[Any] | None = None
        self._thread: threading.Thread | None = None
        self._pulse: Pulse = None

    def ask(self, question: Callable[[Pulse], T], within_s: float = ANSWER_S) -> T:
        """What `question` makes of the connection; it may be asked twice.

        Raises:
            NoServerError: there is none.
            CaptureError: it does not answer in time.
        """
        import pulsectl

        if not self._turn.acquire(timeout=within_s):
            raise CaptureError(_HANGS)
        try:
            answer: T = self._answer(question).result(within_s)
        except TimeoutError as error:
            raise CaptureError(_HANGS) from error
        except (pulsectl.PulseError, pulsectl.PulseDisconnected) as error:
            raise NoServerError("The sound server has ended: start it again, or wait until it is back.") from error
        finally:
            self._turn.release()
        self.has_answered = True
        return answer

    def _answer(self, question: Callable[[Pulse], T]) -> Future[T]:
        if self._last is not None and not self._last.done():
            raise TimeoutError  # the thread still waits for the answer to an earlier question
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sound server", daemon=True)
            self._thread.start()
        self._last = answer = Future[T]()
        self._questions.put((question, answer))
        return answer

    def _run(self) -> None:
        while True:
            question, answer = self._questions.get()
            try:
                answer.set_result(self._put(question))
            except Exception as error:  # noqa: BLE001 - around one job: whoever asked is told
                answer.set_exception(error)

    def _put(self, question: Callable[[Pulse], T]) -> T:
        """Ask over the connection there is, then over a new one: the server may be another by now."""
        import pulsectl

        if self._pulse is not None:
            try:
                return question(self._pulse)
            except (pulsectl.PulseError, pulsectl.PulseDisconnected):
                self._pulse.close()
                self._pulse = None
        pulse = pulsectl.Pulse("Tongchuan", connect=False)
        try:
            pulse.connect()
            answer = question(pulse)
        except BaseException:
            pulse.close()
            raise
        self._pulse = pulse
        return answer


@functools.cache
def shared() -> Server:
    """The one of this process."""
    return Server()
