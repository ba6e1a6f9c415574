"""The menu's choices, and the tray that shares it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from live.errors import CaptureError
from live.events import AddMark, Pause, Replay, Resume, SetDirection, SetMode, SetSources
from ui.menu import Choices, Menu
from ui.tray import ICON_SIZES, Tray, icon

CHOICES = Choices("balanced", SetDirection("zh", "en"), ("zh", "en"), SetSources("microphone", "USB", ""))


def list_devices(kind: str) -> list[str]:
    return ["Built-in", "USB", "Built-in", "A & B"] if kind == "microphone" else ["Loudspeakers", "HDMI"]


@pytest.fixture
def menu(qtbot: QtBot) -> Menu:
    made = Menu(CHOICES, list_devices)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def commands(menu: Menu) -> list[object]:
    heard: list[object] = []
    menu.commanded.connect(heard.append)
    return heard


def submenu(menu: Menu, name: str) -> QMenu:
    made = next(action.menu() for action in menu.actions() if action.text() == name)
    assert isinstance(made, QMenu)
    made.aboutToShow.emit()
    return made


def choice(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def chosen(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.isChecked()]


def test_pausing_is_offered_while_listening_and_resuming_while_paused(menu: Menu, commands: list[object]) -> None:
    assert not choice(menu, "&Pause").isEnabled()
    menu.show_state("listening")
    choice(menu, "&Pause").trigger()
    menu.show_state("paused")
    choice(menu, "R&esume").trigger()
    assert commands == [Pause(), Resume()]


def test_a_direction_outside_the_pair_is_there_as_long_as_it_is_chosen(qtbot: QtBot) -> None:
    made = Menu(Choices("balanced", SetDirection("de", "en"), ("zh", "en"), SetSources("microphone")), None)
    qtbot.addWidget(made)
    directions = submenu(made, "Direction")
    assert [action.text() for action in directions.actions()] == [
        "中文 ⇄ English",
        "中文 → English",
        "English → 中文",
        "Deutsch → English",
    ]
    assert chosen(directions) == ["Deutsch → English"]


def test_a_direction_is_chosen_of_three(menu: Menu, commands: list[object]) -> None:
    directions = submenu(menu, "Direction")
    assert [action.text() for action in directions.actions()] == [
        "中文 ⇄ English",
        "中文 → English",
        "English → 中文",
    ]
    assert chosen(directions) == ["中文 → English"]
    choice(directions, "English → 中文").trigger()
    choice(directions, "中文 ⇄ English").trigger()
    assert commands == [SetDirection("en", "zh"), SetDirection(None, None)]
    assert chosen(directions) == ["中文 ⇄ English"]


def test_a_mode_is_chosen_of_three(menu: Menu, commands: list[object]) -> None:
    modes = submenu(menu, "Mode")
    assert chosen(modes) == ["Balanced"]
    modes.actions()[2].trigger()
    assert commands == [SetMode("reading")]


def test_sources_are_listed_when_they_are_looked_at(menu: Menu, commands: list[object]) -> None:
    sources = submenu(menu, "Source")
    assert [action.text() for action in sources.actions() if not action.isSeparator()] == [
        "Microphone only",
        "Computer sound only",
        "Microphone and computer sound",
        "The system's microphone",
        "Built-in",
        "USB",
        "A && B",
        "The system's output",
        "Loudspeakers",
        "HDMI",
    ]
    assert chosen(sources) == ["Microphone only", "USB", "The system's output"]
    choice(sources, "A && B").trigger()
    assert commands == [SetSources("microphone", "A & B", "")]
    assert chosen(submenu(menu, "Source")) == ["Microphone only", "A && B", "The system's output"]
    choice(sources, "The system's microphone").trigger()
    assert commands[-1] == SetSources("microphone", "", "")


def test_both_lanes_are_chosen_at_once_or_by_a_device_of_the_other(menu: Menu, commands: list[object]) -> None:
    choice(submenu(menu, "Source"), "Microphone and computer sound").trigger()
    choice(submenu(menu, "Source"), "Computer sound only").trigger()
    choice(submenu(menu, "Source"), "HDMI").trigger()
    choice(submenu(menu, "Source"), "Built-in").trigger()
    assert commands == [
        SetSources("both", "USB", ""),
        SetSources("system", "USB", ""),
        SetSources("system", "USB", "HDMI"),
        SetSources("both", "Built-in", "HDMI"),
    ]


def test_sources_chosen_elsewhere_are_ticked(menu: Menu) -> None:
    menu.show_choice(SetSources("both", "", "HDMI"))
    assert chosen(submenu(menu, "Source")) == ["Microphone and computer sound", "The system's microphone", "HDMI"]
    menu.show_choice(SetSources("system"))
    assert chosen(submenu(menu, "Source")) == ["Computer sound only", "The system's microphone", "HDMI"]


def test_where_sources_cannot_be_listed_the_reason_stands_there(qtbot: QtBot) -> None:
    def fail(kind: str) -> list[str]:
        if kind == "system":
            raise CaptureError("The sound server does not answer.")
        return []

    menu = Menu(CHOICES, fail)
    qtbot.addWidget(menu)
    last = submenu(menu, "Source").actions()[-1]
    assert last.text() == "The sound server does not answer."
    assert not last.isEnabled()


def test_the_demo_s_sound_cannot_be_chosen(qtbot: QtBot) -> None:
    menu = Menu(CHOICES, None)
    qtbot.addWidget(menu)
    assert not submenu(menu, "Source").isEnabled()


def test_sizes_and_quitting_are_asked_for(menu: Menu, qtbot: QtBot) -> None:
    sizes: list[int] = []
    menu.resized.connect(sizes.append)
    choice(menu, "Bigger text").trigger()
    choice(menu, "Smaller text").trigger()
    assert sizes == [1, -1]
    with qtbot.waitSignal(menu.sessions_asked):
        choice(menu, "Sessions…").trigger()
    with qtbot.waitSignal(menu.quit_asked):
        choice(menu, "Quit").trigger()


def test_moments_are_marked_replayed_and_copied(menu: Menu, commands: list[object]) -> None:
    copies: list[int] = []
    menu.copy_asked.connect(copies.append)
    assert not choice(menu, "&Mark this moment").isEnabled()
    menu.show_state("paused")
    choice(menu, "&Mark this moment").trigger()
    choice(menu, "&Replay the last sentence").trigger()
    menu.show_state("stopped")
    choice(menu, "&Copy the last 5 lines").trigger()
    assert not choice(menu, "&Replay the last sentence").isEnabled()
    assert commands == [AddMark(), Replay()]
    assert copies == [5]


@pytest.mark.parametrize(
    ("key", "command"), [(Qt.Key.Key_M, AddMark()), (Qt.Key.Key_R, Replay()), (Qt.Key.Key_P, Pause())]
)
def test_a_letter_chooses_while_the_menu_is_open(
    menu: Menu, commands: list[object], qtbot: QtBot, key: Qt.Key, command: object
) -> None:
    menu.show_state("listening")
    menu.popup(QPoint(0, 0))
    qtbot.keyClick(menu, key)
    assert commands == [command]


def test_what_was_chosen_elsewhere_is_ticked(menu: Menu, commands: list[object]) -> None:
    menu.show_choice(SetMode("follow"))
    menu.show_choice(SetDirection("en", "zh"))
    menu.show_choice(SetDirection("de", "en"))  # it is not offered
    menu.show_choice(AddMark())
    assert chosen(submenu(menu, "Mode")) == ["Follow (everything at once)"]
    assert chosen(submenu(menu, "Direction")) == ["English → 中文"]
    assert commands == []


def test_the_tray_works_where_there_is_none(menu: Menu, qtbot: QtBot) -> None:
    assert not QSystemTrayIcon.isSystemTrayAvailable()
    tray = Tray(menu)
    tray.set_status("Listening")
    icon_of_tray = tray.findChild(QSystemTrayIcon) or tray._icon
    assert icon_of_tray.toolTip() == "Tongchuan: Listening"
    assert icon_of_tray.contextMenu() is menu
    with qtbot.waitSignal(tray.clicked):
        icon_of_tray.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    with qtbot.assertNotEmitted(tray.clicked):
        icon_of_tray.activated.emit(QSystemTrayIcon.ActivationReason.Context)
    tray.hide()


@pytest.mark.usefixtures("qapp")
def test_the_icon_is_there_in_every_size() -> None:
    assert sorted(size.width() for size in icon().availableSizes()) == sorted(ICON_SIZES)
