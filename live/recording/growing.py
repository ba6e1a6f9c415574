"""A file that grows by whole records: what was appended survives a crash, and a full disk leaves no half record.

In: bytes. Out: an owner-only file, in the place of an older one from the first record on. What a record is, is the
caller's business.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from live.errors import RecordingError
from live.files import open_private, write_whole


class GrowingFile:
    """A file open for appending; used from one thread.

    Args:
        path: Where it is; an older file there stays as it is until `begin` or the first record.
        contents: What it holds, for messages: "subtitles".

    Raises:
        RecordingError: it cannot be written there.
    """

    def __init__(self, path: Path, contents: str) -> None:
        self._path = path
        self._contents = contents
        self._length = 0
        self._has_begun = False
        try:
            self._was_there = path.exists()  # which refuses a name that is too long
            self._file: BinaryIO = open_private(path)
        except OSError as error:
            raise self._error(error, "cannot be written") from error

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def has_begun(self) -> bool:
        """Whether it is this session's file by now: one that never begins leaves what stood there as it was."""
        return self._has_begun

    def begin(self) -> None:
        """Let go of the older file.

        Raises:
            RecordingError: the disk is gone.
        """
        self.append(b"")

    def append(self, record: bytes) -> None:
        """Write a record, whole or not at all; from the first failure on the file is closed.

        Raises:
            RecordingError: the disk is full, or gone.
        """
        try:
            if not self._has_begun and self._path.is_file():  # a pipe or a device has nothing older
                self._file.truncate(0)
            self._has_begun = True
            write_whole(self._file, record)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._length)
            self._file.close()
            raise self._error(error, "are complete only up to here") from error
        self._length += len(record)

    def close(self) -> None:
        """Put everything on the disk and close; more than once is harmless. One that never began leaves nothing new.

        Raises:
            RecordingError: the disk refused what was written.
        """
        if self._file.closed:
            return
        try:
            if self._path.is_file():
                os.fsync(self._file.fileno())
            self._file.close()
            if not self._has_begun and not self._was_there:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._error(error, "may be incomplete") from error
        finally:
            self._file.close()

    def _error(self, error: OSError, what: str) -> RecordingError:
        return RecordingError(f"The {self._contents} in {self._path} {what}: {error.strerror}.")
