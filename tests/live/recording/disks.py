"""Disks that fail when the test says so, and one whose power is cut at every moment."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from live.recording.disk import Disk


class TroubledDisk(Disk):
    """The real one, but it answers `refuses` to whatever writes, has `room` for so many bytes, and `syncs` or not."""

    def __init__(self) -> None:
        self.refuses: int | None = None
        self.room: int | None = None
        self.syncs = True

    def make_folder(self, path):
        self._check()
        return super().make_folder(path)

    def append_to(self, path):
        self._check()
        return _Troubled(self, super().append_to(path))

    def replace(self, path, text):
        self._check()
        super().replace(path, text)

    def _check(self):
        if self.refuses is not None:
            raise OSError(self.refuses, os.strerror(self.refuses))


class _Through:
    """A file that hands everything on."""

    def __init__(self, file) -> None:
        self._file = file

    @property
    def length(self):
        return self._file.length

    def __getattr__(self, name):
        return getattr(self._file, name)


class _Troubled(_Through):
    def __init__(self, disk, file) -> None:
        super().__init__(file)
        self._disk = disk

    def write(self, data):
        self._disk._check()
        if self._disk.room is not None:
            fits = data[: self._disk.room]
            self._disk.room -= len(fits)
            self._file.write(fits)
            if len(fits) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return len(data)
        return self._file.write(data)

    def sync(self):
        self._disk._check()
        if not self._disk.syncs:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._file.sync()


class LoggingDisk(Disk):
    """The real one, with a log of all that was done, to be replayed up to any moment."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.log: list[tuple] = []

    def acknowledge(self, what) -> None:
        """Note that something counts as kept from here on."""
        self.log.append(("kept", what))

    def make_folder(self, path):
        if not self.has(path):
            self.log.append(("folder", path))
        return super().make_folder(path)

    def append_to(self, path):
        if not self.has(path):
            self.log.append(("file", path))
        return _Logged(self, path, super().append_to(path))

    def replace(self, path, text):
        # A file of another name, synced whole, then named anew: the name may be lost, its content is never half.
        self.log.append(("replace", path, text.encode()))
        super().replace(path, text)

    def sync_folder(self, path):
        self.log.append(("sync names", path))
        super().sync_folder(path)

    def cuts(self, target: Path) -> Iterator[tuple[Path, list]]:
        """Every state that a power cut may leave, as a copy of the root, with what was kept before it.

        For each moment: what was never synced is gone; and for the file written last: each part of it may be there.
        """
        for moment in range(len(self.log) + 1):
            kept = [entry[1] for entry in self.log[:moment] if entry[0] == "kept"]
            last = self.log[moment - 1] if moment else ("",)
            lengths = {0, 1, len(last[2]) // 2, len(last[2]) - 1, len(last[2])} if last[0] == "write" else {0}
            for n_survive in sorted(lengths):
                copy = target / f"{moment}-{n_survive}"
                self._leave(copy, self.log[:moment], n_survive)
                yield copy, kept

    def _leave(self, copy: Path, log: list[tuple], n_survive: int) -> None:
        named, lasting, written, synced = set(), {self._root}, {}, {}
        for entry in log:
            match entry:
                case ("folder" | "file", path):
                    named.add(path)
                case ("replace", path, content):
                    named.add(path)
                    written[path] = synced[path] = content
                case ("sync names", folder):
                    lasting |= {path for path in named if path.parent == folder}
                case ("write", path, data):
                    written[path] = written.get(path, b"") + data
                case ("cut", path, length):
                    written[path] = written[path][:length]
                case ("sync", path):
                    synced[path] = written.get(path, b"")
        copy.mkdir(parents=True)
        for path in sorted(lasting - {self._root}):
            if not all(parent in lasting for parent in path.parents if self._root in parent.parents):
                continue
            place = copy / path.relative_to(self._root)
            if ("folder", path) in log:
                place.mkdir()
            else:
                content = synced.get(path, b"")
                if log and log[-1][0] == "write" and log[-1][1] == path:
                    before = written[path][: len(written[path]) - len(log[-1][2])]
                    content = before + log[-1][2][:n_survive] if before.startswith(content) else content
                place.write_bytes(content)


class _Logged(_Through):
    def __init__(self, disk, path, file) -> None:
        super().__init__(file)
        self._disk, self._path = disk, path

    def write(self, data):
        self._disk.log.append(("write", self._path, bytes(data)))
        return self._file.write(data)

    def truncate(self, length):
        self._disk.log.append(("cut", self._path, length))
        self._file.truncate(length)

    def sync(self):
        self._disk.log.append(("sync", self._path))
        self._file.sync()
