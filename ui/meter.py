"""A line a lane for who sets up a microphone: its level, the noise when nobody speaks, and how sure speech is.

In: a session's events. Out: lines for the terminal. What a level means, in words, is the business of `live.hearing`.
"""

from __future__ import annotations

from rich.text import Text

from live.audio import LANE_NAMES, Lane
from live.events import DeviceChanged, Event, LevelChanged, StateChanged
from live.segmenter import ONSET_PROBABILITY

CELLS = 30
QUIETEST_DBFS = -75.0
"""The left end of the bar; the right one is full scale."""
SPEECH_CELLS = 10
CELL, NOISE_CELL, EMPTY_CELL, THRESHOLD_CELL = "━", "┃", "─", "┊"
NAME_WIDTH = max(map(len, LANE_NAMES.values()))


class Meter:
    """Knows the last level of every lane that is listened to. Used under its owner's lock."""

    def __init__(self) -> None:
        self._levels: dict[Lane, LevelChanged] = {}

    def apply(self, event: Event) -> None:
        """Take an event."""
        match event:
            case LevelChanged():
                self._levels[event.lane] = event
            case DeviceChanged(lane, None):
                self._levels.pop(lane, None)
            case StateChanged(state) if state != "listening":
                self._levels.clear()
            case _:
                pass

    def rows(self, width: int) -> list[Text]:
        """A line a lane, in the order in which they came; where that is too wide, without bars: the numbers count."""
        return [_row(level, width) for level in self._levels.values()]


def _row(level: LevelChanged, width: int) -> Text:
    is_speech = level.speech >= ONSET_PROBABILITY
    sign = "≥" if is_speech else "<"
    name = f"{LANE_NAMES[level.lane]:{NAME_WIDTH}} "
    loudness = f"{level.level_dbfs:4.0f} dBFS, noise {level.noise_dbfs:4.0f}  speech "
    likelihood = f"{level.speech:.2f} {sign} {ONSET_PROBABILITY:.2f}"
    bar = (_probability(level.speech) + " ", "green" if is_speech else "default")
    whole = Text.assemble(name, *_bar(level), " ", loudness, bar, likelihood, no_wrap=True)
    if whole.cell_len <= width:
        return whole
    return Text.assemble(name, loudness, likelihood, no_wrap=True, overflow="ellipsis")


def _bar(level: LevelChanged) -> tuple[tuple[str, str], ...]:
    """The level, with a mark where the noise floor is."""
    n, noise = _cells(level.level_dbfs), min(_cells(level.noise_dbfs), CELLS - 1)
    cells = [(CELL, "green" if level.speech >= ONSET_PROBABILITY else "default")] * n
    cells += [(EMPTY_CELL, "bright_black")] * (CELLS - n)
    cells[noise] = (NOISE_CELL, "yellow")
    return tuple(cells)


def _cells(dbfs: float) -> int:
    share = 1 - max(dbfs, QUIETEST_DBFS) / QUIETEST_DBFS
    return round(min(share, 1.0) * CELLS)


def _probability(speech: float) -> str:
    """The probability as a bar, with a mark at the threshold."""
    n, threshold = round(speech * SPEECH_CELLS), round(ONSET_PROBABILITY * SPEECH_CELLS)
    bar = CELL * n + EMPTY_CELL * (SPEECH_CELLS - n)
    return bar[:threshold] + THRESHOLD_CELL + bar[threshold:]
