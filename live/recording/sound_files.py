"""A lane's sound written into files of some minutes each.

In: AudioChunks of one lane, in order. Out: audio/<lane>-001.opus and so on, and a record of each. Sample k of all of
them together is time k of the captions: what was never heard is silence in a file, or lies between two. A disk that
refuses sound leaves a gap, said in a record, and is tried again. Reading is the business of live/recording/sound.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from live.audio import AudioChunk, Lane
from live.errors import RecordingError
from live.events import AudioDropped
from live.recording.disk import Disk
from live.recording.encoder import Encoder, Pcm
from live.recording.records import Record, SoundBegan
from live.settings import SoundFormat
from models.base import SAMPLE_RATE, Samples

ROLL = 5 * 60 * SAMPLE_RATE
"""Samples after which a new file begins: what a broken disk spoils at once."""
SYNC_EVERY = SAMPLE_RATE
"""Samples between two syncs: what a power cut costs, beside the encoder's own delay."""
RETRY_AFTER = 5 * SAMPLE_RATE
"""Samples that pass before a disk that failed is tried again."""
_FULL_SCALE = 32_767.0


class LaneSound:
    """The sound of one lane, from one thread.

    Args:
        lane: Whose it is.
        kind: How it is encoded.
        folder: Returns the folder of the files, made where it is missing; may raise OSError.
        keep: Takes the record of each file, before anything is in it, and of each gap.
        disk: Where they are written.
    """

    def __init__(
        self,
        lane: Lane,
        kind: SoundFormat,
        folder: Callable[[], Path],
        keep: Callable[[Record], None],
        disk: Disk | None = None,
    ) -> None:
        self._lane = lane
        self._kind: SoundFormat = kind
        self._folder = folder
        self._keep = keep
        self._disk = disk or Disk()
        self._encoder: Encoder | None = None
        self._path = Path()  # of its file
        self._n_files = 0
        self._first = 0  # of the file
        self._end = 0  # after the last sample heard
        self._synced = 0
        self._lost_from: int | None = None
        self._reason = ""
        self._retry_at = 0

    def write(self, chunk: AudioChunk) -> None:
        """Append a chunk. What lies before the last one's end, where a clock went back, is left out.

        Raises:
            RecordingError: the disk refuses it: from the first failure on, once for each try.
        """
        samples, start = chunk.samples[max(0, self._end - chunk.start) :], max(chunk.start, self._end)
        if not len(samples):
            return
        try:
            self._append(samples, start)
        except OSError as error:
            self._abandon(start, error)
            raise RecordingError(f"The sound cannot be recorded: {self._reason}.") from error
        finally:
            self._end = start + len(samples)

    @property
    def has_failed(self) -> bool:
        """Whether sound is being lost."""
        return self._lost_from is not None

    def close(self) -> None:
        """Finish the file.

        Raises:
            RecordingError: its end could not be written.
        """
        self._say_gap(self._end)
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            try:
                encoder.close()
            except OSError as error:
                raise RecordingError(f"The end of the sound could not be recorded: {error.strerror}.") from error

    def _append(self, samples: Samples, start: int) -> None:
        if self._lost_from is not None and start < self._retry_at:
            return
        if self._encoder is not None and start - self._first >= ROLL:
            encoder, self._encoder = self._encoder, None
            encoder.close()
        if self._encoder is None:
            self._begin(start)
        elif start > self._end:
            self._encode(np.zeros(start - self._end, np.int16))
        self._encode(np.rint(samples * _FULL_SCALE).astype(np.int16))
        if start + len(samples) - self._synced >= SYNC_EVERY:
            self._synced = start + len(samples)
            assert self._encoder is not None
            self._encoder.sync()

    def _begin(self, start: int) -> None:
        """Begin a file, and tell where it does before it holds anything."""
        folder = self._folder()
        while self._disk.has(path := folder / f"{self._lane}-{self._n_files + 1:03}.{self._kind}"):
            self._n_files += 1
        self._path = path
        self._encoder = Encoder(self._disk.append_to(path), self._kind)
        self._n_files += 1
        self._first = self._synced = start
        self._say_gap(start)
        self._keep(SoundBegan(self._lane, path.name, start))

    def _encode(self, samples: Pcm) -> None:
        assert self._encoder is not None
        self._encoder.write(samples)

    def _abandon(self, start: int, error: OSError) -> None:
        """Give the file up; what is in it stays, and one that holds nothing goes, or each try would leave another."""
        encoder, self._encoder = self._encoder, None
        if self._lost_from is None:
            self._lost_from = start
        self._reason = error.strerror or type(error).__name__
        self._retry_at = start + RETRY_AFTER
        if encoder is not None:
            with contextlib.suppress(OSError):
                encoder.close()
            if encoder.is_empty:
                with contextlib.suppress(OSError):
                    self._disk.remove(self._path)

    def _say_gap(self, end: int) -> None:
        if self._lost_from is not None and end > self._lost_from:
            reason = f"it could not be recorded: {self._reason}"
            self._keep(AudioDropped(self._lane, self._lost_from, end - self._lost_from, reason))
        self._lost_from = None
