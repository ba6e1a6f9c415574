"""Which of the wrapped lines are on screen: the newest, as whole lines that move up, each long enough to be read.

In: all lines there are, oldest first, and the time. Out: the few that show now, and when that changes by itself.
Measuring and drawing are not its business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ui.captions import reading_s

HOLD_SHORTEST_S = 0.833
"""No settled line stays shorter than this, however far behind the display is (Netflix's shortest subtitle)."""
QUEUE = 2
"""Lines that may wait for room before those on screen are given only HOLD_SHORTEST_S."""


class Row(Protocol):
    """A wrapped line; `key` names its place (caption and number), whatever its text."""

    @property
    def key(self) -> tuple[int, int]:
        """Caption id and line number."""
        ...

    @property
    def text(self) -> str:
        """As displayed."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether its text will not change any more."""
        ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line that is on screen."""

    text: str
    since_s: float
    """When it came with these words."""
    read_s: float
    """When it has been read, the lines above it first."""


@dataclass(slots=True)
class Roll:
    """A window of `height` lines that only ever moves forward over the text."""

    height: int = 2
    _top: tuple[int, int] | None = None
    _moved_s: float = 0.0
    _seen: dict[tuple[int, int], _Seen] = field(default_factory=dict)

    def first(self, rows: Sequence[Row], now: float) -> tuple[int, float | None]:
        """Decide which line is uppermost.

        Args:
            rows: Every line there is, oldest first.
            now: The clock's time in seconds.

        Returns:
            Index of the uppermost line on screen, and the time at which it has to be asked again; None: with new text.
        """
        last_top = max(0, len(rows) - self.height)
        top = min(self._index_of_top(rows, last_top), last_top)
        due: float | None = None
        while top < last_top:
            self._note(rows[top : top + self.height], now)
            due = self._due_s(rows[top], waiting=last_top - top)
            if now < due:
                break
            top, due, self._moved_s = top + 1, None, now
        visible = rows[top : top + self.height]
        self._note(visible, now)
        self._seen = {row.key: self._seen[row.key] for row in visible}
        self._top = rows[top].key if rows else None
        return top, due

    def _index_of_top(self, rows: Sequence[Row], last_top: int) -> int:
        """Find the line that was uppermost; its caption may have become shorter, or be gone."""
        if self._top is None:
            return 0
        caption, number = self._top
        here = [index for index, row in enumerate(rows) if row.key[0] == caption and row.key[1] <= number]
        return here[-1] if here else last_top

    def _note(self, rows: Sequence[Row], now: float) -> None:
        above_s = now
        for row in rows:
            seen = self._seen.get(row.key)
            if seen is None or seen.text != row.text:
                seen = self._seen[row.key] = _Seen(row.text, now, max(now, above_s) + reading_s(row.text))
            above_s = seen.read_s

    def _due_s(self, row: Row, waiting: int) -> float:
        """When a line may give way."""
        if not row.is_settled:
            return 0.0
        seen = self._seen[row.key]
        if waiting > QUEUE:
            return min(seen.read_s, max(seen.since_s, self._moved_s) + HOLD_SHORTEST_S)
        return seen.read_s
