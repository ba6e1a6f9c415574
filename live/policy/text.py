"""Pieces of a model as text on a screen.

In: pieces and texts. Out: words of a caption, readable text, and the units that are hidden at once. When a text is
settled is not its business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from live.events import Word
from models.base import Piece

CLOSING = (".", "!", "?", "…", "。", "！", "？", "．")
"""Marks that close a sentence."""
_QUOTES = "\"'”’»」』）)]"
_HAN = "\u2e80-\u2fff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WIDE_MARKS = "\u3000-\u303f\uff00-\uffef\u2026"
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]) | dict.fromkeys(map(ord, "\t\n\r"), " ")
"""What a byte-level model may spell and no screen should obey: escape sequences, line breaks inside a caption."""
_UNIT = re.compile(rf"\s*(?:[{_HAN}]|[^\s{_HAN}{_WIDE_MARKS}]+)[{_WIDE_MARKS}]*|\s*[{_WIDE_MARKS}]+|\s+")


def closes(text: str) -> bool:
    """Whether a text ends in a mark that closes a sentence, quotation marks behind it included."""
    return text.rstrip().rstrip(_QUOTES).endswith(CLOSING)


def joins(text: str, following: str) -> bool:
    """Whether what follows is written to a word in letters or a number, as its mark is: "84%" and "."."""
    is_open = re.search(rf"[^\s{_HAN}{_WIDE_MARKS}]$", text) and not closes(text)
    return bool(is_open and re.match(rf"[^\s{_HAN}]", following))


def unclosed(text: str) -> str:
    """A text without the marks that close a sentence at its end."""
    bare = text.rstrip().rstrip(_QUOTES)
    return bare.rstrip("".join(CLOSING)) if bare.endswith(CLOSING) else text


def words(pieces: Sequence[Piece]) -> tuple[Word, ...]:
    """Pieces of a model as words of a caption."""
    return tuple(Word(readable(piece.text), start=piece.at) for piece in pieces)


def readable(text: str) -> str:
    """A model's text on one line, without what a screen would obey."""
    return text.translate(_CONTROLS)


def units(text: str) -> list[str]:
    """Split a text into what is hidden at once: a hanzi, a word or number, each with the marks after it.

    Returns:
        Parts that join to the text.
    """
    return _UNIT.findall(text)
