"""Lines as pictures: what is in them, and that they are made once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QFontDatabase, QImage, QPixmap

from ui import look
from ui.layout import Box, Style, TextLine
from ui.pixmaps import KEPT_LINES, LinePixmaps, draw_line

pytestmark = pytest.mark.usefixtures("qapp")

STYLE = Style(28, look.SETTLED, look.TENTATIVE, is_bold=True)


def line(text: str, n_settled: int | None = None, language: str = "en", *, is_uncertain: bool = False) -> TextLine:
    return TextLine((1, 0), text, len(text) if n_settled is None else n_settled, language, STYLE, is_uncertain)


def rgba(pixmap: QPixmap) -> NDArray[np.uint8]:
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width()].copy()  # the image takes its pixels with it


def has_colour(pixels: NDArray[np.uint8], colour: str, *, least_alpha: int = 240) -> bool:
    wanted = QColor(colour)
    near = np.abs(pixels[..., :3].astype(int) - [wanted.red(), wanted.green(), wanted.blue()]).max(axis=-1) < 12
    return bool((near & (pixels[..., 3] >= least_alpha)).any())


def test_a_line_is_drawn_once_and_then_copied() -> None:
    pixmaps = LinePixmaps()
    first = pixmaps.get(line("Good morning."), 1.0)
    assert pixmaps.get(line("Good morning."), 1.0) is first
    assert pixmaps.n_drawn == 1


@pytest.mark.parametrize(
    "other",
    [line("Good evening."), line("Good morning.", 4), line("Good morning.", is_uncertain=True), line("早上好。")],
)
def test_whatever_shows_makes_another_picture(other: TextLine) -> None:
    pixmaps = LinePixmaps()
    pixmaps.get(line("Good morning."), 1.0)
    pixmaps.get(other, 1.0)
    assert pixmaps.n_drawn == 2


def test_a_finer_screen_gets_a_finer_picture_of_the_same_size() -> None:
    coarse, fine = draw_line(line("Good"), 1.0), draw_line(line("Good"), 2.0)
    assert fine.height() == 2 * coarse.height()
    assert fine.deviceIndependentSize() == coarse.deviceIndependentSize()


def test_pictures_of_lines_long_gone_are_let_go() -> None:
    pixmaps = LinePixmaps()
    for number in range(KEPT_LINES + 1):
        pixmaps.get(line(f"Line {number}"), 1.0)
    pixmaps.get(line("Line 0"), 1.0)
    assert pixmaps.n_drawn == KEPT_LINES + 2


def test_settled_and_tentative_text_have_their_own_colours() -> None:
    pixels = rgba(draw_line(line("mmmm mmmm", 4), 1.0))
    middle = pixels.shape[1] // 2
    assert has_colour(pixels[:, : middle - 12], look.SETTLED)
    assert not has_colour(pixels[:, : middle - 12], look.TENTATIVE)
    assert has_colour(pixels[:, middle + 12 :], look.TENTATIVE)
    assert not has_colour(pixels[:, middle + 12 :], look.SETTLED)


def test_letters_stand_in_the_same_place_whether_settled_or_not() -> None:
    alphas = [rgba(draw_line(line("Shanghai", n), 1.0))[..., 3] for n in (0, 5, 8)]
    assert np.abs(alphas[0].astype(int) - alphas[2]).max() <= 2
    assert np.abs(alphas[0].astype(int) - alphas[1]).max() <= 40  # letters meet the border between the two colours


def test_doubt_is_marked_below_the_letters() -> None:
    sure, unsure = (rgba(draw_line(line("Hello", is_uncertain=doubt), 1.0)) for doubt in (False, True))
    assert not has_colour(sure, look.UNCERTAIN)
    below = round(28 * look.BASELINE_SHARE) + 1
    assert has_colour(unsure[below:], look.UNCERTAIN)
    assert (unsure[: below - 2] == sure[: below - 2]).all()


def test_every_letter_has_a_dark_edge_for_light_backgrounds() -> None:
    pixels = rgba(draw_line(line("H"), 1.0))
    assert has_colour(pixels, look.OUTLINE, least_alpha=160)


def test_text_of_both_scripts_fits_its_line() -> None:
    for text, language in (("Ägypten qgjpy", "en"), ("我們國龍。", "zh")):
        alpha = rgba(draw_line(line(text, language=language), 1.0))[..., 3]
        assert alpha[[0, -1]].max() == 0
        assert alpha[:, [0, -1]].max() < 64  # the outline's faint end


def test_hanzi_are_drawn_as_themselves_and_not_as_boxes() -> None:
    if not QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese):
        pytest.skip("no Chinese font is installed: sudo apt install fonts-noto-cjk")
    pictures = [rgba(draw_line(line(text, language=language), 1.0)) for text in "我你永" for language in ("zh", "en")]
    inks = [picture.tobytes() for picture in pictures]
    assert len({inks[0], inks[2], inks[4]}) == 3, "different hanzi look the same: boxes"
    assert len({inks[1], inks[3], inks[5]}) == 3, "hanzi within English look the same: boxes"
    missing = rgba(draw_line(line("\U0010fffd", language="zh"), 1.0)).tobytes()
    assert missing not in inks


def test_the_box_gives_the_styles_of_its_size() -> None:
    box = Box.fit(40, 1920)
    assert (box.translation_style.px, box.source_style.px) == (40, 30)
