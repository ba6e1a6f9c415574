"""Text to ids and back, for the vocabularies of Qwen-Audio v1, of Qwen2-Audio and of the embedded model.

In: a checkpoint's vocabulary, as vocabulary.py reads it. Out: a Tokenizer. Which tags make which prompt is not its
business (prompts.py).
Source: QwenLM/Qwen-Audio tokenization_qwen.py; transformers' tokenization_qwen2.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import tiktoken

from models.base import Mode, ModelLoadError, Piece
from models.qwen_audio.pieces import PieceBuilder
from models.qwen_audio.vocabulary import END, IM_END, read_vocabulary

SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where text is cut before merging; digits stand singly."""


class AudioTags(NamedTuple):
    """The tags around a clip in a prompt, and the one that stands for each of its audio tokens."""

    start: str
    pad: str
    end: str


_SPANS = (
    AudioTags("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"),
    AudioTags("<audio>", "[[[AUDIO:modality]]]", "</audio>"),
)
"""Those of Qwen2-Audio, and those of Qwen-Audio v1 and of the embedded model."""


class Tokenizer:
    """Byte-level BPE with tags; ids of text come first, ids of tags after them."""

    def __init__(self, ranks: Mapping[bytes, int], tags: Mapping[str, int]) -> None:
        """Build from what the checkpoint's files hold.

        Args:
            ranks: what each id of text spells, in the order of merging.
            tags: what stands for itself, never made by encoding text.
        """
        self._tags = dict(tags)
        self._encoding = tiktoken.Encoding(
            "qwen-audio", pat_str=SPLIT_PATTERN, mergeable_ranks=dict(ranks), special_tokens=self._tags
        )
        self._spelling = {rank: piece for piece, rank in ranks.items()}
        self.n_text = len(ranks)
        """Ids below this spell text."""

    @classmethod
    def from_folder(cls, folder: Path) -> Tokenizer:
        """Read the vocabulary of a checkpoint, whichever kind it carries.

        Raises:
            ModelLoadError: it carries none, or a broken one.
        """
        return cls(*read_vocabulary(folder))

    @property
    def n_vocab(self) -> int:
        """One more than the highest id; rows of the embedding past it are unused."""
        return max(self._tags.values()) + 1

    @property
    def end(self) -> int:
        """Id of END."""
        return self._tags[END]

    def ends(self, mode: Mode) -> frozenset[int]:
        """Ids that end a text: END, and in a conversation also the end of a turn."""
        names = (END, IM_END) if mode == "chatml" else (END,)
        return frozenset(self._tags[name] for name in names if name in self._tags)

    @property
    def audio(self) -> AudioTags:
        """Names of the tags that this vocabulary has for sound.

        Raises:
            ModelLoadError: it has none.
        """
        for span in _SPANS:
            if all(tag in self._tags for tag in span):
                return span
        raise ModelLoadError("The vocabulary has no tags for sound; it is not of a Qwen-Audio checkpoint.")

    @property
    def tags(self) -> Mapping[str, int]:
        """Id of each tag."""
        return self._tags

    def encode(self, text: str) -> list[int]:
        """Ids of a text; what looks like a tag in it is spelt out, never taken for one."""
        ids: list[int] = self._encoding.encode_ordinary(unicodedata.normalize("NFC", text))
        return ids

    def encode_tagged(self, prompt: str) -> list[int]:
        """Ids of a prompt written by the program, in which tags are tags."""
        ids: list[int] = self._encoding.encode(unicodedata.normalize("NFC", prompt), allowed_special="all")
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The whole characters that ids spell; tags are dropped, and so is a character's half at the end."""
        return b"".join(map(self.spelling, ids)).decode("utf-8", errors="ignore")

    def spelling(self, token: int) -> bytes:
        """What an id spells in UTF-8, perhaps a part of a character; nothing for a tag or an unused row."""
        return self._spelling.get(token, b"")

    def builder(self) -> PieceBuilder:
        """Groups ids into pieces one by one."""
        return PieceBuilder(self.spelling)

    def pieces(self, ids: Sequence[int], logprobs: Sequence[float]) -> tuple[Piece, ...]:
        """The pieces of a text: pieces.py says what a piece is.

        The pieces of the first ids of a text are its first pieces, but for the last, which may grow. Ids at the end
        that hold half a character are left out.
        """
        builder = self.builder()
        for token, logprob in zip(ids, logprobs, strict=True):
            builder.add(token, logprob)
        return builder.pieces
