"""The newest lines of a conversation, to be copied.

In: events. Out: text for a clipboard, or for a terminal that has one. Captions as they are shown are the business of
`ui.captions`.
"""

from __future__ import annotations

import base64
from collections import deque

from live.actions import MOST_LINES
from live.audio import clock_text
from live.events import Caption, CaptionUpdated, Event
from live.speakers import Speakers

NO_CLIPBOARD = "These captions go to no terminal, and so there is no clipboard to copy to."
NOTHING_TO_COPY = "Nothing was said yet that could be copied."


class LastLines:
    """Remembers final captions that say something. Used from one thread, or under its owner's lock."""

    def __init__(self) -> None:
        self._captions: deque[tuple[Caption, str]] = deque(maxlen=MOST_LINES)
        self._speakers = Speakers()

    def apply(self, event: Event) -> None:
        """Take an event."""
        self._speakers.apply(event)
        if isinstance(event, CaptionUpdated) and event.caption.is_final and _texts(event.caption):
            self._captions.append((event.caption, self._speakers.of(event.caption)))

    def text(self, n: int) -> tuple[str, int]:
        """The newest lines, each with its time and both languages, and how many there are of the `n` asked for."""
        newest = list(self._captions)[-n:]
        paragraphs = (
            [f"{clock_text(caption.start)} {speaker}".rstrip(), *_texts(caption)] for caption, speaker in newest
        )
        return "\n".join("\n".join(paragraph) for paragraph in paragraphs), len(newest)


def copied_words(n_lines: int) -> str:
    """What is said once lines were copied."""
    return "Copied the last line" if n_lines == 1 else f"Copied the last {n_lines} lines"


def terminal_clipboard(text: str) -> str:
    """What a terminal takes for its clipboard (OSC 52, xterm's control sequences); it does not say whether it did."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"


def _texts(caption: Caption) -> list[str]:
    return [text for line in (caption.translation, caption.transcript) if (text := line.text.strip())]
