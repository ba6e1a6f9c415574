"""Where lines break and where everything stands."""

from __future__ import annotations

import itertools

import pytest
from builders import caption
from PySide6.QtCore import QRect
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication

from ui.layout import (
    ELLIPSIS,
    Box,
    Style,
    break_lines,
    plain_lines,
    short_line,
    source_line,
    text_width,
    to_qt,
    translation_lines,
)

EN = "The quarterly revenue grew by 15%, mostly because of very strong sales in Asia and in South America."
ZH = "我们公司今年第三季度的收入增长了15%，主要是因为亚洲和南美洲市场的销售非常强劲，所以我们要继续投资3.5亿元。"
NEVER_FIRST = "，。？！：；、）”》%"

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def box() -> Box:
    return Box.fit(28, 1920)


@pytest.fixture
def hanzi(qapp: QApplication) -> None:
    if not QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese):
        pytest.skip("no Chinese font is installed: sudo apt install fonts-noto-cjk")


def parts(text: str, language: str, box: Box, width: int | None = None) -> list[str]:
    spans = break_lines(text, language, box.translation_style, width or box.rows[0].width())
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize("size", [14, 28, 96])
@pytest.mark.parametrize("screen", [800, 1920, 3840])
def test_nothing_overlaps_and_all_is_inside(size: int, screen: int) -> None:
    box = Box.fit(size, screen)
    parts = [box.header, *box.rows, box.source]
    for above, below in itertools.pairwise(parts):
        assert above.bottom() < below.top()
    assert QRect(0, 0, box.size.width(), box.size.height()).contains(box.header.united(box.source))
    assert box.size.width() <= 0.68 * screen


def test_english_lines_are_about_forty_letters(box: Box) -> None:
    lines = parts(EN, "en", box)
    assert " ".join(lines) == EN
    assert all(text_width(line) <= box.rows[0].width() for line in translation_lines(caption(1, EN), box))
    assert 30 <= len(lines[0]) <= 48


@pytest.mark.usefixtures("hanzi")
def test_chinese_breaks_between_hanzi_and_never_before_punctuation(box: Box) -> None:
    for width in range(160, 640, 7):
        lines = parts(ZH, "zh", box, width)
        assert "".join(lines) == ZH
        assert not any(line[0] in NEVER_FIRST for line in lines)


def test_a_word_longer_than_the_line_is_broken(box: Box) -> None:
    lines = parts("Donaudampfschifffahrtsgesellschaftskapitänswitwenrente", "en", box, 200)
    assert len(lines) > 1
    assert "".join(lines).endswith("rente")


def test_spaces_alone_make_no_line(box: Box) -> None:
    assert parts("  ", "en", box) == []
    assert parts("", "en", box) == []


def test_rare_characters_do_not_shift_the_breaks(box: Box) -> None:
    text = "𠮷野家 " * 40
    assert "".join(parts(text, "zh", box)).replace(" ", "") == text.replace(" ", "")
    assert to_qt("a𠮷b", 2) == 3


def test_each_line_knows_how_much_of_it_is_settled(box: Box) -> None:
    lines = translation_lines(caption(1, EN[:50], EN[50:]), box)
    assert sum(line.n_settled for line in lines) == 50 - (len(lines[0].text) < 50)  # the space between two lines
    assert lines[0].is_settled
    assert not lines[-1].is_settled
    assert [line.key for line in lines] == [(1, number) for number in range(len(lines))]


def test_a_short_source_stands_whole(box: Box) -> None:
    line = source_line(caption(1, "Hello.", transcript="你好。"), box)
    assert line is not None
    assert (line.text, line.n_settled, line.language) == ("你好。", 3, "zh")


def test_a_missing_source_takes_no_line(box: Box) -> None:
    assert source_line(caption(1, "Hello."), box) is None


def test_a_long_source_shows_its_end_and_fits(box: Box) -> None:
    line = source_line(caption(1, "x", transcript=EN * 2, source="en", target="zh"), box)
    assert line is not None
    assert line.text.startswith(ELLIPSIS)
    assert EN.endswith(line.text.removeprefix(ELLIPSIS)[-30:])
    assert line.is_settled
    assert box.source.width() / 3 < text_width(line) <= box.source.width()


def test_a_growing_source_stands_still_for_half_a_line_at_a_time(box: Box) -> None:
    starts = []
    for end in range(1, len(EN) * 2):
        heard = (EN + " " + EN)[:end].rstrip()
        line = source_line(caption(1, "", "…", transcript=heard, source="en"), box)
        if line is not None and line.text.startswith(ELLIPSIS):
            assert text_width(line) <= box.source.width()
            starts.append(len(heard) - len(line.text.removeprefix(ELLIPSIS)))
    assert len(set(starts)) <= 2 * len(EN) * 2 // 40
    assert starts == sorted(starts)


def test_the_program_s_own_words_are_cut_with_a_mark(box: Box) -> None:
    style = Style(12, "#ffffff")
    cut = short_line(EN, style, 200)
    assert cut.text.endswith("…")
    assert text_width(cut) <= 200
    assert len(plain_lines(EN, style, 200)) > 2
