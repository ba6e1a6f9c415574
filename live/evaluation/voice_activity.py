"""How well a voice detector tells speech from other sound: its answers beside the truth, every ten milliseconds.

In: sound, where in it somebody speaks, and a Detector. Out: precision and recall. Where sound and truth come from is
the business of whoever measures; where an utterance begins and ends, that of `live.segmenter`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live.segmenter import ONSET_PROBABILITY
from live.vad import Detector
from models.base import SAMPLE_RATE, Samples

STEP = SAMPLE_RATE // 100
PAUSE = SAMPLE_RATE * 150 // 1000
"""A shorter silence between sounds of speech counts as speech."""
BELOW_LOUD_DB = 30.0
"""How far below its loud moments a clean recording of speech still holds speech."""

Steps = NDArray[np.bool_]
"""(n,) whether somebody speaks, a value for each STEP."""


@dataclass(frozen=True, slots=True)
class Score:
    """Steps by what they are and what they were taken for."""

    n_right: int = 0
    """Speech, and taken for it."""
    n_false: int = 0
    """No speech, but taken for it."""
    n_missed: int = 0
    """Speech, but not taken for it."""
    n_quiet: int = 0
    """No speech, and not taken for it."""

    def __add__(self, other: Score) -> Score:
        """Count two together."""
        return Score(
            self.n_right + other.n_right,
            self.n_false + other.n_false,
            self.n_missed + other.n_missed,
            self.n_quiet + other.n_quiet,
        )

    @property
    def precision(self) -> float:
        """Share of what was taken for speech that is; not a number where nothing was."""
        return self.n_right / (self.n_right + self.n_false) if self.n_right + self.n_false else float("nan")

    @property
    def recall(self) -> float:
        """Share of the speech that was taken for it; not a number where there is none."""
        return self.n_right / (self.n_right + self.n_missed) if self.n_right + self.n_missed else float("nan")

    @property
    def speech(self) -> float:
        """Share of the time that is speech: the precision of who says yes to everything."""
        return (self.n_right + self.n_missed) / max(1, self.n_right + self.n_false + self.n_missed + self.n_quiet)

    @property
    def alarms(self) -> float:
        """Share of the time without speech that was taken for it."""
        return self.n_false / max(1, self.n_false + self.n_quiet)


def score(samples: Samples, truth: Steps, detector: Detector) -> Score:
    """Ask a detector about (n,) sound whose truth is known."""
    said = answers(samples, detector)
    n = min(len(said), len(truth))
    said, truth = said[:n], truth[:n]
    return Score(
        *(int(np.count_nonzero(each)) for each in (said & truth, said & ~truth, ~said & truth, ~said & ~truth))
    )


def answers(samples: Samples, detector: Detector) -> Steps:
    """What a detector says of each step, by the window that the step's middle lies in."""
    detector.reset()
    n_windows = len(samples) // detector.window
    probabilities = detector.probabilities(samples[: n_windows * detector.window])
    middles = np.arange(STEP // 2, n_windows * detector.window, STEP)
    return np.asarray(probabilities[middles // detector.window] >= ONSET_PROBABILITY)


def steps_of(spans: Iterable[tuple[int, int]], n_samples: int) -> Steps:
    """The truth from the samples between which somebody speaks."""
    truth = np.zeros(n_samples // STEP, np.bool_)
    for begin, end in spans:
        truth[round(begin / STEP) : round(end / STEP)] = True
    return truth


def loud_steps(samples: Samples) -> Steps:
    """Where a clean recording is loud, short pauses included: a stand-in for the truth where nobody wrote it down."""
    n = len(samples) // STEP
    power = np.square(samples[: n * STEP], dtype=np.float64).reshape(n, STEP).mean(axis=1)
    is_loud = power > np.quantile(power, 0.95) * 10 ** (-BELOW_LOUD_DB / 10)
    loud = np.flatnonzero(is_loud)
    for before, after in itertools.pairwise(loud):
        if after - before <= PAUSE // STEP:
            is_loud[before:after] = True
    return np.asarray(is_loud)


def noisy(clean: Samples, truth: Steps, noise: Samples, snr_db: float) -> Samples:
    """Sound with noise added, so much quieter than its speech; never over full scale.

    Args:
        clean: (n,).
        truth: where in it the speech is that counts for the level.
        noise: (n,) or longer, of any level.
        snr_db: of the speech's power over the noise's.
    """
    spoken = clean[: len(truth) * STEP].reshape(-1, STEP)[truth]
    noise = noise[: len(clean)]
    gain = np.sqrt(np.mean(np.square(spoken)) / np.mean(np.square(noise))) * 10 ** (-snr_db / 20)
    mixed = clean + gain * noise
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)
