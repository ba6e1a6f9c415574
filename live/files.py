"""Files written for the user: readable by their owner alone, and replaced whole or not at all.

In: a path and its content. Out: a file of mode 0600. What an OSError means to the user is the caller's business.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700


def open_private(path: Path) -> BinaryIO:
    """Open a file for writing from its beginning, owner-only from its first byte; missing folders are made.

    What stands there is not cut off: the caller truncates. Unbuffered, so that what is written survives a crash of
    this process. Devices and pipes (/dev/stdout) keep their mode.

    Raises:
        OSError: it cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), OWNER_ONLY)
    if path.is_file():
        path.chmod(OWNER_ONLY)  # one that stood there before keeps its old mode otherwise
    return os.fdopen(descriptor, "wb", buffering=0)


def write_whole(file: BinaryIO, data: bytes) -> None:
    """Write all of it to an unbuffered file, whose writes may stop half way where the disk ends.

    Raises:
        OSError: the disk is full, or gone; as much as went in stays.
    """
    done = 0
    while done < len(data):
        done += file.write(data[done:])


def replace_private(path: Path, content: str | bytes) -> None:
    """Put text, as UTF-8, or bytes in the place of a file: readers see the old one or the new one, never half of one.

    A symbolic link stays one: the file it leads to is replaced.

    Raises:
        OSError: it cannot be written there; the old file is untouched.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
