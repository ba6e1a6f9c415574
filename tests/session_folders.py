"""Sessions on disk for tests, from as little as possible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from live.events import Caption, Line, MarkAdded, Word
from live.files import OWNER_ONLY_FOLDER, replace_private
from live.recording.journal import JOURNAL_NAME, Transcript, read
from live.recording.records import CaptionSettled, Record, encode
from live.recording.session_info import NAME_FORMAT, SessionInfo, write_info
from models.base import SAMPLE_RATE

BEGAN = datetime(2026, 11, 22, 10, 30, 5, tzinfo=timezone(timedelta(hours=8)))


def caption(
    number: int,
    start_s: float,
    end_s: float,
    translation: str,
    transcript: str = "",
    *,
    lane: str = "microphone",
    direction: tuple[str, str] = ("zh", "en"),
    is_uncertain: bool = False,
) -> Caption:
    """A final caption, its words without times."""

    def line(text: str) -> Line:
        return Line((Word(text),)) if text else Line()

    return Caption(
        id=number,
        lane=lane,  # type: ignore[arg-type]
        source=direction[0],
        target=direction[1],
        translation=line(translation),
        transcript=line(transcript),
        start=round(start_s * SAMPLE_RATE),
        end=round(end_s * SAMPLE_RATE),
        logprob=-0.25,
        is_uncertain=is_uncertain,
        is_final=True,
    )


def mark(at_s: float, label: str = "") -> MarkAdded:
    return MarkAdded(round(at_s * SAMPLE_RATE), label)


def session_folder(root: Path, *records: Record | Caption, title: str = "", days: float = 0) -> Path:
    """Write a session that began some days after BEGAN."""
    began = BEGAN + timedelta(days=days)
    folder = root / began.strftime(NAME_FORMAT)
    folder.mkdir(parents=True, mode=OWNER_ONLY_FOLDER)
    write_info(folder, SessionInfo(began, title=title, model="fake", source="USB microphone"))
    lines = [encode(CaptionSettled(record) if isinstance(record, Caption) else record) for record in records]
    replace_private(folder / JOURNAL_NAME, b"".join(lines))
    return folder


def transcript(root: Path, records: Sequence[Record | Caption], title: str = "") -> Transcript:
    """A session that was written and read."""
    return read(session_folder(root, *records, title=title))
