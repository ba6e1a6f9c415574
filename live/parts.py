"""A whole recording in parts that a model can take at once.

In: a file of any kind that FFmpeg reads. Out: its sound at 16 kHz, whole, and where it is best cut. For models that are
asked about sounds of any kind: where speech begins and ends is the business of live/segmenter.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live.audio import AudioBlock, seconds
from live.errors import CaptureError
from live.resample import Resampler
from live.segmenter import quietest
from models.base import Samples

LEAST_S = 0.1
"""A shorter recording says nothing: models' first layers need this much."""
SLACK = 0.1
"""Share of the longest part by which a cut may move from an even division, to where it is quiet."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a recording."""

    start: int
    """Its first sample in the recording, at 16 kHz."""
    samples: Samples
    """(n,) float32 in [-1, 1], 16 kHz mono, read-only."""

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class Recording:
    """A file's whole sound."""

    name: str
    samples: Samples
    """(n,) float32 in [-1, 1], 16 kHz mono, read-only."""
    warning: str | None
    """What was wrong with the file; None: nothing."""


def read_recording(path: Path, longest_s: float) -> Recording:
    """Read a file whole, whatever its rate and channels.

    Args:
        path: the file.
        longest_s: seconds of sound taken; no file is read further than this.

    Raises:
        CaptureError: it is missing, no sound, too short or too long; the sentence says what to do.
    """
    from live.audio_file import FAST_BLOCK_S, SoundFile  # here: FFmpeg's libraries are slow to load

    sound = SoundFile(path)
    try:
        if (sound.duration_s or 0.0) > longest_s:
            raise _too_long(path, sound.duration_s, longest_s)
        resampler = Resampler("file", sound.rate, sound.channels)
        chunks, n_read = [], 0
        for block in sound.blocks(FAST_BLOCK_S):
            chunks.append(resampler.push(AudioBlock("file", block, n_read, 0.0)).samples)
            n_read += len(block)
            if n_read > longest_s * sound.rate:
                raise _too_long(path, None, longest_s)
        chunks.append(resampler.flush().samples)
    finally:
        sound.close()
    samples = np.concatenate(chunks)
    if seconds(len(samples)) < LEAST_S:
        raise CaptureError(f"{path} holds {1000 * seconds(len(samples)):.0f} ms of sound, too little to say anything.")
    samples.flags.writeable = False
    return Recording(path.name, samples, sound.warning)


def cut(samples: Samples, longest: int) -> tuple[Part, ...]:
    """Divide a recording into parts of about one length, cut where it is quiet; nothing is lost or doubled.

    Args:
        samples: (n,) float32.
        longest: samples that a part may have, a second or more.
    """
    slack = round(SLACK * longest)
    parts: list[Part] = []
    start = 0
    while (rest := len(samples) - start) > longest:
        even = rest // math.ceil(rest / (longest - slack))
        at = start + even - slack
        at += quietest(samples[at : at + 2 * slack])
        parts.append(Part(start, samples[start:at]))
        start = at
    return (*parts, Part(start, samples[start:]))


def _too_long(path: Path, duration_s: float | None, longest_s: float) -> CaptureError:
    length = f"lasts {duration_s / 60:.1f} minutes" if duration_s else "is longer"
    return CaptureError(
        f"At most {longest_s / 60:g} minutes of sound are taken at once, and {path} {length}: cut a piece out of it "
        f"first, for example with ffmpeg -i {path.name} -ss 0 -t {longest_s:g} piece.wav"
    )
