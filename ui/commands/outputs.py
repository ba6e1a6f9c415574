"""Where a terminal command puts what its session says: files, standard output, the screen.

In: the words --srt, --vtt, --jsonl, --words and --lines. Out: sinks and displays for a session's events.
What the files hold is the business of live/recording, how captions look that of ui/terminal.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from live.errors import LiveError, RecordingError
from live.recording.export.forms import LINES
from live.settings import AUTO, Settings
from ui.logs import native_noise_logged
from ui.saying import say

if TYPE_CHECKING:
    from types import TracebackType

    from live.events import Command, Event
    from live.recording.growing import GrowingFile

STANDARD_OUTPUT = "-"


class Output(Protocol):
    """A sink with the file that it writes."""

    file: GrowingFile

    def take(self, event: Event, at_s: float) -> None: ...
    def close(self) -> None: ...


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that name files to write."""
    group = parser.add_argument_group(
        "output", "Files are readable by you alone, grow caption by caption, and replace what stood there before."
    )
    group.add_argument("--srt", type=Path, metavar="F", help="write subtitles as SRT")
    group.add_argument("--vtt", type=Path, metavar="F", help="write subtitles as WebVTT")
    group.add_argument(
        "--jsonl",
        metavar="F",
        help="write every event as a line of JSON; - is standard output, which then holds nothing else",
    )
    group.add_argument(
        "--lines",
        choices=LINES,
        default="both",
        help="what a subtitle holds: the translation with the transcript below (default), or one of them",
    )
    parser.set_defaults(words=None)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a file for the words with their times."""
    parser.add_argument(
        "--words",
        type=Path,
        metavar="F",
        help="write each spoken word with its times as a table (TSV): start and end in seconds, lane, language, word; "
        "the words in --jsonl then have times too. Takes a model that says when words are spoken, such as qwen-audio",
    )


def writes_to_stdout(arguments: argparse.Namespace) -> bool:
    """Whether standard output is for events alone."""
    return bool(arguments.jsonl == STANDARD_OUTPUT)


def check_outputs(arguments: argparse.Namespace, source: Path | None = None) -> None:
    """See that no two names are one file, and none is the recording itself.

    Raises:
        LiveError: they are.
    """
    paths = _paths(arguments)
    if source is not None and any(_is_same(path, source) for path in paths):
        raise LiveError(f"{source} is to be read and written at once: name another file for the output.")
    if any(_is_same(one, other) for index, one in enumerate(paths) for other in paths[:index]):
        raise LiveError("Two outputs name the same file: name another for one of them.")


def open_outputs(arguments: argparse.Namespace, settings: Settings | None = None) -> list[Output]:
    """Open the files that were asked for.

    Args:
        arguments: The parsed words.
        settings: Of a live session: they may ask for subtitles too, where no word does.

    Raises:
        RecordingError: one cannot be written; none is left open.
    """
    from live.recording.jsonl import EventFile
    from live.recording.session_info import NAME_FORMAT
    from live.recording.srt import SubtitleFile
    from live.recording.words import WordFile

    srt = arguments.srt
    if settings is not None and settings.subtitles_folder and srt is None and arguments.vtt is None:
        srt = Path(settings.subtitles_folder).expanduser() / f"{datetime.now():{NAME_FORMAT}}.srt"
    sinks: list[Output] = []
    try:
        if srt is not None:
            sinks.append(SubtitleFile(srt, arguments.lines))
        if arguments.vtt is not None:
            sinks.append(SubtitleFile(arguments.vtt, arguments.lines, "vtt"))
        if arguments.jsonl is not None and not writes_to_stdout(arguments):
            sinks.append(EventFile(Path(arguments.jsonl)))
        if arguments.words is not None:
            sinks.append(WordFile(arguments.words))
    except RecordingError:
        for sink in sinks:
            with contextlib.suppress(RecordingError):
                sink.close()
        raise
    return sinks


def written(outputs: Sequence[Output]) -> str:
    """The files that hold what came of a session, as words for a sentence; empty where there are none."""
    return ", ".join(str(output.file.path) for output in outputs if output.file.has_begun)


class EventStream:
    """A display that writes every event to standard output as JSON, and sentences to standard error."""

    def __init__(self) -> None:
        self._first_s: float | None = None

    def apply(self, event: Event) -> None:
        """Write an event."""
        from live.recording.jsonl import encode

        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        sys.stdout.buffer.write(encode(event, now_s - self._first_s))
        sys.stdout.buffer.flush()

    def tick(self) -> None:
        """Nothing changes without events."""

    def say(self, sentence: str) -> None:
        """Write a sentence to standard error."""
        say(sentence)


class TerminalDisplay:
    """Captions in the terminal while it is entered; sentences go to standard error."""

    def __init__(self, settings: Settings, *, help_line: str = "", has_meter: bool = False) -> None:
        from ui.captions import direction_text
        from ui.console import OutputConsole
        from ui.meter import Meter
        from ui.terminal import TerminalView

        source, target = (None if code == AUTO else code for code in (settings.from_language, settings.to_language))
        self._entered = contextlib.ExitStack()
        self._pair = settings.pair
        self._view = TerminalView(
            settings.mode,
            console=OutputConsole(),
            aside=direction_text(source, target, settings.pair),
            help_line=help_line,
            meter=Meter() if has_meter else None,
        )

    def __enter__(self) -> Self:
        self._entered.enter_context(native_noise_logged())
        self._entered.enter_context(self._view)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._entered.__exit__(kind, error, at)

    def apply(self, event: Event) -> None:
        """Show an event."""
        self._view.apply(event)

    def tick(self) -> None:
        """Levels come all the time, and the view is drawn with them."""

    def say(self, sentence: str) -> None:
        """Write a sentence to standard error, above what is drawn."""
        say(sentence)

    @property
    def is_paused(self) -> bool:
        """Whether the session is."""
        return self._view.is_paused

    def copy(self, n: int) -> str | None:
        """Give the newest lines to the terminal's clipboard; returns why not, where it cannot. Any thread."""
        return self._view.copy(n)

    def adopt(self, command: Command) -> None:
        """Show what the session has been told. Any thread."""
        from live.events import SetDirection, SetMode
        from ui.captions import direction_text

        match command:
            case SetMode(mode):
                self._view.set_mode(mode)
            case SetDirection(source, target):
                self._view.set_aside(direction_text(source, target, self._pair))


def _paths(arguments: argparse.Namespace) -> list[Path]:
    jsonl = None if arguments.jsonl is None or writes_to_stdout(arguments) else Path(arguments.jsonl)
    return [path for path in (arguments.srt, arguments.vtt, jsonl, arguments.words) if path is not None]


def _is_same(one: Path, other: Path) -> bool:
    try:
        return not one.is_char_device() and one.samefile(other)  # /dev/null takes as much as one likes
    except OSError:  # one is yet to be made, or cannot be
        return one.resolve() == other.resolve()
