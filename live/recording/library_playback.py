"""Recorded sound played from a moment on, with the captions of each moment.

In: a transcript. Out: sound to an output (live/loudspeaker.py), and each caption when its sound begins. How captions
look is not its business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from live.audio import Lane
from live.errors import RecordingError
from live.events import Caption
from live.recording.journal import Transcript
from live.recording.sound import RecordedSound
from models.base import SAMPLE_RATE, Samples

STEP = SAMPLE_RATE // 5
"""Samples handed over at once: how exactly a caption meets its sound."""


class Output(Protocol):
    """Where sound goes."""

    def write(self, samples: Samples) -> None:
        """Take (n,) float32 at 16 kHz; returns when there is room for more."""
        ...

    def close(self, *, at_once: bool) -> None:
        """End, after what was written or at once."""
        ...


class Playback:
    """A session's sound, all lanes together.

    Args:
        transcript: The session.
        start: The first sample to play.

    Raises:
        RecordingError: no sound of it is there.
    """

    def __init__(self, transcript: Transcript, start: int = 0) -> None:
        lanes: tuple[Lane, ...] = tuple(dict.fromkeys(sound.lane for sound in transcript.sounds))
        # One a lane: each keeps the file decoded that it read last.
        self._sounds = {lane: RecordedSound(transcript) for lane in lanes}
        self._sounds = {lane: sound for lane, sound in self._sounds.items() if sound.has(lane)}
        if not self._sounds:
            raise RecordingError(_why_silent(transcript))
        self.position = start
        self._end = transcript.end
        captions = [entry.caption for entry in transcript.entries]
        self._captions = deque(caption for caption in captions if caption.end > start)

    def run(self, output: Output, show: Callable[[Caption], None], stopped: Callable[[], bool] = lambda: False) -> None:
        """Play to the last caption's end, or until stopped.

        Args:
            output: where the sound goes; closed by this method.
            show: takes each caption when its sound is handed over.
            stopped: asked between steps.
        """
        is_whole = False
        try:
            while self.position < self._end and not stopped():
                following = min(self.position + STEP, self._end)
                while self._captions and self._captions[0].start < following:
                    show(self._captions.popleft())
                output.write(self._mixed(self.position, following))
                self.position = following
            is_whole = self.position >= self._end
        finally:
            output.close(at_once=not is_whole)

    def _mixed(self, start: int, end: int) -> Samples:
        mixed = np.zeros(end - start, np.float32)
        for lane, sound in self._sounds.items():
            mixed += sound.read(lane, start, end)[0]
        return mixed.clip(-1.0, 1.0)


def _why_silent(transcript: Transcript) -> str:
    name = transcript.folder.name
    if transcript.sounds:
        return f"The sound of the session {name} is missing: it is not in {transcript.folder} any more."
    return f"The session {name} has no sound: recording is on with --record, or the setting record_audio."
