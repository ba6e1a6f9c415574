"""A session followed from the main thread of a terminal command: its events in order, Ctrl-C, the files it writes.

In: a session about to start, something that shows its events, and sinks for its files. Out: how it ended.
What is shown, and what the session does, is not its business.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from live.actions import Answer
from live.errors import LiveError, RecordingError
from live.events import (
    CaptionUpdated,
    Command,
    Event,
    RecordingChanged,
    SessionStopped,
    Stop,
    UtteranceFailed,
    UtteranceSkipped,
)
from live.recording.recorder import Recorder, Sink
from ui.captions import WRITTEN_AGAIN
from ui.commands.starting import Emit, Hear
from ui.exits import DONE, FAILED, INTERRUPTED, endings_to

TICK_S = 0.1
"""How often a display is refreshed while nothing happens, and Windows looks for Ctrl-C."""
CLOSE_S = 10.0
"""How long the disk may take for what is left at the end."""
JOIN_S = 10.0
"""How long the session's threads may take after its last event."""


class Followed(Protocol):
    """What is needed of a session."""

    def start(self) -> None: ...
    def send(self, command: Command, answer: Answer = ...) -> None: ...
    def join(self, timeout_s: float) -> bool: ...


class Display(Protocol):
    """What shows a session; called from the main thread only."""

    def apply(self, event: Event) -> None:
        """Show an event."""
        ...

    def tick(self) -> None:
        """Refresh what changes without events."""
        ...

    def say(self, sentence: str) -> None:
        """Show a sentence beside the captions."""
        ...


@dataclass(slots=True)
class Ending:
    """How a session ended."""

    is_interrupted: bool = False
    """By Ctrl-C."""
    failures: list[RecordingError] = field(default_factory=list)
    """Files that are not whole; each has been said already."""
    is_silent: bool = True
    """Nobody was heard: no final caption had words, and no speech was given up."""

    @property
    def status(self) -> int:
        """The exit status."""
        if self.is_interrupted:
            return INTERRUPTED
        return FAILED if self.failures else DONE


class _Interrupt:
    """Ctrl-C, in line with the events."""


_Item = Event | RecordingError | _Interrupt


def follow(
    make_session: Callable[[Emit, Hear], Followed],
    display: Display,
    sinks: Sequence[Sink] = (),
    *,
    waits: bool = False,
    controls: Callable[[Followed], AbstractContextManager[None]] = lambda _session: nullcontext(),
) -> Ending:
    """Run a session to its end, or to Ctrl-C: then what was heard is still translated, and a second one leaves at once.

    Args:
        make_session: Builds the session from where its events and its sound go.
        display: Shows them.
        sinks: Files that take them; closed here.
        waits: Whether the session waits for a slow disk (a file read as fast as possible) or goes on without.
        controls: Lets keys and other programs reach the session while it runs.

    Raises:
        LiveError: the session ended by an error; the files hold what there was.
        KeyboardInterrupt: a second Ctrl-C.
    """
    inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
    recorder = Recorder(sinks, inbox.put, waits=waits)
    recorder.tell_to(inbox.put)

    def emit(event: Event) -> None:
        recorder(event)
        inbox.put(event)

    ending = Ending()
    error: str | None = None
    try:
        with _interrupts(inbox):
            session = make_session(emit, recorder.hear)
            with controls(session):
                session.start()
                error = _pump(inbox, session, display, ending)
                session.join(JOIN_S)
    finally:
        recorder.close(CLOSE_S)
    _say_failures(inbox, display, ending)
    if error is not None and not ending.is_interrupted:
        raise LiveError(error)
    return ending


def _pump(inbox: queue.SimpleQueue[_Item], session: Followed, display: Display, ending: Ending) -> str | None:
    """Show events until the last one; returns the error it names."""
    problem: str | None = None
    while True:
        try:
            item = inbox.get(timeout=TICK_S)
        except queue.Empty:
            display.tick()
            continue
        if isinstance(item, _Interrupt):
            if ending.is_interrupted:
                raise KeyboardInterrupt
            ending.is_interrupted = True
            display.say("Stopping; Ctrl-C again leaves at once.")
            session.send(Stop())
        elif isinstance(item, RecordingError):
            _say_failure(item, display, ending)
        else:
            if isinstance(item, RecordingChanged):
                problem = _say_recording(item, problem, display)
            display.apply(item)
            ending.is_silent = ending.is_silent and not _tells_of_speech(item)
            if isinstance(item, SessionStopped):
                return item.error


def _say_recording(now: RecordingChanged, problem: str | None, display: Display) -> str | None:
    """Say what keeps the session from being written, and when nothing does any more; returns what does."""
    if now.problem is not None:
        display.say(now.problem)
    elif problem is not None:
        display.say(f"{WRITTEN_AGAIN}.")
    return now.problem


def _tells_of_speech(event: Event) -> bool:
    match event:
        case CaptionUpdated(caption) if caption.is_final:
            return bool(caption.translation.text.strip() or caption.transcript.text.strip())
        case UtteranceFailed() | UtteranceSkipped():
            return True
        case _:
            return False


def _say_failures(inbox: queue.SimpleQueue[_Item], display: Display, ending: Ending) -> None:
    while not inbox.empty():
        item = inbox.get()
        if isinstance(item, RecordingError):
            _say_failure(item, display, ending)


def _say_failure(error: RecordingError, display: Display, ending: Ending) -> None:
    ending.failures.append(error)
    display.say(str(error))


@contextmanager
def _interrupts(inbox: queue.SimpleQueue[_Item]) -> Iterator[None]:
    """Puts Ctrl-C and its like in line with the events, instead of anywhere in the code."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def put(_number: int, _place: FrameType | None) -> None:
        inbox.put(_Interrupt())  # SimpleQueue is made for signal handlers

    with endings_to(put):
        yield
