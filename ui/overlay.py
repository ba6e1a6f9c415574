"""The overlay: a frameless, translucent window over all others that shows the CaptionModel.

In: events, a text size, places it was put at before. Out: pixels; signals where the user asks for something. What is
painted is the business of `ui.panel`, what the menu's choices do that of `ui.app`.
"""

from __future__ import annotations

import functools
import operator
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QCursor,
    QEnterEvent,
    QGuiApplication,
    QHideEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QScreen,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from live.events import Event
from ui.captions import CaptionModel
from ui.layout import Box
from ui.panel import Picture, compose, paint
from ui.pixmaps import LinePixmaps
from ui.placing import USUAL, clamped, from_share, to_share
from ui.roll import Roll
from ui.state import load_places, save_place
from ui.writer import Job

REFRESH_MS = 50
"""Shortest time between two pictures: 20 a second are enough to read by."""
HOVER_HINT = "Drag to move · right-click for more"
ERROR_HINT = "Click to close"

# X11 window managers keep a window that is on top below another program's full screen, where slides and films are, so
# they are bypassed: the overlay needs no frame, focus or place of theirs. Other systems ignore the flag.
_FLAGS = (
    Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.Tool
    | Qt.WindowType.WindowDoesNotAcceptFocus
    | Qt.WindowType.X11BypassWindowManagerHint
)


class Overlay(QWidget):
    """Lives on the GUI thread."""

    quit_asked = Signal()
    """The window was told to close, or an error was read and clicked away."""

    def __init__(
        self,
        model: CaptionModel,
        menu: QMenu,
        *,
        text_px: int,
        opacity: float,
        places_path: Path | None = None,
        write: Callable[[Job], object] = operator.call,
    ) -> None:
        """Build it, hidden.

        Args:
            model: What there is to show; the overlay passes it the events.
            menu: Opened by a right click.
            text_px: Size of the translation in device-independent pixels.
            opacity: Of the background, 0 to 1.
            places_path: The file of places; None is the user's own.
            write: Runs what waits for a disk; by default here and now.
        """
        super().__init__(None, _FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)  # or it hides with the last focused window
        self.setWindowTitle("Tongchuan")
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.pixmaps = LinePixmaps()
        self._model, self._menu, self._opacity = model, menu, opacity
        self._text_px, self._places_path, self._write = text_px, places_path, write
        self._places = load_places(places_path)
        self._roll = Roll()
        self._aside = ""
        self._is_hovered = False
        self._press: tuple[QPoint, QPoint] | None = None
        self._is_dragged = False
        self._refreshed_s = 0.0
        # Their keys work here where a desktop gives the window the keyboard all the same; in the menu letters do.
        self.addActions([action for action in menu.actions() if not action.shortcut().isEmpty()])
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.refresh)
        self._watched: set[QScreen] = set()
        self.box = Box.fit(text_px, self._home().availableGeometry().width())
        self.picture = Picture()
        self._watch_screens()
        self.settle()
        self.refresh()

    def apply(self, event: Event) -> None:
        """Take an event; it is on screen within REFRESH_MS."""
        self._model.apply(event)
        self.wake()

    def wake(self) -> None:
        """Look at the model again soon: it or its mode has changed."""
        since_ms = (time.monotonic() - self._refreshed_s) * 1000
        self._wake_in(max(0.0, REFRESH_MS - since_ms))

    def set_aside(self, words: str) -> None:
        """Set the words at the right of the header: the direction."""
        self._aside = words
        self.wake()

    def set_text_px(self, text_px: int) -> None:
        """Set the size of the translation; the window keeps its place on the screen."""
        self._text_px = text_px
        self.settle()

    def refresh(self) -> None:
        """Compose the picture, and repaint what differs from the last one."""
        self._timer.stop()
        now = self._refreshed_s = time.monotonic()
        view = self._model.view()
        picture, due = compose(view, self.box, self._roll, self._words_aside(view.status.kind == "error"), now)
        changed = picture.changed(self.picture, self.box)
        self.picture = picture
        if not changed.isEmpty():
            self.update(changed)
        for moment in (view.until_s, due):
            if moment is not None:
                self._wake_in(max((moment - now) * 1000, REFRESH_MS))

    def settle(self) -> None:
        """Stand on the screen last used, or on the primary one where that is gone, wholly visible."""
        screen = self._home()
        area = screen.availableGeometry()
        self.box = Box.fit(self._text_px, area.width())
        self.setFixedSize(self.box.size)
        self.move(from_share(self._places.shares.get(screen.name(), USUAL), self.box.size, area))
        self.refresh()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the picture; Qt clips it to what changed."""
        painter = QPainter(self)
        paint(painter, self.picture, self.box, self.pixmaps, self._opacity)
        painter.end()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Stand where it should, whatever place the window manager chose."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self.settle)
        self.wake()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Stop refreshing.

        A timer must not outlive the loop: the garbage collector may destroy its owner in any thread, which leaves the
        timer behind, and Qt then calls into freed memory.
        """
        super().hideEvent(event)
        self._timer.stop()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask to quit instead: the session has to end first."""
        event.ignore()
        self.quit_asked.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Open the menu, once the click is over: the second half of a double click would close it again."""
        QTimer.singleShot(0, self, functools.partial(self._menu.popup, event.globalPos()))

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        """Say what the mouse can do here."""
        super().enterEvent(event)
        self._is_hovered = True
        self.wake()

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Go back to the direction."""
        self._is_hovered = False
        self.wake()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of the window."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press, self._is_dragged = (event.globalPosition().toPoint(), self.pos()), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Move by as much as the mouse has since the press, within the screen the mouse is on."""
        if self._press is None:
            return
        grip, origin = self._press
        offset = event.globalPosition().toPoint() - grip
        if not self._is_dragged and offset.manhattanLength() < QApplication.startDragDistance():
            return
        if not self._is_dragged:
            self._is_dragged = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            if QGuiApplication.platformName() == "wayland":  # where a window cannot move itself
                self._press = None
                self.windowHandle().startSystemMove()
                return
        screen = QGuiApplication.screenAt(event.globalPosition().toPoint()) or self.screen()
        self.move(clamped(origin + offset, self.size(), screen.availableGeometry()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go: remember the place, or take it for a click."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        if self._is_dragged:
            self._remember()
        elif self._model.view().status.kind == "error":
            self.quit_asked.emit()
        self._press, self._is_dragged = None, False

    def _words_aside(self, is_error: bool) -> str:
        if is_error:
            return ERROR_HINT
        return HOVER_HINT if self._is_hovered else self._aside

    def _wake_in(self, milliseconds: float) -> None:
        if self.isHidden():
            return
        if not self._timer.isActive() or self._timer.remainingTime() > milliseconds:
            self._timer.start(round(milliseconds))

    def _home(self) -> QScreen:
        by_name = {screen.name(): screen for screen in QGuiApplication.screens()}
        return by_name.get(self._places.last_screen or "") or QGuiApplication.primaryScreen()

    def _remember(self) -> None:
        screen = QGuiApplication.screenAt(QCursor.pos()) or self.screen()
        share = to_share(self.pos(), self.size(), screen.availableGeometry())
        self._places = self._places.put(screen.name(), share)
        self._write(functools.partial(save_place, screen.name(), share, self._places_path))
        self.settle()

    def _watch_screens(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self._on_screens_changed)
        app.screenRemoved.connect(self._on_screens_changed)
        app.primaryScreenChanged.connect(self._on_screens_changed)
        self._on_screens_changed()

    def _on_screens_changed(self) -> None:
        for screen in QGuiApplication.screens():
            if screen not in self._watched:
                self._watched.add(screen)
                screen.availableGeometryChanged.connect(self._settle_soon)
                screen.logicalDotsPerInchChanged.connect(self._settle_soon)
        self._watched &= set(QGuiApplication.screens())
        self._settle_soon()

    def _settle_soon(self) -> None:
        # Qt and the window manager still move windows of a screen that went when its signal arrives.
        QTimer.singleShot(0, self, self.settle)
