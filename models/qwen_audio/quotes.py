"""What was said, out of an answer that wraps it: `The person says in Chinese: "你好"`.

In: token ids of a chat model's answer one by one. Out: Pieces of the text inside the quotes; those of the answer itself
where it is not wrapped. Asking is not its business.

Only openings that speak of the sound or of the translation itself are taken for a wrapper: 'He says: "Yes"' may well be
what is to be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from models.base import LANGUAGES, Piece
from models.qwen_audio.tokenizer import Tokenizer

_NAMES = "|".join([*(english for english, _ in LANGUAGES.values()), "Mandarin"])
_ABOUT = rf"translat\w*|transcri\w*|speech|audio|recording|sound|content|original|in (?:an? )?(?:\w+ )?(?:{_NAMES})"
_MARKS = {'"': '"', "“": "”", "‘": "’", "'": "'", "「": "」", "『": "』"}
_WRAPPER = re.compile(
    rf"\s*(?:sure\W{{1,3}})?(?:the|this|it|in|here|a|he|she|they|translat\w*|transcri\w*)\b"
    rf"(?=[^\"“‘「『]*\b(?:{_ABOUT})\b)"  # what follows has to be about the sound, before any quotes begin
    rf"[^\"“‘「『\n]{{0,160}}?"
    rf"(?:(?:[:,]|\b(?:is|are|as|says|said|saying|reads|means))\s*(?P<mark>[\"“‘'「『])|:\s+(?=[^\s\"“‘'「『]))",
    re.IGNORECASE,
)
"""An answer's opening, with the mark that begins the quotes, or with a colon and none."""


class QuoteBuilder:
    """Groups ids into the pieces inside the quotes; only the last may still change when another id is added.

    The ids of what is not shown stay with the piece beside it, so that the ids of all pieces are the answer as the
    model wrote it, and can be forced or verified.
    """

    def __init__(self, tokenizer: Tokenizer, committed: Sequence[int] = ()) -> None:
        """Start with no piece.

        Args:
            tokenizer: the checkpoint's.
            committed: ids of the answer so far, the pieces of which were given out before.
        """
        self._inner = tokenizer.builder()
        self._committed = tokenizer.decode(committed)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces to show so far."""
        pieces = self._inner.pieces
        text = "".join(piece.text for piece in pieces)
        wrapper = _WRAPPER.match(self._committed or text)
        if wrapper is None:
            return pieces
        start = 0 if self._committed else wrapper.end()
        end = _end(text, _MARKS.get(wrapper["mark"] or "", ""))
        return _cut(pieces, start, max(start, end))

    def add(self, token: int, logprob: float) -> None:
        """Take the next id."""
        self._inner.add(token, logprob)


def _end(text: str, mark: str) -> int:
    """Where the quotes end: at their mark, if nothing but a full stop follows it."""
    rest = text.rstrip().removesuffix(".").removesuffix("。").rstrip()
    return len(rest) - 1 if mark and rest.endswith(mark) else len(text)


def _cut(pieces: Sequence[Piece], start: int, end: int) -> tuple[Piece, ...]:
    """The pieces of the characters from `start` to `end`; ids without any go to the next piece, or to the last."""
    kept: list[Piece] = []
    ids: tuple[int, ...] = ()
    at = 0
    for piece in pieces:
        text = piece.text[max(0, start - at) : max(0, end - at)]
        at += len(piece.text)
        ids += piece.ids
        text = text if kept or not start else text.lstrip()
        if text:
            kept.append(replace(piece, ids=ids, text=text))
            ids = ()
    if kept and ids:
        kept[-1] = replace(kept[-1], ids=kept[-1].ids + ids)
    return tuple(kept)
