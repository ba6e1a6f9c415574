"""How much of a caption is shown: one pure function for overlay, terminal and scorers alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from live.events import Caption, Line, Mode
from live.policy.text import units
from models.base import UNSPACED

HIDDEN_UNITS: Mapping[str, int] = dict.fromkeys(UNSPACED, 4)
"""Units at the tentative end that Balanced hides, of languages whose units are characters."""
HIDDEN_WORDS = 3
"""The same for every other language. Both are the fewest with a displayed erasure of at most 0.05 on the talks of
`tongchuan evaluate simul` and on as many of other seeds."""


def shown(caption: Caption, mode: Mode) -> Caption:
    """The caption with only as much of its tentative text as a display mode shows."""
    match mode:
        case "follow":
            return caption
        case "balanced":
            return replace(
                caption,
                translation=hide_last(caption.translation, hidden_units(caption.target)),
                transcript=hide_last(caption.transcript, hidden_units(caption.source)),
            )
        case "reading":
            return replace(
                caption,
                translation=replace(caption.translation, tentative=""),
                transcript=replace(caption.transcript, tentative=""),
            )
    assert_never(mode)


def hidden_units(language: str) -> int:
    """How many units at the tentative end Balanced hides of a language."""
    return HIDDEN_UNITS.get(language, HIDDEN_WORDS)


def hide_last(line: Line, n: int) -> Line:
    """A line without the last units of its tentative text."""
    kept = units(line.tentative)
    return replace(line, tentative="".join(kept[: max(0, len(kept) - n)]))
