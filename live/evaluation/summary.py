"""What a session was worth, in figures.

In: its events with the times at which they were emitted, the script of what was said, and when its sound began.
Out: a Report. How it is printed is the interface's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from live.audio import seconds
from live.demo import Script
from live.evaluation.score import Direction, Passage, Score, score, sentences_of
from live.events import (
    AudioDropped,
    Caption,
    CaptionUpdated,
    Event,
    LagChanged,
    StateChanged,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSkipped,
)
from models.base import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Report:
    """A session's figures."""

    n_utterances: int
    """Final captions."""
    n_lost: int
    """Utterances given up or skipped."""
    delay_p50_s: float | None
    """From the end of speech to its final caption; None where nothing was played in real time or nothing was said."""
    delay_p95_s: float | None
    realtime_factor: float
    """Seconds of computing, partial captions included, for a second of sound."""
    dropped_s: float
    scores: Mapping[Direction, Score]


class Summary:
    """A sink that keeps what a Report needs."""

    def __init__(self) -> None:
        self._finals: list[tuple[Caption, float]] = []
        self._closed_s: dict[int, float] = {}  # utterance id to the time at which its end was heard
        self._pauses: list[tuple[float, float]] = []
        self._paused_s: float | None = None
        self._n_lost = 0
        self._compute_s = 0.0
        self._n_dropped = 0

    def take(self, event: Event, at_s: float) -> None:
        """Note an event emitted at monotonic time `at_s`."""
        match event:
            case CaptionUpdated(caption) if caption.is_final:
                self._finals.append((caption, at_s))
            case UtteranceClosed(id=utterance_id):
                self._closed_s[utterance_id] = at_s
            case StateChanged("paused") if self._paused_s is None:
                self._paused_s = at_s
            case StateChanged("listening") if self._paused_s is not None:
                self._pauses.append((self._paused_s, at_s))
                self._paused_s = None
            case UtteranceFailed() | UtteranceSkipped():
                self._n_lost += 1
            case LagChanged(compute_s=compute_s):
                self._compute_s += compute_s
            case AudioDropped(n_samples=n_samples):
                self._n_dropped += n_samples
            case _:
                pass

    def close(self) -> None:
        """Nothing is held."""

    def report(self, script: Script, duration_s: float, started_s: float | None) -> Report:
        """Compute the figures.

        Args:
            script: What was said, on the clock on which the sound starts at 0.
            duration_s: Length of the sound.
            started_s: Monotonic time at which sample 0 was played; None where sound came faster than it plays.
        """
        delays = [] if started_s is None else self._delays_s(script, started_s)
        p50, p95 = (float(np.percentile(delays, share)) if delays else None for share in (50, 95))
        return Report(
            n_utterances=len(self._finals),
            n_lost=self._n_lost,
            delay_p50_s=p50,
            delay_p95_s=p95,
            realtime_factor=self._compute_s / duration_s,
            dropped_s=self._n_dropped / SAMPLE_RATE,
            scores=score(script, [caption for caption, _ in self._finals]),
        )

    def _delays_s(self, script: Script, started_s: float) -> list[float]:
        """Seconds from the end of speech, which the script knows, to each final caption of it; pauses do not count."""
        spoken = [sentence for sentences in sentences_of(script).values() for sentence in sentences]
        delays = []
        for caption, at_s in self._finals:
            cue = Passage(seconds(caption.start), seconds(caption.end), "")
            ends = [sentence.end_s for sentence in spoken if cue.belongs_to(sentence)]
            if ends:  # of speech that was made up, there is no end
                delays.append(at_s - started_s - self._held_s(caption, started_s, at_s) - min(max(ends), cue.end_s))
        return delays

    def _held_s(self, caption: Caption, started_s: float, at_s: float) -> float:
        """Seconds for which pauses held up the sound before the end of a caption's utterance was heard."""
        closed_s = self._closed_s.get(caption.id, at_s)
        return sum(resumed_s - paused_s for paused_s, resumed_s in self._pauses if started_s <= paused_s < closed_s)
