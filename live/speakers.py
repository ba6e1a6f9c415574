"""Who speaks on a lane, for the readers of captions: me at the microphone, them out of the computer.

In: a session's events, or its captions. Out: a word to stand before a caption, none where there is one lane only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from live.audio import Lane
from live.events import Caption, DeviceChanged, Event

_ENGLISH: Mapping[Lane, str] = {"microphone": "Me", "system": "Them", "file": "File"}
_WORDS: Mapping[str, Mapping[Lane, str]] = {
    "en": _ENGLISH,
    "zh": {"microphone": "我", "system": "对方", "file": "文件"},
    "zh_tr": {"microphone": "我", "system": "對方", "file": "檔案"},
}


def speaker(lane: Lane, language: str) -> str:
    """Who speaks on a lane, in the language of what is read (in English where there is no word in it)."""
    return _WORDS.get(language, _ENGLISH)[lane]


class Speakers:
    """Knows which lanes are listened to; used from one thread, or under its owner's lock.

    Args:
        lanes: Those that are known already.
    """

    def __init__(self, lanes: Iterable[Lane] = ()) -> None:
        self._lanes = set(lanes)

    def apply(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, DeviceChanged):
            if event.is_wanted:
                self._lanes.add(event.lane)
            else:
                self._lanes.discard(event.lane)

    def of(self, caption: Caption) -> str:
        """Who says it; empty where nobody could be meant but one."""
        return speaker(caption.lane, caption.target) if len(self._lanes) > 1 else ""
