"""What the overlay shows at one moment, and painting it.

In: a View and a Box. Out: a Picture (equal pictures look the same, so that nothing is repainted for nothing), and its
painting. Windows, the mouse and time are not its business, except the time at which a held line gives way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QRegion

from ui import look
from ui.captions import LEVEL_STEPS, RECORDED_MARK, Status, StatusKind, View
from ui.layout import (
    Box,
    Style,
    TextLine,
    line_height,
    plain_lines,
    short_line,
    source_line,
    text_width,
    translation_lines,
)
from ui.pixmaps import LinePixmaps, margin
from ui.roll import Roll

_COLOURS: dict[StatusKind, str] = {
    "working": look.QUIET,
    "listening": look.QUIET,
    "paused": look.WARNING,
    "warning": look.WARNING,
    "error": look.ERROR,
    "ended": look.QUIET,
}
_IDLE_HINTS: dict[StatusKind, str] = {
    "listening": "Captions appear here as soon as someone speaks.",
    "paused": "Right-click to go on.",
}
METER_WIDTH_SHARE = 3.4
METER_HEIGHT_SHARE = 0.34
"""Of the level meter, beside the size of the small words."""
SPEAKER_SHARE = 3.3
"""Room for who speaks, beside the same size: "Them" and two hanzi fit, and stand clear of what is said."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line and where it stands; `at` is the top left corner of its row."""

    line: TextLine
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is painted."""

    words: tuple[Placed, ...] = ()
    """In the room for captions."""
    small: tuple[Placed, ...] = ()
    """In the header."""
    meter: float = 0.0
    """How much of it is filled, 0 to 1."""
    meter_colour: str = look.METER

    def changed(self, other: Picture, box: Box) -> QRegion:
        """Return what has to be painted again to come from `other` to this."""
        region = QRegion()
        edge = margin(box.text_px)
        if self.words != other.words:
            region += box.captions.adjusted(-edge, -edge, edge, edge)
        if self.small != other.small:
            region += box.header.adjusted(-edge, -edge, edge, edge)
        if (self.meter, self.meter_colour) != (other.meter, other.meter_colour):
            region += meter_rect(box).adjusted(-2, -2, 2, 2)
        return region


def meter_rect(box: Box) -> QRect:
    """Return where the level meter is: at the left of the header, half-way up its small letters."""
    height = round(box.small_px * METER_HEIGHT_SHARE)
    middle = box.header.top() + round(box.small_px * (look.BASELINE_SHARE - 0.36))
    return QRect(box.header.left(), middle - height // 2, round(box.small_px * METER_WIDTH_SHARE), height)


def compose(view: View, box: Box, roll: Roll, aside: str, now: float) -> tuple[Picture, float | None]:
    """Decide what is painted.

    Args:
        view: What there is to show.
        box: Where things stand.
        roll: Remembers which lines are up; is moved on.
        aside: Words for the right of the header.
        now: The clock's time.

    Returns:
        The picture, and the time at which it changes by itself through a held line (None: it does not).
    """
    indent = round(box.small_px * SPEAKER_SHARE) if any(view.speakers) else 0
    rows = _rows(view, box, indent)
    top, due = roll.first(rows, now)
    up = rows[top : top + roll.height]
    is_over = view.status.kind == "error"
    if view.is_recorded:
        aside = f"{RECORDED_MARK} recording  {aside}"
    if is_over or not view.captions:
        words = _message(view.status, box)
        small = _header("Stopped" if is_over else "", view.status, box, aside)
    else:
        # One line of two stands below, next to its source: text starts there and moves up.
        places = box.rows[-len(up) :] if up else ()
        words = [_place(line, row, indent) for line, row in zip(up, places, strict=True)]
        words += _speakers(up, places, view, box)
        newest = up[-1].key[0] if up else view.captions[-1].id
        source = next((source_line(each, box, indent) for each in view.captions if each.id == newest), None)
        if source is not None:
            words.append(_place(source, box.source, indent))
        small = _header(view.status.text, view.status, box, aside)
    share = view.status.share
    meter = share if share is not None else view.level / LEVEL_STEPS
    colour = look.METER_SPEECH if view.is_speech or share is not None else look.METER
    return Picture(tuple(words), tuple(small), meter, colour), due


def paint(painter: QPainter, picture: Picture, box: Box, pixmaps: LinePixmaps, opacity: float) -> None:
    """Paint a picture.

    Args:
        painter: On the overlay; its device says how many pixels one of Qt's has.
        picture: What to paint.
        box: The sizes it was composed for.
        pixmaps: Lines drawn before.
        opacity: Of the background, 0 (clear) to 1; text is always opaque.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground = QColor(look.PANEL)
    # A window that is wholly clear lets the mouse through, and could be neither moved nor closed.
    ground.setAlphaF(max(opacity, 1 / 255))
    painter.setPen(QPen(QColor(look.PANEL_EDGE), 1))
    painter.setBrush(ground)
    painter.drawRoundedRect(QRectF(0.5, 0.5, box.size.width() - 1, box.size.height() - 1), box.corner, box.corner)
    _paint_meter(painter, picture, QRectF(meter_rect(box)))
    dpr = painter.device().devicePixelRatioF()
    for placed in picture.words + picture.small:
        x, y = placed.at
        painter.drawPixmap(QPoint(x - margin(placed.line.style.px), y), pixmaps.get(placed.line, dpr))


def _paint_meter(painter: QPainter, picture: Picture, rect: QRectF) -> None:
    radius = rect.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.METER_TRACK))
    painter.drawRoundedRect(rect, radius, radius)
    if picture.meter > 0:
        painter.setBrush(QColor(picture.meter_colour))
        rect.setWidth(max(rect.width() * min(picture.meter, 1.0), rect.height()))
        painter.drawRoundedRect(rect, radius, radius)


def _rows(view: View, box: Box, indent: int) -> list[TextLine]:
    """All lines, those that grow last; where two people speak at once, of each the line that grows."""
    growing = [caption for caption in view.captions if not caption.is_final]
    rows = [line for each in view.captions if each.is_final for line in translation_lines(each, box, indent)]
    for caption in growing:
        lines = translation_lines(caption, box, indent)
        rows += lines[-1:] if len(growing) > 1 else lines
    return rows


def _speakers(up: Sequence[TextLine], places: Sequence[QRect], view: View, box: Box) -> list[Placed]:
    """Put who speaks, small, before the first line that is up of each caption, on the same baseline."""
    said = {
        caption.id: (speaker, caption.target) for caption, speaker in zip(view.captions, view.speakers, strict=True)
    }
    lower = round(box.text_px * look.BASELINE_SHARE) - round(box.small_px * look.BASELINE_SHARE)
    placed = []
    before: int | None = None
    for line, row in zip(up, places, strict=True):
        number = line.key[0]
        speaker, language = said[number]
        if speaker and number != before:
            label = TextLine(line.key, speaker, len(speaker), language, Style(box.small_px, look.QUIET))
            placed.append(Placed(label, (row.left(), row.top() + lower)))
        before = number
    return placed


def _place(line: TextLine, row: QRect, indent: int = 0) -> Placed:
    return Placed(line, (row.left() + indent, row.top()))


def _header(words: str, status: Status, box: Box, aside: str) -> list[Placed]:
    """Put the status beside the meter, and the words aside at the right end."""
    left, end = meter_rect(box).right() + box.small_px, box.header.right() + 1
    right = short_line(aside, Style(box.small_px, look.QUIET), box.header.width() // 2)
    width = text_width(right)
    style, room = Style(box.small_px, _COLOURS[status.kind]), end - width - 2 * box.small_px - left
    main = short_line(words, style, room)
    if status.kind == "warning" and status.hint:  # why captions are late, say, whole or not at all
        told = f"{words}: {status.hint}"
        whole = short_line(told, style, room)
        main = whole if whole.text == told else main
    lines = ((main, left), (right, end - width))
    return [Placed(line, (x, box.header.top())) for line, x in lines if line.text]


def _message(status: Status, box: Box) -> list[Placed]:
    """Put the status in the place of captions: a short one large, with a hint below; a sentence as lines that fit."""
    room = box.captions
    colour = _COLOURS[status.kind]
    lines = plain_lines(status.text, Style(box.text_px, colour, is_bold=True), room.width())
    if len(lines) == 1:
        hint = status.hint or _IDLE_HINTS.get(status.kind, "")
        below = QRect(room.left(), room.top(), room.width(), room.height() - line_height(box.text_px))
        return _stack(lines + _fitting(hint, box, box.source_style.colour, below), room)
    # A sentence is for reading: its colour is that of text, and the header has the warning's.
    return _stack(_fitting(status.text, box, look.SETTLED if status.kind == "error" else colour, room), room)


def _fitting(sentence: str, box: Box, colour: str, room: QRect) -> list[TextLine]:
    """Break a sentence into lines as large as sources are, or smaller where it would not fit."""
    for px in range(box.source_px, box.small_px - 1, -1):
        lines = plain_lines(sentence, Style(px, colour), room.width())
        if len(lines) * line_height(px) <= room.height():
            break
    return lines[: room.height() // line_height(px)]


def _stack(lines: list[TextLine], room: QRect) -> list[Placed]:
    """Put lines one below the other, half-way up the room."""
    heights = [line_height(line.style.px) for line in lines]
    y = room.top() + (room.height() - sum(heights)) // 2
    placed = []
    for line, height in zip(lines, heights, strict=True):
        placed.append(Placed(line, (room.left(), y)))
        y += height
    return placed
