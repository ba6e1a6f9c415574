"""One look at a device: what a few seconds of it hold.

In: a Source, not open, and a detector. Out: level, noise and speech, as Heard. Whether that is well is the business of
`live.hearing` and of whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from live.audio import AudioChunk
from live.capture import Source
from live.errors import CaptureError
from live.level import SILENCE_DBFS, LevelMeter
from live.queues import AudioQueue
from live.resample import Resampler
from live.segmenter import ONSET_PROBABILITY
from live.sound_systems.base import STALL_S, START_S
from live.vad import Detector
from models.base import SAMPLE_RATE, Samples

LISTEN_S = 3.0
SPEECH_S = 0.2
"""Speech shorter than this is a click."""
_CAPACITY_S = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of listening."""

    seconds: float
    """Of sound; 0 where none came at all."""
    loudest_dbfs: float
    noise_dbfs: float
    speech_s: float
    """Seconds that are taken for speech, those of clicks among them."""

    @property
    def has_speech(self) -> bool:
        """Whether somebody spoke."""
        return self.speech_s >= SPEECH_S


def listen(source: Source, detector: Detector, listen_s: float = LISTEN_S) -> Heard:
    """Open a source, hear it for a while, close it.

    Raises:
        CaptureError: it cannot be opened, or is lost meanwhile.
    """
    queue = AudioQueue(_CAPACITY_S)
    lost: list[str] = []
    source.open(queue, lost.append)
    chunks: list[AudioChunk] = []
    try:
        queue.rate = source.rate
        resampler = Resampler(source.lane, source.rate, source.channels)
        wait_s, n = START_S, 0
        while n < listen_s * source.rate and (block := queue.get(wait_s)) is not None:
            chunks.append(resampler.push(block))
            n += len(block.samples)
            wait_s = STALL_S
    finally:
        source.close()
    if lost:
        raise CaptureError(lost[0])
    return _measure(chunks, detector)


def _measure(chunks: list[AudioChunk], detector: Detector) -> Heard:
    meter = LevelMeter()
    levels = [level for chunk in chunks if (level := meter.push(chunk)) is not None]
    samples: Samples = np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in chunks)])
    detector.reset()
    whole = samples[: len(samples) // detector.window * detector.window]
    n_speech = int(np.count_nonzero(detector.probabilities(whole) >= ONSET_PROBABILITY))
    return Heard(
        seconds=len(samples) / SAMPLE_RATE,
        loudest_dbfs=max((level.dbfs for level in levels), default=SILENCE_DBFS),
        noise_dbfs=levels[-1].noise_dbfs if levels else SILENCE_DBFS,
        speech_s=n_speech * detector.window / SAMPLE_RATE,
    )
