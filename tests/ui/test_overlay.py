"""The overlay's window: what it paints and when, where it stands, what the mouse does."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from builders import update
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from live.events import LevelChanged, SessionStopped, StateChanged
from ui.captions import CaptionModel
from ui.overlay import ERROR_HINT, HOVER_HINT, Overlay
from ui.placing import USUAL, from_share
from ui.state import load_places, save_place, state_path


class Watched(Overlay):
    """An overlay that counts its paintings."""

    n_paints = 0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        super().paintEvent(event)
        self.n_paints += 1


def build(qtbot: QtBot, *, text_px: int = 28) -> Watched:
    menu = QMenu()
    qtbot.addWidget(menu)
    overlay = Watched(CaptionModel("follow"), menu, text_px=text_px, opacity=0.7)
    qtbot.addWidget(overlay, before_close_func=lambda widget: widget.hide())
    overlay.show()
    qtbot.waitUntil(lambda: overlay.n_paints > 0)
    return overlay


@pytest.fixture
def overlay(qtbot: QtBot) -> Watched:
    made = build(qtbot)
    made.apply(StateChanged("listening"))
    made.refresh()
    return made


def words(overlay: Overlay) -> list[str]:
    return [placed.line.text for placed in overlay.picture.words]


def mouse(overlay: Overlay, kind: QEvent.Type, at: QPoint) -> None:
    button = Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    local = QPointF(at - overlay.pos())
    event = QMouseEvent(kind, local, QPointF(at), button, held, Qt.KeyboardModifier.NoModifier)
    QGuiApplication.sendEvent(overlay, event)


def drag(overlay: Overlay, by: QPoint) -> None:
    area = QGuiApplication.primaryScreen().availableGeometry()
    grip = overlay.pos() + QPoint(40, 40)
    mouse(overlay, QEvent.Type.MouseButtonPress, grip)
    mouse(overlay, QEvent.Type.MouseMove, grip + by / 2)
    mouse(overlay, QEvent.Type.MouseMove, grip + by)
    assert area.contains(overlay.geometry())
    mouse(overlay, QEvent.Type.MouseButtonRelease, grip + by)


def test_it_floats_without_frame_above_the_others_and_takes_no_focus(overlay: Overlay) -> None:
    flags = overlay.windowFlags()
    for flag in (
        Qt.WindowType.FramelessWindowHint,
        Qt.WindowType.WindowStaysOnTopHint,
        Qt.WindowType.WindowDoesNotAcceptFocus,
        Qt.WindowType.Tool,
    ):
        assert flags & flag == flag
    assert overlay.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    assert overlay.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)


def test_an_event_is_on_screen_without_being_asked_for(overlay: Watched, qtbot: QtBot) -> None:
    overlay.apply(update(1, "Good morning.", transcript="早上好。"))
    qtbot.waitUntil(lambda: words(overlay) == ["Good morning.", "早上好。"])


def test_the_box_keeps_its_size_whatever_it_shows(overlay: Watched) -> None:
    size = overlay.size()
    for event in (update(1, tentative="我" * 90), update(1, "Yes."), SessionStopped("Gone. " * 40)):
        overlay.apply(event)
        overlay.refresh()
        assert overlay.size() == size


def test_painting_again_draws_no_line_again(overlay: Watched, qtbot: QtBot) -> None:
    overlay.apply(update(1, "Good morning.", transcript="早上好。"))
    overlay.refresh()
    overlay.repaint()
    n_drawn, n_paints = overlay.pixmaps.n_drawn, overlay.n_paints
    overlay.repaint()
    assert overlay.n_paints == n_paints + 1
    assert overlay.pixmaps.n_drawn == n_drawn
    overlay.apply(update(1, "Good morning, all.", transcript="早上好。"))
    overlay.refresh()
    overlay.repaint()
    assert overlay.pixmaps.n_drawn == n_drawn + 1


def test_nothing_is_painted_while_nothing_changes(overlay: Watched, qtbot: QtBot) -> None:
    overlay.apply(LevelChanged("microphone", -30, 0.2))
    overlay.refresh()
    qtbot.waitUntil(lambda: not overlay.testAttribute(Qt.WidgetAttribute.WA_PendingUpdate))
    QGuiApplication.processEvents()
    before = overlay.n_paints
    for _ in range(5):
        overlay.apply(LevelChanged("microphone", -30.1, 0.2))
        overlay.refresh()
        QGuiApplication.processEvents()
    assert overlay.n_paints == before


def test_many_events_make_few_pictures(overlay: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = []
    monkeypatch.setattr(overlay, "update", lambda *region: pictures.append(region))
    for number in range(200):
        overlay.apply(update(1, tentative="word " * (number + 1)))
    assert pictures == []
    overlay.refresh()
    assert len(pictures) == 1


def test_it_starts_at_the_bottom_centre(overlay: Overlay) -> None:
    area = QGuiApplication.primaryScreen().availableGeometry()
    assert overlay.pos() == from_share(USUAL, overlay.size(), area)
    assert area.contains(overlay.geometry())


def test_dragging_moves_it_by_as_much_as_the_mouse_and_is_remembered(overlay: Overlay, qtbot: QtBot) -> None:
    before = overlay.pos()
    drag(overlay, QPoint(-31, -77))
    assert overlay.pos() == before + QPoint(-31, -77)
    assert build(qtbot).pos() == before + QPoint(-31, -77)


def test_it_cannot_be_dragged_off_the_screen(overlay: Overlay) -> None:
    area = QGuiApplication.primaryScreen().availableGeometry()
    for by in (QPoint(5000, 5000), QPoint(-5000, 0), QPoint(0, -5000)):
        drag(overlay, by)
        assert area.contains(overlay.geometry())


def test_a_hand_that_shakes_moves_nothing(overlay: Overlay) -> None:
    before = overlay.pos()
    drag(overlay, QPoint(2, 1))
    assert overlay.pos() == before
    assert not state_path().exists()


def test_a_broken_file_of_places_costs_the_place_alone(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    state_path().parent.mkdir(parents=True)
    state_path().write_text("{")
    with caplog.at_level(logging.WARNING):
        overlay = build(qtbot)
    assert overlay.pos() == from_share(USUAL, overlay.size(), QGuiApplication.primaryScreen().availableGeometry())
    assert "windows.json" in caplog.text


def test_a_place_on_a_screen_that_is_gone_is_kept_for_its_return(qtbot: QtBot) -> None:
    save_place("HDMI-9", (0.0, 0.0))
    overlay = build(qtbot)
    area = QGuiApplication.primaryScreen().availableGeometry()
    assert overlay.pos() == from_share(USUAL, overlay.size(), area)
    assert load_places().last_screen == "HDMI-9"


def test_bigger_text_keeps_it_on_the_screen_and_in_its_corner(overlay: Overlay) -> None:
    drag(overlay, QPoint(5000, 5000))
    corner = overlay.geometry().bottomRight()
    overlay.set_text_px(40)
    assert overlay.box.text_px == 40
    assert overlay.geometry().bottomRight() == corner


def test_a_window_pushed_off_the_screen_comes_back_when_screens_change(overlay: Overlay, qtbot: QtBot) -> None:
    area = QGuiApplication.primaryScreen().availableGeometry()
    overlay.move(area.right() + 500, 10)
    QGuiApplication.primaryScreen().availableGeometryChanged.emit(area)
    qtbot.waitUntil(lambda: area.contains(overlay.geometry()))


def test_the_right_button_opens_the_menu(qtbot: QtBot) -> None:
    opened: list[QPoint] = []

    class Menu(QMenu):
        def popup(self, at: QPoint) -> None:  # type: ignore[override]
            opened.append(at)

    menu = Menu()
    qtbot.addWidget(menu)
    overlay = Overlay(CaptionModel(), menu, text_px=28, opacity=0.7)
    qtbot.addWidget(overlay, before_close_func=lambda widget: widget.hide())
    overlay.show()
    from PySide6.QtGui import QContextMenuEvent

    at = overlay.pos() + QPoint(30, 30)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(30, 30), at)
    QGuiApplication.sendEvent(overlay, event)
    qtbot.waitUntil(lambda: opened == [at])


def test_the_mouse_over_it_is_told_what_it_can_do(overlay: Overlay) -> None:
    overlay.set_aside("中文 ⇄ English")
    for event, shown in ((QEvent.Type.None_, "中文 ⇄ English"), (QEvent.Type.Leave, "中文 ⇄ English")):
        QGuiApplication.sendEvent(overlay, QEvent(event))
        overlay.refresh()
        assert overlay.picture.small[-1].line.text == shown
    from PySide6.QtGui import QEnterEvent

    QGuiApplication.sendEvent(overlay, QEnterEvent(QPointF(9, 9), QPointF(9, 9), QPointF(9, 9)))
    overlay.refresh()
    assert overlay.picture.small[-1].line.text == HOVER_HINT


def test_an_error_stays_until_it_is_clicked_away(overlay: Overlay, qtbot: QtBot) -> None:
    grip = overlay.pos() + QPoint(40, 40)
    with qtbot.assertNotEmitted(overlay.quit_asked):
        mouse(overlay, QEvent.Type.MouseButtonPress, grip)
        mouse(overlay, QEvent.Type.MouseButtonRelease, grip)
    overlay.apply(SessionStopped("The microphone is gone."))
    overlay.refresh()
    assert words(overlay)[0] == "The microphone is gone."
    assert overlay.picture.small[-1].line.text == ERROR_HINT
    with qtbot.waitSignal(overlay.quit_asked):
        mouse(overlay, QEvent.Type.MouseButtonPress, grip)
        mouse(overlay, QEvent.Type.MouseButtonRelease, grip)


def test_an_error_can_be_dragged_without_being_closed(overlay: Overlay, qtbot: QtBot) -> None:
    overlay.apply(SessionStopped("The microphone is gone."))
    with qtbot.assertNotEmitted(overlay.quit_asked):
        drag(overlay, QPoint(-30, -30))


def test_closing_the_window_asks_to_quit(overlay: Overlay, qtbot: QtBot) -> None:
    with qtbot.waitSignal(overlay.quit_asked):
        overlay.close()
    assert overlay.isVisible()


def test_no_timer_runs_before_it_is_shown_nor_once_it_is_hidden(qtbot: QtBot) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    overlay = Overlay(CaptionModel("follow"), menu, text_px=28, opacity=0.7)
    qtbot.addWidget(overlay)
    overlay.apply(update(1, "Good morning."))
    assert not overlay._timer.isActive()
    overlay.show()
    assert overlay._timer.isActive()
    overlay.hide()
    assert not overlay._timer.isActive()


def test_places_go_into_the_file_that_is_named(qtbot: QtBot, tmp_path: Path) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    overlay = Overlay(CaptionModel(), menu, text_px=28, opacity=0.7, places_path=tmp_path / "own.json")
    qtbot.addWidget(overlay, before_close_func=lambda widget: widget.hide())
    overlay.show()
    drag(overlay, QPoint(-50, -50))
    assert (tmp_path / "own.json").exists()
    assert not state_path().exists()
