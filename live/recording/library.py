"""The library: every session there is, listed, searched, corrected, renamed, deleted.

In: the folder of all sessions. Out: what is known of each, captions that answer a question, transcripts. The index
beside the sessions (live/recording/library_index.py) is brought up to date at each question by the sessions that have
changed; one that is broken is made anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import itertools
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from live.errors import RecordingError
from live.events import Caption, Line, Word
from live.recording import session_info
from live.recording.export.phrases import plain
from live.recording.folder import SessionFolder, is_in_use
from live.recording.journal import AUDIO_FOLDER, JOURNAL_NAME, Transcript, read
from live.recording.library_index import Found, Index, Known
from live.recording.library_terms import Question
from live.recording.records import CaptionSettled
from live.recording.session_info import FILE_NAME, read_info

INDEX_NAME = "index.sqlite3"
SIDE_FILES = ("-journal", "-wal", "-shm")
"""What SQLite puts beside a file of its own."""
FOUND_AT_MOST = 50
COMMIT_EVERY = 50
"""Sessions taken into the index at once: who stops it half way has to wait only for the rest."""
LAST = "last"
"""Names the newest session."""

log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Session:
    """A session in the list."""

    folder: Path
    known: Known
    n_bytes: int
    """Of all its files; sound is weighed, never read."""

    @property
    def size_text(self) -> str:
        """Its size as people read it; captions alone are small."""
        for unit, n_bytes in (("GB", 1e9), ("MB", 1e6)):
            if self.n_bytes >= n_bytes:
                return f"{self.n_bytes / n_bytes:.1f} {unit}"
        return f"{max(self.n_bytes / 1e3, 1):.0f} kB"

    @property
    def name(self) -> str:
        """What it is called by: its folder."""
        return self.folder.name


class Library:
    """All sessions below a folder; used from one thread.

    Args:
        root: The folder of all sessions; one that does not exist is an empty library.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._index: Index | None = None

    def close(self) -> None:
        """Let go of the index."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def sessions(self) -> list[Session]:
        """All sessions, newest first.

        Raises:
            RecordingError: the folder cannot be read.
        """
        known = self._asked(lambda index: self._refreshed(index).known())
        return [
            Session(self._root / name, each, _size(self._root / name))
            for name, each in sorted(known.items(), key=lambda item: (item[1].began, item[0]), reverse=True)
        ]

    def search(self, text: str, most: int = FOUND_AT_MOST) -> list[Found]:
        """Captions and titles that hold everything asked for, in either language.

        Args:
            text: hanzi, one or more; words, of which three letters find longer ones. Several must all be there.
            most: so many at most.

        Returns:
            Those of the newest sessions first, within a session by time.

        Raises:
            RecordingError: there is nothing to look for in the text, or the folder cannot be read.
        """
        question = Question.of(text)
        if not question.runs:
            raise RecordingError("There is nothing to search for: give a word or some hanzi.")
        found = self._asked(lambda index: list(itertools.islice(self._refreshed(index).search(question), most)))
        sessions = itertools.groupby(found, key=lambda each: each.folder)
        return [each for _, group in sessions for each in sorted(group, key=lambda each: each.start)]

    def find(self, name: str) -> Path:
        """The folder of the session that somebody means.

        Args:
            name: a folder's name or its beginning, a title or a part of it, or "last".

        Raises:
            RecordingError: there is none, or more than one.
        """
        sessions = self.sessions()
        if not sessions:
            raise RecordingError(f"There are no sessions yet in {self._root}.")
        if name == LAST:
            return sessions[0].folder
        wanted = name.strip().casefold()
        tests: tuple[Callable[[Session], bool], ...] = (
            lambda session: bool(wanted) and wanted in (session.name.casefold(), session.known.title.casefold()),
            lambda session: bool(wanted) and session.name.casefold().startswith(wanted),
            lambda session: bool(wanted) and wanted in session.known.title.casefold(),
        )
        for test in tests:
            matches = [session for session in sessions if test(session)]
            if len(matches) == 1:
                return matches[0].folder
            if matches:
                names = ", ".join(f"'{session.name}'" for session in matches[:3])
                raise RecordingError(
                    f"'{name}' may mean {len(matches)} sessions, such as {names}: give more of its name."
                )
        names_of = {
            each.casefold(): each for session in sessions for each in (session.name, session.known.title) if each
        }
        nearest = difflib.get_close_matches(wanted, names_of, n=1, cutoff=0.0)[0]
        raise RecordingError(
            f"There is no session '{name}'; the nearest is '{names_of[nearest]}'. "
            "`tongchuan sessions list` lists them all."
        )

    def edit(
        self, folder: Path, caption: int, *, translation: str | None = None, transcript: str | None = None
    ) -> Caption:
        """Correct a caption; what was there is kept in the journal.

        Args:
            folder: The session's.
            caption: The caption's id.
            translation: Its new translation; None leaves it as it is.
            transcript: Its new transcript; None leaves it, with its words' times, as it is.

        Returns:
            The caption as it is now.

        Raises:
            RecordingError: there is no such caption, another program writes the session, or it cannot be written.
        """
        found = next((each.caption for each in read(folder).entries if each.caption.id == caption), None)
        if found is None:
            raise RecordingError(
                f"The session {folder.name} has no caption {caption}: `tongchuan sessions show` lists them."
            )
        corrected = dataclasses.replace(
            found,
            translation=found.translation if translation is None else _line(translation),
            transcript=found.transcript if transcript is None else _line(transcript),
            is_uncertain=False,
        )
        if corrected != found:
            writing = SessionFolder.open(folder)
            try:
                writing.add(CaptionSettled(corrected, by="edit"))
                writing.flush()
            finally:
                writing.close()
        return corrected

    def rename(self, folder: Path, title: str) -> None:
        """Give a session a title; its folder keeps its name, so a title may hold anything, a slash too.

        Raises:
            RecordingError: it cannot be written.
        """
        session_info.rename(folder, title.strip())

    def delete(self, folder: Path) -> None:
        """Delete a session for good: its files, and every trace of its words in the index.

        Raises:
            RecordingError: it is being written, or cannot be deleted.
        """
        if folder.parent != self._root or not folder.is_dir() or folder.is_symlink():
            raise RecordingError(f"{folder} is no session of {self._root}.")
        if is_in_use(folder):
            raise RecordingError(f"Another program is writing the session in {folder}: close it first.")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise RecordingError(f"The session in {folder} cannot be deleted whole: {error.strerror}.") from error
        self._asked(self._refreshed)

    def _refreshed(self, index: Index) -> Index:
        """The index, with every session as it is now."""
        known, there = index.signatures(), self._signatures()
        changed = [name for name in sorted(there) if known.get(name) != there[name]]
        for start in range(0, len(changed), COMMIT_EVERY):
            with index.writing():
                for name in changed[start : start + COMMIT_EVERY]:
                    index.put(_transcript(self._root / name), there[name])
        if gone := known.keys() - there.keys():
            with index.writing():
                index.remove(gone)
        return index

    def _signatures(self) -> dict[str, str]:
        """What tells each session's files from what they were before, by folder."""
        try:
            with os.scandir(self._root) as entries:
                folders = {entry.name: entry.path for entry in entries if entry.is_dir(follow_symlinks=False)}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RecordingError(f"The sessions in {self._root} cannot be listed: {error.strerror}.") from error
        signatures = {name: _signature(path) for name, path in folders.items()}
        return {name: signature for name, signature in signatures.items() if signature}

    def _asked(self, job: Callable[[Index], _T]) -> _T:
        """Have the index do something; a broken one is made anew, one that cannot be kept is made in memory."""
        path = self._root / INDEX_NAME
        for _ in range(2):
            try:
                if self._index is None:
                    self._index = Index(path if self._root.is_dir() else None)
                return job(self._index)
            except sqlite3.Error as error:
                self.close()
                cause = getattr(error, "sqlite_errorname", "")  # only what SQLite itself raised has one
                if cause == "SQLITE_BUSY":
                    raise RecordingError(
                        "Another program is writing the index of sessions; try again in a moment."
                    ) from error
                # Not its message, which may quote what was searched for.
                log.info("the index of sessions is made anew: %s %s", type(error).__name__, cause)
                for name in (INDEX_NAME, *(INDEX_NAME + side for side in SIDE_FILES)):
                    with contextlib.suppress(OSError):
                        (self._root / name).unlink(missing_ok=True)
            except OSError:  # no room, no permission, a disk that can only be read
                break
        log.info("the index of sessions cannot be kept beside them: it is made in memory")
        self.close()
        self._index = Index(None)
        return job(self._index)


def _line(text: str) -> Line:
    text = plain(text)
    return Line((Word(text),) if text else ())


def _transcript(folder: Path) -> Transcript:
    """A session as far as it can be read."""
    try:
        return read(folder)
    except RecordingError as error:
        info, warnings = read_info(folder)
        return Transcript(folder, info, warnings=(*warnings, str(error)))


def _signature(folder: str) -> str:
    """Empty where there is no session."""
    stats = []
    for name in (JOURNAL_NAME, FILE_NAME):
        with contextlib.suppress(OSError):
            stat = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - thousands of times for each question
            stats.append(f"{name} {stat.st_mtime_ns} {stat.st_size}")
    return " ".join(stats)


def _size(folder: Path) -> int:
    return sum(_file_sizes(folder)) + sum(_file_sizes(folder / AUDIO_FOLDER))


def _file_sizes(folder: Path) -> Iterator[int]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield entry.stat(follow_symlinks=False).st_size
