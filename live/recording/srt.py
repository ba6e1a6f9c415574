"""Subtitle files: final captions in, SRT or WebVTT out, in the order in which they become final.

Each caption is appended as soon as it is final. How lines are best broken and timed for reading is not its business.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pysubs2.formats.subrip import SubripFormat
from pysubs2.formats.webvtt import WebVTTFormat

from live.audio import seconds
from live.events import Caption, CaptionUpdated, Event, StateChanged
from live.recording.growing import GrowingFile

Lines = Literal["both", "translation", "transcript"]
"""Which languages a cue holds; of both, the translation stands on top."""

Form = Literal["srt", "vtt"]
UNCERTAIN_MARK = "[?]"
"""Stands before the text of an uncertain caption: neither format has a way of its own that players show."""


class SubtitleFile:
    """A sink that writes final captions as cues.

    Args:
        path: Where; what stood there is replaced.
        lines: Which languages a cue holds.
        form: SRT or WebVTT.

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path, lines: Lines = "both", form: Form = "srt") -> None:
        self._lines = lines
        self._is_vtt = form == "vtt"
        self._stamp: Callable[[int], str] = (WebVTTFormat if self._is_vtt else SubripFormat).ms_to_timestamp
        self._n_cues = 0
        self.file = GrowingFile(path, "subtitles")

    def take(self, event: Event, at_s: float) -> None:
        """Append an event's caption if it is final and says something; "listening" lets go of an older file.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        if isinstance(event, StateChanged) and event.state == "listening" and not self.file.has_begun:
            self.file.begin()
            if self._is_vtt:
                self.file.append(b"WEBVTT\n\n")
        if isinstance(event, CaptionUpdated) and event.caption.is_final:
            text = self._text(event.caption)
            if text:
                self._n_cues += 1
                self.file.append(self._cue(event.caption, text).encode("utf-8"))

    def close(self) -> None:
        """Put everything on the disk.

        Raises:
            RecordingError: the disk refused it.
        """
        self.file.close()

    def _text(self, caption: Caption) -> str:
        chosen = {
            "both": (caption.translation, caption.transcript),
            "translation": (caption.translation,),
            "transcript": (caption.transcript,),
        }[self._lines]
        lines = (" ".join(line.text.split()) for line in chosen)  # a line break of the model's own would end the cue
        text = "\n".join(line for line in lines if line)
        if text and caption.is_uncertain:
            text = f"{UNCERTAIN_MARK} {text}"
        if self._is_vtt:
            return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return text

    def _cue(self, caption: Caption, text: str) -> str:
        start, end = (self._stamp(round(1000 * seconds(at))) for at in (caption.start, caption.end))
        return f"{self._n_cues}\n{start} --> {end}\n{text}\n\n"
