"""Text to ids and back, for Qwen-Audio v1's vocabulary and for the embedded model's.

In: a checkpoint's folder. Out: a Tokenizer. Which tags make which prompt is not its business (prompts.py).
Source: QwenLM/Qwen-Audio tokenization_qwen.py.
"""

from __future__ import annotations

import base64
import binascii
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import tiktoken

from models.base import ModelLoadError, Piece
from models.qwen_audio.layouts import Mode
from models.qwen_audio.pieces import PieceBuilder

END = "<|endoftext|>"
"""Ends a text, and pads."""
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where text is cut before merging; digits stand singly."""

IM_END = "<|im_end|>"
"""Ends a turn of a conversation (ChatML)."""

_V1_RANKS = "qwen.tiktoken"
_RANKS = "tokenizer.tiktoken"
_TAGS = "tokenizer_config.json"


class AudioTags(NamedTuple):
    """The tags around a clip in a prompt, and the one that stands for each of its audio tokens."""

    start: str
    pad: str
    end: str


_SPANS = (
    AudioTags("<audio>", "[[[AUDIO:modality]]]", "</audio>"),
    AudioTags("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"),
)
"""Those of Qwen-Audio v1 and of the embedded model, and those of Qwen2-Audio."""


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
        """Read the vocabulary of a checkpoint, whichever of the two kinds it carries.

        Raises:
            ModelLoadError: it carries neither, or a broken one.
        """
        if (folder / _RANKS).is_file():
            return cls(read_ranks(folder / _RANKS), _read_tags(folder / _TAGS))
        return cls.v1(folder / _V1_RANKS)

    @classmethod
    def v1(cls, ranks: Path) -> Tokenizer:
        """The published vocabulary (qwen.tiktoken) with the tags that the original computes in code.

        Raises:
            ModelLoadError: the file is missing or broken.
        """
        read = read_ranks(ranks)
        return cls(read, {tag: len(read) + i for i, tag in enumerate(v1_tags())})

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


def read_ranks(path: Path) -> dict[bytes, int]:
    """Read a .tiktoken file: a line for each id, its bytes in base64 and its rank.

    Raises:
        ModelLoadError: the file is missing or broken.
    """
    try:
        lines = [line.split() for line in path.read_bytes().splitlines() if line]
        ranks = {base64.b64decode(spelling, validate=True): int(rank) for spelling, rank in lines}
    except OSError as e:
        raise ModelLoadError(f"{path} cannot be read ({e.strerror}); the checkpoint needs its vocabulary.") from e
    except (ValueError, binascii.Error) as e:
        raise ModelLoadError(f"{path} is not a tiktoken vocabulary; fetch the checkpoint again.") from e
    if sorted(ranks.values()) != list(range(len(ranks))) or len(ranks) != len(lines):
        raise ModelLoadError(f"{path} has gaps or doubles among its ranks; fetch the checkpoint again.")
    return ranks


def _read_tags(path: Path) -> dict[str, int]:
    try:
        tags = json.loads(path.read_text(encoding="utf-8"))["special_tokens"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ModelLoadError(
            f"{path} does not say which ids its special_tokens have; fetch the checkpoint again."
        ) from e
    if not isinstance(tags, dict) or not all(isinstance(i, int) for i in tags.values()) or END not in tags:
        raise ModelLoadError(f"The special_tokens of {path} are not a table of ids with {END}; fetch it again.")
    return tags


def v1_tags() -> list[str]:
    """The tags of Qwen-Audio v1, in the order of their ids: those of Qwen, then 3,314 for audio."""
    return [
        END,
        "<|im_start|>",
        "<|im_end|>",
        *(f"<|extra_{i}|>" for i in range(205)),
        "[[[AUDIO:modality]]]",
        *_bracketed("startoftranscript startofanalysis translate transcribe caption keyword unknown"),
        *_bracketed("en zh de es ko fr ja it zh_tr notimestamps sil timestamps"),
        *(f"<|{i / 100:.2f}|>" for i in range(3001)),
        *_bracketed("caption_audiocaps caption_clotho audioset_ontology caption_plain itn wo_itn"),
        *_bracketed("startofentityvalue endofentityvalue startofentitytype endofentitytype named_entity_recognition"),
        *_bracketed("audio_grounding startofword endofword delim emotion_recognition music_description note_analysis"),
        "<|pitch|>",
        *(f"<|midi_pitch_{i}|>" for i in range(128)),
        "<|velocity|>",
        *(f"<|midi_velocity_{i}|>" for i in range(128)),
        *_bracketed("sonic instrument speaker_meta song_meta question answer choice scene event vocal_classification"),
        *_bracketed("speech_understanding scenario action entities speech_edit"),
        "<audio>",
        "</audio>",
    ]


def _bracketed(names: str) -> list[str]:
    return [f"<|{name}|>" for name in names.split()]
