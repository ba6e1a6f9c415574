"""`tongchuan evaluate covost2`: a model's BLEU on CoVoST 2, beside the published one."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import re
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from live.evaluation.covost2 import SPLITS, Clip, read
from live.evaluation.predictions import Predictions, Problem, Subject, fingerprint
from live.settings import SPOKEN
from models.base import LANGUAGES
from ui.commands.figures import write_json
from ui.commands.options import Commands, add_command, count, load_settings, resolve_model
from ui.exits import DONE, INTERRUPTED
from ui.saying import say

if TYPE_CHECKING:
    from models.catalogue import Entry

PROBLEMS: Mapping[Problem, str] = {
    "missing": "are not there",
    "broken": "cannot be decoded",
    "failed": "were refused by the model",
}
"""What became of clips without a translation."""
PUBLISHED_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class Figures:
    """What is printed, and written by --json."""

    benchmark: str
    pair: str
    split: str
    model: str
    device: str
    """Where it was computed; empty where all of it was kept from earlier runs."""
    bleu: float
    published_bleu: float | None
    signature: str
    clips: int
    clips_of_the_split: int
    problems: Mapping[Problem, int]
    """Clips without a translation, which count as empty ones, by reason."""


def add_parser(measures: Commands) -> None:
    """Add the measure's words."""
    parser = add_command(
        measures,
        "covost2",
        run,
        "BLEU on CoVoST 2, the benchmark of the Qwen-Audio papers, beside the published figure",
        detail="Predictions are kept: the same command goes on where it was stopped. The BLEU is sacreBLEU's as the "
        "papers compute it (zh for Chinese, 13a for others; Japanese, by characters here, has no published figure). A "
        "clip that is missing or broken is said, and counts as an empty translation.",
        examples=(
            "tongchuan evaluate covost2 --data covost --pair en-zh --model qwen-audio",
            "tongchuan evaluate covost2 --data covost --pair de-en --limit 200 --json figures.json",
        ),
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with the table (covost_v2.en_zh-CN.test.tsv or covost_v2.en_zh-CN.tsv) and Common Voice's clips/, "
        "or with a folder of these for each source language",
    )
    parser.add_argument(
        "--pair",
        dest="direction",
        type=_direction,
        required=True,
        metavar="SOURCE-TARGET",
        help="such as en-zh; figures are published for en-de, de-en, en-zh, zh-en, es-en, fr-en and it-en",
    )
    parser.add_argument(
        "--split", choices=SPLITS, default=PUBLISHED_SPLIT, help="which part of the data (default: test)"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="only the first N clips")
    parser.add_argument(
        "--out", type=Path, metavar="F", help="where the predictions are kept; a folder of yours otherwise"
    )
    parser.add_argument("--json", type=Path, metavar="F", help="also write the figures as JSON")
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings, the data or a file are wrong, or the model does not translate so.
        ModelError: there is no such model, or it cannot be loaded.
    """
    source, target = arguments.direction
    settings, _ = load_settings(arguments)
    settings = dataclasses.replace(settings, from_language=source, to_language=target)
    data = read(arguments.data, source, target, arguments.split)
    clips = data.clips[: arguments.limit]
    entry = resolve_model(settings)
    pair = f"{source}-{target}"
    subject = Subject("covost2", pair, arguments.split, data.digest, entry.name, fingerprint(entry.factory))
    path = arguments.out or _default_path(subject)
    with Predictions(path, subject) as predictions:
        try:
            device = _translate(entry, clips, predictions, arguments)
        except KeyboardInterrupt:
            n_done = sum(clip.name in predictions.kept for clip in clips)
            say(f"Stopped after {n_done:,} of {len(clips):,} clips: the same command goes on from there ({path}).")
            return INTERRUPTED
        figures = _figures(entry, subject, clips, predictions, n_all=len(data.clips), device=device)
    _print(figures)
    print(f"predictions: {path}")
    if arguments.json is not None:
        write_json(arguments.json, dataclasses.asdict(figures))
    return DONE


def _translate(entry: Entry, clips: Sequence[Clip], predictions: Predictions, arguments: argparse.Namespace) -> str:
    """Translate what is not translated yet; returns where it was computed, empty where nothing was left to do.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was done is kept.
    """
    from live.evaluation.clips import ClipTranslator
    from models.worker import ModelWorker
    from ui.logs import model_log_path

    todo = [clip for clip in clips if clip.name not in predictions.kept or predictions.kept[clip.name].problem]
    if len(todo) < len(clips):
        say(f"{len(clips) - len(todo):,} of {len(clips):,} clips were translated before.")
    if not todo:
        return ""
    start_worker = functools.partial(ModelWorker, log_path=str(model_log_path()))
    source, target = arguments.direction
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # an end in order: the file is closed, and it is said
    try:
        with (
            _Progress(entry.name, len(clips), is_shown=not arguments.no_progress) as progress,
            ClipTranslator(entry.factory, start_worker, source, target) as translator,
        ):
            can = translator.wait_ready(progress.load)
            progress.begin(len(clips) - len(todo))
            for clip in todo:
                predictions.add(translator.translate(clip.name, clip.file))
                progress.advance()
    finally:
        signal.signal(signal.SIGINT, before)
    return can.device


class _Progress:
    """How far it is, and how long it still takes, on standard error where that is a terminal."""

    def __init__(self, model: str, n_clips: int, *, is_shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=sys.stderr, highlight=False)
        self._n_clips = n_clips
        self._n_done = 0
        self._model = model
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[place]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            transient=True,
            disable=not (is_shown and console.is_terminal),
        )
        self._task = self._bar.add_task(f"Loading {model}", total=1.0, place="")

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def load(self, share: float) -> None:
        """Show how much of the model is loaded."""
        self._bar.update(self._task, completed=share)

    def begin(self, n_before: int) -> None:
        """Count clips from here on, those of earlier runs included."""
        self._bar.remove_task(self._task)
        self._n_done = n_before
        self._task = self._bar.add_task(
            f"Translating, {self._model}", total=self._n_clips, completed=n_before, place=self._place
        )

    def advance(self) -> None:
        """One clip more."""
        self._n_done += 1
        self._bar.update(self._task, completed=self._n_done, place=self._place)

    @property
    def _place(self) -> str:
        return f"{self._n_done:,} / {self._n_clips:,}"


def _figures(
    entry: Entry, subject: Subject, clips: Sequence[Clip], predictions: Predictions, *, n_all: int, device: str
) -> Figures:
    from live.evaluation.score import bleu

    source, _, target = subject.pair.partition("-")
    found = [predictions.kept[clip.name] for clip in clips]
    figure, signature = bleu([each.translation for each in found], [clip.translation for clip in clips], target)
    problems = Counter(each.problem for each in found)
    return Figures(
        benchmark=subject.benchmark,
        pair=subject.pair,
        split=subject.split,
        model=entry.name,
        device=device,
        bleu=round(figure, 2),
        published_bleu=entry.bleu.get((source, target)),
        signature=signature,
        clips=len(clips),
        clips_of_the_split=n_all,
        problems={name: problems[name] for name in PROBLEMS},
    )


def _print(figures: Figures) -> None:
    """Print the figures, and what makes them less than they seem."""
    is_part = figures.clips < figures.clips_of_the_split
    of_all = f" of {figures.clips_of_the_split:,}" if is_part else ""
    device = f" on {figures.device}" if figures.device else ""
    print(f"CoVoST 2 {figures.pair}, {figures.split}: {figures.clips:,}{of_all} clips by {figures.model}{device}")
    if figures.published_bleu is None:
        beside = f"no figure is published for {figures.model}"
    elif is_part or figures.split != PUBLISHED_SPLIT:
        beside = f"published for the whole {PUBLISHED_SPLIT} split, which this is not: {figures.published_bleu:.1f}"
    else:
        beside = f"published: {figures.published_bleu:.1f}"
    print(f"BLEU {figures.bleu:.2f}   ({beside})")
    print(f"signature: {figures.signature}")
    for name, what in PROBLEMS.items():
        if n := figures.problems[name]:
            print(f"{n:,} of these clips {what}: each counts as an empty translation")


def _default_path(subject: Subject) -> Path:
    import platformdirs

    name = re.sub(r"[^\w.-]+", "_", f"covost2-{subject.pair}-{subject.split}-{subject.model}")
    return platformdirs.user_data_path("tongchuan", appauthor=False) / "evaluation" / f"{name}.jsonl"


def _direction(text: str) -> tuple[str, str]:
    source, _, target = text.partition("-")
    if source not in SPOKEN or target not in LANGUAGES or source == target:
        raise argparse.ArgumentTypeError(f"{text!r} is not two languages such as en-zh, of {', '.join(LANGUAGES)}")
    return source, target
