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


@dataclass(slots=True)
class Roll:
    """A window of `height` lines that only ever moves forward over the text."""

    height: int = 2
    _top: tuple[int, int] | None = None
    _seen: dict[tuple[int, int], tuple[str, float]] = field(default_factory=dict)

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
            hold = self._hold_s(rows[top], waiting=last_top - top)
            due = self._seen[rows[top].key][1] + hold
            if now < due:
                break
            top, due = top + 1, None
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
        for row in rows:
            if self._seen.get(row.key, ("", 0.0))[0] != row.text:
                self._seen[row.key] = (row.text, now)

    def _hold_s(self, row: Row, waiting: int) -> float:
        if not row.is_settled:
            return 0.0
        return HOLD_SHORTEST_S if waiting > QUEUE else reading_s(row.text)
