"""What a session says (events) and what it is told (commands): two closed unions, matched with assert_never.

Terminal, overlay, recorder and scorers take the same events; buttons, hotkeys and keys send nothing but commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from live.audio import Lane
from live.level import SILENCE_DBFS

State = Literal["loading", "listening", "paused", "stopping", "stopped"]
Mode = Literal["follow", "balanced", "reading"]
"""How eagerly text is shown: the tail may change; the last pieces are hidden; only settled text."""
SourceKind = Literal["microphone", "system", "both", "file"]


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text as displayed; words of a line join by concatenation (a leading space is the word's own)."""

    text: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One language of a caption: what will not change any more, then what may."""

    settled: tuple[Word, ...] = ()
    tentative: str = ""

    @property
    def settled_text(self) -> str:
        """The settled words, joined."""
        return "".join(word.text for word in self.settled)

    @property
    def text(self) -> str:
        """Settled and tentative together."""
        return self.settled_text + self.tentative


@dataclass(frozen=True, slots=True)
class Caption:
    """What is to be read of one utterance so far. Of one id, `settled` only ever grows, the final included."""

    id: int
    lane: Lane
    source: str
    target: str
    translation: Line
    transcript: Line
    start: int
    end: int
    logprob: float
    """How sure the translator was, at most 0: models/confidence.py says how it comes about."""
    is_uncertain: bool
    is_final: bool


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The session passed into another state."""

    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """Weights are being read; `share` is 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class CaptionUpdated:
    """A caption is new or has changed; it comes whole."""

    caption: Caption


@dataclass(frozen=True, slots=True)
class UtteranceClosed:
    """An utterance reached its endpoint; its final caption follows (none where it held no speech)."""

    lane: Lane
    start: int
    end: int
    id: int


@dataclass(frozen=True, slots=True)
class UtteranceFailed:
    """An utterance was given up; `message` says why."""

    lane: Lane
    id: int
    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class UtteranceSkipped:
    """An utterance was never translated, to catch up."""

    lane: Lane
    id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class UtteranceSilent:
    """An utterance held no words after all: no caption follows."""

    lane: Lane
    id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EchoDropped:
    """The microphone heard nothing but the computer's own sound again: no caption follows."""

    lane: Lane
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """How loud a lane is."""

    lane: Lane
    level_dbfs: float
    speech: float
    """Probability of speech, 0 to 1."""
    noise_dbfs: float = SILENCE_DBFS
    """Of its quietest moments lately."""


@dataclass(frozen=True, slots=True)
class LagChanged:
    """How far captions are behind, by cause."""

    waiting_s: float
    compute_s: float
    stability_s: float


@dataclass(frozen=True, slots=True)
class AudioDropped:
    """Sound was lost between source and segmenter; its time still counts."""

    lane: Lane
    start: int
    n_samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A lane's device came, went or changed; `name` None: there is none now."""

    lane: Lane
    name: str | None
    detail: str = ""
    is_wanted: bool = True
    """False: nobody listens to the lane any more."""


@dataclass(frozen=True, slots=True)
class MarkAdded:
    """The user marked a moment."""

    at: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class ModelRestarted:
    """The model process died and was started again."""

    reason: str


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """The session's folder: whether sound goes into it, and what keeps it from being written."""

    has_sound: bool
    problem: str | None = None
    """The sentence to show; None: all is written."""


@dataclass(frozen=True, slots=True)
class SessionStopped:
    """The last event of a session; `error` is the sentence to show, None after a normal stop."""

    error: str | None = None


Event = (
    StateChanged
    | ModelLoading
    | CaptionUpdated
    | UtteranceClosed
    | UtteranceFailed
    | UtteranceSkipped
    | UtteranceSilent
    | EchoDropped
    | LevelChanged
    | LagChanged
    | AudioDropped
    | DeviceChanged
    | MarkAdded
    | ModelRestarted
    | RecordingChanged
    | SessionStopped
)


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop listening; what was heard is still translated."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Listen again."""


@dataclass(frozen=True, slots=True)
class SetDirection:
    """Translate from `source` (None: decided for each utterance) into `target` (None: the other of the pair)."""

    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class SetMode:
    """Show text more or less eagerly."""

    mode: Mode


@dataclass(frozen=True, slots=True)
class SetSources:
    """Listen to other sources of sound.

    A name may be a part of one; empty: the system's own choice; None: as before.
    """

    source: SourceKind
    input_name: str | None = None
    """Of the microphone."""
    output_name: str | None = None
    """Of the output whose sound is listened to."""


@dataclass(frozen=True, slots=True)
class SetModel:
    """Translate with another model."""

    name: str


@dataclass(frozen=True, slots=True)
class AddMark:
    """Mark this moment."""

    label: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """Play the last sentence again, of a lane or (None) of the lane that spoke last."""

    lane: Lane | None = None


@dataclass(frozen=True, slots=True)
class AddTerm:
    """Prefer a translation for a term, from now on."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the session: source to sink, finals first."""


Command = Pause | Resume | SetDirection | SetMode | SetSources | SetModel | AddMark | Replay | AddTerm | Stop
