"""Texts of a clip with the times at which each of their words was spoken.

In: a Clip of the synthesiser, which knows its words' times. Out: its reference texts, and for each piece of them the
stretch of sound that says it. A translation's words are known by the slots of its pattern: what fills one in one
language says what fills it in the other. All other words of it have no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from models.base import Piece, Task
from models.embedded.recipe.grammar import PATTERNS, Language, Sentence
from models.embedded.recipe.grammar_types import Pattern, SlotRef
from models.embedded.recipe.segments import JOINT, OTHER, Clip, Spoken
from models.embedded.recipe.slots import SLOTS

Span = tuple[float, float]
"""Begin and end in seconds from the clip's start."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A token of a text: its characters, and when it was spoken."""

    start: int
    stop: int
    span: Span | None


def reference(clip: Clip, task: Task) -> tuple[str, tuple[Unit, ...]]:
    """What should be written for a clip, and its units in order."""
    written: Language = _language(clip) if task == "transcribe" else _language_of(OTHER[clip.language])
    text, units = "", []
    for spoken in clip.spoken:
        text += JOINT[written] if text else ""
        side = spoken.sentence.side(written)
        for i, (token, span) in enumerate(zip(side.tokens, _spans(spoken, _language(clip), written), strict=True)):
            text += JOINT[written] if i else ""
            units.append(Unit(len(text), len(text) + len(token.written), span))
            text += token.written
    return text, tuple(units)


def spans_of(pieces: Sequence[Piece], units: Sequence[Unit]) -> list[Span | None]:
    """When each piece of a reference was spoken; None for marks and words without a time."""
    spans: list[Span | None] = []
    position = 0
    for piece in pieces:
        first = position + len(piece.text) - len(piece.text.lstrip())
        position += len(piece.text)
        unit = next((unit for unit in units if unit.start <= first < unit.stop), None)
        is_word = any(char.isalnum() for char in piece.text)
        spans.append(unit.span if unit is not None and is_word else None)
    return spans


def _spans(spoken: Spoken, source: Language, written: Language) -> list[Span | None]:
    """When each token of a sentence's side was spoken."""
    ends = (*spoken.token_starts_s[1:], spoken.end_s)
    own = list(zip(spoken.token_starts_s, ends, strict=True))
    if written == source:
        return list(own)
    heard, wanted = _slots(spoken.sentence, source), _slots(spoken.sentence, written)
    spans: list[Span | None] = [None] * len(spoken.sentence.side(written).tokens)
    for name, places in wanted.items():
        span = (own[heard[name].start][0], own[heard[name].stop - 1][1])
        spans[places.start : places.stop] = [span] * len(places)
    return spans


def _slots(sentence: Sentence, language: Language) -> dict[str, range]:
    """Which tokens of a side each slot fills."""
    return dict(_filled(sentence, language))


def _filled(sentence: Sentence, language: Language) -> Iterator[tuple[str, range]]:
    keys, place = dict(sentence.fillers), 0
    for item in _patterns()[sentence.pattern].template(language):
        if not isinstance(item, SlotRef):
            place += 1
            continue
        filler = next(filler for filler in SLOTS[item.kind] if filler.key == keys[item.name])
        n_tokens = len(filler.tokens(language))
        yield item.name, range(place, place + n_tokens)
        place += n_tokens


@cache
def _patterns() -> dict[str, Pattern]:
    return {pattern.name: pattern for pattern in PATTERNS}


def _language(clip: Clip) -> Language:
    return _language_of(clip.language)


def _language_of(code: str) -> Language:
    return "zh" if code == "zh" else "en"
