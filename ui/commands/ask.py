"""`tongchuan ask`: a conversation about recordings."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from live.errors import LiveError
from models.base import ModelError, Samples, Turn
from ui.commands.answering import Loaded, answering_settings, loaded, print_streamed, say_parts
from ui.commands.options import Commands, add_command, resolve_model
from ui.exits import DONE
from ui.saying import say

if TYPE_CHECKING:
    from live.parts import Recording

MOST_S = 5 * 60.0
"""Sound in one conversation: 7,500 tokens at 25 a second, of the 8,192 that Qwen2-Audio reads; others read less."""
PROMPT = "? "


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "ask",
        run,
        "ask a model about recordings; on a terminal, go on asking",
        detail="The answer is printed as it is written. On a terminal, further questions are typed one a line; Ctrl-D "
        "ends. A recording longer than the model takes at once (30 s) is cut where it is quiet into several sounds; at "
        f"most {MOST_S / 60:g} minutes of sound are taken, by Qwen-Audio-Chat about 75 s. The models are "
        "qwen-audio-chat and qwen2-audio-instruct; the base models qwen-audio and qwen2-audio answer one question "
        "about one sound.",
        examples=(
            'tongchuan ask call.wav "What does the caller want?" --model qwen-audio-chat',
            'tongchuan ask one.wav other.wav "Is this the same speaker?" --model qwen2-audio-instruct',
        ),
    )
    parser.add_argument("audio", type=Path, nargs="+", metavar="AUDIO", help="one recording or several, in this order")
    parser.add_argument("question", metavar="QUESTION", help="what to ask, in quotes")


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings, the question or a recording are wrong.
        ModelError: there is no such model, or it failed on the first question.
    """
    question = arguments.question.strip()
    if not question:
        raise LiveError("The question is empty: give it last, in quotes.")
    with contextlib.suppress(OSError):  # no file can be called so
        if Path(question).is_file():
            raise LiveError(
                f"The last word is to be the question, and {question!r} is a file: give the question in quotes."
            )
    from live.audio import seconds

    settings = answering_settings(arguments)
    recordings = _recordings(arguments.audio)
    entry = resolve_model(settings)  # last: it may be many gigabytes away
    with loaded(entry) as model:
        sounds = _sounds(recordings, model.can.max_samples)
        if len(sounds) > 1 and not model.can.converses:
            raise LiveError(
                f"The model {entry.name} takes one sound of at most {seconds(model.can.max_samples):g} s a question, "
                f"and these are {len(sounds)}: give a shorter one, or --model qwen-audio-chat or qwen2-audio-instruct."
            )
        _converse(model, sounds, question)
    return DONE


def _recordings(paths: Sequence[Path]) -> list[Recording]:
    """Read all recordings, together not longer than MOST_S."""
    from live.audio import seconds
    from live.parts import read_recording

    recordings = [read_recording(path, MOST_S) for path in paths]
    total_s = sum(seconds(len(recording.samples)) for recording in recordings)
    if total_s > MOST_S:
        raise LiveError(
            f"These recordings last {total_s / 60:.1f} minutes together, and a conversation holds {MOST_S / 60:g}: "
            "give fewer or shorter ones."
        )
    return recordings


def _sounds(recordings: Sequence[Recording], longest: int) -> tuple[Samples, ...]:
    """All recordings in parts that the model takes, in order."""
    from live.parts import cut

    sounds: list[Samples] = []
    for recording in recordings:
        parts = cut(recording.samples, longest)
        say_parts(recording, parts, longest)
        sounds += [part.samples for part in parts]
    return tuple(sounds)


def _converse(model: Loaded, sounds: tuple[Samples, ...], question: str) -> None:
    """Answer the question, and on a terminal each one that is typed; one that fails there ends nothing."""
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    turns = _answered(model, [Turn("user", question, sounds)])
    if not is_terminal:
        return
    if not model.can.converses:
        say("This model answers each question by itself: it does not know the ones before.")
    say("Ask on, one question a line; Ctrl-D ends.")
    for typed in _typed():
        asked = [*turns, Turn("user", typed)] if model.can.converses else [Turn("user", typed, sounds)]
        try:
            turns = _answered(model, asked)
        except ModelError as error:
            say(str(error))


def _answered(model: Loaded, turns: list[Turn]) -> list[Turn]:
    """Print the answer; return the conversation with it."""
    text = print_streamed(model.answerer.answer(turns), keeps_lines=True)
    if not text:
        say("The model wrote nothing.")
    return [*turns, Turn("assistant", text)]


def _typed() -> Iterator[str]:
    """Questions typed on the terminal, until Ctrl-D; empty lines are none."""
    with contextlib.suppress(ImportError):  # arrow keys and history, where the system has it
        import readline  # noqa: F401
    is_shown = sys.stdout.isatty()
    while True:
        if not is_shown:
            sys.stderr.write(PROMPT)
            sys.stderr.flush()
        try:
            line = input(PROMPT if is_shown else "").strip()
        except EOFError:
            sys.stderr.write("\n")
            return
        if line:
            yield line
