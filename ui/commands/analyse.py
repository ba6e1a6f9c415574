"""`tongchuan analyse`: what is to be heard in a recording, by one of the model's own tasks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from live.errors import LiveError
from models.base import Analysis
from ui.commands.answering import answering_settings, loaded, print_streamed, say_parts, span
from ui.commands.options import Commands, add_command, resolve_model
from ui.exits import DONE
from ui.saying import say

TASKS: tuple[Analysis, ...] = get_args(Analysis)
MOST_S = 30 * 60.0
"""Longest recording taken: about 65 parts of 30 s, each some seconds of computing."""


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "analyse",
        run,
        "say what is to be heard in a recording: a caption, sound events, the scene, or the mood",
        detail="A recording longer than the model takes at once (30 s) is cut where it is quiet, and each part gets a "
        f"line that begins with its time; at most {MOST_S / 60:g} minutes are taken. Takes one of the models that are "
        "fetched, such as qwen-audio: the embedded one only translates.",
        examples=(
            "tongchuan analyse street.mp3 --task caption --model qwen-audio",
            "tongchuan analyse call.wav --task emotion --model qwen-audio",
        ),
    )
    parser.add_argument("audio", type=Path, metavar="AUDIO", help="anything FFmpeg reads, video included")
    parser.add_argument(
        "--task",
        choices=TASKS,
        default="caption",
        metavar="|".join(TASKS),
        help="caption: a sentence about the sound (default); event: what sounds; scene: where it is; "
        "emotion: how who speaks feels",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings or the recording are wrong, or the model has no such task.
        ModelError: there is no such model, or it failed.
    """
    from live.parts import cut, read_recording

    settings = answering_settings(arguments)
    recording = read_recording(arguments.audio, MOST_S)
    entry = resolve_model(settings)  # last: it may be many gigabytes away
    with loaded(entry) as model:
        if arguments.task not in model.can.analyses:
            able = ", ".join(task for task in TASKS if task in model.can.analyses) or "no task of this kind"
            raise LiveError(f"The model {entry.name} cannot tell the {arguments.task} of a sound, only: {able}.")
        parts = cut(recording.samples, model.can.max_samples)
        say_parts(recording, parts, model.can.max_samples)
        for part in parts:
            before = f"{span(part)}  " if len(parts) > 1 else ""
            if not print_streamed(model.answerer.analyse(arguments.task, part.samples), before=before):
                say(f"The model wrote nothing about {span(part)}.")
    return DONE
