"""The library's window: everything it offers, done."""

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMessageBox
from session_folders import caption, mark, record, session_folder

from live.recording.folder import SessionFolder
from live.recording.journal import read
from live.settings import set_value
from models.base import SAMPLE_RATE
from ui.cli import main
from ui.library_window import TIME, TRANSCRIPT, TRANSLATION, LibraryWindow

WAIT_MS = 10_000


class Silent:
    """A loudspeaker nobody hears."""

    def __init__(self):
        self.n = 0

    def write(self, samples):
        self.n += len(samples)

    def close(self, *, at_once):
        pass


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "sessions"
    folder = session_folder(
        root,
        caption(1, 1, 3, "The budget is fifteen percent.", "预算是百分之十五。"),
        caption(2, 5, 7, "好，我们开始吧。", "Good, let us start.", direction=("en", "zh"), is_uncertain=True),
        mark(4, "Decision"),
        title="Kick-off",
    )
    record(folder, np.zeros(8 * SAMPLE_RATE, np.float32))
    session_folder(root, caption(1, 2, 3, "The Café closes at 8.", "咖啡馆八点关门。"), days=1)
    return root


@pytest.fixture
def window(root, qtbot):
    window = LibraryWindow(root, Silent)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.list.count() == 2, timeout=WAIT_MS)
    yield window
    window.close()


def choose(window, qtbot, row, n_rows):
    window.list.setCurrentRow(row)
    qtbot.waitUntil(lambda: window.table.rowCount() == n_rows, timeout=WAIT_MS)


def texts(window, column):
    return [window.table.item(row, column).text() for row in range(window.table.rowCount())]


def test_who_spoke_stands_beside_the_time_where_two_lanes_were_heard(window, qtbot, root):
    said = [
        caption(1, 1, 3, "Yes.", lane="microphone"),
        caption(2, 5, 7, "好。", lane="system", direction=("en", "zh")),
    ]
    session_folder(root, *said, title="Two", days=2)
    window.refresh()
    qtbot.waitUntil(lambda: window.list.count() == 3, timeout=WAIT_MS)
    choose(window, qtbot, 0, 2)
    assert texts(window, TIME) == ["00:01 Me", "00:05 对方"]


def test_sessions_are_listed_newest_first_and_one_is_read(window, qtbot):
    assert window.list.item(0).text().startswith("2026-11-23 10:30\n")
    assert window.list.item(1).text().startswith("Kick-off\n2026-11-22 10:30 · 00:07 · ")
    assert not window.delete_button.isEnabled()
    choose(window, qtbot, 1, 3)
    assert texts(window, TIME) == ["00:01", "00:04", "00:05 [?]"]
    assert texts(window, TRANSLATION) == ["The budget is fifteen percent.", "⚑ Decision", "好，我们开始吧。"]
    assert texts(window, TRANSCRIPT) == ["预算是百分之十五。", "", "Good, let us start."]
    assert window.delete_button.isEnabled()
    assert window.play_button.isEnabled()
    choose(window, qtbot, 0, 1)
    assert not window.play_button.isEnabled()


def test_what_is_found_leads_to_its_caption(window, qtbot):
    window.search.setText("start")
    qtbot.waitUntil(lambda: window.message.text() == "1 found", timeout=WAIT_MS)
    assert window.list.item(0).text() == "Kick-off · 00:05\nGood, let us start."
    choose(window, qtbot, 0, 3)
    assert window.table.currentRow() == 2
    window.search.clear()
    qtbot.waitUntil(lambda: window.list.count() == 2, timeout=WAIT_MS)


def test_a_caption_is_corrected_in_place_and_the_original_kept(window, root, qtbot):
    choose(window, qtbot, 1, 3)
    folder = root / "2026-11-22 10.30.05"
    window.table.item(0, TRANSLATION).setText("The budget is 15%.")
    qtbot.waitUntil(lambda: read(folder).entries[0].original is not None, timeout=WAIT_MS)
    assert read(folder).entries[0].caption.translation.text == "The budget is 15%."
    assert read(folder).entries[0].caption.transcript.text == "预算是百分之十五。"


def test_a_correction_that_cannot_be_kept_is_said_and_does_not_stay_on_the_screen(window, root, qtbot):
    choose(window, qtbot, 1, 3)
    (kick_off,) = (path for path in root.iterdir() if path.name.startswith("2026-11-22"))
    writing = SessionFolder.open(kick_off)
    before = window.table.item(0, TRANSLATION).text()
    window.table.item(0, TRANSLATION).setText("The budget is fifty percent.")
    qtbot.waitUntil(lambda: "Another program is writing" in window.message.text(), timeout=WAIT_MS)
    assert window.table.item(0, TRANSLATION).text() == before
    writing.close()


def test_a_session_is_played_from_the_chosen_caption_with_the_text_following(window, qtbot):
    choose(window, qtbot, 1, 3)
    window.table.selectRow(0)
    reached = []
    window.player.reached.connect(reached.append)
    with qtbot.waitSignal(window.player.ended, timeout=WAIT_MS) as ended:
        window.play_button.click()
    assert ended.args == [""]
    qtbot.waitUntil(lambda: reached == [1, 2] and window.table.currentRow() == 2, timeout=WAIT_MS)
    assert window.play_button.text() == "Play"


def test_sound_that_is_missing_is_said(window, root, qtbot):
    choose(window, qtbot, 1, 3)
    next((root / "2026-11-22 10.30.05" / "audio").iterdir()).unlink()
    window.play_button.click()
    qtbot.waitUntil(lambda: "is missing" in window.message.text(), timeout=WAIT_MS)


def test_a_session_is_exported_renamed_and_deleted(window, root, qtbot, monkeypatch, tmp_path):
    choose(window, qtbot, 1, 3)
    path = tmp_path / "talk.srt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window.export_button.click()
    qtbot.waitUntil(lambda: window.message.text() == f"Written: {path}", timeout=WAIT_MS)
    assert "15" not in path.read_text()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Q3 / plan", True))
    window.rename_button.click()
    qtbot.waitUntil(lambda: window.list.item(1).text().startswith("Q3 / plan"), timeout=WAIT_MS)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    window.delete_button.click()
    assert (root / "2026-11-22 10.30.05").is_dir()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    window.delete_button.click()
    qtbot.waitUntil(lambda: window.list.count() == 1, timeout=WAIT_MS)
    assert not (root / "2026-11-22 10.30.05").exists()
    assert window.table.rowCount() == 0


def test_an_export_that_fails_is_one_line(window, qtbot, monkeypatch, tmp_path):
    choose(window, qtbot, 1, 3)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "talk.doc"), ""))
    window.export_button.click()
    qtbot.waitUntil(lambda: "does not say in which form" in window.message.text(), timeout=WAIT_MS)


def test_the_command_shows_the_window_until_it_is_closed(root, qtbot, capsys, monkeypatch):
    set_value(None, "sessions_folder", str(root))
    shown = []

    def close_when_listed():
        for window in QApplication.topLevelWidgets():
            if isinstance(window, LibraryWindow) and window.list.count() == 2:
                shown.append(window)
                timer.stop()
                window.close()

    timer = QTimer(interval=50)
    timer.timeout.connect(close_when_listed)
    timer.start()
    monkeypatch.setattr("ui.logs.configure", lambda: "the log")
    monkeypatch.setattr("ui.cli.signal.signal", lambda *_: None)
    assert main(["sessions", "window"]) == 0
    assert len(shown) == 1
    assert capsys.readouterr().err == ""


def test_an_empty_library_says_so(tmp_path, qtbot):
    window = LibraryWindow(tmp_path / "none", Silent)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: window.message.text() == "There are no sessions yet.", timeout=WAIT_MS)
    window.close()
