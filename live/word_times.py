"""When each word of a transcript was said.

In: the words of a transcript as people read it, and the pieces of another one of the same sound in which each piece has
a time. Out: the same words, with times. The two may be written differently (marks, capitals, "15%" for "fifteen
percent"): the text read is never changed for the sake of its times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from live.events import Word
from models.base import Piece


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter or digit with its time."""

    text: str
    start: float
    end: float


def timed(words: Sequence[Word], heard: Sequence[Piece]) -> tuple[Word, ...]:
    """Give words the times of the pieces that say the same.

    Letters are compared, without case; where texts differ, the time of what was heard there is shared out by length.

    Args:
        words: the transcript.
        heard: pieces of the same sound with `at` and `end`; those without are passed over.

    Returns:
        The words; those of letters or digits with times that never go back, the others (marks) as they came. All as
        they came where nothing was heard.
    """
    sounds = [letter for piece in heard for letter in _letters(piece)]
    if not sounds:
        return tuple(words)
    owners = [index for index, word in enumerate(words) for _ in _plain(word.text)]
    text = "".join(_plain(word.text) for word in words)
    spans = _spans(text, sounds)
    found: dict[int, tuple[float, float]] = {}
    for owner, (start, end) in zip(owners, spans, strict=True):
        first, _ = found.get(owner, (start, end))
        found[owner] = (first, end)
    return tuple(
        replace(word, start=round(found[index][0]), end=round(found[index][1])) if index in found else word
        for index, word in enumerate(words)
    )


def _spans(text: str, sounds: Sequence[_Letter]) -> list[tuple[float, float]]:
    """When each letter of a text is heard."""
    spans: list[tuple[float, float]] = []
    matcher = SequenceMatcher(None, text, "".join(letter.text for letter in sounds), autojunk=False)
    for tag, first, last, heard_first, heard_last in matcher.get_opcodes():
        if tag == "equal":
            spans += [(letter.start, letter.end) for letter in sounds[heard_first:heard_last]]
        elif last > first:
            start = sounds[heard_first].start if heard_last > heard_first else _end_before(sounds, heard_first)
            end = sounds[heard_last - 1].end if heard_last > heard_first else start
            step = (end - start) / (last - first)
            spans += [(start + i * step, start + (i + 1) * step) for i in range(last - first)]
    return spans


def _end_before(sounds: Sequence[_Letter], index: int) -> float:
    return sounds[index - 1].end if index else sounds[0].start


def _letters(piece: Piece) -> list[_Letter]:
    """A piece's letters, its time shared out evenly."""
    text = _plain(piece.text)
    if piece.at is None or piece.end is None or not text:
        return []
    step = (piece.end - piece.at) / len(text)
    return [_Letter(letter, piece.at + i * step, piece.at + (i + 1) * step) for i, letter in enumerate(text)]


def _plain(text: str) -> str:
    """What is compared of a text."""
    return "".join(character for character in text.casefold() if character.isalnum())
