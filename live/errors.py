"""What can go wrong outside a model: each message says what happened and what to do.

LiveError
 ├ SettingsError    a setting is unknown, of the wrong type or out of range; the file cannot be read
 ├ CaptureError     a source of sound cannot be opened, or is lost
 ├ PlaybackError    sound cannot be played
 ├ RefusedError     a command cannot be carried out now; the session goes on
 └ RecordingError   a file of the session cannot be written
"""

from __future__ import annotations

import traceback


class LiveError(Exception):
    """One sentence that says what happened and what to do; shown to people as it is."""


class SettingsError(LiveError):
    """A setting is unknown, of the wrong type or out of range, or the settings file cannot be read."""


class CaptureError(LiveError):
    """A source of sound cannot be opened, or is lost."""


class PlaybackError(LiveError):
    """Sound cannot be played, or there is none to play."""


class RefusedError(LiveError):
    """A command cannot be carried out now; the session goes on."""


class RecordingError(LiveError):
    """A file of the session cannot be written."""


def unworded(error: BaseException) -> str:
    """An unexpected exception for the log: its type and place, not its message, which may quote what was said."""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
