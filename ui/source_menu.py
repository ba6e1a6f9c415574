"""What is listened to, as a menu: which lanes, and which device of each.

In: the choice made so far, and who lists devices. Out: SetSources; what it does is the business of `ui.app`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from live.errors import CaptureError
from live.events import SetSources, SourceKind
from live.sound_systems.base import DeviceKind

ListDevices = Callable[[DeviceKind], list[str]]
"""Names of the devices of a kind, as they are now; raises CaptureError."""

_SOURCES: dict[SourceKind, str] = {
    "microphone": "Microphone only",
    "system": "Computer sound only",
    "both": "Microphone and computer sound",
}
_DEFAULTS: dict[DeviceKind, str] = {"microphone": "The system's microphone", "system": "The system's output"}


class SourceMenu(QMenu):
    """Filled anew each time it is shown."""

    chosen = Signal(object)
    """SetSources."""

    def __init__(self, choice: SetSources, list_devices: ListDevices | None) -> None:
        """Build it.

        Args:
            choice: What is listened to now.
            list_devices: None: the session's sound is given and cannot be chosen.
        """
        super().__init__("Source")
        self._choice = choice
        self._list_devices = list_devices
        self.setEnabled(list_devices is not None)
        self.aboutToShow.connect(self._fill)

    def adopt(self, choice: SetSources) -> None:
        """Tick what was chosen elsewhere."""
        names = {"input_name": choice.input_name, "output_name": choice.output_name}
        given = {key: name for key, name in names.items() if name is not None}
        self._choice = replace(self._choice, source=choice.source, **given)

    def _fill(self) -> None:
        self.clear()
        if self._list_devices is None:
            return
        group = QActionGroup(self)
        for source, name in _SOURCES.items():
            self._add(group, name, replace(self._choice, source=source), is_chosen=source == self._choice.source)
        for kind in _DEFAULTS:
            self.addSeparator()
            self._add_devices(kind, self._list_devices)

    def _add_devices(self, kind: DeviceKind, list_devices: ListDevices) -> None:
        """Offer a kind's devices; choosing one listens to it, whatever else is listened to."""
        try:
            names = list_devices(kind)
        except CaptureError as error:
            self.addAction(str(error)).setEnabled(False)
            return
        source: SourceKind = kind if self._choice.source in (kind, "file") else "both"
        group = QActionGroup(self)
        for name in ["", *dict.fromkeys(names)]:
            if kind == "microphone":
                now, choice = self._choice.input_name, replace(self._choice, source=source, input_name=name)
            else:
                now, choice = self._choice.output_name, replace(self._choice, source=source, output_name=name)
            shown = name.replace("&", "&&") or _DEFAULTS[kind]
            self._add(group, shown, choice, is_chosen=name == now)

    def _add(self, group: QActionGroup, name: str, choice: SetSources, *, is_chosen: bool) -> None:
        action = self.addAction(name)
        action.setCheckable(True)
        action.setChecked(is_chosen)
        action.triggered.connect(lambda: self._choose(choice))
        group.addAction(action)

    def _choose(self, choice: SetSources) -> None:
        self._choice = choice
        self.chosen.emit(choice)
