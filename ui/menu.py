"""The menu of overlay and tray: every choice there is while a session runs.

In: the choices made so far. Out: commands and a few signals; what they do is the business of `ui.app`.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from live.actions import COPIED_LINES
from live.events import AddMark, Command, Mode, Pause, Replay, Resume, SetDirection, SetMode, SetSources, State
from ui.captions import direction_text
from ui.source_menu import ListDevices, SourceMenu

_MODES: dict[Mode, str] = {
    "follow": "Follow (everything at once)",
    "balanced": "Balanced",
    "reading": "Reading (only what will not change)",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen when the menu is built."""

    mode: Mode
    direction: SetDirection
    pair: tuple[str, str]
    sources: SetSources


class Menu(QMenu):
    """One menu, shared by all who open it."""

    commanded = Signal(object)
    """A Command for the session."""
    copy_asked = Signal(int)
    """So many lines, the newest, to the clipboard."""
    resized = Signal(int)
    """Text one step bigger (1) or smaller (-1)."""
    sessions_asked = Signal()
    """The library of past sessions, in its window."""
    quit_asked = Signal()

    def __init__(self, choices: Choices, list_devices: ListDevices | None) -> None:
        """Build it.

        Args:
            choices: What is chosen now.
            list_devices: See SourceMenu.
        """
        super().__init__()
        self._chosen: list[tuple[Command, QAction]] = []
        """What is ticked when it was chosen elsewhere."""
        self._pause = self.addAction("&Pause")
        self._pause.triggered.connect(self._toggle_pause)
        self._state: State = "loading"
        self.addSeparator()
        self._add_moments()
        self.addSeparator()
        self._sources = SourceMenu(choices.sources, list_devices)
        self._sources.chosen.connect(self.commanded)
        self.addMenu(self._sources)
        self._add_directions(self.addMenu("Direction"), choices)
        self._add_modes(self.addMenu("Mode"), choices.mode)
        self.addSeparator()
        self.addAction("Bigger text").triggered.connect(lambda: self.resized.emit(1))
        self.addAction("Smaller text").triggered.connect(lambda: self.resized.emit(-1))
        self.addSeparator()
        self.addAction("Sessions…").triggered.connect(self.sessions_asked)
        self.addAction("Quit").triggered.connect(self.quit_asked)
        self.show_state("loading")

    def show_state(self, state: State) -> None:
        """Offer what fits the session's state."""
        self._state = state
        self._pause.setText("R&esume" if state == "paused" else "&Pause")
        for action in (self._pause, self._mark, self._replay):
            action.setEnabled(state in ("listening", "paused"))

    def show_choice(self, command: Command) -> None:
        """Tick what was chosen elsewhere, if it is offered here."""
        if isinstance(command, SetSources):
            self._sources.adopt(command)
        for offered, action in self._chosen:
            if offered == command:
                action.setChecked(True)

    def _toggle_pause(self) -> None:
        self.commanded.emit(Resume() if self._state == "paused" else Pause())

    def _add_moments(self) -> None:
        """What is done with what was just said; the letters underlined choose it while the menu is open."""
        self._mark = self.addAction("&Mark this moment")
        self._mark.triggered.connect(lambda: self.commanded.emit(AddMark()))
        self._replay = self.addAction("&Replay the last sentence")
        self._replay.triggered.connect(lambda: self.commanded.emit(Replay()))
        copy = self.addAction(f"&Copy the last {COPIED_LINES} lines")
        copy.triggered.connect(lambda: self.copy_asked.emit(COPIED_LINES))
        for action, key in ((self._pause, "Space"), (self._mark, "M"), (self._replay, "R"), (copy, "C")):
            action.setShortcut(QKeySequence(key))
            action.setShortcutVisibleInContextMenu(True)

    def _add_directions(self, menu: QMenu, choices: Choices) -> None:
        first, second = choices.pair
        group = QActionGroup(menu)
        chosen = direction_text(choices.direction.source, choices.direction.target, choices.pair)
        offered = (SetDirection(None, None), SetDirection(first, second), SetDirection(second, first))
        named = {direction_text(each.source, each.target, choices.pair): each for each in offered}
        named.setdefault(chosen, choices.direction)  # the command line knows more languages than the pair
        for name, direction in named.items():
            action = self._add_choice(menu, group, name, direction, is_chosen=name == chosen)
            self._chosen.append((direction, action))

    def _add_modes(self, menu: QMenu, chosen: Mode) -> None:
        group = QActionGroup(menu)
        for mode, name in _MODES.items():
            action = self._add_choice(menu, group, name, SetMode(mode), is_chosen=mode == chosen)
            self._chosen.append((SetMode(mode), action))

    def _add_choice(self, menu: QMenu, group: QActionGroup, name: str, command: object, *, is_chosen: bool) -> QAction:
        action = menu.addAction(name)
        action.setCheckable(True)
        action.setChecked(is_chosen)
        action.triggered.connect(lambda: self.commanded.emit(command))
        return group.addAction(action)
