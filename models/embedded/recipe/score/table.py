"""The table of scores: which rows there are, what is printed of each, all cores at work.

In: a checkpoint folder, how many items, which rows. Out: lines of Markdown, each as soon as its row is done, and
progress. What a figure means is figures' business.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.calibration import POINTING, SECTION, stored_threshold
from models.confidence import DEFAULT_UNCERTAIN_BELOW
from models.embedded.recipe import export, flite, speech, workers
from models.embedded.recipe.foreign import sentences
from models.embedded.recipe.grammar import Language
from models.embedded.recipe.score import figures, items, speed
from models.embedded.recipe.score.answers import BUSY, FOREIGN, QUIET, Answer, Task, answer, batches
from models.embedded.recipe.score.figures import Line

Show = Callable[[str], None]

PREFIXES_A_CLIP = 8
"""So many of a clip's prefixes are items of the growing row, roughly."""
SHOWN_EVERY_S = 10.0
COSTS = {items.SEVERAL.name: 2.5, items.GROWING.name: 5.0, QUIET: 0.2, BUSY: 0.2}
"""What an item takes, as a multiple of a single sentence; for the time left."""
IN_DOMAIN = (items.SENTENCES.name, items.PAIRS.name, items.VOICES.name)
"""Rows that tell how often the language is named right, and right captions are marked."""
NAMES = (*(row.name for row in items.TABLE), items.GROWING.name, QUIET, BUSY, FOREIGN, *speed.NAMES)


def print_scores(
    folder: Path, n: int, wanted: Sequence[str], n_processes: int, *, show: Show, show_progress: Show
) -> None:
    """Print the table for a checkpoint.

    Args:
        folder: the checkpoint.
        n: items a row and language.
        wanted: beginnings of the names of the rows wanted; none: all.
        n_processes: at once; the rows about speed come last and alone.
        show: takes each line of the table.
        show_progress: takes each line about progress.
    """
    names = [name for name in NAMES if not wanted or name.startswith(tuple(wanted))]
    show(f"{described(folder)}\n\n{figures.HEADING}")
    if items.SECOND.name in names and not all(flite.has(voice) for voice in speech.FLITE_HELD_VARIANTS):
        names.remove(items.SECOND.name)
        show(str(Line(items.SECOND.name, "", 0, "skipped: flite is not installed (libflite1)")))
    board = _Board(below_of(folder))
    tasks = [task for name in names for task in _tasks(name, n)]
    for row, language, answers in answered(folder, tasks, n_processes, show_progress):
        for line in board.take(row, language, answers):
            show(str(line))
    for line in board.rest():
        show(str(line))
    for line in speed.lines(folder, [name for name in names if name in speed.NAMES]):
        show(str(line))


def described(folder: Path) -> str:
    """Which checkpoint is scored, and where."""
    weights = hashlib.sha256((folder / export.WEIGHTS).read_bytes()).hexdigest()[:12]
    told = json.loads((folder / export.CONFIG).read_text("utf-8"))[SECTION]
    more = [f"{key} {value}" for key, value in sorted(told.items()) if key not in (*export.DESCRIPTION, POINTING)]
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"{export.WEIGHTS} {weights}{''.join(f', {each}' for each in more)}; {time.strftime('%d %B %Y')}, {machine}"


def below_of(folder: Path) -> float:
    """The confidence below which this checkpoint's captions are uncertain."""
    stored = stored_threshold(folder)
    return DEFAULT_UNCERTAIN_BELOW if stored is None else stored


def _tasks(name: str, n: int) -> Iterator[Task]:
    languages: tuple[Language, ...] = items.LANGUAGES
    if name in speed.NAMES:
        return
    if name in (QUIET, BUSY):
        languages = languages[:1]  # nobody speaks
    elif name in items.ROWS:
        languages = items.ROWS[name].languages
    for language in languages:
        count = n
        if name == items.GROWING.name:
            count = max(1, n // PREFIXES_A_CLIP)
        elif name == FOREIGN:
            count = min(n, len(sentences("score", language)))
        yield from batches(name, language, count)


def answered(
    folder: Path, tasks: Sequence[Task], n_processes: int, show_progress: Show
) -> Iterator[tuple[str, Language, list[Answer]]]:
    """The answers to each row and language, as soon as there are all of them."""
    answers: dict[tuple[str, Language], list[Answer]] = {}
    left = dict.fromkeys(((task.row, task.language) for task in tasks), 0)
    for task in tasks:
        left[task.row, task.language] += 1
    progress = _Progress(sum(_cost(task) for task in tasks), show_progress)
    job = functools.partial(answer, folder, tasks)
    for number, made in workers.each(job, range(len(tasks)), n_processes, show_progress, is_fresh=True):
        key = tasks[number].row, tasks[number].language
        answers.setdefault(key, []).extend(made)
        left[key] -= 1
        progress.add(_cost(tasks[number]), key[0])
        if not left[key]:
            yield *key, answers.pop(key)


def _cost(task: Task) -> float:
    return task.n * COSTS.get(task.row, 1.0)


@dataclass(slots=True)
class _Progress:
    """Says now and then how far it is."""

    total: float
    show: Show
    done: float = 0.0
    began_s: float = field(default_factory=time.monotonic)
    shown_s: float = field(default_factory=time.monotonic)

    def add(self, cost: float, what: str) -> None:
        self.done += cost
        now_s = time.monotonic()
        if now_s - self.shown_s >= SHOWN_EVERY_S:
            self.shown_s = now_s
            left_s = (now_s - self.began_s) * (self.total - self.done) / self.done
            self.show(f"{100 * self.done / self.total:.0f} % done, {left_s / 60:.1f} min left ({what})")


class _Board:
    """Makes lines of answers; some wait for others."""

    def __init__(self, below: float) -> None:
        self._below = below
        self._in_domain: dict[str, list[Answer]] = {}
        self._single_bleu: dict[str, float] = {}
        self._several: dict[str, list[Answer]] = {}

    def take(self, row: str, language: Language, answers: Sequence[Answer]) -> list[Line]:
        """The lines that a finished row makes at once."""
        if row in IN_DOMAIN:
            self._in_domain.setdefault(language, []).extend(answers)
        if row == items.SENTENCES.name:
            self._single_bleu[language] = figures.result(answers, language).bleu
        if row in (QUIET, BUSY):
            return [figures.sounds_line(row, answers, figures.QUIET_TEXT if row == QUIET else figures.BUSY_TEXT)]
        if row == FOREIGN:
            return [figures.foreign_line(row, language, answers, self._below)]
        if row == items.GROWING.name:
            return [figures.growing_line(row, language, answers)]
        if row == items.SEVERAL.name:
            self._several[language] = list(answers)
            return []
        return [figures.speech_line(row, language, answers)]

    def rest(self) -> Iterator[Line]:
        """The lines that need several rows."""
        for language, answers in sorted(self._several.items(), reverse=True):
            yield figures.speech_line(items.SEVERAL.name, language, answers, self._single_bleu.get(language))
        if self._in_domain:
            yield figures.language_line([answer for answers in self._in_domain.values() for answer in answers])
        for language, answers in sorted(self._in_domain.items(), reverse=True):
            yield figures.doubt_line(language, answers, self._below)
