"""What answers are worth: BLEU, shares, and whether a target is met.

In: answers of one row and language. Out: Lines of the table. How answers come about is not this module's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sacrebleu import corpus_bleu

from models.confidence import share_marked
from models.embedded.recipe.foreign import KINDS
from models.embedded.recipe.score import items
from models.embedded.recipe.score.answers import Answer
from models.embedded.recipe.segments import OTHER

TOKENIZE = {"en": "13a", "zh": "zh"}
"""sacrebleu's tokenizer by target language."""

BLEU, EXACT, ROUGH_BLEU, SECOND_EXACT = 92.0, 88.0, 82.0, 70.0
SEVERAL_SHARE = 95.0
"""Percent of the BLEU of single sentences."""
LANGUAGE_RIGHT, PREFIXES = 98.0, 90.0
QUIET_TEXT, BUSY_TEXT = 0.0, 1.0
RIGHT_MARKED, FOREIGN_MARKED = 3.0, 80.0

LEAST: Mapping[str, Mapping[str, float]] = {
    **{row.name: {"BLEU": BLEU, "exact": EXACT} for row in (items.SENTENCES, items.PAIRS, items.VOICES)},
    items.SECOND.name: {"exact": SECOND_EXACT},
    **{row.name: {"BLEU": ROUGH_BLEU} for row in (items.NOISE, items.TELEPHONE, items.ROOM)},
}
"""The least of each figure that is asked for, by row."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    what: str
    direction: str
    n: int
    figures: str
    target: str = ""
    is_met: bool | None = None
    """None: nothing is asked for, or it cannot be told."""

    def __str__(self) -> str:
        verdict = {True: "met", False: "**missed**", None: ""}[self.is_met]
        return f"| {self.what} | {self.direction} | {self.n} | {self.figures} | {self.target} | {verdict} |"


HEADING = "| what | direction | n | figures | target | |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Result:
    """A row's figures in one language, in percent; BLEU 0 to 100."""

    n: int
    bleu: float
    exact: float
    transcript_exact: float
    language: float


def result(answers: Sequence[Answer], language: str) -> Result:
    """Compare translations. A language named wrong counts as a wrong text.

    Args:
        answers: at least one.
        language: spoken.
    """
    wanted = [answer.wanted_translation for answer in answers]
    got = [answer.translation for answer in answers]
    return Result(
        len(answers),
        float(corpus_bleu(got, [wanted], tokenize=TOKENIZE[OTHER[language]]).score),
        share(answer.translation == answer.wanted_translation for answer in answers),
        share(answer.transcript == answer.wanted_transcript for answer in answers),
        share(answer.is_language_right for answer in answers),
    )


def share(flags: Iterable[bool]) -> float:
    """Percent of true ones, of at least one."""
    values = list(flags)
    return 100.0 * sum(values) / len(values)


def direction(language: str) -> str:
    """E.g. "zh-en"."""
    return f"{language}-{OTHER[language]}"


def speech_line(row: str, language: str, answers: Sequence[Answer], single_bleu: float | None = None) -> Line:
    """A row of translated items.

    Args:
        row: its name.
        language: spoken.
        answers: to all its items.
        single_bleu: of the held-out sentences of this direction, where they were scored: several are measured by it.
    """
    got = result(answers, language)
    figures = (
        f"BLEU {got.bleu:.1f}, exact {got.exact:.1f} %, transcript exact {got.transcript_exact:.1f} %, "
        f"language right {got.language:.1f} %"
    )
    what, n = direction(language), got.n
    if row == items.SEVERAL.name:
        least = f"BLEU >= {SEVERAL_SHARE:.0f} % of single sentences'"
        if single_bleu is None:
            return Line(row, what, n, figures, least)
        of_single = 100 * got.bleu / single_bleu if single_bleu else 100.0
        return Line(
            row, what, n, f"{figures}; {of_single:.1f} % of {single_bleu:.1f}", least, of_single >= SEVERAL_SHARE
        )
    asked = LEAST.get(row, {})
    target = ", ".join(f"{name} >= {least:.0f}{' %' if name == 'exact' else ''}" for name, least in asked.items())
    reached = {"BLEU": got.bleu, "exact": got.exact}
    return Line(
        row, what, n, figures, target, all(reached[name] >= least for name, least in asked.items()) if asked else None
    )


def sounds_line(row: str, answers: Sequence[Answer], most: float) -> Line:
    """A row of clips without speech: `most` percent of them may have text."""
    written = share(answer.has_text for answer in answers)
    target = f"<= {most:.0f} %" if most else "none"
    return Line(row, "", len(answers), f"text on {written:.1f} % of clips", target, written <= most)


def growing_line(row: str, language: str, answers: Sequence[Answer]) -> Line:
    """The row of growing clips; its items are prefixes."""
    flags = [flag for answer in answers for flag in answer.prefixes]
    kept = share(flags)
    figures = f"{kept:.1f} % of translations begin the final one"
    return Line(row, direction(language), len(flags), figures, f">= {PREFIXES:.0f} %", kept >= PREFIXES)


def language_line(answers: Sequence[Answer]) -> Line:
    """The language named, over all items given."""
    right = share(answer.is_language_right for answer in answers)
    target = f">= {LANGUAGE_RIGHT:.0f} %"
    return Line("language named right", "", len(answers), f"{right:.1f} %", target, right >= LANGUAGE_RIGHT)


def doubt_line(language: str, answers: Sequence[Answer], below: float) -> Line:
    """Marks on captions in the domain; right is what is right in both lines."""
    right = [answer.confidence for answer in answers if answer.is_right]
    wrong = [answer.confidence for answer in answers if answer.has_text and not answer.is_right]
    marked = share_marked(right, below)
    figures = f"{marked:.1f} % marked; of {len(wrong)} wrong ones {share_marked(wrong, below):.0f} %"
    target = f"<= {RIGHT_MARKED:.0f} %"
    return Line(
        "right captions marked uncertain", direction(language), len(right), figures, target, marked <= RIGHT_MARKED
    )


def foreign_line(row: str, language: str, answers: Sequence[Answer], below: float) -> Line:
    """Marks on sentences out of the domain. One for which nothing is written misleads nobody, and counts as marked."""
    marked = share(_is_held_back(answer, below) for answer in answers)
    kinds = (
        f"{kind} {share(_is_held_back(answer, below) for answer in of_kind):.0f}"
        for kind in KINDS
        if (of_kind := [answer for answer in answers if answer.kind == kind])
    )
    silent = sum(not answer.has_text for answer in answers)
    figures = f"{marked:.1f} % marked ({', '.join(kinds)}; {silent} without text)"
    return Line(row, direction(language), len(answers), figures, f">= {FOREIGN_MARKED:.0f} %", marked >= FOREIGN_MARKED)


def _is_held_back(answer: Answer, below: float) -> bool:
    return not answer.has_text or answer.confidence < below
