"""A file that grows by whole records: what was appended survives a crash, and a full disk leaves no half record.

In: bytes. Out: an owner-only file. What a record is, is the caller's business.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from live.errors import RecordingError
from live.files import open_private


class GrowingFile:
    """A file open for appending; used from one thread.

    Args:
        path: Where it is; what stood there is replaced.
        contents: What it holds, for messages: "subtitles".

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path, contents: str) -> None:
        self._path = path
        self._contents = contents
        try:
            self._file: BinaryIO = open_private(path)
        except OSError as error:
            raise self._error(error, "cannot be written") from error
        self._length = 0

    def append(self, record: bytes) -> None:
        """Write a record, whole or not at all; from the first failure on the file is closed.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        try:
            done = 0
            while done < len(record):  # an unbuffered write may stop half way, where the disk ends
                done += self._file.write(record[done:])
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._length)
            self._file.close()
            raise self._error(error, "are complete only up to here") from error
        self._length += len(record)

    def close(self) -> None:
        """Put everything on the disk and close; more than once is harmless.

        Raises:
            RecordingError: the disk refused what was written.
        """
        if self._file.closed:
            return
        try:
            if self._path.is_file():  # a pipe or /dev/stdout cannot be synchronised
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._error(error, "may be incomplete") from error
        finally:
            self._file.close()

    def _error(self, error: OSError, what: str) -> RecordingError:
        return RecordingError(f"The {self._contents} in {self._path} {what}: {error.strerror}.")
