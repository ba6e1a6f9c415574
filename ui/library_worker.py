"""Threads of the library's window: one that asks the library, one that plays.

In: jobs for the library; a transcript to play. Out: their results, on the GUI thread. The GUI thread waits for no disk.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from live.errors import LiveError, unworded
from live.recording.journal import Transcript
from live.recording.library import Library
from live.recording.library_playback import Output, Playback

log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long a window that closes waits for what its threads are doing; they end with the program at the latest."""
_T = TypeVar("_T")


class LibraryWorker(QObject):
    """Asks the library, one job after the other."""

    failed = Signal(str)
    """A sentence for the user."""
    _done = Signal(object, object)

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        self._jobs: queue.SimpleQueue[tuple[Callable[[Library], object], Callable[[object], None]] | None] = (
            queue.SimpleQueue()
        )
        self._done.connect(lambda done, result: done(result))
        self._thread = threading.Thread(target=self._run, name="library", daemon=True)
        self._thread.start()

    def __call__(self, job: Callable[[Library], _T], done: Callable[[_T], object] = lambda _: None) -> None:
        """Have a job done soon; `done` takes its result on the GUI thread."""
        self._jobs.put((job, done))  # type: ignore[arg-type]

    def close(self) -> None:
        """Do what waits, then end."""
        self._jobs.put(None)
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        library = Library(self._root)
        while (item := self._jobs.get()) is not None:
            job, done = item
            try:
                self._done.emit(done, job(library))
            except LiveError as error:
                self.failed.emit(str(error))
            except Exception as error:  # noqa: BLE001 - around one job: the thread outlives it
                log.error("a job of the library failed:\n%s", unworded(error))
                self.failed.emit(f"A defect of the program ({type(error).__name__}); see the log.")
        library.close()


class Player(QObject):
    """Plays one session at a time."""

    reached = Signal(int)
    """The id of the caption whose sound begins."""
    ended = Signal(str)
    """Playing is over; why, where it failed."""

    def __init__(self, open_output: Callable[[], Output]) -> None:
        super().__init__()
        self._open_output = open_output
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_playing(self) -> bool:
        """Whether sound comes, or is about to."""
        return self._thread is not None and self._thread.is_alive()

    def play(self, transcript: Transcript, start: int) -> None:
        """Play from a sample on; what plays ends."""
        self.stop()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(transcript, start, self._stop), name="player", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Play no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _run(self, transcript: Transcript, start: int, stop: threading.Event) -> None:
        problem = ""
        try:
            playback = Playback(transcript, start)
            playback.run(self._open_output(), lambda caption: self.reached.emit(caption.id), stop.is_set)
        except LiveError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - the top of a thread
            log.error("playing failed:\n%s", unworded(error))
            problem = f"Playing failed on a defect of the program ({type(error).__name__}); see the log."
        self.ended.emit(problem)
