"""Token ids to pieces: the smallest runs of ids that a reader takes in whole.

In: ids one by one, with the bytes that each stands for and its log-probability. Out: Pieces whose texts join by
concatenation. The vocabulary is not its business.

A piece is a word with the space before it, one hanzi or kana, a number with its separators and its %, 万 or 亿, a Latin
run ("Wi-Fi", "GPT4"), or one mark of punctuation. Punctuation stands alone, so that a word stays the same piece
whether or not a comma follows; but a separator right after a digit stays with it, for the number may go on ("3" ":"
"30"). Where one id spells several of these ("你好"), its piece does too. The script decides, not the language named:
English words in Chinese text are whole, and so is a translation that came out in the wrong language.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable

from models.base import Piece

_HYPHENS = "-‐‑"
_APOSTROPHES = "'’"
_SEPARATORS = ".,:/"
_MAGNITUDES = "万亿萬億"
_UNITS = "%‰°"
_UNSPACED = (
    (0x2E80, 0x30FF),  # radicals, 々 and 〇, kana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Code points of scripts written without spaces, where each character is a piece."""


class PieceBuilder:
    """Groups ids into pieces as they come; only the last piece may still change when another id is added.

    Ids that end inside a character are held back until it is whole.
    """

    def __init__(self, bytes_of: Callable[[int], bytes]) -> None:
        """Start with no piece.

        Args:
            bytes_of: what an id spells, in UTF-8; empty for a tag.
        """
        self._bytes_of = bytes_of
        # Bytes that can never become a character are left out: a half character is not shown, nor a mark in its place.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._closed: list[Piece] = []
        self._open: Piece | None = None
        self._held = Piece((), "", 0.0)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces so far, the one that may still grow included."""
        return (*self._closed, self._open) if self._open else tuple(self._closed)

    def add(self, token: int, logprob: float) -> None:
        """Take the next id."""
        text = self._decoder.decode(self._bytes_of(token))
        unit = _joined(self._held, Piece((token,), text, logprob))
        if self._decoder.getstate()[0]:
            self._held = unit
            return
        self._held = Piece((), "", 0.0)
        if self._open is None:
            self._open = unit
        elif _continues(self._open.text, unit.text):
            self._open = _joined(self._open, unit)
        else:
            self._closed.append(self._open)
            self._open = unit


def _joined(left: Piece, right: Piece) -> Piece:
    return Piece(left.ids + right.ids, left.text + right.text, min(left.logprob, right.logprob))


def _continues(piece: str, text: str) -> bool:
    """Whether `text` belongs to the piece before it. Looks at nothing that comes later, so pieces never change back."""
    if not piece.strip() or not text:
        return True
    last, first = piece[-1], text[0]
    if first.isspace():
        return False
    if unicodedata.category(first).startswith("M"):
        return True
    if is_wordlike(first):
        return is_wordlike(last) or last in _HYPHENS or last in _APOSTROPHES or _expects_digits(piece, first)
    return _follows_word(piece, last, first)


def _follows_word(piece: str, last: str, mark: str) -> bool:
    if mark in _HYPHENS:
        return is_wordlike(last)
    if mark in _APOSTROPHES:
        return last.isalpha() and is_wordlike(last)
    if mark in _MAGNITUDES:
        return last.isdecimal() or (last in _MAGNITUDES and any(c.isdecimal() for c in piece))
    return last.isdecimal() and (mark in _SEPARATORS or mark in _UNITS)


def _expects_digits(piece: str, first: str) -> bool:
    """Whether `first` is a digit after the separator, the sign or the currency of a number."""
    if not first.isdecimal():
        return False
    if piece[-1] in _SEPARATORS:
        return len(piece) > 1 and piece[-2].isdecimal()
    return piece[-1] in "+−" or unicodedata.category(piece[-1]) == "Sc"


def is_wordlike(char: str) -> bool:
    """Letters and digits of scripts that put spaces between words."""
    return char.isalnum() and not any(low <= ord(char) <= high for low, high in _UNSPACED)
