"""The tray icon: the overlay's menu where the desktop has a place for it. Never the only way to anything.

In: the menu and the status in words. Out: a signal when the icon is clicked.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from ui import look

ICON_SIZES = (16, 22, 32, 64, 128)


class Tray(QObject):
    """Shows nothing, and fails at nothing, where the desktop has no tray."""

    clicked = Signal()

    def __init__(self, menu: QMenu) -> None:
        super().__init__()
        self._icon = QSystemTrayIcon(icon())
        self._icon.setContextMenu(menu)
        self._icon.setToolTip("Tongchuan")
        self._icon.activated.connect(self._on_activated)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._icon.show()

    def set_status(self, words: str) -> None:
        """Say the status where the mouse rests on the icon."""
        tip = f"Tongchuan: {words}"
        if tip != self._icon.toolTip():
            self._icon.setToolTip(tip)

    def hide(self) -> None:
        """Take the icon away; it outlives its program on some desktops otherwise."""
        self._icon.hide()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.clicked.emit()


def icon() -> QIcon:
    """Draw the program's icon: two lines of a subtitle, the second in another colour."""
    made = QIcon()
    for pixels in ICON_SIZES:
        pixmap = QPixmap(pixels, pixels)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.scale(pixels / 16, pixels / 16)
        painter.setBrush(QColor(look.PANEL))
        painter.drawRoundedRect(QRectF(0.5, 2, 15, 12), 3, 3)
        for colour, rect in ((look.SETTLED, QRectF(3, 5.5, 10, 2)), (look.METER_SPEECH, QRectF(3, 9, 6.5, 2))):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(rect, 1, 1)
        painter.end()
        made.addPixmap(pixmap)
    return made
