"""Small sounds for tests, from nothing: tones, noise, talk-like bursts, synthesised speech, files that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from live.audio import AudioBlock, AudioChunk
from models.base import SAMPLE_RATE, Samples


def silence(seconds: float, rate: int = SAMPLE_RATE) -> Samples:
    return np.zeros(round(seconds * rate), np.float32)


def tone(seconds: float, hz: float = 440.0, level: float = 0.3, rate: int = SAMPLE_RATE) -> Samples:
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0, rate: int = SAMPLE_RATE) -> Samples:
    """White, with that root mean square."""
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * rate)).clip(-1, 1).astype(np.float32)


def talk(*stretches_s: float, seed: int = 0, rate: int = SAMPLE_RATE) -> Samples:
    """Quiet and loud stretches by turns, quiet first: what `Loudness` takes for pauses and speech."""
    random = np.random.default_rng(seed)
    sounds = []
    for i, seconds in enumerate(stretches_s):
        level = 0.1 if i % 2 else 0.0005
        sounds.append(random.uniform(-level, level, round(seconds * rate)).astype(np.float32))
    return np.concatenate(sounds)


def speech(tokens: Sequence[str], language: str) -> Samples:
    """A sentence spoken by espeak-ng at 16 kHz, e.g. speech(["good", "morning"], "en")."""
    from models.embedded.recipe.speech import Voice, synthesise

    spoken = synthesise(tokens, Voice(language, "cmn" if language == "zh" else "en-us"))
    return soxr.resample(spoken.samples, spoken.rate, SAMPLE_RATE).astype(np.float32)


class Loudness:
    """A detector that takes every loud window for speech: segmenting can be tested to the sample."""

    def __init__(self, window: int = 512) -> None:
        self.window = window

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        loudness = np.abs(samples.reshape(-1, self.window)).mean(axis=1)
        return np.where(loudness > 0.01, 0.9, 0.05).astype(np.float32)

    def reset(self) -> None:
        pass


def chunks(samples: Samples, sizes: Iterator[int], start: int = 0) -> Iterator[AudioChunk]:
    """The sound as chunks of the lane "file", each as long as `sizes` says next."""
    done = 0
    while done < len(samples):
        chunk = samples[done : done + next(sizes)]
        yield AudioChunk("file", chunk, start + done)
        done += len(chunk)


def blocks(samples: NDArray[np.int16], sizes: Iterator[int]) -> Iterator[AudioBlock]:
    """(n, channels) samples as a device's blocks, each as long as `sizes` says next."""
    first = 0
    while first < len(samples):
        block = samples[first : first + next(sizes)]
        yield AudioBlock("microphone", block, first, 0.0)
        first += len(block)


def random_sizes(seed: int, most: int) -> Iterator[int]:
    random = np.random.default_rng(seed)
    return (int(random.integers(1, most)) for _ in count())


def to_pcm(samples: Samples) -> NDArray[np.int16]:
    """(n,) or (n, channels) floats as (n, channels) int16."""
    return np.rint(samples.reshape(len(samples), -1) * 32_767).astype(np.int16)


def write_audio(
    path: Path,
    samples: NDArray[np.int16] | Samples,
    rate: int = SAMPLE_RATE,
    codec: str = "pcm_s16le",
    layout: str = "mono",
) -> Path:
    """A file of (n, channels) int16, or float32 as it is (NaN included), encoded by FFmpeg as the name says."""
    kind = "flt" if samples.dtype == np.float32 else "s16"
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format=kind, layout=layout)
        frame.sample_rate = rate
        frame.pts = 0
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path
