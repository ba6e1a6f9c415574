"""What `ask` and `analyse` have in common: a model that answers about sound, and recordings in parts that it takes.

The model runs in the command's own process: nothing listens and nothing is drawn that it could hold up.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live.errors import LiveError
from live.policy import readable
from ui.commands.options import choose_model, load_settings, named_model
from ui.saying import say

if TYPE_CHECKING:
    import argparse

    from live.parts import Part, Recording
    from live.settings import Settings
    from models.base import Answerer, AnswererCapabilities
    from models.catalogue import Entry

log = logging.getLogger(__name__)

LISTED_PARTS = 8
"""So many parts are named; of more, their number is."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An answerer ready to answer."""

    answerer: Answerer
    can: AnswererCapabilities


def answering_settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings of this run, once it is seen that their model answers about sound; it may not be here yet.

    Raises:
        LiveError: the settings are wrong, or the model does nothing but translate.
        ModelLoadError: there is no such model.
    """
    from models.catalogue import AUTO, find, known

    settings, _ = load_settings(arguments)
    is_auto = settings.model == AUTO
    entry = choose_model(settings).entry if is_auto else find(named_model(settings), settings.device)
    if entry.answerer is None:
        able = ", ".join(each.name for each in known() if each.answerer is not None)
        raise LiveError(
            f"The model {entry.name} only translates: `tongchuan {arguments.command}` takes one that answers about "
            f"sound. Give --model with one of {able}, or the folder of such a one."
        )
    return settings


@contextmanager
def loaded(entry: Entry) -> Iterator[Loaded]:
    """Load an entry's answerer, its progress shown on a terminal, and free it at the end.

    Raises:
        ModelLoadError: it cannot be loaded.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from models.worker_child import set_environment

    assert entry.answerer is not None
    set_environment()
    console = Console(file=sys.stderr, highlight=False)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar, redirect_stderr(_Log()):
        task = bar.add_task(f"Loading {entry.name}", total=1.0)
        answerer = entry.answerer()
        can = answerer.load(lambda share: bar.update(task, completed=share))
    try:
        yield Loaded(answerer, can)
    finally:
        answerer.close()


class _Log(io.TextIOBase):
    """Takes what libraries print, as they are imported and ever after: their loggers keep the stream they first saw."""

    def write(self, text: str) -> int:
        if text.strip():
            log.info("a library of the model: %s", text.strip())
        return len(text)


def say_parts(recording: Recording, parts: Sequence[Part], longest: int) -> None:
    """Tell how a recording was cut, if it was."""
    from live.audio import clock_text, seconds

    if recording.warning:
        say(recording.warning)
    if len(parts) > 1:
        named = ", ".join(span(part) for part in parts) if len(parts) <= LISTED_PARTS else f"{len(parts)} of them"
        say(
            f"{recording.name} lasts {clock_text(len(recording.samples))}; it is cut where it is quiet into parts of "
            f"at most {seconds(longest):g} s: {named}."
        )


def span(part: Part) -> str:
    """A part's time in its recording."""
    from live.audio import clock_text

    return f"{clock_text(part.start)}-{clock_text(part.end)}"


def print_streamed(pieces: Iterator[str], *, before: str = "", keeps_lines: bool = False) -> str:
    """Print a text as it is written, and a line break after it; of an empty one, nothing.

    Args:
        pieces: what join to the text.
        before: what stands before it on its first line.
        keeps_lines: whether line breaks of its own stay; otherwise it stands on one line.

    Returns:
        The text as printed.
    """
    text = ""
    try:
        for piece in pieces:
            shown = "\n".join(map(readable, piece.split("\n"))) if keeps_lines else readable(piece)
            if not text:
                shown = shown.lstrip()
            if shown:
                sys.stdout.write(shown if text else before + shown)
                sys.stdout.flush()
                text += shown
    finally:
        if text:
            sys.stdout.write("\n")
            sys.stdout.flush()
    return text
