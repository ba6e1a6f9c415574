"""What the recorder asks of the file system, in one place: tests fill this disk, take it away and cut its power.

In: paths and bytes. Out: owner-only files and folders; every failure is an OSError, for the caller to word.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

from live.files import OWNER_ONLY, OWNER_ONLY_FOLDER, replace_private


class DiskFile(Protocol):
    """A file open for appending, used from one thread."""

    @property
    def length(self) -> int:
        """Bytes in it."""
        ...

    def ends_with(self, byte: bytes) -> bool:
        """Whether its last byte is this one."""
        ...

    def write(self, data: bytes) -> int:
        """Append all of it; where that fails, as much as went in stays. Returns its length."""
        ...

    def patch(self, at: int, data: bytes) -> None:
        """Write over what stands at a place; the length stays."""
        ...

    def truncate(self, length: int) -> None:
        """Cut off what is behind `length` bytes; writing goes on there."""
        ...

    def sync(self) -> None:
        """Return once it would survive a power cut."""
        ...

    def close(self) -> None:
        """Close; more than once is harmless."""
        ...


class Disk:
    """The real one."""

    def make_folder(self, path: Path) -> bool:
        """Make a folder, and those above it; False where it was there already."""
        if not self.has(path.parent):
            self.make_folder(path.parent)  # one by one: each name is to survive
        try:
            path.mkdir(mode=OWNER_ONLY_FOLDER)
        except FileExistsError:
            return False
        self.sync_folder(path.parent)
        return True

    def append_to(self, path: Path) -> DiskFile:
        """Open a file for appending, made where it is missing."""
        is_new = not self.has(path)
        file = _OsFile(path)
        if is_new:
            self.sync_folder(path.parent)
        return file

    def has(self, path: Path) -> bool:
        """Whether a file or folder is there."""
        return path.exists()

    def replace(self, path: Path, text: str) -> None:
        """Put UTF-8 text in the place of a file, whole or not at all."""
        replace_private(path, text)
        self.sync_folder(path.parent)

    def remove(self, path: Path) -> None:
        """Take a file away; one that is not there is none to take."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Have the names in a folder survive a power cut, where the system offers it."""
        with contextlib.suppress(PermissionError):  # Windows opens no folders; its names survive by themselves
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class _OsFile:
    """An unbuffered file: a line is one call of the system, so that killing the program tears none."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._descriptor: int | None = os.open(path, flags, OWNER_ONLY)
        self._length = os.lseek(self._descriptor, 0, os.SEEK_END)

    @property
    def length(self) -> int:
        return self._length

    def write(self, data: bytes) -> int:
        descriptor = self._open()
        done = 0
        while done < len(data):  # a write may stop half way, where the disk ends
            n = os.write(descriptor, data[done:])
            done += n
            self._length += n
        return done

    def ends_with(self, byte: bytes) -> bool:
        descriptor = self._open()
        if not self._length:
            return False
        os.lseek(descriptor, self._length - 1, os.SEEK_SET)
        last = os.read(descriptor, 1)
        os.lseek(descriptor, self._length, os.SEEK_SET)
        return last == byte

    def patch(self, at: int, data: bytes) -> None:
        descriptor = self._open()
        os.lseek(descriptor, at, os.SEEK_SET)
        os.write(descriptor, data)
        os.lseek(descriptor, self._length, os.SEEK_SET)

    def truncate(self, length: int) -> None:
        os.ftruncate(self._open(), length)
        self._length = os.lseek(self._open(), length, os.SEEK_SET)

    def sync(self) -> None:
        os.fsync(self._open())

    def close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor is None:
            raise ValueError("the file is closed")
        return self._descriptor
