"""Subtitle files that grow while a session runs: events in, cues out, in the order in which captions become final.

The cues are those of an export (live/recording/export/cues.py), timed without knowing what follows. Where two people
talked at once, who began first may have become final last: such a file is put in order at the end.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from live.errors import RecordingError
from live.events import Caption, CaptionUpdated, Event, MarkAdded, StateChanged
from live.files import replace_private
from live.recording.export.cues import Cue, Placing, caption_cues, lay_out, mark_cues
from live.recording.export.forms import Lines
from live.recording.export.subtitles import VTT_HEADER, GrowingForm, numbered, srt, vtt
from live.recording.growing import GrowingFile
from live.speakers import Speakers


class SubtitleFile:
    """A sink that writes final captions as cues.

    Args:
        path: Where; what stood there is replaced.
        lines: Which languages a cue holds.
        form: SRT or WebVTT.

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path, lines: Lines = "both", form: GrowingForm = "srt") -> None:
        self._lines = lines
        self._form = form
        self._placing = Placing()
        self._speakers = Speakers()
        self._marks: list[MarkAdded] = []
        self._waiting: list[MarkAdded] = []
        self._captions: list[Caption] = []
        self._n_cues = 0
        self.file = GrowingFile(path, "subtitles")

    def take(self, event: Event, at_s: float) -> None:
        """Append an event's caption if it is final and says something; "listening" lets go of an older file.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        self._speakers.apply(event)
        match event:
            case StateChanged(state="listening") if not self.file.has_begun:
                self.file.begin()
                if self._form == "vtt":
                    self.file.append(VTT_HEADER.encode())
            case MarkAdded():
                self._marks.append(event)
                self._waiting.append(event)  # for the caption of its moment
            case CaptionUpdated(caption) if caption.is_final:
                self._captions.append(caption)
                marks = [mark for mark in self._waiting if mark.at < caption.end]
                self._waiting = [mark for mark in self._waiting if mark.at >= caption.end]
                self._append(caption_cues(caption, marks, self._lines, self._speakers.of(caption)))
            case _:
                pass

    def close(self) -> None:
        """Put everything on the disk.

        Raises:
            RecordingError: the disk refused it.
        """
        marks, self._waiting = self._waiting, []
        self._append(mark_cues(marks))
        self.file.close()
        is_in_order = all(one.start <= other.start for one, other in pairwise(self._captions))
        if not is_in_order and self.file.path.is_file():  # what went into a pipe has gone
            self._put_in_order()

    def _put_in_order(self) -> None:
        cues = lay_out(self._captions, self._marks, self._lines)
        try:
            replace_private(self.file.path, (srt(cues) if self._form == "srt" else vtt(cues)).encode("utf-8"))
        except OSError as error:
            raise RecordingError(
                f"The subtitles in {self.file.path} are not in order of time: {error.strerror}."
            ) from error

    def _append(self, cues: list[Cue]) -> None:
        nexts = [*(cue.start_ms for cue in cues[1:]), None]
        for cue, next_ms in zip(cues, nexts, strict=False):
            self._n_cues += 1
            placed = self._placing.place(cue, next_ms)
            self.file.append(numbered(placed, self._n_cues, self._form).encode("utf-8"))
