"""Lines of text as pictures, drawn once and kept while they are on screen.

In: a TextLine and its size. Out: a QPixmap with the outline in it; painting one is a copy. An outline by
`QPainter.strokePath` would cost 35 ms a paint (specs/desktop.md, section 0), shifted copies of the text a tenth of it,
and only when a line is new.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil, cos, pi, sin
from typing import cast

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QTextLayout, QTextOption

from ui import look
from ui.layout import Style, TextLine, font, line_height, to_qt

KEPT_LINES = 32
OUTLINE_COPIES = 12
OUTLINE_ALPHA = 90
"""Of each copy, 0 to 255: they overlap to nearly black at the letters' edge and fade outwards."""
OUTLINE_FULL_PX = 17
"""Smaller letters get a fainter outline, in proportion: a black one closes them."""

_Key = tuple[str, int, str, Style, bool, float]


class LinePixmaps:
    """The newest KEPT_LINES pictures, by everything that shows in them."""

    def __init__(self) -> None:
        self.n_drawn = 0
        """Pictures made since the beginning."""
        self._kept: OrderedDict[_Key, QPixmap] = OrderedDict()

    def get(self, line: TextLine, dpr: float) -> QPixmap:
        """Return the picture of a line, `margin` wider than its text on each side.

        Args:
            line: What to draw.
            dpr: Device pixels in one of Qt's, of the screen it is drawn for.
        """
        key = (line.text, line.n_settled, line.language, line.style, line.is_uncertain, dpr)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = draw_line(line, dpr)
            self.n_drawn += 1
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_LINES:
            self._kept.popitem(last=False)
        return found


def margin(px: int) -> int:
    """Pixels that the outline reaches beyond text of a size."""
    return ceil(px * look.OUTLINE_SHARE) + 1


def draw_line(line: TextLine, dpr: float) -> QPixmap:
    """Draw a line with its outline; the baseline lies at the same height whatever the script."""
    style = line.style
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    layout = QTextLayout(line.text, font(line.language, style.px, style.is_bold))
    layout.setTextOption(option)
    layout.beginLayout()
    row = layout.createLine()
    layout.endLayout()
    edge = margin(style.px)
    width, height = ceil(row.naturalTextWidth()) + 2 * edge, line_height(style.px)
    pixmap = QPixmap(ceil(width * dpr), ceil(height * dpr))
    pixmap.setDevicePixelRatio(dpr)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    baseline = round(style.px * look.BASELINE_SHARE)
    at = QPointF(edge, baseline - row.ascent())
    _draw_outline(painter, layout, at, style.px)
    # Qt returns (x, cursor), whatever its type stubs say.
    x, _ = cast("tuple[float, int]", row.cursorToX(to_qt(line.text, line.n_settled)))
    turn = edge + x if line.n_settled else 0.0
    _draw_ink(painter, layout, at, style.colour, QRectF(0, 0, turn, height))
    _draw_ink(painter, layout, at, style.tentative or style.colour, QRectF(turn, 0, width - turn, height))
    if line.is_uncertain:
        _draw_doubt(painter, QPointF(edge, baseline), row.naturalTextWidth(), style.px)
    painter.end()
    return pixmap


def _draw_ink(painter: QPainter, layout: QTextLayout, at: QPointF, colour: str, part: QRectF) -> None:
    painter.save()
    painter.setClipRect(part)
    painter.setPen(QColor(colour))
    layout.draw(painter, at)
    painter.restore()


def _draw_outline(painter: QPainter, layout: QTextLayout, at: QPointF, px: int) -> None:
    reach = px * look.OUTLINE_SHARE
    colour = QColor(look.OUTLINE)
    colour.setAlpha(round(OUTLINE_ALPHA * min(1.0, px / OUTLINE_FULL_PX)))
    painter.setPen(colour)
    for number in range(OUTLINE_COPIES):
        turn = 2 * pi * number / OUTLINE_COPIES
        layout.draw(painter, at + QPointF(reach * cos(turn), reach * sin(turn)))


def _draw_doubt(painter: QPainter, baseline: QPointF, width: float, px: int) -> None:
    """Draw a row of dots under the text."""
    dot = max(1.6, px * 0.07)
    y = baseline.y() + px * 0.2
    pen = QPen(QColor(look.UNCERTAIN), dot, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.RoundCap)
    pen.setDashPattern([0.01, 2.2])
    painter.setPen(pen)
    painter.drawLine(QPointF(baseline.x(), y), QPointF(baseline.x() + width, y))
