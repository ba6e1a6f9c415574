"""What a session heard as one WAV file: chunks in, through the recorder; 16-bit sound out, on the lane's clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from live.audio import AudioChunk
from live.events import Event
from live.recording.wav import WavFile

_FULL_SCALE = 32_767.0


class HeardFile:
    """A sink that writes one lane's sound; what stood at its path is replaced by the first chunk.

    Args:
        path: Where.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wav: WavFile | None = None
        self._end = 0

    @property
    def has_begun(self) -> bool:
        """Whether any sound was written."""
        return self._wav is not None

    def take(self, event: Event, at_s: float) -> None:
        """Sound is all that is written."""

    def hear(self, chunk: AudioChunk, at_s: float) -> None:
        """Append a chunk; what was not heard is silence.

        Raises:
            RecordingError: it cannot be written.
        """
        if self._wav is None:
            self._wav = WavFile(self._path)
        if chunk.start > self._end:
            self._wav.write(np.zeros(chunk.start - self._end, np.int16))
        self._wav.write(np.rint(chunk.samples * _FULL_SCALE).astype(np.int16))
        self._end = chunk.end

    def close(self) -> None:
        """Finish the file.

        Raises:
            RecordingError: its end cannot be written.
        """
        if self._wav is not None:
            self._wav.close()
