"""The models there are: what is known of each, and how to build the one that was asked for.

In: a name, a repository or a folder. Out: an Entry, whose factory builds the translator in the model process. Imports
no model library and connects nowhere: looking up a model costs nothing. Fetching and loading it are not its business.
"""

from __future__ import annotations

import difflib
import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from models.base import AnswererFactory, Mode, ModelLoadError, TranslatorFactory
from models.checkpoint_files import CONFIG, BrokenFileError, problem, read_kind, size_bytes
from models.download import cached_folder, endpoint
from models.precision import Parts, Quant
from models.published import PUBLISHED, TONGYI_LICENCE, TONGYI_NOTICE, Published

AUTO: Final = "auto"
"""Stands for the best model there is; choosing it says why."""
EMBEDDED: Final = "embedded"
FAKE: Final = "fake"
"""A tool for tests: taken by name, never listed."""

EMBEDDED_MEMORY_BYTES = 450_000_000
"""Measured: the peak of its process on a processor, 28 s of sound in one request; most of it is torch itself."""
RUNNING_BYTES = 1_500_000_000
"""Besides the weights of a large model: the GPU's own context, keys and values of one request, what is between layers.
An estimate: 0.5 MB a token, thirty seconds of sound and their texts being a thousand."""

QWEN_AUDIO = "models.qwen_audio.translator:QwenAudioTranslator"
"""Every checkpoint folder of the Qwen-Audio family, the embedded one included."""
QWEN_ANSWERER = "models.qwen_audio.answerer:QwenAudioAnswerer"
FAKE_TRANSLATOR = "models.fake:FakeTranslator"
FAKE_ANSWERER = "models.fake:FakeAnswerer"

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


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
    """Measured: that it needs while it runs; None where nobody has."""
    parts: Parts | None = None
    """How many values it has, from which its needs are computed; None where not known."""
    languages: tuple[str, ...] = ()
    """Codes; empty where only loading tells."""
    bleu: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Published scores, by (source, target)."""
    bleu_source: str = ""
    """What was scored, and who says so."""
    licence: str | None = None
    licence_notice: str = ""
    """The sentence that the licence asks to be shown; empty where it asks for none."""
    notice: str = ""
    """What people should know before they rely on it: one sentence, shown once."""
    is_here: bool = True
    """Whether its files are on this computer, every one whole."""
    problem: str = ""
    """Why not, where some of them are: a clause."""
    reason: str = ""
    """Why it was chosen, where "auto" chose it: one sentence."""
    held: str = ""
    """In which precision its weights are held, and why: one sentence."""


class NotHereError(ModelLoadError):
    """A model that is known, but not on this computer."""

    def __init__(self, entry: Entry) -> None:
        kind = "model" if entry.name != entry.repository else "repository"
        self.state = f"The {kind} {entry.name} is not on this computer"
        """The fact alone."""
        if entry.problem:
            self.state += f" as a whole ({entry.problem})"
        remedy = f"run `tongchuan models fetch {entry.name}`" if entry.repository else "install the program again"
        super().__init__(f"{self.state}: {remedy}.")


def known(device: str = "auto") -> tuple[Entry, ...]:
    """The models to choose from by name: the one that comes with the program, then the large ones.

    Args:
        device: compute device of their factories: "auto", "cuda", "mps" or "cpu".
    """
    return (_embedded(device), *large(device))


def large(device: str = "auto") -> tuple[Entry, ...]:
    """Those of the known models that are fetched, and need a GPU."""
    return tuple(_published(published, device) for published in PUBLISHED)


def find(name_or_path: str, device: str = "auto") -> Entry:
    """Find a model, on this computer or not.

    Args:
        name_or_path: a known name, a repository's OWNER/NAME, or the folder of a checkpoint; a folder goes first.
        device: compute device: "auto", "cuda", "mps" or "cpu".

    Raises:
        ModelLoadError: there is no such model, or the folder holds no whole checkpoint.
    """
    if name_or_path == EMBEDDED:
        return _embedded(device)
    if name_or_path == FAKE:
        return Entry(
            FAKE,
            "No model: text made up from loudness, for tests",
            TranslatorFactory(FAKE_TRANSLATOR),
            answerer=AnswererFactory(FAKE_ANSWERER),
        )
    for published in PUBLISHED:
        if name_or_path in (published.name, published.repository):
            return _published(published, device)
    return _folder(name_or_path, device)


def resolve(name_or_path: str, device: str = "auto") -> Entry:
    """Find a model that can be used now.

    Args:
        name_or_path: as `find` takes it.
        device: compute device: "auto", "cuda", "mps" or "cpu".

    Raises:
        NotHereError: its files are not on this computer, or not all of them.
        ModelLoadError: there is no such model.
    """
    entry = find(name_or_path, device)
    if not entry.is_here:
        raise NotHereError(entry)
    return entry


def quantized(entry: Entry, quant: Quant) -> Entry:
    """The same model, its weights held in another precision."""
    if quant == "none":
        return entry
    factory = TranslatorFactory(entry.factory.target, {**entry.factory.arguments, "quant": quant})
    answerer = entry.answerer and AnswererFactory(entry.answerer.target, {**entry.answerer.arguments, "quant": quant})
    return replace(entry, factory=factory, answerer=answerer)


def embedded_folder() -> Path:
    """Where the checkpoint that comes with the program lies."""
    return Path(str(importlib.resources.files("models.embedded")))


def _embedded(device: str) -> Entry:
    folder = embedded_folder()
    is_here = not problem(folder)
    return Entry(
        name=EMBEDDED,
        title="A small Qwen-Audio that knows one domain (meetings), made by this project; runs on any processor",
        factory=TranslatorFactory(QWEN_AUDIO, {"folder": str(folder), "device": device}),
        size_bytes=size_bytes(folder) if is_here else None,
        memory_bytes=EMBEDDED_MEMORY_BYTES,
        languages=("zh", "en"),
        licence="Apache-2.0",
        notice="A demonstration model: synthetic voices, meeting phrases; nothing is claimed for human speech.",
        is_here=is_here,
    )


def _published(published: Published, device: str) -> Entry:
    entry = Entry(
        name=published.name,
        title=published.title,
        factory=TranslatorFactory(QWEN_AUDIO),
        answerer=AnswererFactory(QWEN_ANSWERER),
        repository=published.repository,
        size_bytes=published.n_bytes,
        parts=published.parts,
        languages=published.languages,
        bleu=published.bleu,
        bleu_source=published.bleu_source,
        licence=published.licence,
        licence_notice=published.licence_notice,
    )
    return _with_files(entry, cached_folder(published.repository), device, published.mode)


def _with_files(entry: Entry, folder: Path | None, device: str, mode: Mode | None = None) -> Entry:
    """An entry with what its folder says, and the factories that read it.

    Args:
        entry: with a repository, or the entry of a folder that is there.
        folder: None where nothing of the repository is here.
        device: of its factories.
        mode: how it is told what to do; None is as its files say.
    """
    if folder is None:
        return replace(entry, is_here=False)
    arguments: dict[str, object] = {"folder": str(folder), "device": device}
    if mode is not None:
        arguments["mode"] = mode
    lacking = problem(folder)
    return replace(
        entry,
        factory=TranslatorFactory(QWEN_AUDIO, arguments),
        answerer=AnswererFactory(QWEN_ANSWERER, arguments),
        size_bytes=entry.size_bytes or size_bytes(folder),
        is_here=not lacking,
        problem=lacking,
    )


def _folder(path: str, device: str) -> Entry:
    """A checkpoint in a folder of the user's own, or in a repository that is not listed here."""
    try:
        folder = Path(path).expanduser()
        is_folder = bool(path) and folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # not readable, ~ of nobody, or no path at all
        raise ModelLoadError(f"The folder {path!r} cannot be read: check the name and its permissions.") from error
    if not is_folder:
        return _repository(path, device)
    folder = folder.resolve()
    if not (folder / CONFIG).is_file():
        raise ModelLoadError(f"The folder {folder} holds no checkpoint (no config.json): name the one that does.")
    blank = Entry(folder.name, f"The checkpoint in {folder}", TranslatorFactory(QWEN_AUDIO))
    entry = _with_licence(_with_files(blank, folder, device), folder)
    if not entry.is_here:
        raise ModelLoadError(f"The checkpoint in {folder} is not whole: {entry.problem}. Get its files again.")
    return entry


def _repository(name: str, device: str) -> Entry:
    if not _REPOSITORY.fullmatch(name):
        raise ModelLoadError(_unknown(name))
    folder = cached_folder(name)
    blank = Entry(name, f"The repository {name} of {endpoint()}", TranslatorFactory(QWEN_AUDIO), repository=name)
    entry = _with_files(blank, folder, device)
    return _with_licence(entry, folder) if folder and entry.is_here else entry


def _with_licence(entry: Entry, folder: Path) -> Entry:
    """An entry with the licence that its kind of checkpoint is published under, where that asks for a notice."""
    try:
        is_tongyi = read_kind(folder / CONFIG) == "qwen"
    except BrokenFileError:
        is_tongyi = False
    return replace(entry, licence=TONGYI_LICENCE, licence_notice=TONGYI_NOTICE) if is_tongyi else entry


def _unknown(name: str) -> str:
    """What to say of a name that is neither a model nor a folder."""
    names = [AUTO, EMBEDDED, *(published.name for published in PUBLISHED)]
    nearest = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.0)[0]
    return (
        f"There is no model and no folder {name!r}: did you mean {nearest!r}? "
        f"Models: {', '.join(names)}, the folder of a checkpoint, or a repository as OWNER/NAME."
    )
