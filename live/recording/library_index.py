"""The index of all sessions: one SQLite file beside them, so that thousands are searched at once. Never the truth.

In: transcripts. Out: what is known of each session, and captions that answer a question, newest session first. The file
is owner-only, holds what the journals hold, and forgets for good what it is told to. Which sessions have changed, and
what to do about a broken file, is the business of live/recording/library.py.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from live.events import Caption
from live.files import open_private
from live.recording.export.phrases import plain
from live.recording.journal import Transcript
from live.recording.library_terms import Question, terms, words

VERSION = 1
"""Of the tables and of the terms in them."""
ID_BITS = 20
"""A row's number is its session's, then the caption's id: rows of newer sessions come later. Row 0 is the title."""
LOCKED_S = 5.0
"""How long another program's writing is waited for."""
LONGER_AT_MOST = 30
"""Longer words that a word also finds, the shortest first."""
CACHE_KIB = 32 * 1024

_SCHEMA = f"""
CREATE TABLE sessions (number INTEGER PRIMARY KEY, folder TEXT UNIQUE NOT NULL, signature TEXT NOT NULL,
    title TEXT NOT NULL, began TEXT NOT NULL, n_captions INTEGER NOT NULL, end INTEGER NOT NULL,
    n_pending INTEGER NOT NULL, problem TEXT NOT NULL);
CREATE TABLE captions (row INTEGER PRIMARY KEY, start INTEGER NOT NULL, translation TEXT NOT NULL,
    transcript TEXT NOT NULL);
CREATE TABLE vocabulary (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, detail=none, tokenize='ascii');
PRAGMA user_version = {VERSION};
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A session as the index holds it."""

    folder: str
    """Its name."""
    signature: str
    """Of the files that were read: another one means that they have changed."""
    title: str
    began: datetime
    n_captions: int
    end: int
    """The sample after its last caption."""
    n_pending: int
    """Utterances that were heard and are worth translating yet."""
    problem: str
    """What is wrong with its files; empty where all is well."""


@dataclass(frozen=True, slots=True)
class Found:
    """A caption, or a title, that answers a question."""

    folder: str
    title: str
    began: datetime
    caption: int | None
    """Its id; None: the title does."""
    start: int
    translation: str
    transcript: str


class Index:
    """An index open for reading and writing; used from one thread.

    Args:
        path: Its file, made where it is missing; None keeps it in memory.

    Raises:
        sqlite3.Error: here and everywhere: the file is broken, cannot be opened, or is locked.
        OSError: it cannot be made.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None and not path.exists():
            open_private(path).close()
        self._base = sqlite3.connect(path or ":memory:", timeout=LOCKED_S, isolation_level=None)
        try:
            self._open()
        except BaseException:
            self._base.close()
            raise

    def _open(self) -> None:
        self._base.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only let go
        self._base.execute("PRAGMA temp_store = MEMORY")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        (n_tables,) = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not n_tables:
            with self.writing():
                for statement in _SCHEMA.split(";")[:-1]:
                    self._base.execute(statement)
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"the index is of version {version}, not {VERSION}")

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything inside is written, or nothing."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def known(self) -> dict[str, Known]:
        """All sessions, by folder."""
        rows = self._base.execute(
            "SELECT folder, signature, title, began, n_captions, end, n_pending, problem FROM sessions"
        )
        return {folder: Known(folder, sign, title, _moment(began), *rest) for folder, sign, title, began, *rest in rows}

    def signatures(self) -> dict[str, str]:
        """What each session's files were like when they were read, by folder."""
        return dict(self._base.execute("SELECT folder, signature FROM sessions"))

    def put(self, transcript: Transcript, signature: str) -> None:
        """Take a session in the place of what was known of it."""
        info = transcript.info
        number = self._number(transcript.folder.name, info.began)
        title = plain(info.title)
        self._base.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(number, transcript.folder.name, signature, title, info.began.isoformat()),
                *(len(transcript.entries), transcript.end, len(transcript.pending), " ".join(transcript.warnings)),
            ),
        )
        new = {number << ID_BITS: (0, title, "")} if title else {}
        new |= {
            number << ID_BITS | entry.caption.id: _texts(entry.caption)
            for entry in transcript.entries
            if 0 < entry.caption.id < 1 << ID_BITS
        }
        old = self._rows(number)
        dropped = self._drop((row, texts) for row, texts in old.items() if new.get(row) != texts)
        self._add((row, texts) for row, texts in new.items() if old.get(row) != texts)
        self._unlearn(dropped)

    def remove(self, folders: Iterable[str]) -> None:
        """Forget sessions for good: no trace of their words is left in the file."""
        dropped: set[str] = set()
        for folder in folders:
            for (number,) in self._base.execute("SELECT number FROM sessions WHERE folder = ?", (folder,)).fetchall():
                dropped |= self._drop(self._rows(number).items())
                self._base.execute("DELETE FROM sessions WHERE number = ?", (number,))
        self._unlearn(dropped)
        self._base.execute("INSERT INTO words(words) VALUES ('optimize')")  # or the terms stay until the next merge

    def search(self, question: Question) -> Iterator[Found]:
        """Captions and titles that answer a question, newest first."""
        rows = self._base.execute(
            "SELECT s.folder, s.title, s.began, c.row, c.start, c.translation, c.transcript FROM words w "
            "JOIN captions c ON c.row = w.rowid JOIN sessions s ON s.number = w.rowid >> ? "
            "WHERE words MATCH ? ORDER BY w.rowid DESC",
            (ID_BITS, question.match(self._longer)),
        )
        for folder, title, began, row, start, translation, transcript in rows:
            if question.is_answered(f"{translation}\n{transcript}"):
                number = row & ((1 << ID_BITS) - 1)
                yield Found(folder, title, _moment(began), number or None, start, translation, transcript)

    def _longer(self, word: str) -> list[str]:
        rows = self._base.execute(
            "SELECT word FROM vocabulary WHERE word > ? AND word < ? ORDER BY length(word) LIMIT ?",
            (word, word + chr(sys.maxunicode), LONGER_AT_MOST),
        )
        return [longer for (longer,) in rows]

    def _number(self, folder: str, began: datetime) -> int:
        """The session's own number, in the order in which they began."""
        row = self._base.execute("SELECT number FROM sessions WHERE folder = ?", (folder,)).fetchone()
        if row:
            return int(row[0])
        number = max(int(began.timestamp()), 0)
        while self._base.execute("SELECT 1 FROM sessions WHERE number = ?", (number,)).fetchone():
            number += 1
        return number

    def _rows(self, number: int) -> dict[int, tuple[int, str, str]]:
        rows = self._base.execute(
            "SELECT row, start, translation, transcript FROM captions WHERE row >= ? AND row < ?",
            (number << ID_BITS, (number + 1) << ID_BITS),
        )
        return {row: (start, translation, transcript) for row, start, translation, transcript in rows}

    def _drop(self, rows: Iterable[tuple[int, tuple[int, str, str]]]) -> set[str]:
        """Take rows out; returns their words."""
        dropped: set[str] = set()
        for row, (_, translation, transcript) in rows:
            text = f"{translation}\n{transcript}"
            self._base.execute("INSERT INTO words(words, rowid, text) VALUES ('delete', ?, ?)", (row, terms(text)))
            self._base.execute("DELETE FROM captions WHERE row = ?", (row,))
            dropped |= words(text)
        return dropped

    def _unlearn(self, dropped: set[str]) -> None:
        """Forget those of some words that no row holds any more."""
        for word in dropped:
            if self._base.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (f'"{word}"',)).fetchone() is None:
                self._base.execute("DELETE FROM vocabulary WHERE word = ?", (word,))

    def _add(self, rows: Iterable[tuple[int, tuple[int, str, str]]]) -> None:
        added: set[str] = set()
        for row, texts in rows:
            text = f"{texts[1]}\n{texts[2]}"
            self._base.execute("INSERT INTO captions VALUES (?, ?, ?, ?)", (row, *texts))
            self._base.execute("INSERT INTO words(rowid, text) VALUES (?, ?)", (row, terms(text)))
            added |= words(text)
        self._base.executemany("INSERT OR IGNORE INTO vocabulary VALUES (?)", ((word,) for word in added))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _texts(caption: Caption) -> tuple[int, str, str]:
    return caption.start, plain(caption.translation.text), plain(caption.transcript.text)
