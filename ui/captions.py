"""What is to be read now, and the state of the session in words.

In: the session's events, and the time. Out: a View, the same for the terminal and the overlay.
Fonts, lines and windows are not its business, nor is keeping a history: a caption that was read is forgotten.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

from live.audio import LANE_NAMES, Lane, seconds
from live.events import (
    AudioDropped,
    Caption,
    CaptionUpdated,
    DeviceChanged,
    EchoDropped,
    Event,
    LagChanged,
    LevelChanged,
    MarkAdded,
    Mode,
    ModelLoading,
    ModelRestarted,
    RecordingChanged,
    SessionStopped,
    State,
    StateChanged,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSilent,
    UtteranceSkipped,
)
from live.hearing import Hearing
from live.policy import shown
from live.speakers import Speakers
from models.base import LANGUAGES, WRITTEN_ONLY

CLEAR_AFTER_S = 6.0
"""Silence after which captions that were read go away; ordinary pauses are shorter."""
NOTICE_S = 6.0
"""How long a sentence about a passing event stands in the status."""
LAG_SHOWN_S = 3.0
"""Delay from which the status names it: what interpreters cope with (specs/desktop.md, section 2)."""
SPEECH = 0.5
"""Probability from which a lane counts as speaking."""
RECORDED_MARK = "●"
"""Stands wherever a session is shown while its sound is kept."""
WRITTEN_AGAIN = "The session is written again, and nothing of its text is lost"
SKIPPED = "A sentence was skipped to catch up"
KEPT = 6
"""Captions held for display; more never fit."""

LEVEL_STEPS = 12
QUIETEST_DBFS = -60.0

READ_SHORTEST_S = 1.5
READ_WIDE_CPS = 9.0
READ_NARROW_CPS = 20.0

StatusKind = Literal["working", "listening", "paused", "warning", "error", "ended"]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the session in words."""

    text: str
    kind: StatusKind
    hint: str = ""
    """What more there is to say, where there is room: the device, what to do."""
    share: float | None = None
    """Progress of what `text` names, 0 to 1."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything a display needs; two equal views look the same."""

    captions: tuple[Caption, ...]
    """Oldest first, hidden by mode as `live.policy.shown` says, none of them empty."""
    speakers: tuple[str, ...]
    """Who says each; empty words where there is one lane only."""
    status: Status
    level: int
    """Loudest lane, 0 to LEVEL_STEPS."""
    is_speech: bool
    is_recorded: bool
    """Whether sound is kept: everyone in the room may see it."""
    until_s: float | None
    """The clock's time at which the view changes without an event; None: it stays."""


def reading_s(text: str) -> float:
    """Seconds a reader needs for a text: wide characters (hanzi) take longer than narrow ones."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return max(READ_SHORTEST_S, wide / READ_WIDE_CPS + (len(text) - wide) / READ_NARROW_CPS)


def level_step(level_dbfs: float) -> int:
    """Put a level on the meter's scale, 0 to LEVEL_STEPS."""
    share = 1.0 - max(level_dbfs, QUIETEST_DBFS) / QUIETEST_DBFS
    return round(min(share, 1.0) * LEVEL_STEPS)


def direction_text(source: str | None, target: str | None, pair: tuple[str, str]) -> str:
    """Name a direction in its own languages: 中文 → English, or 中文 ⇄ English where it is decided for each utterance.

    Args:
        source: Language code; None is decided for each utterance.
        target: Language code; None is the other of the pair.
        pair: The two languages of the conversation.
    """
    if source is None and target is None:
        return " ⇄ ".join(map(own_name, pair))
    heard = [code for code in pair if code != WRITTEN_ONLY.get(target or "", target)] if source is None else [source]
    into = target or next((code for code in pair if code != source), pair[1])
    return f"{', '.join(map(own_name, heard))} → {own_name(into)}"


def missing_device(lane: Lane, detail: str) -> str:
    """Say that a lane has no device, and why, without a full stop."""
    return f"No {LANE_NAMES[lane]}: {detail.rstrip('.')}" if detail else f"No {LANE_NAMES[lane]}"


def own_name(language: str) -> str:
    """What a language calls itself; a code that is none stays as it is."""
    return LANGUAGES[language][1] if language in LANGUAGES else language


class CaptionModel:
    """Keeps what the events said last. Used from one thread, or under its owner's lock."""

    def __init__(
        self,
        mode: Mode = "balanced",
        *,
        clear_after_s: float | None = CLEAR_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin empty, with a session about to load.

        Args:
            mode: How eagerly text is shown; may be set again at any time.
            clear_after_s: Silence that clears what was read; None never clears.
            clock: Seconds that only grow.
        """
        self.mode = mode
        self.state: State = "loading"
        self._clear_after_s = clear_after_s
        self._clock = clock
        self._captions: dict[int, Caption] = {}
        self._speakers = Speakers()
        self._levels: dict[Lane, LevelChanged] = {}
        self._devices: dict[Lane, str] = {}
        self._missing: dict[Lane, str] = {}
        self._recording = RecordingChanged(has_sound=False)
        self._hearing = Hearing()
        self._n_echoes = 0
        self._detail = ""
        self._loading: float | None = None
        self._lag = LagChanged(0.0, 0.0, 0.0)
        self._notice = Status("", "listening")
        self._notice_until_s = clock()
        self._error: str | None = None
        self._active_s = clock()

    def apply(self, event: Event) -> None:  # noqa: PLR0912 - one case an event
        """Take an event."""
        self._hearing.take(event, self._clock())
        match event:
            case CaptionUpdated(caption):
                self._show(caption)
            case UtteranceClosed():
                self._active_s = self._clock()
            case UtteranceSilent():
                pass  # nothing of it was shown
            case EchoDropped():
                self._count_echo()
            case RecordingChanged():
                self._change_recording(event)
            case LevelChanged():
                self._levels[event.lane] = event
                if event.speech >= SPEECH:
                    self._active_s = self._clock()
            case StateChanged(state, detail):
                self._change_state(state, detail)
            case ModelLoading(_, share):
                self._loading = share if share < 1 else None
            case LagChanged():
                self._lag = event
            case DeviceChanged():
                self._change_device(event)
            case UtteranceFailed(message=message):
                self._give_up(event.id)
                self._note(f"A sentence was given up: {message}", "warning")
            case UtteranceSkipped():
                self._give_up(event.id)
                self._note(SKIPPED, "warning")
            case AudioDropped():
                self._note(f"Sound dropped, {seconds(event.n_samples):.1f} s: {event.reason}", "warning")
            case ModelRestarted(reason):
                self._note(f"The model was restarted: {reason}", "warning")
            case MarkAdded():
                self._note(f"Marked {event.label}".rstrip(), "listening")
            case SessionStopped(error):
                self.state, self._error, self._loading = "stopped", error, None
                self._levels.clear()
            case _:
                assert_never(event)

    def note(self, sentence: str) -> None:
        """Say for a moment what the interface itself has done."""
        self._note(sentence, "listening")

    def view(self) -> View:
        """Return what is to be shown at this moment."""
        now = self._clock()
        captions = self._readable(now)
        ends = [self._notice_until_s] if now < self._notice_until_s else []
        if captions and self._clear_after_s is not None:
            ends.append(self._clear_at(captions))
        level = max(self._levels.values(), key=lambda heard: heard.level_dbfs, default=None)
        return View(
            captions=captions,
            speakers=tuple(map(self._speakers.of, captions)),
            status=self._status(now),
            level=level_step(level.level_dbfs) if level else 0,
            is_recorded=self._recording.has_sound,
            is_speech=any(heard.speech >= SPEECH for heard in self._levels.values()),
            until_s=min(ends, default=None),
        )

    def _show(self, caption: Caption) -> None:
        if caption == self._captions.get(caption.id):
            return
        self._captions[caption.id] = caption
        self._active_s = self._clock()
        while len(self._captions) > KEPT:
            del self._captions[next(iter(self._captions))]

    def _give_up(self, utterance_id: int) -> None:
        """Take away what nobody will settle any more; what was settled stays."""
        caption = self._captions.get(utterance_id)
        if caption is not None and not caption.is_final:
            del self._captions[utterance_id]

    def _readable(self, now: float) -> tuple[Caption, ...]:
        captions = tuple(
            caption
            for caption in (shown(each, self.mode) for each in self._captions.values())
            if caption.translation.text.strip() or caption.transcript.text.strip()
        )
        if captions and self._clear_after_s is not None and now >= self._clear_at(captions):
            self._captions.clear()
            return ()
        return captions

    def _clear_at(self, captions: tuple[Caption, ...]) -> float:
        return self._active_s + (self._clear_after_s or 0.0) + reading_s(captions[-1].translation.text)

    def _note(self, text: str, kind: StatusKind) -> None:
        self._notice, self._notice_until_s = Status(text, kind), self._clock() + NOTICE_S

    def _change_state(self, state: State, detail: str) -> None:
        """Enter a state; said again, its detail is an answer to a command."""
        if state == self.state and state != "loading":
            if detail:
                self._note(detail, "listening")
        else:
            self.state, self._detail, self._loading = state, detail, None
            self._notice_until_s = self._clock()  # or a sentence from before would hide the change
        if state != "listening":
            self._levels.clear()

    def _change_device(self, now: DeviceChanged) -> None:
        self._speakers.apply(now)
        self._devices.pop(now.lane, None)
        self._missing.pop(now.lane, None)
        if now.name is not None:
            self._devices[now.lane] = now.name
        else:
            self._levels.pop(now.lane, None)
            if now.is_wanted:
                self._missing[now.lane] = now.detail

    def _count_echo(self) -> None:
        self._n_echoes += 1
        if self._n_echoes == 1:  # once is enough: without headphones it goes on
            self._note("The microphone repeats the computer's sound, which is left out", "listening")

    def _change_recording(self, now: RecordingChanged) -> None:
        if self._recording.problem is not None and now.problem is None:
            self._note(WRITTEN_AGAIN, "listening")
        self._recording = now

    def _status(self, now: float) -> Status:
        if self.state in ("stopping", "stopped"):
            return self._ending_status()
        if self._loading is not None or self.state == "loading":
            return self._loading_status()
        if now < self._notice_until_s and not self._missing:
            return self._notice
        return Status("Paused", "paused", self._detail) if self.state == "paused" else self._open_status(now)

    def _open_status(self, now: float) -> Status:
        if trouble := self._trouble():
            return Status(trouble, "warning")
        if self._is_behind:
            return self._lag_status()
        if problem := self._hearing.problem(now):
            return Status(problem.text, "warning", problem.advice)
        return self._listening_status()

    def _listening_status(self) -> Status:
        echoes = [f"echoes left out: {self._n_echoes}"] if self._n_echoes else []
        return Status("Listening", "listening", ", ".join([*(self._devices.values() or [self._detail]), *echoes]))

    def _trouble(self) -> str:
        """Name what is wrong while the session listens, empty where nothing is."""
        if self._missing:
            return ". ".join(missing_device(lane, detail) for lane, detail in self._missing.items())
        if self._recording.problem is not None:
            return self._recording.problem
        return ""

    @property
    def _is_behind(self) -> bool:
        return self._lag.waiting_s + self._lag.compute_s >= LAG_SHOWN_S

    def _lag_status(self) -> Status:
        lag = self._lag
        parts = [f"{lag.waiting_s:.0f} s waiting, {lag.compute_s:.0f} s translating"]
        if lag.stability_s >= LAG_SHOWN_S:
            parts.append(f"settled {lag.stability_s:.0f} s after it is heard")
        return Status(f"Listening, {lag.waiting_s + lag.compute_s:.0f} s behind", "warning", ", ".join(parts))

    def _ending_status(self) -> Status:
        if self._error is not None:
            return Status(self._error, "error")
        return Status("Finishing" if self.state == "stopping" else "Stopped", "ended", self._detail)

    def _loading_status(self) -> Status:
        if self._loading is None:
            return Status("Loading the model", "working", self._detail)
        return Status(f"Loading the model {round(self._loading * 100)} %", "working", self._detail, self._loading)
