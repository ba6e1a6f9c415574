"""A model that is not here: asking for it, fetching it under a progress bar, and what has to be said of one once.

In: a model's catalogue entry. Out: the entry of the model once it is here. What is asked, the bar and the notices are
on standard error: standard output is the command's own.
"""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from models.memory import size_text
from ui.saying import say
from ui.state import is_noted, note

if TYPE_CHECKING:
    from models.catalogue import Entry
    from models.choice import Choice
    from models.download import Fetched

log = logging.getLogger(__name__)

_PLAIN_STEPS = 10
"""Lines printed on the way where no bar can be drawn."""


def is_conversation() -> bool:
    """Whether somebody reads what is asked and can answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def bring(entry: Entry, device: str) -> Entry:
    """The model, here: as it is, or fetched once the user agrees.

    Args:
        entry: what was asked for, here or not.
        device: compute device of the entry's factories.

    Raises:
        NotHereError: nobody can be asked, or the answer is no.
        DownloadError: it cannot be fetched.
    """
    from models.catalogue import NotHereError

    if entry.is_here:
        return entry
    if entry.repository is None or not is_conversation():
        raise NotHereError(entry)
    missing = NotHereError(entry)
    if not agrees(f"{missing.state}. {_fit(entry, device)}Fetch {_size(entry)}from {_host()}?"):
        raise missing
    return fetch_shown(entry, device)


def bring_better(choice: Choice, device: str) -> Entry:
    """What "auto" chose, or the larger model that the GPU would hold, where the user wants that one fetched.

    It is asked before anything has begun, once: a no is remembered.

    Raises:
        DownloadError: it cannot be fetched.
    """
    better = choice.better
    if better is None or not is_conversation() or is_noted(declined := f"declined {better.name}"):
        return choice.entry
    sentence = f"This computer's GPU would hold {better.name}, a far larger model than the one that is here."
    if agrees(f"{sentence} Fetch {_size(better)}from {_host()}?"):
        return fetch_shown(better, device)
    note(declined)
    say(f"{better.name} is left where it is; `tongchuan models fetch {better.name}` brings it at any time.")
    return choice.entry


def fetch_shown(entry: Entry, device: str) -> Entry:
    """Fetch a model under a progress bar; Ctrl-C stops it where it is.

    Returns:
        Its entry, now that it is here.

    Raises:
        DownloadError: it cannot be fetched; what came is kept.
        KeyboardInterrupt: the user stopped it, and has been told that it can be taken up again.
    """
    from models.catalogue import resolve
    from models.download import fetch

    show_notices(entry, before_fetching=True)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _Bar(entry.name) as bar:
            fetch(entry.repository or entry.name, bar.show)
    except KeyboardInterrupt:
        say(f"Stopped. What was fetched is kept: `tongchuan models fetch {entry.name}` goes on from there.")
        raise
    finally:
        signal.signal(signal.SIGINT, handler)
    return resolve(entry.name, device)


def show_notices(entry: Entry, *, before_fetching: bool = False) -> None:
    """Say what is to be known of a model and of its licence; each once on this computer.

    Args:
        entry: the model.
        before_fetching: only what its licence asks for; the rest is said when it is used.
    """
    notices = {f"licence {entry.licence}": entry.licence_notice}
    if not before_fetching:
        notices[f"notice of {entry.name}"] = entry.notice and f"{entry.name}: {entry.notice}"
    for what, sentence in notices.items():
        if sentence and not is_noted(what):
            say(sentence)
            note(what)


class _Bar:
    """How far a fetch is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._name = name
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None)
        self._is_begun = False
        self._n_steps = -1

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def show(self, fetched: Fetched) -> None:
        """Bring the bar up to date."""
        if self._console.is_terminal:
            if not self._is_begun:  # what was here before took no time: it must not count as speed
                self._is_begun = True
                self._bar.reset(self._task, total=fetched.total_bytes, completed=fetched.done_bytes)
            self._bar.update(self._task, completed=fetched.done_bytes)
        elif (n_steps := int(fetched.share * _PLAIN_STEPS)) > self._n_steps:
            self._n_steps = n_steps
            say(f"{self._name}: {size_text(fetched.done_bytes)} of {size_text(fetched.total_bytes)}")


def agrees(question: str) -> bool:
    """Whether a person answers yes."""
    print(f"tongchuan: {question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # Ctrl-D leaves the cursor behind the question
        print(file=sys.stderr)
    return answer.strip().lower() in ("y", "yes")


def _size(entry: Entry) -> str:
    return f"{size_text(entry.size_bytes)} " if entry.size_bytes else ""


def _fit(entry: Entry, device: str) -> str:
    """A sentence where a model is known not to fit."""
    from models.choice import fit_text
    from models.memory import find_gpu

    text = fit_text(entry, find_gpu(device))
    return f"It {text}. " if text.startswith("does not") else ""


def _host() -> str:
    from models.download import endpoint

    return urlsplit(endpoint()).netloc or endpoint()
