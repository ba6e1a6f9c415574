"""A checkpoint's files as the loader reads them: tables in JSON, and which safetensors file holds which tensor.

In: a folder. Out: what its files say, or a ModelLoadError that names the file. Which files a checkpoint has is
checkpoint_files.py's business, what they mean is not this one's either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from models.base import ModelLoadError
from models.checkpoint_files import INDEX, WEIGHTS, BrokenFileError, has_only_pickles, read_table, shards

_FEW = 3
"""How many tensors an error names."""


def read_json(path: Path) -> dict[str, Any]:
    """A table from one of the checkpoint's files.

    Raises:
        ModelLoadError: the file is missing, broken, or no table.
    """
    try:
        return read_table(path)
    except BrokenFileError as e:
        raise _broken(path.parent, e) from e


def _broken(folder: Path, error: BrokenFileError) -> ModelLoadError:
    return ModelLoadError(f"In {folder}, {error}; fetch the checkpoint again.")


def tensor_files(folder: Path) -> dict[str, Path]:
    """Which file holds each tensor, by the index where there is one.

    Raises:
        ModelLoadError: a file is missing or corrupt, the index is not true, or there are only pickles.
    """
    if (folder / INDEX).is_file():
        return _indexed(folder / INDEX)
    if (folder / WEIGHTS).is_file():
        return dict.fromkeys(_names(folder / WEIGHTS), folder / WEIGHTS)
    if folder.is_dir() and has_only_pickles([path.name for path in folder.iterdir()]):
        raise ModelLoadError(
            f"{folder} holds its weights only as pickles, which can run any program when opened; get it as safetensors."
        )
    raise ModelLoadError(f"{folder} is no checkpoint: it has no {WEIGHTS}.")


def _indexed(index: Path) -> dict[str, Path]:
    try:
        paths = [index.with_name(name) for name in shards(index)]
    except BrokenFileError as e:
        raise _broken(index.parent, e) from e
    placed = {name: index.with_name(str(file)) for name, file in read_json(index)["weight_map"].items()}
    for path in paths:
        held, listed = frozenset(_names(path)), {name for name, file in placed.items() if file == path}
        if held != listed:
            raise ModelLoadError(f"{path} does not hold what the index says: {few(held ^ listed)}.")
    return placed


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file as the library opens it (`safe_open`); nothing of it is read yet.

    Raises:
        ModelLoadError: it is missing or corrupt, or ends before what it says it holds.
    """
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as e:
        raise ModelLoadError(f"{path} is missing; fetch the checkpoint again.") from e
    except (OSError, SafetensorError) as e:
        raise ModelLoadError(f"{path} is cut short or corrupt; fetch the checkpoint again.") from e


def _names(path: Path) -> list[str]:
    with opened(path) as file:
        names: list[str] = file.keys()
    return names


def few(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    ordered = sorted(names)
    rest = len(ordered) - _FEW
    return ", ".join(ordered[:_FEW]) + (f" and {rest} more" if rest > 0 else "")
