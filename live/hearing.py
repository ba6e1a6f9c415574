"""Why nothing is heard, in words: what a lane's level says when no speech comes for a while.

In: a session's events with the seconds at which they came, or what was measured of a device at once. Out: words for
what is heard, the likely cause and what to do, or nothing. Pure: it has no clock. A device that went away says so by
itself.

Nobody is told off for a pause: of a device that has been spoken into, only a fall far below its own noise and that of
any room counts, which no silent speaker brings about. Where speech has not come yet, the level alone speaks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from live.audio import Lane
from live.events import DeviceChanged, Event, LevelChanged, StateChanged, UtteranceClosed
from live.level import SILENCE_DBFS
from live.segmenter import ONSET_PROBABILITY

PATIENCE_S = 12.0
"""Without speech, before anything is said."""
ONE_SIDED_S = 60.0
"""Without any sound from the computer while others are heard, before that is said."""
SAID_S = 30.0
"""How long a silent lane is named while others are heard: perhaps nobody else is there, or it is meant to be silent."""
SILENT_DBFS = -90.0
"""No device that hears a room is as quiet."""
FAINT_DBFS = -60.0
"""Speech at its loudest moment is well above."""
LOUD_DBFS = -40.0
"""Sound that is no quiet room."""
FALL_DB = 12.0
"""How far below its own noise a microphone falls that is switched off."""
SPEECH_LEVELS = 3
"""Levels in a row with speech in them that are speech, and no click."""

Cause = Literal["silent", "fell silent", "faint", "no speech"]

_WHO: Mapping[Lane, str] = {"microphone": "The microphone", "system": "The computer"}
_HEARD: Mapping[Cause, str] = {
    "silent": "is silent",
    "fell silent": "has fallen silent",
    "faint": "is very quiet",
    "no speech": "gives sound, but no speech",
}
_ADVICE: Mapping[tuple[Lane, Cause], str] = {
    ("microphone", "silent"): "'{name}' gives only silence: is it muted, or not allowed for this program? Unmute it, "
    "allow it in the system's settings, or choose another",
    ("microphone", "fell silent"): "'{name}' gives less than its own noise ({dbfs:.0f} dBFS at most): is it muted or "
    "switched off?",
    ("microphone", "faint"): "'{name}' hears hardly anything ({dbfs:.0f} dBFS at most): raise its level, come closer, "
    "or choose another",
    ("microphone", "no speech"): "'{name}' hears {dbfs:.0f} dBFS: is it noise or music, or the wrong microphone?",
    ("system", "silent"): "Nothing plays on '{name}': is the meeting on another output, or is this program not allowed "
    "to listen?",
    (
        "system",
        "faint",
    ): "'{name}' plays hardly anything ({dbfs:.0f} dBFS at most): is the meeting's volume turned down?",
    ("system", "no speech"): "'{name}' plays {dbfs:.0f} dBFS: is the meeting on another output?",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing is heard of a lane."""

    text: str
    """What is heard, in a few words."""
    advice: str
    """Of which device, since when, how loud, the likely cause and what to do."""


def likely_cause(loudest_dbfs: float) -> Cause | None:
    """Why a lane that has heard no speech has not, by its loudest moment; None where nobody may have spoken."""
    if loudest_dbfs < SILENT_DBFS:
        return "silent"
    if loudest_dbfs < FAINT_DBFS:
        return "faint"
    return "no speech" if loudest_dbfs >= LOUD_DBFS else None


def advice(lane: Lane, cause: Cause, name: str, loudest_dbfs: float) -> str:
    """The likely cause and what to do, without a full stop."""
    return _ADVICE[lane, cause].format(name=name, dbfs=loudest_dbfs)


@dataclass(slots=True)
class _Ear:
    """One lane, since its device came."""

    name: str
    since_s: float
    spoke_s: float | None = None
    noise_dbfs: float = SILENCE_DBFS
    """When somebody spoke last."""
    n_speech: int = 0
    """Levels in a row with speech in them."""
    levels: deque[tuple[float, float]] = field(default_factory=deque)
    """(seconds, dBFS) of the last PATIENCE_S."""

    def hear(self, event: LevelChanged, now_s: float) -> None:
        self.levels.append((now_s, event.level_dbfs))
        while now_s - self.levels[0][0] > PATIENCE_S:
            self.levels.popleft()
        self.n_speech = self.n_speech + 1 if event.speech >= ONSET_PROBABILITY else 0
        if self.n_speech >= SPEECH_LEVELS:
            self.spoke_s, self.noise_dbfs = now_s, event.noise_dbfs

    def restart(self, now_s: float) -> None:
        """Go on after nothing could be heard for a while."""
        self.since_s = now_s
        self.levels.clear()

    def quiet_s(self, now_s: float) -> float:
        return now_s - max(self.since_s, self.spoke_s or self.since_s)

    @property
    def loudest_dbfs(self) -> float:
        return max(level for _, level in self.levels)


class Hearing:
    """Follows every lane of a session."""

    def __init__(self) -> None:
        self._ears: dict[Lane, _Ear] = {}
        self._away: dict[Lane, _Ear] = {}
        """Those whose device is gone, as they were."""

    def take(self, event: Event, now_s: float) -> None:
        """Take an event; those that say nothing of hearing are ignored."""
        match event:
            case LevelChanged(lane=lane) if lane in self._ears:
                self._ears[lane].hear(event, now_s)
            case UtteranceClosed(lane=lane) if lane in self._ears:
                self._ears[lane].spoke_s = now_s
            case DeviceChanged(lane, None) if lane in self._ears:
                self._away[lane] = self._ears.pop(lane)
            case DeviceChanged(lane, str(name)) if lane != "file":
                self._ears[lane] = self._new_ear(lane, name, now_s)
            case StateChanged("listening"):
                for ear in self._ears.values():  # nothing was heard while paused
                    ear.restart(now_s)
            case _:
                pass

    def problem(self, now_s: float) -> Problem | None:
        """What to show now of a lane from which nothing is heard; None where nothing is wrong, or may well be not."""
        return next((found for lane in self._ears if (found := self._problem(lane, now_s)) is not None), None)

    def _new_ear(self, lane: Lane, name: str, now_s: float) -> _Ear:
        """What is known of a device stays known while it is away."""
        before = self._ears.get(lane) or self._away.pop(lane, None)
        if before is None or before.name != name:
            return _Ear(name, now_s)
        before.restart(now_s)
        return before

    def _problem(self, lane: Lane, now_s: float) -> Problem | None:
        ear = self._ears[lane]
        quiet_s = ear.quiet_s(now_s)
        if quiet_s < PATIENCE_S or not ear.levels:
            return None
        loudest_dbfs = ear.loudest_dbfs
        if ear.spoke_s is not None:
            has_fallen = lane == "microphone" and loudest_dbfs < min(ear.noise_dbfs - FALL_DB, FAINT_DBFS)
            cause: Cause | None = "fell silent" if has_fallen else None
        else:
            cause = likely_cause(loudest_dbfs)
            if any(other.spoke_s is not None for other in self._ears.values()):
                due_s = PATIENCE_S if lane == "microphone" else ONE_SIDED_S
                cause = cause if cause == "silent" and due_s <= quiet_s < due_s + SAID_S else None
        if cause is None:
            return None
        words = advice(lane, cause, ear.name, loudest_dbfs)
        since = "" if ear.spoke_s is None else f"Last speech {now_s - ear.spoke_s:.0f} s ago. "
        return Problem(f"{_WHO[lane]} {_HEARD[cause]}", since + words)
