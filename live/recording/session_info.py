"""What a session is: its session.json, an object of JSON in the session's folder.

    {"version": 1, "title": "", "began": "2026-11-22T10:30:05.120+08:00", "model": "embedded",
     "source": "USB microphone", "versions": {"tongchuan": "0.1.0"}, "settings": {"pair": ["zh", "en"], ...}}

In: a folder. Out: a SessionInfo, whatever state the file is in. What was said is in the journal, not here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from live.errors import RecordingError
from live.files import replace_private
from live.policy import readable

VERSION = 1
"""Of the format of a session's folder. It grows when an older program would misread what a newer one writes."""
FILE_NAME = "session.json"
NAME_FORMAT = "%Y-%m-%d %H.%M.%S"
"""Of a folder, from the local time its session began."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What, when and with what."""

    began: datetime
    """With the time zone of the place. When each lane's sample 0 was heard is in the journal."""
    title: str = ""
    """As the user named it; empty: by its date."""
    model: str = ""
    source: str = ""
    """Name of the device or file that was listened to first."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the program and what it ran on."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The user's choices, by setting."""
    version: int = VERSION
    """Of the format."""


def read_info(folder: Path) -> tuple[SessionInfo, list[str]]:
    """Return what is known of a session, and sentences about what is wrong with it.

    What is missing or damaged takes its default; the beginning is then the one in the folder's name, or its age.
    """
    path = folder / FILE_NAME
    try:
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict):
            raise ValueError
    except FileNotFoundError:
        return SessionInfo(_began(folder)), [f"{path} is missing: title, model and settings are not known."]
    except OSError as error:
        return SessionInfo(_began(folder)), [f"{path} cannot be read: {error.strerror}."]
    except (ValueError, RecursionError):
        return SessionInfo(_began(folder)), [f"{path} is damaged: title, model and settings are not known."]
    version = data.get("version")
    version = version if isinstance(version, int) and not isinstance(version, bool) else VERSION
    warnings = []
    if version > VERSION:
        warnings.append(
            f"This session was written by a newer version of the program (format {version}, this one knows {VERSION}): "
            "what this one knows is shown."
        )
    versions = data.get("versions")
    settings = data.get("settings")
    info = SessionInfo(
        began=_moment(data.get("began")) or _began(folder),
        title=_text(data.get("title")),
        model=_text(data.get("model")),
        source=_text(data.get("source")),
        versions={str(key): _text(value) for key, value in versions.items()} if isinstance(versions, dict) else {},
        settings=settings if isinstance(settings, dict) else {},
        version=version,
    )
    return info, warnings


def write_info(folder: Path, info: SessionInfo) -> None:
    """Write session.json, whole or not at all.

    Raises:
        RecordingError: it cannot be written.
    """
    _write(folder / FILE_NAME, _data(info))


def info_text(info: SessionInfo) -> str:
    """Return what session.json holds."""
    return _json(_data(info))


def rename(folder: Path, title: str) -> None:
    """Give a session a title; everything else in session.json stays, known to this version or not.

    Raises:
        RecordingError: it cannot be written.
    """
    try:
        data = json.loads((folder / FILE_NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        _write(folder / FILE_NAME, {**data, "title": _text(title)})
    else:
        write_info(folder, dataclasses.replace(read_info(folder)[0], title=_text(title)))


def _write(path: Path, data: Mapping[str, Any]) -> None:
    try:
        replace_private(path, _json(data))
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error.strerror}.") from error


def _data(info: SessionInfo) -> dict[str, Any]:
    return {**dataclasses.asdict(info), "began": info.began.isoformat(timespec="milliseconds")}


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _began(folder: Path) -> datetime:
    """When a session began, by its folder."""
    try:
        return datetime.strptime(folder.name[: len("2026-11-22 10.30.05")], NAME_FORMAT).astimezone()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return datetime.fromtimestamp(folder.stat().st_mtime).astimezone()
    except (OSError, ValueError, OverflowError):
        return datetime.fromtimestamp(0).astimezone()


def _moment(value: Any) -> datetime | None:  # noqa: ANN401 - what JSON gave
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _text(value: Any) -> str:  # noqa: ANN401 - what JSON gave
    """Text on one line, as every file and screen takes it; empty where it is none."""
    return readable(value).encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""
