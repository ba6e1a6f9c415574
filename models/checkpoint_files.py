"""The files of a checkpoint's folder: which of them are needed, and whether they are all there and whole.

In: a folder, or the names of the files in a repository. Out: what is missing. Reads indices and the heads of files, no
weights, and imports no model library. What the tensors must be is the loader's business.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"

_VOCABULARIES = (
    ("qwen.tiktoken",),
    ("tokenizer.tiktoken", "tokenizer_config.json"),
    ("tokenizer.json",),
    ("vocab.json", "merges.txt"),
)
"""The sets of files that make a vocabulary; a checkpoint carries one of them."""
_SMALL = re.compile(
    r"config\.json|generation_config\.json|preprocessor_config\.json|processor_config\.json|chat_template\.(json|jinja)"
    r"|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.json|merges\.txt"
    r"|[\w-]+\.tiktoken|(LICEN[CS]E|NOTICE)(\.\w+)?",
    re.IGNORECASE,
)
_SHARD = re.compile(r"[\w.-]+\.safetensors")
_HEAD_LIMIT = 100_000_000
"""Bytes of a safetensors head at most; the format's own bound."""
_UNREADABLE = (ValueError, OverflowError, RecursionError)
"""What JSON raises that is broken, holds infinite numbers for whole ones, or is nested without end."""


class BrokenFileError(Exception):
    """A file of a checkpoint is not what its name says; the message is a clause about it."""


def small_files(names: Iterable[str]) -> list[str]:
    """Those of a repository's files that a checkpoint needs besides its weights: no weights, no code, no pickles."""
    return sorted(name for name in names if _SMALL.fullmatch(name))


def shards(index: Path) -> list[str]:
    """The files that an index of weights names.

    Raises:
        BrokenFileError: it is no index, or names what no shard is called.
    """
    content = read_table(index)
    placed = content.get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise BrokenFileError(f"{index.name} names no weights")
    names = {str(name) for name in placed.values()}
    if strange := sorted(name for name in names if not _SHARD.fullmatch(name)):
        raise BrokenFileError(f"{index.name} names {strange[0]!r}, which is no safetensors file beside it")
    return sorted(names)


def missing_vocabulary(names: Collection[str]) -> str:
    """What a checkpoint with these files lacks of a vocabulary; empty where it has one."""
    if any(set(files) <= set(names) for files in _VOCABULARIES):
        return ""
    return "a vocabulary (" + " or ".join(" and ".join(files) for files in _VOCABULARIES) + ")"


def has_only_pickles(names: Iterable[str]) -> bool:
    """Whether files with these names hold weights in no other form than pickles."""
    endings = {Path(name).suffix for name in names}
    return not endings.isdisjoint({".bin", ".pt", ".pth", ".ckpt"}) and ".safetensors" not in endings


def read_table(path: Path) -> dict[str, Any]:
    """A table from one of a checkpoint's files.

    Raises:
        BrokenFileError: it is missing, broken, or no table.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BrokenFileError(f"{path.name} is missing") from error
    except (OSError, *_UNREADABLE) as error:
        raise BrokenFileError(f"{path.name} is cut short or no JSON") from error
    if not isinstance(content, dict):
        raise BrokenFileError(f"{path.name} holds no table")
    return content


def problem(folder: Path) -> str:
    """What is missing or cut short in a checkpoint's folder, as a clause; empty where every file is there and whole."""
    try:
        kind = read_table(folder / CONFIG).get("model_type")
        if not kind:
            return f"{CONFIG} does not say what model it is of"
        if lacking := missing_vocabulary([path.name for path in folder.iterdir()]):
            return f"{lacking} is missing"
        if has_only_pickles([path.name for path in folder.iterdir()]):
            return "its weights are there only as pickles, which can run any program when opened"
        for name in shards(folder / INDEX) if (folder / INDEX).is_file() else [WEIGHTS]:
            _check_whole(folder / name)
    except BrokenFileError as error:
        return str(error)
    except OSError as error:
        return f"{folder} cannot be read ({error.strerror})"
    return ""


def is_whole(folder: Path) -> bool:
    """Whether a folder holds every file of a checkpoint, whole."""
    return not problem(folder)


def size_bytes(folder: Path) -> int:
    """Of a folder's files, together; 0 where it cannot be read."""
    try:
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    except OSError:
        return 0


def read_kind(config: Path) -> str:
    """The family that a config.json is of: "qwen" (v1), "qwen2_audio", or empty for what this program cannot use.

    Raises:
        BrokenFileError: it is no config.
    """
    content = read_table(config)
    kind = str(content.get("model_type", ""))
    return kind if kind == "qwen2_audio" or (kind == "qwen" and "audio" in content) else ""


def _check_whole(path: Path) -> None:
    """Compare a safetensors file's length with what its own head says.

    Raises:
        BrokenFileError: they differ, or it has no such head.
    Source:
        https://huggingface.co/docs/safetensors: 8 bytes of length, that many of JSON, then the tensors.
    """
    try:
        n_bytes = path.stat().st_size
        with path.open("rb") as file:
            (n_head,) = struct.unpack("<Q", file.read(8))
            head = json.loads(file.read(n_head)) if n_head <= _HEAD_LIMIT else {}
        end = max(int(entry["data_offsets"][1]) for name, entry in head.items() if name != "__metadata__")
    except FileNotFoundError as error:
        raise BrokenFileError(f"{path.name} is missing") from error
    except (OSError, struct.error, *_UNREADABLE, LookupError, TypeError, AttributeError) as error:
        raise BrokenFileError(f"{path.name} is cut short or no safetensors file") from error
    if n_bytes != 8 + n_head + end:
        raise BrokenFileError(f"{path.name} has {n_bytes:,} bytes instead of {8 + n_head + end:,}")
