"""Whether a window can be opened, found out without opening one."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from ui import screen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a screen")


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_display_there_is_no_screen() -> None:
    assert not screen.has_screen()
    problem = screen.screen_problem()
    assert problem is not None
    assert "tongchuan listen" in problem


def test_a_display_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    problem = screen.screen_problem()
    assert problem is not None
    assert ":4711" in problem


def test_a_wayland_socket_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    problem = screen.screen_problem()
    assert problem is not None
    assert "wayland-7" in problem


def test_a_wayland_socket_that_answers_is_a_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        assert screen.has_screen()


def test_a_platform_that_draws_for_nobody_is_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:configfile=screens.json")
    assert not screen.has_screen()
    assert screen.screen_problem() is None


def test_missing_libraries_of_qt_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file")

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(screen.importlib, "import_module", refuse)
    problem = screen.screen_problem()
    assert problem is not None
    assert "libEGL.so.1" in problem
    assert "sudo apt install" in problem


def test_under_wayland_x11_is_chosen_because_it_lets_a_window_stay_on_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("DISPLAY", ":0")
    screen.choose_platform()
    assert screen.os.environ["QT_QPA_PLATFORM"] == "xcb"


def test_what_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("QT_QPA_PLATFORM", "wayland")
    screen.choose_platform()
    assert screen.qt_platform() == "wayland"


def test_wayland_without_x11_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert screen.qt_platform() == "wayland"
