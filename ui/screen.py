"""Whether a window can be opened here, found out before Qt tries: Qt ends the whole process where it cannot.

In: the environment. Out: a sentence that says what is wrong and what to do, or None. Imports no PySide6 before it is
asked, so that the command can choose the terminal instead.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import socket
import sys
from pathlib import Path

from live.errors import LiveError

log = logging.getLogger(__name__)

UNSEEN_PLATFORMS = frozenset({"offscreen", "minimal", "minimalegl"})
"""Qt platforms that draw for nobody."""
_INSTEAD = "Start Tongchuan from the desktop itself, or use `tongchuan listen` for captions in the terminal."
_PACKAGES = (
    "sudo apt install libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
)


def has_screen() -> bool:
    """Whether a window that is opened here will be seen."""
    return qt_platform() not in UNSEEN_PLATFORMS and screen_problem() is None


def check_screen() -> None:
    """Choose the platform, and see that a window can be opened on it.

    Raises:
        LiveError: none can, and Qt would end the program.
    """
    choose_platform()
    if qt_platform() not in UNSEEN_PLATFORMS and (problem := screen_problem()):
        raise LiveError(problem)


def choose_platform() -> None:
    """Choose XWayland where the desktop is Wayland and the user chose nothing; to be called before QApplication.

    Wayland lets no window place itself, stay on top of others or be put back where it was; X11 programs may, on GNOME
    and KDE alike.
    """
    if sys.platform == "linux" and not os.environ.get("QT_QPA_PLATFORM"):
        os.environ["QT_QPA_PLATFORM"] = qt_platform()
        if "WAYLAND_DISPLAY" in os.environ:
            log.info("Qt platform %s: a Wayland window can neither stay on top nor be placed.", qt_platform())


def qt_platform() -> str:
    """Name the Qt platform that a window would use; empty on systems that have only one."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "").partition(";")[0].partition(":")[0]
    if chosen or sys.platform != "linux":
        return chosen
    return "wayland" if os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY") else "xcb"


def screen_problem() -> str | None:
    """Say why no window can be opened, or None where one can."""
    if sys.platform != "linux":
        return _qt_problem()
    match qt_platform():
        case "xcb":
            return _x_problem() or _qt_problem() or _xcb_plugin_problem()
        case "wayland":
            return _wayland_problem() or _qt_problem()
        case _:
            return _qt_problem()


def _x_problem() -> str | None:
    display = os.environ.get("DISPLAY")
    if not display:
        return f"There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set). {_INSTEAD}"
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        return f"A library that windows need is missing ({error}): {_PACKAGES}"
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    has_error = xcb.xcb_connection_has_error(connection) != 0
    xcb.xcb_disconnect(connection)
    return (
        f"The screen named by DISPLAY ({display}) does not answer or lets us not in. {_INSTEAD}" if has_error else None
    )


def _wayland_problem() -> str | None:
    display = os.environ.get("WAYLAND_DISPLAY", "wayland-0")
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / display
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError as error:
            return f"The Wayland screen at {path} does not answer ({error.strerror}). {_INSTEAD}"
    return None


def _qt_problem() -> str | None:
    try:
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        remedy = f": {_PACKAGES}" if sys.platform == "linux" else "; install the package again."
        return f"Qt cannot be loaded ({error}){remedy}"
    return None


def _xcb_plugin_problem() -> str | None:
    """Qt's own message names no package, and comes with an abort."""
    package = importlib.import_module("PySide6")
    plugin = Path(package.__path__[0]) / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if not plugin.exists():  # a distribution's PySide6, whose package manager knows what it needs
        return None
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return f"A library that windows need is missing ({error}): {_PACKAGES}"
    return None
