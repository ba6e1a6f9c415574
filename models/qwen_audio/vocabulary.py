"""The vocabulary files of a checkpoint: what each id of text spells, and which ids are tags.

In: a folder with a vocabulary of one of the three kinds. Out: ranks and tags, from which tokenizer.py encodes. Encoding
is not its business.

Every kind is byte-level BPE whose merges are ordered by id: two neighbours are joined where what they spell together
has an id, the lowest first. Qwen2-Audio's list of merges says nothing more, and is not read.
Source: QwenLM/Qwen-Audio tokenization_qwen.py; GPT-2's bytes_to_unicode.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from models.base import ModelLoadError
from models.qwen_audio.files import read_json

END = "<|endoftext|>"
"""Ends a text, and pads."""
IM_END = "<|im_end|>"
"""Ends a turn of a conversation (ChatML)."""

_V1_RANKS = "qwen.tiktoken"
_RANKS = "tokenizer.tiktoken"
_TAGS = "tokenizer_config.json"
_LIBRARY = "tokenizer.json"
_WORDS = "vocab.json"
_MOST_IDS = 2**31


class Vocabulary(NamedTuple):
    """What encoding needs to know."""

    ranks: dict[bytes, int]
    """Id of what it spells; the lowest is merged first."""
    tags: dict[str, int]
    """Ids that stand for themselves."""


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read a checkpoint's vocabulary: the embedded model's, the library's (Qwen2-Audio), or Qwen-Audio v1's.

    Raises:
        ModelLoadError: it carries none, or a broken one.
    """
    if (folder / _RANKS).is_file():
        vocabulary = Vocabulary(read_ranks(folder / _RANKS), _read_tags(folder / _TAGS))
    elif (folder / _V1_RANKS).is_file():
        vocabulary = read_v1(folder / _V1_RANKS)
    elif (folder / _LIBRARY).is_file() or (folder / _WORDS).is_file():
        vocabulary = _read_library(folder)
    else:
        raise ModelLoadError(
            f"{folder} has no vocabulary: no {_V1_RANKS}, {_RANKS}, {_LIBRARY} or {_WORDS}; fetch the checkpoint again."
        )
    _check_tags(folder, vocabulary)
    return vocabulary


def read_v1(path: Path) -> Vocabulary:
    """Read the published qwen.tiktoken, and number the tags that the original computes in code.

    Raises:
        ModelLoadError: the file is missing or broken.
    """
    ranks = read_ranks(path)
    return Vocabulary(ranks, {tag: len(ranks) + i for i, tag in enumerate(v1_tags())})


def library_tags(folder: Path) -> dict[str, int]:
    """Tags of a vocabulary that the library wrote; none where the folder has no such vocabulary.

    Raises:
        ModelLoadError: the file is broken.
    """
    path, key = folder / _LIBRARY, "added_tokens"
    if not path.is_file():
        path, key = folder / _TAGS, "added_tokens_decoder"
    if not path.is_file():
        return {}
    written = read_json(path).get(key, {})
    try:
        tags = written if isinstance(written, list) else [{**tag, "id": i} for i, tag in written.items()]
        return {str(tag["content"]): int(tag["id"]) for tag in tags}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as e:
        raise ModelLoadError(f"{path} does not say which ids its {key} have; fetch the checkpoint again.") from e


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
    _check_ranks(path, ranks, len(lines))
    return ranks


def _check_ranks(path: Path, ranks: Mapping[bytes, int], n_written: int) -> None:
    if sorted(ranks.values()) != list(range(len(ranks))) or len(ranks) != n_written:
        raise ModelLoadError(f"{path} has gaps or doubles among its ranks; fetch the checkpoint again.")
    if lacking := [i for i in range(256) if bytes([i]) not in ranks]:
        raise ModelLoadError(f"{path} cannot spell {len(lacking)} of the 256 bytes; fetch the checkpoint again.")


def _check_tags(folder: Path, vocabulary: Vocabulary) -> None:
    ids = sorted(vocabulary.tags.values())
    if len(set(ids)) < len(ids) or ids[0] < len(vocabulary.ranks) or ids[-1] >= _MOST_IDS:
        raise ModelLoadError(
            f"In {folder}, the vocabulary's tags do not have ids of their own behind those of its text; fetch the "
            "checkpoint again."
        )


def _read_tags(path: Path) -> dict[str, int]:
    tags = read_json(path).get("special_tokens")
    if not isinstance(tags, dict) or not all(type(i) is int for i in tags.values()) or END not in tags:
        raise ModelLoadError(f"The special_tokens of {path} are not a table of ids with {END}; fetch it again.")
    return tags


def _read_library(folder: Path) -> Vocabulary:
    """A vocabulary as the library writes it: bytes are written as printable characters, tags stand beside.

    It stands in one file, or in those that the library read before there was one.
    """
    path = folder / _LIBRARY
    is_one = path.is_file()
    path = path if is_one else folder / _WORDS
    tags = library_tags(folder)
    try:
        vocab = read_json(path)["model"]["vocab"] if is_one else read_json(path)
        words = {word: int(i) for word, i in vocab.items() if word not in tags}
        ranks = {bytes(map(_byte_of().__getitem__, word)): i for word, i in words.items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as e:
        raise ModelLoadError(f"{path} is not a byte-level vocabulary; fetch the checkpoint again.") from e
    if END not in tags:
        raise ModelLoadError(f"The vocabulary {path} is not of a Qwen-Audio checkpoint: it has no {END}.")
    _check_ranks(path, ranks, len(words))
    return Vocabulary(ranks, tags)


@cache
def _byte_of() -> dict[str, int]:
    """Which byte a character of such a file stands for: printable Latin-1 itself, the rest moved up from 256."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [i for i in range(256) if i not in printable]
    return {chr(i): i for i in printable} | {chr(256 + n): i for n, i in enumerate(moved)}


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
