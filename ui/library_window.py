"""The library's window: sessions and what is found in them at the left, a transcript at the right.

In: the folder of all sessions. Out: what the user does with them, through live.recording.library. What is on the disk
is asked on a thread of its own (ui/library_worker.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from live.audio import clock_text
from live.events import Caption, MarkAdded
from live.loudspeaker import Loudspeaker
from live.recording.export.cues import UNCERTAIN_MARK, mark_text
from live.recording.export.export import export, file_name
from live.recording.export.forms import FORMS
from live.recording.journal import Transcript, read
from live.recording.library import FOUND_AT_MOST, Session
from live.recording.library_index import Found
from live.recording.library_playback import Output
from live.speakers import Speakers
from ui.application import application
from ui.exits import DONE
from ui.library_worker import LibraryWorker, Player
from ui.screen import check_screen

SIGNAL_POLL_MS = 200
SEARCH_AFTER_MS = 200
"""Quiet on the keys after which is searched."""
SIZE = QSize(1000, 640)
LIST_WIDTH = 300
ROW_LINES = 2.9
"""Height of a row of the list, in lines: two of them, hanzi among them, and air."""
UNCERTAIN = "#b06000"
"""Colour of uncertain captions, readable on light and dark."""
TIME, TRANSLATION, TRANSCRIPT = range(3)
_Row: TypeAlias = tuple[str, str, Path, int | None]
"""Two lines of the list, and where they lead: a folder, a caption."""
_PLACE = Qt.ItemDataRole.UserRole
"""Of an item: of the list, a folder and a caption's id or None; of the table's times, a caption or None."""


def run_library(root: Path) -> int:
    """Show the library until its window is closed.

    Returns:
        An exit code.

    Raises:
        LiveError: no window can be opened here.
    """
    check_screen()
    qt = application()
    awake = QTimer(interval=SIGNAL_POLL_MS)  # Qt lets Python notice Ctrl-C only while Python runs
    awake.timeout.connect(lambda: None)
    awake.start()
    window = LibraryWindow(root)
    window.closed.connect(lambda: QApplication.exit(DONE))
    window.show()
    return qt.exec()


class LibraryWindow(QWidget):
    """Shows the library; closing it ends its threads."""

    closed = Signal()

    def __init__(self, root: Path, open_output: Callable[[], Output] = Loudspeaker) -> None:
        super().__init__()
        self.setWindowTitle("Tongchuan: sessions")
        self.resize(SIZE)
        self._transcript: Transcript | None = None
        self._speakers = Speakers()
        self._wanted: tuple[Path, int | None] | None = None
        """The session that is to be shown, and the caption to go to."""
        self._is_filling = False
        self._ask = LibraryWorker(root)
        self._ask.failed.connect(self._on_failed)
        self.player = Player(open_output)
        self.player.reached.connect(self._select_caption)
        self.player.ended.connect(self._on_played)
        self._typing = QTimer(self, singleShot=True, interval=SEARCH_AFTER_MS)
        self._typing.timeout.connect(self.refresh)
        self._build()
        self.refresh()

    def refresh(self) -> None:
        """Show what there is, or what is found, now."""
        text = self.search.text().strip()
        if text:
            self._ask(lambda library: library.search(text), lambda found: self._show_found(text, found))
        else:
            self._ask(lambda library: library.sessions(), self._show_sessions)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the threads."""
        self.player.stop()
        self._ask.close()
        super().closeEvent(event)
        self.closed.emit()

    def _build(self) -> None:
        self.search = QLineEdit(placeholderText="Search all sessions, in both languages", clearButtonEnabled=True)
        self.search.textChanged.connect(self._typing.start)
        self.list = QListWidget()
        self.list.currentItemChanged.connect(self._on_chosen)
        self.heading = QLabel(wordWrap=True)
        self.table = QTableWidget(0, 3)
        self.table.setWordWrap(True)
        self.table.setHorizontalHeaderLabels(["Time", "Translation", "Transcript"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(TIME, QHeaderView.ResizeMode.ResizeToContents)
        self.table.itemChanged.connect(self._on_edited)
        self.play_button = self._button("Play", self._play)
        self.export_button = self._button("Export…", self._export)
        self.rename_button = self._button("Rename…", self._rename)
        self.delete_button = self._button("Delete…", self._delete)
        self.message = QLabel(wordWrap=True)
        self._lay_out()
        self._enable()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.play_button, self.export_button, self.rename_button, self.delete_button):
            buttons.addWidget(button)
        buttons.addStretch()
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.heading)
        column.addWidget(self.table)
        column.addLayout(buttons)
        splitter = QSplitter()
        splitter.addWidget(self.list)
        splitter.addWidget(right)
        splitter.setSizes([LIST_WIDTH, SIZE.width() - LIST_WIDTH])
        whole = QVBoxLayout(self)
        for part in (self.search, splitter, self.message):
            whole.addWidget(part)
        whole.setStretch(1, 1)

    def _button(self, words: str, press: Callable[[], None]) -> QPushButton:
        button = QPushButton(words)
        button.clicked.connect(press)
        return button

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)

    def _on_failed(self, sentence: str) -> None:
        if self._transcript is not None:
            self._show_transcript(self._transcript)  # what was typed and could not be kept goes
        self._say(sentence)

    def _enable(self) -> None:
        has_one = self._transcript is not None
        for button in (self.export_button, self.rename_button, self.delete_button):
            button.setEnabled(has_one)
        self.play_button.setEnabled(has_one and bool(self._transcript and self._transcript.sounds))
        self.play_button.setText("Stop" if self.player.is_playing else "Play")

    def _show_sessions(self, sessions: list[Session]) -> None:
        rows: list[_Row] = []
        for session in sessions:
            known = session.known
            facts = (f"{known.began:%Y-%m-%d %H:%M}", clock_text(known.end), session.size_text)
            rows.append((known.title or f"{known.began:%Y-%m-%d %H:%M}", " · ".join(facts), session.folder, None))
        self._fill_list(rows)
        self._say("" if sessions else "There are no sessions yet.")

    def _show_found(self, text: str, found: list[Found]) -> None:
        if text != self.search.text().strip():
            return  # an answer to what was asked before
        rows: list[_Row] = []
        for each in found:
            title = each.title or f"{each.began:%Y-%m-%d %H:%M}"
            where = title if each.caption is None else f"{title} · {clock_text(each.start)}"
            is_below = text.casefold() in each.transcript.casefold() or not each.translation
            said = each.transcript if is_below else each.translation
            rows.append((where, said, Path(each.folder), each.caption))
        self._fill_list(rows)
        more = f"the newest {FOUND_AT_MOST} of many" if len(found) == FOUND_AT_MOST else f"{len(found)} found"
        self._say(more)

    def _fill_list(self, rows: list[_Row]) -> None:
        chosen = self._wanted and self._wanted[0].name
        self.list.blockSignals(True)
        self.list.clear()
        for first, second, folder, caption in rows:
            item = QListWidgetItem(f"{first}\n{second}")
            item.setData(_PLACE, (folder.name, caption))
            item.setSizeHint(QSize(0, round(ROW_LINES * self.list.fontMetrics().height())))
            self.list.addItem(item)
            if folder.name == chosen and self.list.currentRow() < 0 and caption is None:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        name, caption = item.data(_PLACE)
        self._ask(lambda library: library.find(name), lambda folder: self._open(folder, caption))

    def _open(self, folder: Path, caption: int | None = None) -> None:
        self._wanted = (folder, caption)
        self._ask(lambda _library: read(folder), self._show_transcript)

    def _show_transcript(self, transcript: Transcript) -> None:
        if self._wanted is None or transcript.folder != self._wanted[0]:
            return
        if self._transcript is None or self._transcript.folder != transcript.folder:
            self.player.stop()
        self._transcript = transcript
        info = transcript.info
        self.heading.setText(f"{info.title or info.began.strftime('%Y-%m-%d %H:%M')}  ·  {clock_text(transcript.end)}")
        self._say(" ".join(transcript.warnings))
        captions = [(entry.caption.start, entry.caption) for entry in transcript.entries]
        self._speakers = Speakers(caption.lane for _, caption in captions)
        moments: list[tuple[int, Caption | MarkAdded]] = [*captions, *((mark.at, mark) for mark in transcript.marks)]
        moments.sort(key=lambda moment: moment[0])
        self._is_filling = True
        self.table.setRowCount(0)
        self.table.setRowCount(len(moments))
        for row, (_, moment) in enumerate(moments):
            self._fill_row(row, moment)
        self.table.resizeRowsToContents()
        self._is_filling = False
        self._enable()
        if self._wanted[1] is not None:
            self._select_caption(self._wanted[1])

    def _fill_row(self, row: int, moment: Caption | MarkAdded) -> None:
        if isinstance(moment, MarkAdded):
            cells = (clock_text(moment.at), mark_text(moment), "")
        else:
            doubt = UNCERTAIN_MARK if moment.is_uncertain else ""
            when = " ".join(filter(None, (clock_text(moment.start), self._speakers.of(moment), doubt)))
            cells = (when, moment.translation.text.strip(), moment.transcript.text.strip())
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if column == TIME or isinstance(moment, MarkAdded):
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            if not isinstance(moment, MarkAdded) and moment.is_uncertain:
                item.setForeground(QColor(UNCERTAIN))
            if column == TIME:
                item.setData(_PLACE, None if isinstance(moment, MarkAdded) else moment.id)
            self.table.setItem(row, column, item)

    def _number(self, row: int) -> int | None:
        """The id of a row's caption."""
        time = self.table.item(row, TIME)
        number = time.data(_PLACE) if time is not None else None
        return None if number is None else int(number)

    def _select_caption(self, number: int) -> None:
        for row in range(self.table.rowCount()):
            if self._number(row) == number:
                self.table.selectRow(row)
                place = self.table.model().index(row, TIME)
                self.table.scrollTo(place, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _on_edited(self, item: QTableWidgetItem) -> None:
        if self._is_filling or self._transcript is None:
            return
        number, folder, text = self._number(item.row()), self._transcript.folder, item.text()
        if number is None:
            return
        changed = {"translation": text} if item.column() == TRANSLATION else {"transcript": text}
        self._ask(lambda library: library.edit(folder, number, **changed), lambda _: self._open(folder, number))

    def _play(self) -> None:
        if self.player.is_playing:
            self.player.stop()
        elif self._transcript is not None:
            number = self._number(max(self.table.currentRow(), 0))
            captions = (entry.caption for entry in self._transcript.entries)
            start = next((caption.start for caption in captions if caption.id == number), 0)
            self.player.play(self._transcript, start)
        self._enable()

    def _on_played(self, problem: str) -> None:
        self._say(problem)
        self.player.stop()  # the thread that says so is about to end
        self._enable()

    def _export(self) -> None:
        assert self._transcript is not None
        transcript = self._transcript
        forms = ";;".join(f"{form.upper()} (*.{form})" for form in FORMS)
        name, _ = QFileDialog.getSaveFileName(self, "Export", str(Path.home() / file_name(transcript, "srt")), forms)
        if name:
            self._ask(lambda _library: export(transcript, Path(name)), lambda _: self._say(f"Written: {name}"))

    def _rename(self) -> None:
        assert self._transcript is not None
        folder = self._transcript.folder
        title, is_given = QInputDialog.getText(self, "Rename", "Title:", text=self._transcript.info.title)
        if is_given:
            self._ask(lambda library: library.rename(folder, title), lambda _: self._on_renamed(folder))

    def _on_renamed(self, folder: Path) -> None:
        self.refresh()
        self._open(folder)

    def _delete(self) -> None:
        assert self._transcript is not None
        folder = self._transcript.folder
        question = f"Delete “{self.heading.text()}” for good, its text and its sound?"
        if QMessageBox.question(self, "Delete", question) == QMessageBox.StandardButton.Yes:
            self.player.stop()
            self._ask(lambda library: library.delete(folder), lambda _: self._on_deleted())

    def _on_deleted(self) -> None:
        self._transcript = self._wanted = None
        self.table.setRowCount(0)
        self.heading.clear()
        self._enable()
        self.refresh()
