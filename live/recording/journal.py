"""A session's folder read: its transcript, whatever state the files are in.

    2026-11-22 10.30.05/    owner-only; named by the local time at which the session began
        session.json        what, when and with what (live/recording/session_info.py)
        captions.jsonl      a record a line, in the order it happened (live/recording/records.py)
        audio/microphone-001.opus ...   where sound was recorded (live/recording/sound.py reads it)
        lock                held by the program that writes (live/recording/folder.py)

In: a folder. Out: a Transcript; what is damaged is left out and named in its `warnings`, the rest is there. Writing is
the business of live/recording/folder.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from live.audio import Lane
from live.errors import RecordingError
from live.events import (
    AudioDropped,
    Caption,
    MarkAdded,
    SessionStopped,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSilent,
    UtteranceSkipped,
)
from live.recording.records import By, CaptionSettled, LaneBegan, NotARecord, Record, SoundBegan, decode
from live.recording.session_info import FILE_NAME, SessionInfo, read_info

JOURNAL_NAME = "captions.jsonl"
AUDIO_FOLDER = "audio"
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes; a caption of 28 s with a time for every word takes a hundredth of it. What is longer is none of ours."""
TRIES = 2
"""After so many failures an utterance is no longer offered to be translated; it can still be asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A caption as it counts, and where it comes from."""

    caption: Caption
    by: By = "session"
    model: str | None = None
    original: Caption | None = None
    """The first caption of this id, where another took its place."""


@dataclass(frozen=True, slots=True)
class Untranslated:
    """An utterance that was heard and has no caption."""

    lane: Lane
    id: int
    start: int
    end: int
    n_failed: int = 0
    """How often it was given up."""
    message: str = ""
    """Why, the last time; empty where the session ended before its turn."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A session, as far as it is known. Times are samples at 16 kHz on a lane's clock, as everywhere."""

    folder: Path
    info: SessionInfo
    entries: tuple[Entry, ...] = ()
    """By start, then id; one an id."""
    marks: tuple[MarkAdded, ...] = ()
    """By time."""
    untranslated: tuple[Untranslated, ...] = ()
    """By start, then id: what was heard and has no caption, for whatever reason."""
    gaps: tuple[AudioDropped, ...] = ()
    """Sound that was lost or could not be recorded, by start."""
    sounds: tuple[SoundBegan, ...] = ()
    """Files of recorded sound, in the order they were begun; some may be missing from the folder."""
    lanes: tuple[LaneBegan, ...] = ()
    """In the order they began; the first of each lane says when its sample 0 was heard."""
    has_ended: bool = False
    """Whether the session came to its end; otherwise it runs, or the program was killed."""
    error: str | None = None
    """What ended it, where it did not end as it should."""
    heard: Mapping[Lane, int] = field(default_factory=dict)
    """By lane: the sample after the last utterance that is known to have ended, with words or without."""
    highest_id: int = 0
    """Of all utterances, those without words too; 0 where there is none."""
    warnings: tuple[str, ...] = ()
    """A sentence for each thing that is wrong with the files; empty where all is well."""

    @property
    def pending(self) -> tuple[Untranslated, ...]:
        """What is worth translating yet: `tongchuan sessions resume` is offered for it."""
        return tuple(utterance for utterance in self.untranslated if utterance.n_failed < TRIES)

    @property
    def end(self) -> int:
        """The sample after the last caption or utterance; 0 where there is none."""
        ends = [entry.caption.end for entry in self.entries] + [heard.end for heard in self.untranslated]
        return max(ends, default=0)

    def began(self, lane: Lane) -> datetime:
        """When the lane's sample 0 was heard; where that is not known, when the session began."""
        return next((began.began for began in self.lanes if began.lane == lane), self.info.began)


def read(folder: Path) -> Transcript:
    """Read a session; safe while another program writes it.

    Damage raises nothing: lines that cannot be read, a last line cut off, records of a kind this version does not
    know, a session.json that is missing are left out and said in `warnings`.

    Raises:
        RecordingError: there is no such session, or its files cannot be opened.
    """
    journal = folder / JOURNAL_NAME
    if not journal.is_file() and not (folder / FILE_NAME).is_file():
        raise RecordingError(f"{folder} is no session: it holds neither {FILE_NAME} nor {JOURNAL_NAME}.")
    info, warnings = read_info(folder)
    merging = _Merging()
    n_damaged, is_torn = 0, False
    try:
        for line, is_whole in _lines(journal):
            try:
                merging.add(decode(line))
            except NotARecord:
                n_damaged += is_whole
                is_torn = is_torn or not is_whole
    except FileNotFoundError:
        warnings.append(f"{journal} is missing: nothing of what was said is left.")
    except OSError as error:
        raise RecordingError(f"{journal} cannot be read: {error.strerror}.") from error
    if n_damaged:
        lines = "1 line" if n_damaged == 1 else f"{n_damaged} lines"
        left_out = "is left out" if n_damaged == 1 else "are left out"
        warnings.append(f"{lines} of {journal} cannot be read and {left_out}.")
    if is_torn:
        warnings.append(f"The last line of {journal} was cut off and is left out.")
    return merging.transcript(folder, info, warnings)


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Lines that hold anything, without their break, and whether the break was there."""
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE):
            is_whole = line.endswith(b"\n")
            if not is_whole and len(line) == LONGEST_LINE:
                while rest := file.readline(LONGEST_LINE):
                    if rest.endswith(b"\n"):
                        break
                yield b"", True  # no record: it is counted as damage
            elif line.strip():
                yield line.rstrip(b"\r\n"), is_whole


@dataclass(slots=True)
class _Merging:
    """Records taken so far."""

    entries: dict[int, Entry] = field(default_factory=dict)
    heard: dict[int, Untranslated] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    marks: dict[MarkAdded, None] = field(default_factory=dict)
    gaps: dict[AudioDropped, None] = field(default_factory=dict)
    sounds: dict[SoundBegan, None] = field(default_factory=dict)
    lanes: dict[LaneBegan, None] = field(default_factory=dict)
    stopped: SessionStopped | None = None

    def add(self, record: Record) -> None:
        """Take a record; one that comes twice, as after a disk that failed, counts once."""
        match record:
            case CaptionSettled(caption, by, model):
                before = self.entries.get(caption.id)
                if before is None or before.caption != caption:
                    original = (before.original or before.caption) if before else None
                    self.entries[caption.id] = Entry(caption, by, model, original)
            case UtteranceClosed(lane, start, end, number):
                self.heard.setdefault(number, Untranslated(lane, number, start, end))
            case UtteranceFailed(lane, number, start, end, message):
                n_failed = self.heard[number].n_failed if number in self.heard else 0
                self.heard[number] = Untranslated(lane, number, start, end, n_failed + 1, message)
            case UtteranceSkipped(lane, number, start, end):
                self.heard.setdefault(number, Untranslated(lane, number, start, end))
            case UtteranceSilent():
                self.silent.add(record.id)
            case MarkAdded():
                self.marks[record] = None
            case AudioDropped():
                self.gaps[record] = None
            case SoundBegan():
                self.sounds[record] = None
            case LaneBegan():
                self.lanes[record] = None
            case SessionStopped():
                self.stopped = record

    def transcript(self, folder: Path, info: SessionInfo, warnings: list[str]) -> Transcript:
        missing = [
            heard for heard in self.heard.values() if heard.id not in self.entries and heard.id not in self.silent
        ]
        heard: dict[Lane, int] = {}
        for utterance in self.heard.values():
            heard[utterance.lane] = max(heard.get(utterance.lane, 0), utterance.end)
        return Transcript(
            folder=folder,
            info=info,
            entries=tuple(sorted(self.entries.values(), key=lambda entry: (entry.caption.start, entry.caption.id))),
            marks=tuple(sorted(self.marks, key=lambda mark: mark.at)),
            untranslated=tuple(sorted(missing, key=lambda heard: (heard.start, heard.id))),
            gaps=tuple(sorted(self.gaps, key=lambda gap: gap.start)),
            sounds=tuple(self.sounds),
            lanes=tuple(self.lanes),
            has_ended=self.stopped is not None,
            error=self.stopped.error if self.stopped else None,
            heard=heard,
            highest_id=max((*self.heard, *self.silent, *self.entries), default=0),
            warnings=tuple(warnings),
        )
