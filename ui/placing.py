"""Keeping a window on a screen: places in pixels to shares of the free room and back.

In: a window's size, a screen's available area. Out: a position at which the whole window is inside the area.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize

from ui.state import Share

USUAL: Share = (0.5, 0.96)
"""Bottom centre, clear of the edge: where subtitles are looked for."""


def clamped(at: QPoint, size: QSize, area: QRect) -> QPoint:
    """Return the nearest position at which the window is inside; its top left corner is, where it is too large."""
    x = max(area.left(), min(at.x(), area.left() + area.width() - size.width()))
    y = max(area.top(), min(at.y(), area.top() + area.height() - size.height()))
    return QPoint(x, y)


def to_share(at: QPoint, size: QSize, area: QRect) -> Share:
    """Return a position as shares of the room that the window leaves free."""
    free_x, free_y = area.width() - size.width(), area.height() - size.height()
    x = (at.x() - area.left()) / free_x if free_x > 0 else 0.0
    y = (at.y() - area.top()) / free_y if free_y > 0 else 0.0
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)


def from_share(share: Share, size: QSize, area: QRect) -> QPoint:
    """Return the position that a share stands for, inside the area."""
    x = area.left() + round(share[0] * (area.width() - size.width()))
    y = area.top() + round(share[1] * (area.height() - size.height()))
    return clamped(QPoint(x, y), size, area)
