"""The file that remembers where the overlay was put, and keeping it on a screen."""

from __future__ import annotations

import json
import logging
import stat
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize

from ui.placing import USUAL, clamped, from_share, to_share
from ui.state import Places, load_places, save_place, state_path

SIZE = QSize(600, 150)
LEFT = QRect(0, 30, 1280, 690)
RIGHT = QRect(1280, 0, 1024, 768)


def test_a_place_is_remembered_for_each_screen(tmp_path: Path) -> None:
    path = tmp_path / "state" / "windows.json"
    save_place("HDMI-1", (0.5, 0.9), path)
    save_place("eDP-1", (0.0, 1.0), path)
    assert load_places(path) == Places("eDP-1", {"HDMI-1": (0.5, 0.9), "eDP-1": (0.0, 1.0)})


def test_without_a_file_there_is_no_place() -> None:
    assert not state_path().exists()
    assert load_places() == Places()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_the_file_is_its_owner_s_alone() -> None:
    save_place("HDMI-1", (0.5, 0.9))
    assert stat.S_IMODE(state_path().stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"overlay": 3}',
        '{"overlay": {"last_screen": "a", "screens": {"a": [0.5]}}}',
        '{"overlay": {"last_screen": "a", "screens": {"a": [0.5, 7]}}}',
        '{"overlay": {"last_screen": "a", "screens": {"a": [0.5, NaN]}}}',
        '{"overlay": {"last_screen": "a", "screens": {"a": ["x", 1]}}}',
        "\udcff",
    ],
)
def test_a_broken_file_is_ignored_with_a_line_in_the_log(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "windows.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with caplog.at_level(logging.WARNING):
        assert load_places(path) == Places()
    assert str(path) in caplog.text


def test_a_broken_file_is_replaced_by_the_next_place(tmp_path: Path) -> None:
    path = tmp_path / "windows.json"
    path.write_text("{")
    save_place("HDMI-1", (0.5, 0.9), path)
    assert json.loads(path.read_text())["overlay"]["screens"] == {"HDMI-1": [0.5, 0.9]}


def test_a_place_that_cannot_be_written_is_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    save_place("HDMI-1", (0.5, 0.9), tmp_path / "state" / "windows.json")
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("at", [(-50, -50), (5000, 5000), (1000, 30), (0, 600)])
@pytest.mark.parametrize("area", [LEFT, RIGHT])
def test_a_window_is_put_wholly_on_the_screen(at: tuple[int, int], area: QRect) -> None:
    assert area.contains(QRect(clamped(QPoint(*at), SIZE, area), SIZE))


def test_a_window_that_is_on_the_screen_stays_where_it_is() -> None:
    assert clamped(QPoint(100, 200), SIZE, LEFT) == QPoint(100, 200)


def test_a_window_too_large_for_the_screen_begins_in_its_corner() -> None:
    assert clamped(QPoint(100, 200), QSize(2000, 1000), LEFT) == LEFT.topLeft()
    assert to_share(LEFT.topLeft(), QSize(2000, 1000), LEFT) == (0.0, 0.0)


@pytest.mark.parametrize("at", [(0, 30), (680, 570), (123, 456)])
def test_a_place_comes_back_as_it_was(at: tuple[int, int]) -> None:
    assert from_share(to_share(QPoint(*at), SIZE, LEFT), SIZE, LEFT) == QPoint(*at)


def test_a_place_at_the_edge_is_at_the_edge_of_another_screen_and_size() -> None:
    corner = to_share(QPoint(680, 570), SIZE, LEFT)
    assert from_share(corner, QSize(800, 200), RIGHT) == QPoint(1280 + 1024 - 800, 768 - 200)


def test_the_usual_place_is_the_bottom_centre() -> None:
    at = from_share(USUAL, SIZE, LEFT)
    assert abs(at.x() + 300 - LEFT.center().x()) <= 1
    assert LEFT.bottom() - 60 < at.y() + 150 < LEFT.bottom()
