"""Recorded sound read back, on the clock of the captions.

In: a transcript, a lane and a stretch of time. Out: its samples, silence where nothing is recorded.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from live.audio import AudioBlock, Lane
from live.audio_file import SoundFile
from live.errors import CaptureError
from live.recording.journal import AUDIO_FOLDER, Transcript
from live.recording.records import SoundBegan
from live.resample import Resampler
from models.base import Samples

BLOCK_S = 1.0


class RecordedSound:
    """The recorded sound of a session; a file is decoded once as long as the next question is about it too."""

    def __init__(self, transcript: Transcript) -> None:
        self._folder = transcript.folder / AUDIO_FOLDER
        # A name says nothing outside its folder, whoever wrote the journal.
        self._files = [sound for sound in transcript.sounds if Path(sound.name).name == sound.name]
        self._decoded: tuple[str, Samples] = ("", np.zeros(0, np.float32))

    def has(self, lane: Lane) -> bool:
        """Whether any file of the lane is there."""
        return any(sound.lane == lane and (self._folder / sound.name).is_file() for sound in self._files)

    def end(self, lane: Lane) -> int:
        """The sample after the last that is recorded; 0 where nothing of the lane can be read."""
        for sound in sorted(self._files, key=lambda sound: sound.start, reverse=True):
            if sound.lane == lane and (n_samples := len(self._decode(sound))):
                return sound.start + n_samples
        return 0

    def read(self, lane: Lane, start: int, end: int) -> tuple[Samples, int]:
        """Return a stretch of a lane.

        Args:
            lane: Whose sound.
            start: Its first sample, on the lane's clock.
            end: The sample after its last.

        Returns:
            (end - start,) float32 in [-1, 1] at 16 kHz, read-only; how many of them are recorded, the others are
            silence.
        """
        samples = np.zeros(max(0, end - start), np.float32)
        n_recorded = 0
        files = sorted((sound for sound in self._files if sound.lane == lane), key=lambda sound: sound.start)
        for sound, after in pairwise([*files, None]):
            # Where two files tell of the same time, as after a crash and a clock that began anew, the later one counts.
            last = end if after is None else min(end, after.start)
            if sound is None or sound.start >= last or (after is not None and after.start <= start):
                continue
            part = self._decode(sound)[max(0, start - sound.start) : last - sound.start]
            at = max(0, sound.start - start)
            samples[at : at + len(part)] = part
            n_recorded += len(part)
        samples.flags.writeable = False
        return samples, n_recorded

    def _decode(self, sound: SoundBegan) -> Samples:
        """All of a file, as far as it can be read; nothing where it cannot."""
        if self._decoded[0] != sound.name:
            self._decoded = (sound.name, _decoded(self._folder / sound.name))
        return self._decoded[1]


def _decoded(path: Path) -> Samples:
    try:
        sound = SoundFile(path)
    except CaptureError:
        return np.zeros(0, np.float32)
    try:
        resampler = Resampler("file", sound.rate, sound.channels)
        chunks = [np.zeros(0, np.float32)]
        first = 0
        for block in sound.blocks(BLOCK_S):
            chunks.append(resampler.push(AudioBlock("file", block, first, 0.0)).samples)
            first += len(block)
        chunks.append(resampler.flush().samples)
        return np.concatenate(chunks)
    finally:
        sound.close()
