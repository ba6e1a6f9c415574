"""`tongchuan evaluate uncertainty`: find where a model's captions begin to be uncertain, and keep that for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from live.errors import LiveError
from live.evaluation.uncertainty import COLUMNS, TABLE, Clip, Findings, Heard, find, hear, read_clips
from live.settings import AUTO, Settings
from ui.commands.options import Commands, add_command, add_setting, load_settings, resolve_model
from ui.exits import DONE

if TYPE_CHECKING:
    from models.catalogue import Entry


def add_parser(measures: Commands) -> None:
    """Add the measure's words."""
    parser = add_command(
        measures,
        "uncertainty",
        run,
        "find where a model's captions begin to be uncertain, and keep that for it",
        detail=f"DIR holds {TABLE}, with a heading and the columns {', '.join(COLUMNS)}, parted by tabs, and the clips "
        "that it names. A clip without texts is one that the model cannot know, such as noise. From then on captions "
        "are marked that are less sure than all but 2 % of the right ones here. Kept beside the checkpoint, or among "
        "your own data where nothing may be written there.",
        examples=("tongchuan evaluate uncertainty --data clips --model qwen-audio",),
    )
    group = parser.add_argument_group("speech")
    add_setting(group, "--from", "from_language", metavar="LANGUAGE")
    add_setting(group, "--to", "to_language", metavar="LANGUAGE")
    add_setting(group, "--pair", "pair", metavar="A,B")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=f"folder with {TABLE} and the clips")
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings or the data are wrong, or too few captions are right.
        ModelError: there is no such model, it cannot be loaded or it failed, or the threshold cannot be kept.
    """
    from models.calibration import keep_threshold

    clips = read_clips(arguments.data)
    settings, _ = load_settings(arguments)
    entry = resolve_model(settings)
    folder = _folder(entry)
    findings = find(_heard(entry, settings, clips, is_shown=not arguments.no_progress))
    _print(entry, findings)
    print(f"Kept for it in {keep_threshold(folder, findings.below)}")
    return DONE


def _heard(entry: Entry, settings: Settings, clips: tuple[Clip, ...], *, is_shown: bool) -> list[Heard]:
    from rich.console import Console
    from rich.progress import track

    from live.policy import Direction

    source, target = (None if code == AUTO else code for code in (settings.from_language, settings.to_language))
    direction = Direction.between(source, target, settings.pair)
    console = Console(stderr=True)
    translator = entry.factory()
    try:
        can = translator.load(lambda _: None)
        heard = hear(translator, can, direction, clips)
        is_off = not (is_shown and console.is_terminal)
        return list(track(heard, "Translating", len(clips), console=console, transient=True, disable=is_off))
    finally:
        translator.close()


def _print(entry: Entry, findings: Findings) -> None:
    print(f"Captions of {entry.name} are uncertain below {findings.below:.4f}. On these clips that marks")
    for what, n, marked in (
        ("right captions", findings.n_right, findings.right_marked),
        ("wrong captions", findings.n_wrong, findings.wrong_marked),
        ("captions of clips without texts", findings.n_foreign, findings.foreign_marked),
    ):
        print(f"  {marked:5.1f} % of {n:,} {what}")
    if findings.n_silent:
        print(f"Of {findings.n_silent:,} clips nothing was written.")


def _folder(entry: Entry) -> Path:
    """Where the model's checkpoint lies.

    Raises:
        LiveError: it has none.
    """
    folder = entry.factory.arguments.get("folder")
    if not isinstance(folder, str):
        raise LiveError(f"The model {entry.name} has no files on this computer for which a threshold could be kept.")
    return Path(folder)
