"""Something to read captions over: a window with a slide on it, as light as slides are, or of one colour."""

from __future__ import annotations

import sys

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

BARS = ((0.42, "Q4"), (0.5, "Q1"), (0.58, "Q2"), (0.74, "Q3"))


class Backdrop(QWidget):
    def __init__(self, colour: str | None) -> None:
        super().__init__()
        self.setWindowTitle("Backdrop")
        self._colour = colour

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self._colour or "#fbfaf7"))
        if self._colour is None:
            self._paint_slide(painter, self.rect().adjusted(90, 60, -90, -190))
        painter.end()

    def _paint_slide(self, painter: QPainter, slide: QRect) -> None:
        painter.setPen(QColor("#1d2733"))
        painter.setFont(_font(44, QFont.Weight.DemiBold))
        painter.drawText(slide, Qt.AlignmentFlag.AlignTop, "Third quarter, Asia")
        painter.setFont(_font(22, QFont.Weight.Normal))
        painter.setPen(QColor("#5a6775"))
        painter.drawText(slide.translated(0, 70), Qt.AlignmentFlag.AlignTop, "Revenue by quarter, in million yuan")
        width = slide.width() / (2 * len(BARS))
        for number, (share, name) in enumerate(BARS):
            height = share * (slide.height() - 160)
            bar = QRectF(slide.left() + (2 * number + 0.5) * width, slide.bottom() - 40 - height, width, height)
            painter.fillRect(bar, QColor("#2f6f9f" if name == "Q3" else "#b9cede"))
            painter.drawText(bar.adjusted(0, height + 8, 0, 40), Qt.AlignmentFlag.AlignHCenter, name)


def _font(px: int, weight: QFont.Weight) -> QFont:
    font = QFont("Noto Sans", weight=weight)
    font.setPixelSize(px)
    return font


if __name__ == "__main__":
    app = QApplication(sys.argv[:1])
    window = Backdrop(sys.argv[1] if len(sys.argv) > 1 else None)
    window.showFullScreen()
    print("shown", flush=True)
    sys.exit(app.exec())
