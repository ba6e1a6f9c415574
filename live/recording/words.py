"""A table of the spoken words with their times: final captions in, tab-separated lines out.

The first line names the columns: start_s, end_s (seconds from the beginning), lane, language, word. Marks are left
out; a word whose time the model did not tell has empty times. Which model knows times is not its business.
"""

from __future__ import annotations

from pathlib import Path

from live.audio import seconds
from live.events import Caption, CaptionUpdated, Event, StateChanged
from live.recording.growing import GrowingFile

COLUMNS = ("start_s", "end_s", "lane", "language", "word")


class WordFile:
    """A sink that appends the words of final transcripts.

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self.file = GrowingFile(path, "words")

    def take(self, event: Event, at_s: float) -> None:
        """Append an event's words if it is a final caption; "listening" lets go of an older file.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        if isinstance(event, StateChanged) and event.state == "listening" and not self.file.has_begun:
            self.file.append(_row(*COLUMNS))
        if isinstance(event, CaptionUpdated) and event.caption.is_final:
            self.file.append(b"".join(_rows(event.caption)))

    def close(self) -> None:
        """Put everything on the disk.

        Raises:
            RecordingError: the disk refused it.
        """
        self.file.close()


def _rows(caption: Caption) -> list[bytes]:
    return [
        _row(_time(word.start), _time(word.end), caption.lane, caption.source, word.text)
        for word in caption.transcript.settled
        if any(character.isalnum() for character in word.text)
    ]


def _time(at: int | None) -> str:
    return "" if at is None else f"{seconds(at):.3f}"


def _row(*fields: str) -> bytes:
    """A line of the table; what would break it up inside a field becomes a space."""
    return ("\t".join(" ".join(field.split()) for field in fields) + "\n").encode("utf-8")
