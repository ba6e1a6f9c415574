"""`tongchuan file`: translate a recording into lines, subtitles or events."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from live.events import CaptionUpdated, ModelLoading, UtteranceClosed, UtteranceFailed
from models.base import SAMPLE_RATE
from ui.commands.follow import Display, follow
from ui.commands.options import Commands, add_command, add_speech, load_settings, resolve_model
from ui.commands.outputs import (
    EventStream,
    add_outputs,
    add_words,
    check_outputs,
    open_outputs,
    writes_to_stdout,
    written,
)
from ui.commands.starting import session_maker

if TYPE_CHECKING:
    from live.audio_file import FileSource
    from live.events import Event


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "file",
        run,
        "translate a recording, as fast as this computer can",
        detail="Final captions go to standard output; the progress bar, where there is a terminal, does not.",
        examples=(
            "tongchuan file talk.mp4 --srt talk.srt",
            "tongchuan file talk.mp4 --from zh --to en > talk.txt",
            "tongchuan file talk.mp4 --words words.tsv --model qwen-audio",
            "tongchuan file talk.mp4 --jsonl - --as-live | grep CaptionUpdated",
        ),
    )
    parser.add_argument("talk", type=Path, metavar="TALK", help="anything FFmpeg reads, video included")
    parser.add_argument(
        "--as-live",
        action="store_true",
        help="make the captions a live listener would see, changing ones too, as if translating took no time",
    )
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")
    add_speech(parser)
    add_outputs(parser)
    add_words(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings, the recording or an output are wrong, or the session failed.
        ModelError: there is no such model.
    """
    from live.audio_file import FileSource, check

    settings, _ = load_settings(arguments)
    check_outputs(arguments, arguments.talk)
    check(arguments.talk)  # before a model is fetched, or an output replaces what stood there
    entry = resolve_model(settings)
    sinks = open_outputs(arguments)
    source = FileSource(arguments.talk)
    make_session = session_maker(
        settings, [source], entry, as_live=arguments.as_live, word_times=arguments.words is not None
    )
    display: Display = EventStream() if writes_to_stdout(arguments) else FileDisplay(source, not arguments.no_progress)
    try:
        ending = follow(make_session, display, sinks, waits=True)
    finally:
        if isinstance(display, FileDisplay):
            display.close()
    if ending.is_silent and not ending.is_interrupted:
        display.say(f"No speech was heard in {source.name}.")
    if source.warning:
        display.say(source.warning)
    if (names := written(sinks)) and not ending.failures:
        display.say(f"Captions so far are in {names}." if ending.is_interrupted else f"Written: {names}")
    return ending.status


class FileDisplay:
    """Final captions on standard output; progress beside them, where there is a terminal to draw on."""

    def __init__(self, source: FileSource, shows_progress: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        from ui.console import OutputConsole
        from ui.terminal import TerminalView

        self._source = source
        self._open: dict[int, int] = {}  # utterances that are not final yet: id to start
        self._position = 0
        self._output = OutputConsole()
        self._plain = TerminalView(console=self._output)  # never entered: it draws nothing that changes
        errors = Console(file=sys.stderr, highlight=False)
        # One console draws both where both are the same screen, or the bar would be printed over.
        self._messages = self._output if self._output.is_terminal and errors.is_terminal else errors
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),  # a file's name may look like markup
            BarColumn(),
            TextColumn("{task.fields[position]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._messages,
            transient=True,
            disable=not (shows_progress and errors.is_terminal),
        )
        self._task = self._progress.add_task("Loading the model", total=None, position="", left="")
        self._progress.start()

    def apply(self, event: Event) -> None:
        """Print what is final and move the bar."""
        match event:
            case ModelLoading(_, share) if share < 1:
                self._progress.update(self._task, total=1.0, completed=share)
            case UtteranceClosed():
                self._open[event.id] = event.start
            case CaptionUpdated(caption) if caption.is_final:
                self._finish(caption.id)
            case UtteranceFailed():
                self._finish(event.id)
            case _:
                pass
        self._print(event)
        self.tick()

    def tick(self) -> None:
        """Move the bar to where everything has been translated."""
        from live.audio import clock_text

        read = min([self._source.position, *self._open.values()])
        self._position = max(self._position, read)
        total_s = self._source.duration_s
        if self._position:
            position = clock_text(self._position) + (
                f" / {clock_text(round(total_s * SAMPLE_RATE))}" if total_s else ""
            )
            self._progress.update(
                self._task,
                description=self._source.name,
                completed=self._position / SAMPLE_RATE,
                total=total_s,
                position=position,
                left="left" if total_s else "",
            )

    def say(self, sentence: str) -> None:
        """Print a sentence to standard error."""
        self._messages.print(f"tongchuan: {sentence}", markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()

    def _print(self, event: Event) -> None:
        """Print what an event says for good, where the bar moves out of the way."""
        from ui.terminal import failed_row, settled_row

        if not self._output.is_terminal:
            self._plain.apply(event)
        elif isinstance(event, CaptionUpdated) and event.caption.is_final:
            self._output.print(settled_row(event.caption))
        elif isinstance(event, UtteranceFailed):
            self._output.print(failed_row(event.start, event.message))

    def _finish(self, utterance_id: int) -> None:
        """Utterances become final in order; those without speech say nothing."""
        self._open = {number: start for number, start in self._open.items() if number > utterance_id}
