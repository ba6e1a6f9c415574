"""A recording for tests: bursts of tone, which webrtcvad takes for speech, and the fake model for words."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 16_000
TURN_S = 1.2
PAUSE_S = 1.0
FAKE = ("--model", "fake", "--detector", "webrtc")


def write_talk(path: Path, n_turns: int) -> Path:
    """Turns by a low voice and a high one, which the fake model takes for Chinese and English."""
    times = np.arange(round(TURN_S * RATE)) / RATE
    voices = [np.sin(2 * np.pi * hz * times) * 8000 for hz in (200, 2000)]
    pause = np.zeros(round(PAUSE_S * RATE))
    parts = [part for turn in range(n_turns) for part in (voices[turn % 2], pause)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(parts).astype("<i2").tobytes())
    return path
