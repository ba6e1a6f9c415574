"""Qt's application, made the same way for every window.

Out: the one QApplication of this program. Whether a window can be opened is the business of `ui.screen`.
"""

from __future__ import annotations

from PySide6.QtWidgets import QApplication


def application() -> QApplication:
    """The application, made where there is none; it ends when it is told to, not with its last window."""
    qt = QApplication.instance() or QApplication(["tongchuan"])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("tongchuan")
    qt.setQuitOnLastWindowClosed(False)
    return qt
