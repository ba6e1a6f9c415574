"""Sessions on disk for tests, from as little as possible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import example_captions
import numpy as np
from numpy.typing import NDArray

from live.audio import Lane
from live.events import Caption, MarkAdded
from live.files import OWNER_ONLY_FOLDER, replace_private
from live.recording.journal import AUDIO_FOLDER, JOURNAL_NAME, Transcript, read
from live.recording.records import CaptionSettled, Record, SoundBegan, encode
from live.recording.session_info import NAME_FORMAT, SessionInfo, write_info
from live.recording.wav import WavFile
from models.base import SAMPLE_RATE

BEGAN = datetime(2026, 11, 22, 10, 30, 5, tzinfo=timezone(timedelta(hours=8)))


def caption(
    number: int,
    start_s: float,
    end_s: float,
    translation: str,
    transcript: str = "",
    *,
    lane: Lane = "microphone",
    direction: tuple[str, str] = ("zh", "en"),
    is_uncertain: bool = False,
) -> Caption:
    """A final caption, numbered first, of the lane that sessions on disk mostly have."""
    return example_captions.caption(
        start_s,
        end_s,
        translation,
        transcript,
        number=number,
        lane=lane,
        direction=direction,
        is_uncertain=is_uncertain,
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


def record(folder: Path, samples: NDArray[np.float32], lane: Lane = "microphone", start: int = 0) -> Path:
    """Put sound at 16 kHz into a session, as a WAV file that begins at a sample of the lane."""
    audio = folder / AUDIO_FOLDER
    audio.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
    path = audio / f"{lane}-{len(list(audio.iterdir())) + 1:03}.wav"
    file = WavFile(path)
    file.write(np.rint(samples * 32767).astype(np.int16))
    file.close()
    with (folder / JOURNAL_NAME).open("ab") as journal:
        journal.write(encode(SoundBegan(lane, path.name, start)))
    return path
