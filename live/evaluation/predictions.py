"""What a model made of each clip of a data set, kept from run to run.

In: a file, and what its predictions must be of. Out: those kept, and new ones appended, owner-only, each on the disk's
side before the next is asked for. Two runs do not write one file. What a prediction is worth is not its business.

The file is JSON, one object a line: first what the predictions are of, then {"clip", "translation", "problem"} each; of
two lines for one clip the later counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import filelock

from live.errors import RecordingError
from live.files import OWNER_ONLY, open_private, write_whole
from models.base import TranslatorFactory

Problem = Literal["", "missing", "broken", "failed"]
"""Why there is no translation: no file, a file that cannot be decoded, or a model that failed on it."""
_SAMPLED_BYTES = 1 << 20
"""Of each end of a file of weights, to tell whether it is the same."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a file of predictions is of; two runs that agree in all of it may share the file."""

    benchmark: str
    pair: str
    split: str
    data: str
    """Digest of the table."""
    model: str
    weights: str
    """Fingerprint of the checkpoint and of how it is run."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One clip's."""

    clip: str
    translation: str = ""
    problem: Problem = ""


class Predictions:
    """An open file of predictions.

    Args:
        path: the file; made where there is none.
        subject: what they are of.

    Raises:
        RecordingError: it cannot be read or written, is of another subject, or another run is writing it.
    """

    def __init__(self, path: Path, subject: Subject) -> None:
        self.path = path
        self._lock = filelock.FileLock(path.with_name(path.name + ".lock"), timeout=0, mode=OWNER_ONLY)
        self.kept: dict[str, Prediction] = {}
        """By clip."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout as error:
            raise RecordingError(
                f"Another run is writing {path}: wait for it, or name another file by --out."
            ) from error
        except OSError as error:
            raise self._error(error) from error
        try:
            self._open(subject)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self._lock.release()

    def add(self, prediction: Prediction) -> None:
        """Keep a prediction.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        self._append(dataclasses.asdict(prediction))
        self.kept[prediction.clip] = prediction

    def _open(self, subject: Subject) -> None:
        try:
            text = self.path.read_bytes() if self.path.exists() else b""
            whole = text[: text.rfind(b"\n") + 1]  # a run that was killed may leave half a line
            self._read(whole, subject)
            self._file = open_private(self.path)
            self._file.truncate(len(whole))
            self._file.seek(len(whole))
        except OSError as error:
            raise self._error(error) from error
        if not whole:
            self._append(dataclasses.asdict(subject))

    def _read(self, whole: bytes, subject: Subject) -> None:
        first, *lines = whole.splitlines() or [b""]
        if not first:
            return
        try:
            told = json.loads(first)
            known = Subject(**{field.name: str(told[field.name]) for field in dataclasses.fields(Subject)})
            self.kept = {kept.clip: kept for kept in (Prediction(**json.loads(line)) for line in lines)}
        except (ValueError, TypeError, KeyError) as error:
            raise RecordingError(f"{self.path} holds no predictions: name another file by --out.") from error
        if known != subject:
            raise RecordingError(
                f"{self.path} holds predictions {_difference(known, subject)}: name another file by --out, or remove "
                "it to begin anew."
            )

    def _append(self, record: dict[str, Any]) -> None:
        line = (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8")
        try:
            write_whole(self._file, line)
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> RecordingError:
        return RecordingError(f"Predictions cannot be kept in {self.path}: {error.strerror}.")


def _difference(known: Subject, wanted: Subject) -> str:
    if known.model != wanted.model:
        return f"of the model {known.model}, not of {wanted.model}"
    if known.weights != wanted.weights:
        return f"of other weights of {known.model}"
    if known.data != wanted.data and (known.pair, known.split) == (wanted.pair, wanted.split):
        return "for another version of the data set"
    return f"for {known.benchmark} {known.pair}, {known.split}"


def fingerprint(factory: TranslatorFactory) -> str:
    """What tells a model from another: how it is built, and its checkpoint's files by name, size and both ends.

    Where it computes counts for nothing, nor does where its files lie.

    Raises:
        RecordingError: a file of the checkpoint cannot be read.
    """
    arguments = {key: value for key, value in factory.arguments.items() if key not in ("folder", "device")}
    found = hashlib.sha256(f"{factory.target} {sorted(arguments.items())}".encode())
    folder = factory.arguments.get("folder")
    for file in sorted(Path(str(folder)).glob("*")) if folder is not None else ():
        if file.name == "config.json" or file.suffix == ".safetensors":
            found.update(_sampled(file))
    return found.hexdigest()


def _sampled(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            begin = opened.read(_SAMPLED_BYTES)
            opened.seek(max(0, size - _SAMPLED_BYTES))
            end = opened.read()
    except OSError as error:
        raise RecordingError(f"{file} cannot be read: {error.strerror}.") from error
    return f"{file.name} {size} ".encode() + begin + end
