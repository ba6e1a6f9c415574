"""Captions, chunks and descriptions for the tests of recording."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np

from live.audio import AudioChunk
from live.events import Caption, Line, UtteranceClosed, Word
from live.recording.session_info import SessionInfo

BEGAN = datetime(2026, 11, 22, 10, 30, 5, 120_000, tzinfo=timezone(timedelta(hours=8)))
INFO = SessionInfo(BEGAN, title="Budget", model="fake", source="talk", versions={"tongchuan": "0.1.0"})
CHUNK = 320
"""Samples in a chunk, as a device's blocks make them."""


def caption(number: int, start: int, translation: str = "hello", transcript: str = "你好") -> Caption:
    return Caption(
        id=number,
        lane="microphone",
        source="zh",
        target="en",
        translation=Line((Word(translation),)),
        transcript=Line((Word(transcript, start, start + 100),)),
        start=start,
        end=start + 1000,
        logprob=-0.25,
        is_uncertain=False,
        is_final=True,
    )


def closed(number: int, start: int) -> UtteranceClosed:
    return UtteranceClosed("microphone", start, start + 1000, number)


def sweep(n: int) -> np.ndarray:
    """A sound whose every stretch differs from every other: its pitch rises."""
    times = np.arange(n) / 16_000
    return (0.4 * np.sin(2 * np.pi * (200 + 20 * times) * times)).astype(np.float32)


def chunks(samples: np.ndarray, start: int = 0, lane: str = "microphone", size: int = CHUNK) -> list[AudioChunk]:
    return [AudioChunk(lane, samples[at : at + size], start + at) for at in range(0, len(samples), size)]
