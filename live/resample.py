"""A device's blocks into the session's sound: one channel, 16 kHz, on the lane's clock.

In: AudioBlocks of any rate and number of channels. Out: AudioChunks that follow each other without a gap: what a
device dropped is silence of the same length. Block sizes make no difference to the sound.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from live.audio import AudioBlock, AudioChunk, Lane
from models.base import SAMPLE_RATE, Samples

_FULL_SCALE = 32_768.0
_SIDE = 0.5**0.5
_SURROUND = {
    6: (1.0, 1.0, 2 * _SIDE, 0.0, _SIDE, _SIDE),
    8: (1.0, 1.0, 2 * _SIDE, 0.0, _SIDE, _SIDE, _SIDE, _SIDE),
}
"""Shares of 5.1 and 7.1 in FFmpeg's order (front left, right, centre, low frequencies, pairs behind and beside): the
centre, where speech is, goes into both sides, as in ITU-R BS.775; low frequencies are left out. In other layouts all
channels share equally."""


class Resampler:
    """One lane's way to 16 kHz mono; keeps the filter's state from block to block."""

    def __init__(self, lane: Lane, rate: int, channels: int) -> None:
        """Args: rate: samples a second in the blocks; channels: columns of the blocks."""
        self._lane: Lane = lane
        self._stream = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        weights = np.array(_SURROUND.get(channels, (1.0,) * channels), np.float32)
        self._weights = weights / (weights.sum() * _FULL_SCALE)
        self._first = 0
        self._start = 0

    def push(self, block: AudioBlock) -> AudioChunk:
        """The sound that is certain once `block` is in: up to some 40 ms behind it (115 ms at 8 kHz), or empty.

        Samples of a time that has already passed are left out: none counts twice.
        """
        sound = self._mono(block.samples[max(0, self._first - block.first) :])
        missing = max(0, block.first - self._first)
        if missing:
            sound = np.concatenate([np.zeros(missing, np.float32), sound])
        self._first += len(sound)
        return self._chunk(sound if self._stream is None else self._stream.resample_chunk(sound))

    def flush(self) -> AudioChunk:
        """The rest, after the last block: then all chunks together last as long as all blocks."""
        rest = np.zeros(0, np.float32)
        return self._chunk(rest if self._stream is None else self._stream.resample_chunk(rest, last=True))

    def _mono(self, samples: NDArray[np.int16]) -> Samples:
        """(n, channels) int16 -> (n,) float32. Channel by channel, so that rounding does not depend on n."""
        mono = np.zeros(len(samples), np.float32)
        for channel, weight in zip(samples.T, self._weights, strict=True):
            mono += channel * weight
        return mono

    def _chunk(self, samples: Samples) -> AudioChunk:
        # The filter's overshoot at full scale may leave the range by a little.
        samples = np.clip(samples, -1.0, 1.0)
        samples.flags.writeable = False
        chunk = AudioChunk(self._lane, samples, self._start)
        self._start = chunk.end
        return chunk
