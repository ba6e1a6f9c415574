"""Sentences that the grammar cannot make: what the embedded model must say that it does not know.

In: what they are for and a language. Out: the sentences of foreign_*.txt, each with its kind, everyday to near the
domain. Those for scores and those for calibration have none in common, and neither is ever trained on. Voices are not
this module's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from models.embedded.recipe.grammar_types import Language, Sentence, Side, en_tokens, zh_tokens

Purpose = Literal["score", "calibration"]
KINDS = ("everyday", "news", "technical", "literary", "near")
CALIBRATION_VARIANTS = ("Mr serious", "Nguyen", "RicishayMax2", "Storm", "announcer", "grandma", "marcelo")
"""espeak's voices of the calibration: neither training nor the scores use them."""

_HEADING = "# "
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Foreign:
    """A sentence of no pattern."""

    kind: str
    """One of KINDS."""
    sentence: Sentence
    """Without a translation."""


@cache
def sentences(purpose: Purpose, language: Language) -> tuple[Foreign, ...]:
    """All sentences of a purpose in a language, in the order of their file."""
    found: list[Foreign] = []
    kind = ""
    for line in (_FOLDER / f"foreign_{purpose}_{language}.txt").read_text("utf-8").splitlines():
        if line.startswith(_HEADING):
            kind = line.removeprefix(_HEADING)
        elif line:
            found.append(Foreign(kind, _untranslated(line, language)))
    return tuple(found)


def _untranslated(text: str, language: Language) -> Sentence:
    side = Side(en_tokens(text) if language == "en" else zh_tokens(text), language)
    nothing: tuple[Side, Side] = (Side((), "en"), Side((), "zh"))
    en, zh = (side, nothing[1]) if language == "en" else (nothing[0], side)
    return Sentence("", (), en, zh)
