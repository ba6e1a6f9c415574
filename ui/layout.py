"""Where everything on the overlay stands, and where lines break.

In: text, its size and the room there is. Out: a Box of rectangles, and TextLines. Qt measures and breaks (it keeps
Chinese punctuation off the start of a line). Drawing is the business of `ui.pixmaps`, choosing lines that of `ui.roll`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics, QTextLayout, QTextOption

from live.events import Caption
from ui import look

ELLIPSIS = "… "


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is set."""

    px: int
    colour: str
    tentative: str = ""
    """Of what may still change."""
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text as it will be drawn."""

    key: tuple[int, int]
    """Caption id and line number."""
    text: str
    n_settled: int
    """Leading characters that will not change any more."""
    language: str
    style: Style
    is_uncertain: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether none of it will change any more."""
        return self.n_settled >= len(self.text)


@dataclass(frozen=True, slots=True)
class Box:
    """The overlay's fixed rectangles, in device-independent pixels. Nothing in it depends on the text."""

    text_px: int
    source_px: int
    small_px: int
    size: QSize
    header: QRect
    rows: tuple[QRect, QRect]
    source: QRect
    corner: int

    @property
    def captions(self) -> QRect:
        """All of the room for text, header excluded."""
        return self.rows[0].united(self.source)

    @property
    def translation_style(self) -> Style:
        """How translations are set."""
        return Style(self.text_px, look.SETTLED, look.TENTATIVE, is_bold=True)

    @property
    def source_style(self) -> Style:
        """How transcripts are set."""
        return Style(self.source_px, look.SOURCE, look.SOURCE_TENTATIVE)

    @classmethod
    def fit(cls, text_px: int, screen_width: int) -> Box:
        """Lay out for a text size; the text is narrower where the screen is."""
        source_px = round(text_px * look.SOURCE_SHARE)
        small_px = max(look.SMALL_LEAST_PX, round(text_px * look.SMALL_SHARE))
        left = round(text_px * look.PADDING_X_SHARE)
        top = round(text_px * look.PADDING_Y_SHARE)
        width = min(round(text_px * look.WIDTH_SHARE), int(screen_width * look.WIDTH_OF_SCREEN) - 2 * left)
        row, source_row, header_row = (line_height(px) for px in (text_px, source_px, small_px))
        header = QRect(left, top, width, header_row)
        first = QRect(left, header.bottom() + 1 + top // 3, width, row)
        second = first.translated(0, row)
        source = QRect(left, second.bottom() + 1, width, source_row)
        size = QSize(width + 2 * left, source.bottom() + 1 + top)
        corner = round(text_px * look.CORNER_SHARE)
        return cls(text_px, source_px, small_px, size, header, (first, second), source, corner)


def line_height(px: int) -> int:
    """Return the height of a line of text of a size, whatever its script."""
    return round(px * look.LINE_SHARE)


@cache
def families(language: str) -> tuple[str, ...]:
    """Return the installed font families for a language, best first; another of Qt's choice where none is."""
    there = set(QFontDatabase.families())
    wanted = look.FAMILIES.get(language, look.FAMILIES["en"])
    return tuple(family for family in wanted if family in there)


@cache
def font(language: str, px: int, is_bold: bool) -> QFont:
    """Return the font for a language at a size in device-independent pixels."""
    chosen = QFont()
    if found := families(language):
        chosen.setFamilies(list(found))
    chosen.setPixelSize(px)
    chosen.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Medium)
    # Hinted advances differ from the measured ones at small sizes, and letters stand unevenly.
    chosen.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return chosen


def translation_lines(caption: Caption, box: Box, indent: int = 0) -> list[TextLine]:
    """Break a caption's translation into lines of the box's width, less an indent."""
    line, style = caption.translation, box.translation_style
    n_settled = len(line.settled_text)
    spans = break_lines(line.text, caption.target, style, box.rows[0].width() - indent)
    return [
        TextLine(
            key=(caption.id, number),
            text=line.text[start:end],
            n_settled=min(max(n_settled - start, 0), end - start),
            language=caption.target,
            style=style,
            is_uncertain=caption.is_uncertain,
        )
        for number, (start, end) in enumerate(spans)
    ]


def source_line(caption: Caption, box: Box, indent: int = 0) -> TextLine | None:
    """Cut a caption's transcript to the one line there is for it: its end.

    It is cut at half-line steps, so that growing text stands still and is not a ticker.
    """
    text, style = caption.transcript.text, box.source_style
    width = box.source.width() - indent
    whole = break_lines(text, caption.source, style, width)
    if not whole:
        return None
    start, end, mark = whole[0][0], whole[-1][1], ""
    if len(whole) > 1:
        # Two half-lines fill the line; what they are shorter by is the ellipsis's.
        halves = break_lines(text, caption.source, style, width // 2 - box.source_px)
        start, mark = halves[-2][0], ELLIPSIS
    n_settled = min(max(len(caption.transcript.settled_text) - start, 0), end - start)
    return TextLine(
        key=(caption.id, 0),
        text=mark + text[start:end],
        n_settled=n_settled + len(mark) if n_settled else 0,
        language=caption.source,
        style=style,
    )


def plain_lines(text: str, style: Style, width: int) -> list[TextLine]:
    """Break the program's own words into lines."""
    spans = break_lines(text, "en", style, width)
    return [
        TextLine((0, number), text[start:end], end - start, "en", style) for number, (start, end) in enumerate(spans)
    ]


def short_line(text: str, style: Style, width: int) -> TextLine:
    """Cut the program's own words to one line."""
    kept = QFontMetrics(font("en", style.px, style.is_bold)).elidedText(text, Qt.TextElideMode.ElideRight, width)
    return TextLine((0, 0), kept, len(kept), "en", style)


def text_width(line: TextLine) -> int:
    """Return how wide a line is drawn."""
    return QFontMetrics(font(line.language, line.style.px, line.style.is_bold)).horizontalAdvance(line.text)


def break_lines(text: str, language: str, style: Style, width: int) -> list[tuple[int, int]]:
    """Return (start, end) of each line in `text`, spaces at both ends left out; no line for a text of spaces."""
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout = QTextLayout(text, font(language, style.px, style.is_bold))
    layout.setTextOption(option)
    layout.beginLayout()
    spans = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        start = _from_qt(text, line.textStart())
        end = _from_qt(text, line.textStart() + line.textLength())
        part = text[start:end]
        if part.strip():
            spans.append((start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())))
    layout.endLayout()
    return spans


def to_qt(text: str, index: int) -> int:
    """Turn an index of a str into Qt's, which counts a character outside the basic plane twice."""
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def _from_qt(text: str, index: int) -> int:
    if text.isascii():
        return index
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * index].decode("utf-16-le", "surrogatepass"))
