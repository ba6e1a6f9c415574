"""`tongchuan demo`: the bundled two-language meeting, in real time through the whole program, then its figures."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from live.errors import RecordingError
from live.settings import AUTO, Settings
from models.base import SAMPLE_RATE
from ui.commands.controls import controlled, help_line
from ui.commands.follow import CLOSE_S, follow
from ui.commands.keeping import add_keeping, keeper
from ui.commands.options import Commands, add_command, load_settings, resolve_model
from ui.commands.outputs import TerminalDisplay, written
from ui.commands.starting import Emit, Hear, session_maker
from ui.exits import DONE, FAILED, INTERRUPTED
from ui.saying import say

if TYPE_CHECKING:
    from live.demo import Script
    from live.evaluation.summary import Report, Summary
    from live.recording.recorder import Sink
    from live.session import Session
    from models.catalogue import Entry

FOLDER = Path("tongchuan-demo")
"""Where its files go, below the folder it is started in."""
LANGUAGES = ("zh", "en")


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "demo",
        run,
        "a short two-language meeting, through the whole program",
        detail=(
            "It is played in real time to the program, not to the loudspeaker: subtitles on the desktop where there is "
            f"a screen, else in the terminal, and figures at the end. Writes demo.srt and demo.wav into ./{FOLDER}."
        ),
        examples=("tongchuan demo", "tongchuan demo --terminal"),
    )
    add_keeping(parser)
    parser.add_argument("--terminal", action="store_true", help="captions in the terminal even where there is a screen")
    parser.add_argument(
        "--pace",
        choices=("live", "fast"),
        default="live",
        help="live: in real time (default); fast: as fast as this computer can, without delays to measure",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings are wrong, a file cannot be written, or the session failed.
        ModelError: there is no such model.
    """
    from live.demo import load_script, meeting_sound
    from models.catalogue import EMBEDDED
    from ui.screen import has_screen

    settings, _ = load_settings(arguments)
    # The meeting's languages are its own, whatever the user listens to otherwise.
    settings = dataclasses.replace(settings, from_language=AUTO, to_language=AUTO, pair=LANGUAGES)
    entry = resolve_model(settings, may_offer=False)  # what comes with the program is to be seen at once
    script = load_script()
    print(f"A meeting in Mandarin and English, translated by the model '{entry.name}' as it is spoken.")
    if entry.name == EMBEDDED:
        print(f"{entry.notice} These sentences were not in its training.")
    is_on_screen = not arguments.terminal and has_screen()
    print("Its subtitles are on the screen." if is_on_screen else "", flush=True)
    with meeting_sound() as sound:
        meeting = _Meeting(settings, entry, sound, arguments.pace)
        status = meeting.on_screen() if is_on_screen else meeting.in_terminal()
    if status == DONE:
        if not meeting.is_whole:
            print("The meeting was not played to its end, so its translations are not scored.")
        if report := meeting.report(script):
            print_report(report)
    if status in (DONE, INTERRUPTED) and (names := meeting.written()):
        print(f"{'Written' if meeting.is_whole else 'Written so far'}: {names}")
    return FAILED if meeting.failures and status == DONE else status


class _Meeting:
    """One playing of the meeting."""

    def __init__(self, settings: Settings, entry: Entry, sound: Path, pace: str) -> None:
        from live.audio_file import FileSource
        from live.evaluation.summary import Summary
        from live.recording.heard import HeardFile
        from live.recording.srt import SubtitleFile

        self.failures: list[RecordingError] = []
        self._settings = settings
        self._entry = entry
        self._is_live = pace == "live"
        self._file = FileSource(sound, "live" if self._is_live else "fast")
        self._wav = FOLDER / "demo.wav"
        self._heard = HeardFile(self._wav)
        self._summary: Summary = Summary()
        self._subtitles = SubtitleFile(FOLDER / "demo.srt")
        self._sinks: list[Sink] = [self._subtitles, self._summary, self._heard]
        self._sinks += keeper(settings, entry, "demonstration")
        self._session: Session | None = None

    def on_screen(self) -> int:
        """Play it under the overlay; returns the exit status."""
        from live.control import reachable
        from live.recording.recorder import Recorder
        from ui.app import run_overlay

        recorder = Recorder(self._sinks, self._fail, waits=not self._is_live)
        try:
            return run_overlay(
                lambda emit: self._make_session(emit, recorder.hear),
                self._settings,
                on_event=[recorder],
                show_to=recorder.tell_to,
                until_stopped=True,
                controls=functools.partial(reachable, "demo"),
            )
        finally:
            recorder.close(CLOSE_S)

    def in_terminal(self) -> int:
        """Play it in the terminal; returns the exit status."""
        with TerminalDisplay(self._settings, help_line=help_line()) as display:
            controls = functools.partial(controlled, display=display, name="demo")
            ending = follow(self._make_session, display, self._sinks, waits=not self._is_live, controls=controls)
        self.failures += ending.failures
        return INTERRUPTED if ending.is_interrupted else DONE

    @property
    def is_whole(self) -> bool:
        """Whether it was played to its end."""
        return self._file.duration_s is not None and self._played_s >= self._file.duration_s

    def report(self, script: Script) -> Report | None:
        """The figures of what was played, scores only of the whole; None where nothing was."""
        if self._session is None or not self._played_s:
            return None
        report = self._summary.report(script, self._played_s, self._session.started_s if self._is_live else None)
        return report if self.is_whole else dataclasses.replace(report, scores={})

    def written(self) -> str:
        """The files that came of it, as words for a sentence."""
        subtitles = written([self._subtitles])
        return f"{subtitles}{', ' if subtitles else ''}{self._wav}" if self._heard.has_begun else subtitles

    @property
    def _played_s(self) -> float:
        return self._file.position / SAMPLE_RATE

    def _make_session(self, emit: Emit, hear: Hear) -> Session:
        self._session = session_maker(self._settings, [self._file], self._entry)(emit, hear)
        return self._session

    def _fail(self, error: RecordingError) -> None:
        self.failures.append(error)
        say(str(error))


def print_report(report: Report) -> None:
    """Print the figures as a table."""
    from rich.table import Table

    from ui.captions import direction_text
    from ui.console import OutputConsole

    table = Table(title="What came of it", title_justify="left", title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    lost = f"{report.n_lost} given up" if report.n_lost else ""
    table.add_row("Utterances translated", str(report.n_utterances), lost)
    if report.delay_p50_s is not None and report.delay_p95_s is not None:
        table.add_row("Delay, end of speech to final caption", f"{report.delay_p50_s:.2f} s", "half are faster (p50)")
        table.add_row("", f"{report.delay_p95_s:.2f} s", "19 of 20 are faster (p95)")
    table.add_row("Real-time factor", f"{report.realtime_factor:.2f}", "seconds of computing for a second of sound")
    if report.dropped_s:
        table.add_row("Sound dropped", f"{report.dropped_s:.1f} s", "")
    for (source, target), score in report.scores.items():
        missed = f", {score.n_missed} missed" if score.n_missed else ""
        name = direction_text(source, target, LANGUAGES)
        sentences = f"{score.n_sentences} sentence{'s' if score.n_sentences != 1 else ''}"
        table.add_row(f"BLEU {name}", f"{score.bleu:.1f}", f"{sentences}{missed} ({score.tokenizer})")
    console = OutputConsole()
    console.print()
    console.print(table)
