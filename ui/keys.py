"""Single keys in the terminal while a session runs.

In: what is typed, in a thread of its own. Out: an action for each key that means one. The terminal echoes nothing
meanwhile and hands keys on at once; however the block ends, it is as it was before. Ctrl-C stays Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

from live.actions import Action, CopyLines
from live.events import AddMark, Pause, Replay, Resume, Stop

HELP = "m mark · r replay · c copy · space pause · q quit"
PAUSE_KEY = " "
READ_BYTES = 64
"""A read of one key brings a few bytes, of a paste more."""
JOIN_S = 1.0
_POLL_S = 0.05

_ACTIONS: Mapping[str, Action] = {"m": AddMark(), "r": Replay(), "c": CopyLines(), "q": Stop()}


def has_keys() -> bool:
    """Whether somebody can type at the program, and see which keys there are."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty())


def action_of(key: str, *, is_paused: bool) -> Action | None:
    """What a key means; None: nothing."""
    if key == PAUSE_KEY:
        return Resume() if is_paused else Pause()
    return _ACTIONS.get(key.lower())


@contextlib.contextmanager
def keys(handle: Callable[[str], None]) -> Iterator[None]:
    """Hand on what is typed, a character at a time.

    Args:
        handle: Takes a character, on the keys' thread.
    """
    if sys.platform == "win32":
        with _windows_keys(handle):
            yield
        return
    with _posix_keys(sys.stdin.fileno(), handle):
        yield


if sys.platform == "win32":
    import msvcrt

    @contextlib.contextmanager
    def _windows_keys(handle: Callable[[str], None]) -> Iterator[None]:
        """Untried. A console hands keys on unasked, so there is nothing to put back."""
        ended = threading.Event()

        def read() -> None:
            while not ended.wait(_POLL_S):
                while msvcrt.kbhit():
                    key = msvcrt.getwch()
                    if key in "\0\xe0":  # the first half of a function key
                        msvcrt.getwch()
                    else:
                        handle(key)

        thread = threading.Thread(target=read, name="keys", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(JOIN_S)

else:
    import re
    import select
    import signal
    import termios
    import tty

    _SEQUENCE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|O.)?", re.DOTALL)
    """An arrow or function key: letters after an escape (ECMA-48, 5.4)."""

    @contextlib.contextmanager
    def _posix_keys(terminal: int, handle: Callable[[str], None]) -> Iterator[None]:
        before = termios.tcgetattr(terminal)
        ended, end = os.pipe()
        thread = threading.Thread(target=_read, args=(terminal, ended, handle), name="keys", daemon=True)
        try:
            if _is_in_front(terminal):
                tty.setcbreak(terminal, termios.TCSANOW)
            thread.start()
            yield
        finally:
            os.close(end)
            thread.join(JOIN_S)
            os.close(ended)
            with _stop_signal_blocked():
                termios.tcsetattr(terminal, termios.TCSANOW, before)

    def _read(terminal: int, ended: int, handle: Callable[[str], None]) -> None:
        while True:
            ready, _, _ = select.select([terminal, ended], [], [])
            if ended in ready:
                return
            if not _is_in_front(terminal):  # reading what is typed to another program would stop this one
                if select.select([ended], [], [], _POLL_S)[0]:
                    return
                continue
            try:
                typed = os.read(terminal, READ_BYTES)
            except OSError:  # the terminal is gone
                return
            if not typed:
                return
            for key in _SEQUENCE.sub(b"", typed).decode("utf-8", "ignore"):
                handle(key)

    def _is_in_front(terminal: int) -> bool:
        """Whether the terminal's keys are this program's (not one begun with `&`)."""
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return False

    @contextlib.contextmanager
    def _stop_signal_blocked() -> Iterator[None]:
        """From the background, setting a terminal would stop the program."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
