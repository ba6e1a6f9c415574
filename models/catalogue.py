"""The models there are: what is known of each, and how to build the one that was asked for.

In: a name or a folder. Out: an Entry, whose factory builds the translator in the model process. Imports no model
library: looking up a model costs nothing. Loading it, and whether it fits, is not its business.
"""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from models.base import AnswererFactory, ModelLoadError, TranslatorFactory

AUTO: Final = "auto"
"""Stands for the best model there is; resolving it says why."""
EMBEDDED: Final = "embedded"
FAKE: Final = "fake"
"""A tool for tests: taken by name, never listed."""

EMBEDDED_MEMORY_BYTES = 450_000_000
"""Measured: the peak of its process on a processor, 28 s of sound in one request; most of it is torch itself."""

QWEN_AUDIO = "models.qwen_audio.translator:QwenAudioTranslator"
"""Every checkpoint folder of the Qwen-Audio family, the embedded one included."""
FAKE_TRANSLATOR = "models.fake:FakeTranslator"
FAKE_ANSWERER = "models.fake:FakeAnswerer"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that can be asked for."""

    name: str
    """As given to --model."""
    title: str
    """One line for a list."""
    factory: TranslatorFactory
    answerer: AnswererFactory | None = None
    """How to build what answers questions about sound; None where the model only translates."""
    repository: str | None = None
    """Where its checkpoint is published; None where nothing is fetched."""
    size_bytes: int | None = None
    """Of its files; None where not known."""
    memory_bytes: int | None = None
    """That it needs while it runs; None where not known."""
    languages: tuple[str, ...] = ()
    """Codes; empty where only loading tells."""
    bleu: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Published scores, by (source, target)."""
    licence: str | None = None
    is_here: bool = True
    """Whether its files are on this computer."""
    reason: str = ""
    """Why it was chosen, where "auto" chose it: one sentence."""


def known(device: str = "auto") -> tuple[Entry, ...]:
    """The models to choose from by name, best first.

    Args:
        device: compute device of their factories: "auto", "cuda", "mps" or "cpu".
    """
    return (_embedded(device),)


def resolve(name_or_path: str, device: str = "auto") -> Entry:
    """Find the model that was asked for.

    Args:
        name_or_path: "auto", a known name, or the folder of a checkpoint.
        device: compute device: "auto", "cuda", "mps" or "cpu".

    Raises:
        ModelLoadError: there is no such model, or its files are not here.
    """
    entries = {entry.name: entry for entry in known(device)}
    if name_or_path == AUTO:
        chosen = replace(
            entries[EMBEDDED], reason="The embedded model: it is the only one that comes with the program."
        )
    elif name_or_path == FAKE:
        chosen = Entry(
            FAKE,
            "No model: text made up from loudness, for tests",
            TranslatorFactory(FAKE_TRANSLATOR),
            answerer=AnswererFactory(FAKE_ANSWERER),
        )
    elif name_or_path in entries:
        chosen = entries[name_or_path]
    else:
        chosen = _folder(name_or_path, device)
    if not chosen.is_here:
        raise ModelLoadError(f"The files of the model {chosen.name!r} are missing: install the program again.")
    return chosen


def embedded_folder() -> Path:
    """Where the checkpoint that comes with the program lies."""
    return Path(str(importlib.resources.files("models.embedded")))


def _embedded(device: str) -> Entry:
    folder = embedded_folder()
    is_here = (folder / "config.json").is_file() and (folder / "model.safetensors").is_file()
    return Entry(
        name=EMBEDDED,
        title="A small Qwen-Audio that knows one domain (meetings), made by this project; runs on any processor",
        factory=TranslatorFactory(QWEN_AUDIO, {"folder": str(folder), "device": device}),
        size_bytes=_size_bytes(folder) if is_here else None,
        memory_bytes=EMBEDDED_MEMORY_BYTES,
        languages=("zh", "en"),
        licence="Apache-2.0",
        is_here=is_here,
    )


def _folder(path: str, device: str) -> Entry:
    """A checkpoint in a folder of the user's own."""
    try:
        folder = Path(path).expanduser()
        is_folder, is_checkpoint = folder.is_dir(), (folder / "config.json").is_file()
    except (OSError, RuntimeError) as error:  # not readable, or ~ of nobody
        raise ModelLoadError(f"The folder {path} cannot be read: check the name and its permissions.") from error
    if not is_folder:
        raise ModelLoadError(_unknown(path))
    if not is_checkpoint:
        raise ModelLoadError(f"The folder {folder} holds no checkpoint (no config.json): name the one that does.")
    folder = folder.resolve()
    return Entry(
        name=folder.name,
        title=f"The checkpoint in {folder}",
        factory=TranslatorFactory(QWEN_AUDIO, {"folder": str(folder), "device": device}),
        size_bytes=_size_bytes(folder),
    )


def _unknown(name: str) -> str:
    """What to say of a name that is neither a model nor a folder."""
    names = [AUTO, *(entry.name for entry in known())]
    nearest = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.0)[0]
    return (
        f"There is no model and no folder {name!r}: did you mean {nearest!r}? "
        f"Models: {', '.join(names)}, or the folder of a checkpoint."
    )


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
