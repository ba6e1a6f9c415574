"""Where what was measured of a checkpoint is kept: the confidence below which captions are uncertain, what points.

In: a checkpoint folder, a value. Out: a small JSON file, and the value again when the checkpoint is loaded. The first
of these that has one counts: the user's data folder, `uncertainty.json` or `pointing.json` beside the checkpoint, the
checkpoint's own config.json ("tongchuan": {"uncertain_below": -0.06, "pointing": [...]}). What confidence is, is
confidence's business; what points, pointers'.
"""

from __future__ import annotations

import hashlib
import json
import os
from math import isfinite
from pathlib import Path
from typing import Any

import platformdirs

from models.base import ModelLoadError

KEY = "uncertain_below"
POINTING = "pointing"
SECTION = "tongchuan"
_PLACES = {KEY: "uncertainty", POINTING: "pointing"}
"""What each key's folder in the user's data is called, and, as a JSON file, its file beside a checkpoint."""
BESIDE = f"{_PLACES[KEY]}.json"

_CONFIG = "config.json"
_HUB_FOLDER = "models--"
"""What Hugging Face's cache calls a repository's folder."""


def stored_threshold(folder: Path) -> float | None:
    """The threshold kept for a checkpoint; None where there is none.

    Raises:
        ModelLoadError: a file that should hold it is broken.
    """
    found = stored(folder, KEY)
    return None if found is None else _number(*found)


def stored(folder: Path, key: str) -> tuple[Any, Path] | None:
    """The value kept for a checkpoint, not looked at, and the file it is in; None where there is none.

    Args:
        folder: the checkpoint.
        key: KEY or POINTING.

    Raises:
        ModelLoadError: a file that should hold it is broken.
    """
    for path in (_users_file(folder, key), _beside(folder, key)):
        if (content := _read(path)) is not None:
            return content.get(key), path
    section = (_read(folder / _CONFIG) or {}).get(SECTION)
    if not isinstance(section, dict) or key not in section:
        return None
    return section[key], folder / _CONFIG


def keep_threshold(folder: Path, below: float) -> Path:
    """Keep a threshold for a checkpoint: beside it where that may be written, else in the user's data folder.

    Returns:
        The file.

    Raises:
        ModelLoadError: neither can be written.
    """
    return keep(folder, KEY, below)


def keep(folder: Path, key: str, value: object) -> Path:
    """Keep a value for a checkpoint: beside it where that may be written, else in the user's data folder.

    Args:
        folder: the checkpoint.
        key: KEY or POINTING.
        value: as JSON takes it.

    Returns:
        The file.

    Raises:
        ModelLoadError: neither can be written.
    """
    own = _users_file(folder, key)
    text = json.dumps({key: value, "checkpoint": folder.name}, indent=2) + "\n"
    if not _is_in_hub_cache(folder) and os.access(folder, os.W_OK) and not own.exists():
        try:
            return _write(_beside(folder, key), text)
        except OSError:
            pass  # a mount that only says it can be written
    try:
        own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _write(own, text, mode=0o600)
    except OSError as e:
        raise ModelLoadError(f"What was calibrated cannot be kept in {own}: {e.strerror}.") from e


def write_into_config(folder: Path, key: str, value: object) -> None:
    """Put a value into the config.json of a checkpoint of this project's own recipe, in place of any other."""
    path = folder / _CONFIG
    config = json.loads(path.read_text("utf-8"))
    config[SECTION][key] = value
    _write(path, json.dumps(config, indent=2, sort_keys=True) + "\n")
    # A user's own file is of the config as it was, and found no more.
    _beside(folder, key).unlink(missing_ok=True)


def _beside(folder: Path, key: str) -> Path:
    return folder / f"{_PLACES[key]}.json"


def _users_file(folder: Path, key: str) -> Path:
    """Named by what the checkpoint is, so that a copy elsewhere finds it and other weights do not."""
    told = hashlib.sha256((folder / _CONFIG).read_bytes() if (folder / _CONFIG).is_file() else b"")
    for path in sorted(folder.glob("*.safetensors")):
        told.update(f"{path.name} {path.stat().st_size}\n".encode())
    return platformdirs.user_data_path("tongchuan", appauthor=False) / _PLACES[key] / f"{told.hexdigest()[:16]}.json"


def _is_in_hub_cache(folder: Path) -> bool:
    return any(part.startswith(_HUB_FOLDER) for part in folder.absolute().parts)


def _write(path: Path, text: str, mode: int = 0o666) -> Path:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode)
    part.write_text(text, "utf-8")
    part.replace(path)
    return path


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON table; None where there is no such file."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        raise ModelLoadError(f"{path} cannot be read; remove it, and calibrate the model again.") from e
    if not isinstance(content, dict):
        raise ModelLoadError(f"{path} is not a table; remove it, and calibrate the model again.")
    return content


def _number(value: object, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ModelLoadError(f"{path} has {KEY} = {value!r}, which is no number; calibrate the model again.")
    return float(value)
