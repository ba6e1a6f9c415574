"""`tongchuan listen`: captions of the microphone, the computer's own sound or both, in the terminal."""

from __future__ import annotations

import argparse
import functools
from typing import TYPE_CHECKING

from ui.commands.controls import controlled, help_line
from ui.commands.follow import follow
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
from ui.commands.outputs import (
    EventStream,
    TerminalDisplay,
    add_outputs,
    check_outputs,
    open_outputs,
    writes_to_stdout,
    written,
)
from ui.commands.starting import session_maker

if TYPE_CHECKING:
    from live.recording.recorder import Sink


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "listen",
        run,
        "captions of the microphone or the computer's own sound in the terminal",
        detail="q or Ctrl-C ends it; what was said until then is still translated. m marks a moment, r plays the last "
        "sentence again, c copies the last lines, the space bar pauses; `tongchuan send` does so from elsewhere.",
        examples=(
            "tongchuan listen",
            "tongchuan listen --source both --meter",
            'tongchuan listen --input "USB" --srt meeting.srt',
            "tongchuan listen --from zh --to en --jsonl -",
        ),
    )
    add_microphone(parser)
    add_speech(parser)
    add_setting(parser, "--mode", "mode")
    parser.add_argument(
        "--meter",
        action="store_true",
        help="also show each source's level, noise floor and probability of speech beside its threshold",
    )
    add_keeping(parser)
    add_outputs(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings, the microphone or an output are wrong, or the session failed.
        ModelError: there is no such model.
    """
    from live.sources import chosen_sources, shown_names

    settings, _ = load_settings(arguments)
    entry = resolve_model(settings)
    check_outputs(arguments)
    outputs = open_outputs(arguments, settings)
    offer_rest(settings)
    sources = chosen_sources(settings)
    sinks: list[Sink] = [*outputs, *keeper(settings, entry, shown_names(sources))]
    make_session = session_maker(settings, sources, entry)
    if writes_to_stdout(arguments):
        controls = functools.partial(controlled, display=None, name="listen")
        return follow(make_session, EventStream(), sinks, controls=controls).status
    with TerminalDisplay(settings, help_line=help_line(), has_meter=arguments.meter) as display:
        controls = functools.partial(controlled, display=display, name="listen")
        ending = follow(make_session, display, sinks, controls=controls)
    if (names := written(outputs)) and not ending.failures:
        display.say(f"Written: {names}")
    return ending.status
