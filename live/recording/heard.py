"""A source whose sound is also written down, as it passes into the session.

In: a Source of a file. Out: the same blocks, and a WAV file of them mixed to one channel. A slow disk holds up the
file's own reader, so this is not for devices.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from live.audio import AudioBlock, Lane
from live.capture import Lost, Source
from live.errors import RecordingError
from live.queues import AudioQueue
from live.recording.wav import WavFile


class Heard:
    """Stands in for a file source.

    Args:
        source: Where the sound comes from.
        path: The WAV file; what stood there is replaced.
        failed: Told once, from the source's thread, where the sound cannot be written; the session goes on.
    """

    def __init__(self, source: Source, path: Path, failed: Callable[[RecordingError], None]) -> None:
        self._source = source
        self._path = path
        self._failed = failed
        self._tee: _Tee | None = None
        self._wav: WavFile | None = None
        self._has_failed = False

    @property
    def lane(self) -> Lane:
        """Of the source."""
        return self._source.lane

    @property
    def name(self) -> str:
        """Of the source."""
        return self._source.name

    @property
    def is_live(self) -> bool:
        """Of the source."""
        return self._source.is_live

    @property
    def rate(self) -> int:
        """Of the source."""
        return self._source.rate

    @property
    def channels(self) -> int:
        """Of the source."""
        return self._source.channels

    @property
    def has_begun(self) -> bool:
        """Whether any sound was written."""
        return self._wav is not None

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        """Open the source.

        Raises:
            CaptureError: it cannot be opened.
        """
        self._tee = _Tee(queue, self._write)
        self._wav, self._has_failed = None, False
        self._source.open(self._tee, lost)

    def close(self) -> None:
        """Close the source, then the file."""
        self._source.close()
        if self._wav is not None:
            self._try(self._wav.close)

    def _write(self, block: AudioBlock) -> None:
        if not self._has_failed:
            self._try(lambda: self._append(block))

    def _append(self, block: AudioBlock) -> None:
        if self._wav is None:
            self._wav = WavFile(self._path, self._source.rate)
        self._wav.write(np.rint(block.samples.mean(axis=1)).astype(np.int16))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except RecordingError as error:
            self._has_failed = True
            self._failed(error)


class _Tee(AudioQueue):
    """The session's queue as the source sees it."""

    def __init__(self, queue: AudioQueue, write: Callable[[AudioBlock], None]) -> None:
        super().__init__(queue.capacity_s, queue.rate)
        self._queue = queue
        self._write = write

    def put(self, block: AudioBlock, stop: Callable[[], bool] = lambda: False) -> bool:
        is_taken = self._queue.put(block, stop)
        if is_taken:
            self._write(block)
        return is_taken

    def close(self) -> None:
        super().close()
        self._queue.close()
