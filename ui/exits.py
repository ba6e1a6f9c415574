"""How the command ends: its statuses (2, wrong usage, is argparse's own) and the signals that ask for it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

DONE = 0
FAILED = 1
"""A LiveError or ModelError, said in one line."""
INTERRUPTED = 130
"""Ctrl-C, or another of ENDINGS."""
ENDINGS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""Signals on which a session is brought to its end: Ctrl-C, the end asked for from elsewhere, a closed terminal."""


@contextmanager
def endings_to(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a function called on each of ENDINGS, meanwhile; for the main thread."""
    hung_up = getattr(signal, "SIGHUP", None)
    is_lasting = hung_up is not None and signal.getsignal(hung_up) is signal.SIG_IGN  # nohup
    before = [(number, signal.signal(number, handle)) for number in ENDINGS if not (is_lasting and number == hung_up)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
