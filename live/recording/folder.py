"""A session's folder written: made, locked, and its journal grown line by line.

In: records. Out: what live/recording/journal.py reads. A line is on the disk for good when `flush` returns. What a disk
refuses waits in memory, and the next `flush` tries again; nothing is lost while the program lives.
When to try, and what to say, is the caller's business.
"""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

import filelock
import platformdirs

from live.errors import RecordingError
from live.recording.disk import Disk, DiskFile
from live.recording.journal import AUDIO_FOLDER, JOURNAL_NAME, read
from live.recording.records import Record, encode
from live.recording.session_info import FILE_NAME, NAME_FORMAT, SessionInfo, info_text

LOCK_NAME = "lock"
UNFINISHED_NAME = "unfinished"
"""A file that stands in a folder until its session has ended and every utterance of it is translated."""
MOST_OF_A_SECOND = 1000
"""Sessions that may have begun in the same second, by a clock that was put back again and again."""


class SessionFolder:
    """A folder open for writing; used from one thread. Nothing is made before the first `flush`.

    Args:
        root: The folder of all sessions.
        info: What goes into session.json.
        disk: Where it is written.
    """

    def __init__(self, root: Path, info: SessionInfo, disk: Disk | None = None) -> None:
        self._root = root
        self._info: SessionInfo | None = info
        self._disk = disk or Disk()
        self._path: Path | None = None
        self._lock: filelock.BaseFileLock | None = None
        self._file: DiskFile | None = None
        self._base: int | None = None
        """Bytes that stood in the journal when it was opened."""
        self._lines: list[bytes] = []
        """All of this opening: a disk that comes back without them gets them again."""
        self._n_kept = 0
        """Of them, those that are on the disk for good."""

    @classmethod
    def open(cls, folder: Path, disk: Disk | None = None) -> SessionFolder:
        """Open a session that is there, to add to it.

        Raises:
            RecordingError: another program writes it, or it cannot be written.
        """
        opened = cls(folder.parent, read(folder).info, disk)
        opened._info, opened._path = None, folder
        opened._lock = _locked(folder)
        return opened

    @property
    def path(self) -> Path | None:
        """Where it is; None before it was made."""
        return self._path

    @property
    def n_waiting(self) -> int:
        """Lines that are not on the disk for good."""
        return len(self._lines) - self._n_kept

    def add(self, record: Record) -> None:
        """Take a record; it is written by the next `flush`."""
        self._lines.append(encode(record))

    def flush(self) -> None:
        """Put everything on the disk, for good.

        Raises:
            RecordingError: it cannot be written now; all of it is kept for the next time.
        """
        if self._file is not None and not self.n_waiting:
            return
        try:
            if self._path is None:
                self._make()
            assert self._path is not None
            if self._file is not None and not self._disk.has(self._path / JOURNAL_NAME):
                self._let_go()  # it would take everything, and nothing of it would be found again
            if self._file is None:
                self._reopen(self._path)
            self._write()
        except OSError as error:
            self._let_go()
            where, why = self._path or self._root, error.strerror or type(error).__name__
            raise RecordingError(f"The session cannot be written to {where}: {why}.") from error

    def audio_folder(self) -> Path:
        """The folder of its sound, made where it is missing.

        Raises:
            OSError: it cannot be made, as long as the session's own was not.
        """
        if self._path is None:
            raise FileNotFoundError(errno.ENOENT, "the session has no folder", str(self._root))
        folder = self._path / AUDIO_FOLDER
        self._disk.make_folder(folder)
        return folder

    def close(self) -> None:
        """Write what waits, and let other programs have the folder.

        Raises:
            RecordingError: something could not be written, and is lost now.
        """
        try:
            if self.n_waiting:
                self.flush()
            if self._path is not None:
                self._finish(self._path)
        finally:
            self._let_go()
            if self._lock is not None:
                self._lock.release()

    def _make(self) -> None:
        """Make a folder of its own, and lock it."""
        assert self._info is not None
        name = self._info.began.strftime(NAME_FORMAT)
        for number in range(1, MOST_OF_A_SECOND):
            path = self._root / (name if number == 1 else f"{name} {number}")
            if self._disk.make_folder(path):
                break
        else:
            raise FileExistsError(errno.EEXIST, "too many sessions of this second", str(path))
        try:
            self._lock = _locked(path)
        except RecordingError:
            with contextlib.suppress(OSError):
                path.rmdir()  # or every try would leave another one
            raise
        self._path = path

    def _reopen(self, path: Path) -> None:
        """Open the journal, and cut it back to what is known to be kept."""
        if self._info is not None and not self._disk.has(path / FILE_NAME):  # a new one, or a disk that came back empty
            self._disk.make_folder(path)
            self._disk.append_to(path / UNFINISHED_NAME).close()
            self._disk.replace(path / FILE_NAME, info_text(self._info))
        self._file = self._disk.append_to(path / JOURNAL_NAME)
        if self._base is None:
            self._base = self._file.length
        kept = self._base + sum(map(len, self._lines[: self._n_kept]))
        if self._file.length < kept:
            self._n_kept = 0
            self._base = kept = min(self._base, self._file.length)
        if self._file.length > kept:
            self._file.truncate(kept)
        if kept and not self._file.ends_with(b"\n"):
            self._base += self._file.write(b"\n")

    def _write(self) -> None:
        assert self._file is not None
        begun = self._file.length
        try:
            for line in self._lines[self._n_kept :]:
                self._file.write(line)  # one call a line: killing the program tears none
            self._file.sync()
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(begun)
            raise
        self._n_kept = len(self._lines)

    def _finish(self, path: Path) -> None:
        """Take the mark away once there is nothing left to do."""
        mark = path / UNFINISHED_NAME
        with contextlib.suppress(OSError, RecordingError):
            if mark.exists() and not read(path).pending:
                mark.unlink()

    def _let_go(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def sessions_root(named: str = "") -> Path:
    """The folder of all sessions. Args: named: by the setting `sessions_folder`; empty for the system's own place."""
    return Path(named).expanduser() if named else platformdirs.user_data_path("tongchuan", appauthor=False) / "sessions"


def is_in_use(folder: Path) -> bool:
    """Whether a program writes this session now."""
    lock = _lock(folder)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    except OSError:
        return False  # a folder that cannot be written is written by nobody
    lock.release()
    return False


def unfinished(root: Path) -> list[Path]:
    """Folders of sessions that were not brought to their end, newest first; those being written are left out."""
    try:
        marks = sorted(root.glob(f"*/{UNFINISHED_NAME}"), reverse=True)
    except OSError:
        return []
    return [mark.parent for mark in marks if not is_in_use(mark.parent)]


def _lock(folder: Path) -> filelock.BaseFileLock:
    # Not bound to a thread: the recorder takes it, and whoever ends the program may give it back.
    return filelock.FileLock(folder / LOCK_NAME, mode=0o600, thread_local=False)


def _locked(folder: Path) -> filelock.BaseFileLock:
    lock = _lock(folder)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise RecordingError(f"Another program is writing the session in {folder}: close it first.") from error
    except OSError as error:
        raise RecordingError(f"The session in {folder} cannot be written: {error.strerror}.") from error
    return lock
