"""Sound as a WAV file: 16-bit mono in, an owner-only file out.

Its header is right after every write, so what was heard survives a crash. Resampling is not its business.
"""

from __future__ import annotations

import contextlib
import io
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live.errors import RecordingError
from live.files import open_private
from models.base import SAMPLE_RATE


class WavFile:
    """A mono WAV file open for writing; used from one thread.

    Args:
        path: Where; what stood there is replaced.
        rate: Samples a second.

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path, rate: int = SAMPLE_RATE) -> None:
        self._path = path
        try:
            self._file = io.BufferedWriter(open_private(path))
            if path.is_file():
                self._file.truncate(0)
        except OSError as error:
            raise self._error(error) from error
        self._wave: wave.Wave_write = wave.open(self._file, "wb")  # noqa: SIM115 - closed by close
        self._wave.setnchannels(1)
        self._wave.setsampwidth(np.dtype(np.int16).itemsize)
        self._wave.setframerate(rate)

    def write(self, samples: NDArray[np.int16]) -> None:
        """Append samples, (n,); from the first failure on the file is closed.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        try:
            self._wave.writeframes(samples.astype("<i2", copy=False).tobytes())
            self._file.flush()
        except OSError as error:
            self._abandon()
            raise self._error(error) from error

    def close(self) -> None:
        """Finish the file; more than once is harmless.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        if self._file.closed:
            return
        try:
            self._wave.close()
            self._file.flush()
        except OSError as error:
            raise self._error(error) from error
        finally:
            self._abandon()

    def _abandon(self) -> None:
        for part in (self._wave, self._file):
            with contextlib.suppress(OSError):
                part.close()
        with contextlib.suppress(OSError):
            self._file.raw.close()

    def _error(self, error: OSError) -> RecordingError:
        return RecordingError(f"The sound in {self._path} cannot be written: {error.strerror}.")
