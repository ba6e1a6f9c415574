"""CoVoST 2 as it is published: which clip says what, and how that is to be translated.

In: the folder of a data set. Out: its clips of one direction and split. Sound, models and scores are not its business.

Tables are covost_v2.{source}_{target}.{split}.tsv, as get_covost_splits.py writes them (path, sentence, translation,
client_id), or the published covost_v2.{source}_{target}.tsv with a column that names the split. Clips stand in Common
Voice's folder clips/. Source: github.com/facebookresearch/covost.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live.errors import LiveError

SPLITS = ("train", "dev", "test")
CLIPS = "clips"
_NAMES = {"zh": ("zh-CN", "zh")}
"""What a language is called in names of files, where that is not its code; the published name first."""


class DataError(LiveError):
    """A data set is missing or broken."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of a sentence."""

    name: str
    """As the table has it; no other clip has it."""
    file: Path
    """Where it should be; it may be missing."""
    translation: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """The clips of one direction and split, in the table's order."""

    table: Path
    clips: tuple[Clip, ...]
    digest: str
    """Tells whether another table says the same of the same clips."""


def read(data: Path, source: str, target: str, split: str) -> DataSet:
    """Read a table and find its clips.

    Args:
        data: the folder that holds tables and clips/, or folders of these named by source language.
        source: language code.
        target: language code.
        split: one of SPLITS.

    Raises:
        DataError: there is no such table, it is broken or empty, or there is no folder of clips.
    """
    try:
        table, is_one_split = _table(data, source, target, split)
        folder = _clips_folder(table, data)
    except OSError as error:
        raise DataError(f"{data} cannot be read: {error.strerror}.") from error
    rows = list(_rows(table, split, is_one_split))
    if not rows:
        raise DataError(f"{table} has no clips of the split {split!r}: choose another --split.")
    names = [name for name, _ in rows]
    if len(set(names)) < len(names):
        raise DataError(f"{table} names a clip twice: make it again with get_covost_splits.py.")
    clips = tuple(Clip(name, folder / Path(name).name, translation) for name, translation in rows)
    digest = hashlib.sha256("\n".join(f"{name}\t{translation}" for name, translation in rows).encode()).hexdigest()
    return DataSet(table, clips, digest)


def _table(data: Path, source: str, target: str, split: str) -> tuple[Path, bool]:
    """The table's file, and whether it holds the one split alone."""
    if not data.is_dir():
        raise DataError(f"There is no folder {data}: name the one with CoVoST 2's tables and clips.")
    stems = [f"covost_v2.{one}_{other}" for one in _called(source) for other in _called(target)]
    folders = [data, *(data / name for name in _called(source))]
    for ending, is_one_split in ((f".{split}.tsv", True), (".tsv", False)):
        for folder in folders:
            for stem in stems:
                if (table := folder / (stem + ending)).is_file():
                    return table, is_one_split
    raise DataError(
        f"{data} has no {stems[0]}.{split}.tsv and no {stems[0]}.tsv: fetch the table of this direction from "
        "github.com/facebookresearch/covost and put it there."
    )


def _called(language: str) -> Sequence[str]:
    return _NAMES.get(language, (language,))


def _clips_folder(table: Path, data: Path) -> Path:
    for folder in (table.parent / CLIPS, data / CLIPS):
        if folder.is_dir():
            return folder
    raise DataError(f"{table.parent} has no folder {CLIPS}: put Common Voice's clips of the source language there.")


def _rows(table: Path, split: str, is_one_split: bool) -> Iterator[tuple[str, str]]:
    """Name and translation of each clip of the split."""
    needed = ["path", "translation"] if is_one_split else ["path", "translation", "split"]
    wanted = (split, f"{split}_covost") if split == "train" else (split,)  # as get_covost_splits.py has it
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\")
            columns = next(lines, [])
            if lacking := [name for name in needed if name not in columns]:
                raise DataError(f"{table} has no column {', '.join(lacking)}: it is not a table of CoVoST 2.")
            for values in lines:
                if len(values) != len(columns):
                    raise DataError(f"Line {lines.line_num} of {table} has {len(values)} fields, not {len(columns)}.")
                row = dict(zip(columns, values, strict=True))
                if is_one_split or row["split"] in wanted:
                    yield row["path"], row["translation"]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} is not a table of CoVoST 2: it is no UTF-8 text of fields.") from error
    except OSError as error:
        raise DataError(f"{table} cannot be read: {error.strerror}.") from error
