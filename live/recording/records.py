"""The lines of a session's journal: a record in, a line of JSON out, and back.

Each line is {"kind": name, ...the record's fields}; times are samples at 16 kHz on the lane's clock:

    {"kind": "lane", "lane": "microphone", "name": "USB microphone", "began": "2026-11-22T10:30:05.120+08:00"}
    {"kind": "closed", "lane": "microphone", "start": 5120, "end": 38400, "id": 1}
    {"kind": "caption", "caption": {"id": 1, "lane": "microphone", "source": "zh", "target": "en",
     "translation": [["Hello", null, null], [" there", null, null]], "transcript": [["你", 5400, 6100], ...],
     "start": 5120, "end": 38400, "logprob": -0.1, "is_uncertain": false}, "by": "session", "model": "embedded"}
    {"kind": "stopped", "error": null}

A line is never changed: what corrects it comes later. Which lines make a transcript is the business of
live/recording/journal.py.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from live.audio import Lane
from live.events import (
    AudioDropped,
    Caption,
    Line,
    MarkAdded,
    SessionStopped,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSilent,
    UtteranceSkipped,
    Word,
)
from live.policy import readable

By = Literal["session", "resume", "retranslation", "edit"]
"""What made a caption: the session as it ran, what translated it later, or the user's own hand."""
LARGEST = 2**53
"""Whole numbers from here on are no times: other programs' JSON does not hold them exactly."""


@dataclass(frozen=True, slots=True)
class CaptionSettled:
    """A final caption; a later one of the same id corrects it."""

    caption: Caption
    by: By = "session"
    model: str | None = None
    """Name of the model whose text it is; None where a person wrote it."""


@dataclass(frozen=True, slots=True)
class LaneBegan:
    """A lane was heard for the first time, or began again with another device."""

    lane: Lane
    name: str
    """Of the device or file."""
    began: datetime
    """When its sample 0 was heard, with the time zone."""


@dataclass(frozen=True, slots=True)
class SoundBegan:
    """A file of recorded sound was begun; it may hold nothing yet."""

    lane: Lane
    name: str
    """Below the session's folder "audio"."""
    start: int
    """The lane's sample that is the file's first. What no file holds was not recorded, or was silence."""


Record: TypeAlias = (
    CaptionSettled
    | UtteranceClosed
    | UtteranceSilent
    | UtteranceFailed
    | UtteranceSkipped
    | MarkAdded
    | AudioDropped
    | LaneBegan
    | SoundBegan
    | SessionStopped
)
"""Everything a journal holds. AudioDropped is also said of sound that was heard, and could not be recorded."""

KINDS: Mapping[str, type[Any]] = {
    "caption": CaptionSettled,
    "closed": UtteranceClosed,
    "silent": UtteranceSilent,
    "failed": UtteranceFailed,
    "skipped": UtteranceSkipped,
    "mark": MarkAdded,
    "dropped": AudioDropped,
    "lane": LaneBegan,
    "sound": SoundBegan,
    "stopped": SessionStopped,
}
_NAMES = {record: name for name, record in KINDS.items()}
_CAPTION_FIELDS = tuple(field.name for field in dataclasses.fields(Caption) if field.name != "is_final")


_HINTS = {record: get_type_hints(record) for record in (*_NAMES, Caption)}
"""Types of fields, looked up once: a library reads millions of records."""


class NotARecord(ValueError):  # noqa: N818 - says what a line is
    """A line that this version cannot read: damaged, or of a kind it does not know."""


def encode(record: Record) -> bytes:
    """Return the record's line, its line break included."""
    data = {
        "kind": _NAMES[type(record)],
        **{f.name: _plain(getattr(record, f.name)) for f in dataclasses.fields(record)},
    }
    return (json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def decode(line: bytes) -> Record:
    """Return the record of a line.

    Texts come without control characters or line breaks, whatever the line says. Fields it does not know are ignored.

    Raises:
        NotARecord: it holds none.
    """
    try:
        data = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotARecord from error
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str) or data["kind"] not in KINDS:
        raise NotARecord
    record: Record = _build(KINDS[data["kind"]], data)
    return record


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of any record
    match value:
        case Caption():
            return {name: _plain(getattr(value, name)) for name in _CAPTION_FIELDS}
        case Line():
            return [[word.text, word.start, word.end] for word in value.settled]
        case datetime():
            return value.isoformat(timespec="milliseconds")
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def _build(cls: type[Any], data: Any) -> Any:  # noqa: ANN401 - a record or a part of one
    """An object of a class from the fields that JSON gave. Raises NotARecord."""
    if not isinstance(data, dict):
        raise NotARecord
    hints = _HINTS[cls]
    fields: dict[str, Any] = {"is_final": True} if cls is Caption else {}
    for field in dataclasses.fields(cls):
        if field.name in data and field.name not in fields:
            fields[field.name] = _read(hints[field.name], data[field.name])
    try:
        built = cls(**fields)
    except TypeError as error:  # a field without a default is missing
        raise NotARecord from error
    if hasattr(built, "start") and hasattr(built, "end") and built.end < built.start:
        raise NotARecord
    return built


def _read(hint: Any, value: Any) -> Any:  # noqa: ANN401 - a type, and what JSON gave
    """The value as its type. Raises NotARecord."""
    if get_origin(hint) in (Union, types.UnionType):
        if value is None:
            return None
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        if not isinstance(value, str) or value not in get_args(hint):
            raise NotARecord
        return value
    return _READERS[hint](value)


def _words(value: Any) -> tuple[Word, ...]:  # noqa: ANN401 - what JSON gave
    if not isinstance(value, list) or not all(isinstance(word, list) and len(word) == 3 for word in value):
        raise NotARecord
    return tuple(Word(_read(str, text), _read(int | None, start), _read(int | None, end)) for text, start, end in value)


def _text(value: Any) -> str:  # noqa: ANN401 - what JSON gave
    """Without what no screen should obey, and half surrogates, which no file takes."""
    if not isinstance(value, str):
        raise NotARecord
    return readable(value).encode("utf-8", "replace").decode("utf-8")


def _number(value: Any) -> float:  # noqa: ANN401 - what JSON gave
    """A number; null stands for what is not finite: a translator that was as unsure as can be."""
    if value is None:
        return -math.inf
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST:
        raise NotARecord
    return float(value)


def _whole(value: Any) -> int:  # noqa: ANN401 - what JSON gave
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
        raise NotARecord
    return value


def _flag(value: Any) -> bool:  # noqa: ANN401 - what JSON gave
    if not isinstance(value, bool):
        raise NotARecord
    return value


def _moment(value: Any) -> datetime:  # noqa: ANN401 - what JSON gave
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise NotARecord from error
    if moment.tzinfo is None:
        raise NotARecord
    return moment


def _refuse(_constant: str) -> None:
    raise NotARecord


_READERS: Mapping[Any, Callable[[Any], Any]] = {
    Caption: partial(_build, Caption),
    Line: lambda value: Line(settled=_words(value)),
    datetime: _moment,
    float: _number,
    int: _whole,
    str: _text,
    bool: _flag,
}
