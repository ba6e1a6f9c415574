"""A device's blocks into the session's sound: one channel, 16 kHz, on the lane's clock.

In: AudioBlocks of any rate and number of channels. Out: AudioChunks that follow each other without a gap: what a
device dropped is silence of the same length. Block sizes make no difference to the sound. How fast a device is to be
played is decided by `live.clock`.
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

    def __init__(self, lane: Lane, rate: int, channels: int, *, start: int = 0) -> None:
        """Set up, with nothing heard yet.

        Args:
            lane: Whose chunks they are.
            rate: Samples a second in the blocks.
            channels: Columns of the blocks.
            start: The session's sample that is sample 0 of the blocks.
        """
        self.speed = 0.0
        """Blocks last longer by this share than they say (shorter below 0)."""
        self._lane: Lane = lane
        self._rate = rate
        self._stream = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        weights = np.array(_SURROUND.get(channels, (1.0,) * channels), np.float32)
        self._weights = weights / (weights.sum() * _FULL_SCALE)
        self._first = 0
        self._start = start
        self._before = np.float32(0.0)  # the last sample pushed
        self._owed = 0.0  # samples by which blocks should have lasted longer so far
        self._reached = float(start)

    @property
    def reached(self) -> int:
        """The session's sample after the last that was pushed, whether it has come out yet or not."""
        return round(self._reached)

    def push(self, block: AudioBlock) -> AudioChunk:
        """The sound that is certain once `block` is in: up to some 40 ms behind it (115 ms at 8 kHz), or empty.

        Samples of a time that has already passed are left out: none counts twice.
        """
        sound = self._mono(block.samples[max(0, self._first - block.first) :])
        missing = max(0, block.first - self._first)
        self._first += missing + len(sound)
        sound = self._stretched(sound)
        if missing:
            sound = np.concatenate([np.zeros(missing, np.float32), sound])
        self._reached += len(sound) * SAMPLE_RATE / self._rate
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

    def _stretched(self, sound: Samples) -> Samples:
        """Whole samples longer or shorter, as `speed` asks for: at 100 ppm by one sample, 1.6 times a second."""
        before, self._before = self._before, sound[-1] if len(sound) else self._before
        self._owed += self.speed * len(sound)
        n_more = int(self._owed)
        if not n_more:
            return sound
        self._owed -= n_more
        n = len(sound) + n_more
        # From just after the last sample of the block before to the last of this one, so that nothing jumps.
        places = np.arange(1, n + 1) * (len(sound) / n)
        longer: Samples = np.interp(places, np.arange(len(sound) + 1), np.append(before, sound)).astype(np.float32)
        return longer

    def _chunk(self, samples: Samples) -> AudioChunk:
        # The filter's overshoot at full scale may leave the range by a little.
        samples = np.clip(samples, -1.0, 1.0)
        samples.flags.writeable = False
        chunk = AudioChunk(self._lane, samples, self._start)
        self._start = chunk.end
        return chunk
