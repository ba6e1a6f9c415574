"""Where the embedded model's uncertainty begins: read from captions of its domain, written into its config.

In: a checkpoint folder. Out: "uncertain_below" in its config.json, and lines that tell what it marks. Items, voices and
seeds are the calibration's own: no score uses them. How a threshold is chosen is models.confidence's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from models.calibration import KEY, write_into_config
from models.confidence import find_threshold
from models.embedded.recipe.foreign import sentences
from models.embedded.recipe.grammar import Language
from models.embedded.recipe.score import figures, items
from models.embedded.recipe.score.answers import FOREIGN_CALIBRATION, Answer, batches
from models.embedded.recipe.score.table import answered

Show = Callable[[str], None]

_DIGITS = 4
"""Of the threshold, after the point."""


def calibrate(folder: Path, n: int, n_processes: int, *, show: Show, show_progress: Show) -> None:
    """Calibrate a checkpoint.

    Args:
        folder: the checkpoint; its config is written anew.
        n: sentences, and as many pattern-and-filler pairs, a language.
        n_processes: at once.
        show: takes each line about what came of it.
        show_progress: takes each line about progress.
    """
    rows = (items.CALIBRATION.name, items.CALIBRATION_PAIRS.name)
    tasks = [task for row in rows for language in items.LANGUAGES for task in batches(row, language, n)]
    for language in items.LANGUAGES:
        tasks += batches(FOREIGN_CALIBRATION, language, len(sentences("calibration", language)))
    known: dict[Language, list[Answer]] = {language: [] for language in items.LANGUAGES}
    foreign: dict[Language, list[Answer]] = {}
    for row, language, answers in answered(folder, tasks, n_processes, show_progress):
        if row == FOREIGN_CALIBRATION:
            foreign[language] = answers
        else:
            known[language] += answers
    below = threshold_of(known)
    write_into_config(folder, KEY, below)
    show(f"uncertain below {below}, written to {folder}\n\n{figures.HEADING}")
    for language, answers in known.items():
        show(str(figures.doubt_line(language, answers, below)))
    for language, answers in foreign.items():
        show(str(figures.foreign_line(FOREIGN_CALIBRATION, language, answers, below)))


def threshold_of(known: Mapping[Language, Sequence[Answer]]) -> float:
    """The one threshold that keeps its promise to the right captions of each language.

    Args:
        known: answers to items of the domain, by the language spoken.

    Raises:
        ValueError: nothing is right in a language.
    """
    right = ([answer.confidence for answer in answers if answer.is_right] for answers in known.values())
    return round(min(find_threshold(confidences) for confidences in right), _DIGITS)
