"""`tongchuan run`, the default: subtitles of the microphone, the computer's own sound or both, on the desktop."""

from __future__ import annotations

import argparse
import functools

from live.errors import LiveError, RecordingError
from ui.commands.follow import CLOSE_S
from ui.commands.keeping import add_keeping, keeper, offer_rest
from ui.commands.options import (
    Commands,
    add_command,
    add_microphone,
    add_setting,
    add_speech,
    load_settings,
    resolve_model,
)
from ui.commands.outputs import add_outputs, check_outputs, open_outputs, writes_to_stdout
from ui.commands.starting import session_maker
from ui.exits import DONE, FAILED
from ui.saying import say


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "run",
        run,
        "subtitles of the microphone or the computer's own sound on the desktop; what `tongchuan` alone does",
        detail="Right-click the subtitles for the menu. Without a screen, use `tongchuan listen`.",
        examples=(
            "tongchuan",
            "tongchuan --source both",
            "tongchuan --from zh --to en",
            'tongchuan run --input "USB" --srt meeting.srt',
        ),
    )
    add_microphone(parser)
    add_speech(parser)
    add_setting(parser, "--mode", "mode")
    add_keeping(parser)
    add_outputs(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: there is no screen; the settings, the microphone or an output are wrong; or the session failed.
        ModelError: there is no such model.
    """
    from live.settings import set_value
    from ui.screen import check_screen

    settings, _ = load_settings(arguments)
    if writes_to_stdout(arguments):
        raise LiveError("--jsonl - is for `tongchuan listen` and `tongchuan file`: name a file here.")
    check_screen()
    entry = resolve_model(settings)
    check_outputs(arguments)

    from live.control import reachable
    from live.recording.recorder import Recorder
    from live.sources import chosen_sources, shown_names
    from ui.app import run_overlay

    failures: list[RecordingError] = []

    def failed(error: RecordingError) -> None:
        failures.append(error)
        say(str(error))

    outputs = open_outputs(arguments, settings)
    offer_rest(settings)
    sources = chosen_sources(settings)
    recorder = Recorder([*outputs, *keeper(settings, entry, shown_names(sources))], failed)
    make_session = session_maker(settings, sources, entry)
    try:
        status = run_overlay(
            lambda emit: make_session(emit, recorder.hear),
            settings,
            on_event=[recorder],
            show_to=recorder.tell_to,
            remember=lambda key, value: set_value(None, key, value),
            controls=functools.partial(reachable, "run"),
        )
    finally:
        recorder.close(CLOSE_S)
    return FAILED if failures and status == DONE else status
