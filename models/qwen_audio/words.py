"""Words with their times: what a model writes between time stamps, as Pieces that know where they begin and end.

In: token ids one by one, some of them stamps: each ends what stands before it, `<|sil|><|0.54|>面<|0.86|>条<|1.17|>`.
Out: Pieces of a transcript. Asking for stamps is not its business (prompts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from models.base import SAMPLE_RATE, Piece
from models.qwen_audio.pieces import is_wordlike
from models.qwen_audio.prompts import STAMP_STEP_S

STAMP_SAMPLES = round(STAMP_STEP_S * SAMPLE_RATE)
_JOINED_BY_SPACE = frozenset(".,!?;:%)\"'”’…")
"""Marks after which a word of a language with spaces gets one."""


class WordBuilder:
    """Groups ids into words with times as they come; only the last piece may still change when another id is added.

    A piece's ids include the stamp that ends it and the pause behind that, so that the ids of all pieces are the text
    as the model wrote it. Times never run backwards nor past the sound, whatever was written.
    """

    def __init__(
        self,
        bytes_of: Callable[[int], bytes],
        stamps: Mapping[int, int],
        start: int,
        n_samples: int,
        committed: Sequence[int] = (),
    ) -> None:
        """Start with no piece.

        Args:
            bytes_of: what an id spells, in UTF-8; empty for a tag.
            stamps: id of each time stamp to its number, which counts in STAMP_SAMPLES.
            start: session sample at which the sound begins.
            n_samples: of the sound; no word ends behind it.
            committed: ids of the text so far, the words of which were given out before.
        """
        self._bytes_of = bytes_of
        self._stamps = stamps
        self._start, self._end = start, start + n_samples
        self._closed: list[Piece] = []
        self._ids: tuple[int, ...] = ()
        self._spelling = b""
        self._logprob = 0.0
        self._since = start
        self._before = ""
        for token in committed:
            self.add(token, 0.0)
        self._before = self._open.text[-1:] or (self._closed[-1].text[-1:] if self._closed else "")
        self._closed.clear()
        self._clear()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces so far, the one that may still grow included."""
        return (*self._closed, self._open) if self._open.text else tuple(self._closed)

    def add(self, token: int, logprob: float) -> None:
        """Take the next id."""
        at = self._stamps.get(token)
        self._ids += (token,)
        self._logprob = min(self._logprob, logprob)
        self._spelling += self._bytes_of(token)
        piece = self._open
        if at is None:
            if not self._spelling and self._closed:
                self._extend()  # a pause
            return
        end = max(self._since, min(self._start + at * STAMP_SAMPLES, self._end))
        if piece.text:
            self._closed.append(replace(piece, end=end))
            self._clear()
        elif self._closed:
            self._extend()
        self._since = end

    @property
    def _open(self) -> Piece:
        text = self._spelling.decode("utf-8", errors="ignore").strip()
        before = self._closed[-1].text[-1:] if self._closed else self._before
        needs_space = bool(text) and is_wordlike(text[0]) and (is_wordlike(before) or before in _JOINED_BY_SPACE)
        return Piece(self._ids, " " + text if before and needs_space else text, self._logprob, at=self._since)

    def _extend(self) -> None:
        """Give what was written without text to the piece before it."""
        last = self._closed[-1]
        self._closed[-1] = replace(last, ids=last.ids + self._ids)
        self._clear()

    def _clear(self) -> None:
        self._ids, self._spelling, self._logprob = (), b"", 0.0
