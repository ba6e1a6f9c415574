"""Clean speech in, speech as a microphone might hand it on: rooms, bands, noise, levels; and sounds that are no speech.

In: mono float32 samples and a numpy generator. Out: float32 samples at 16 kHz in [-1, 1], never longer than asked.
Everything is drawn from the generator, so a seed gives the same sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from models.base import SAMPLE_RATE

Sound = NDArray[np.float32]
Wave = NDArray[np.floating]

TELEPHONE_BAND_HZ = (300.0, 3400.0)
QUIETEST_GAIN_DB = -26.0
FULL_SCALE = 0.999


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a clip is recorded. None leaves a step out."""

    gain_db: float = 0.0
    """Level of the loudest sample."""
    snr_db: float | None = None
    noise: str = "white"
    band_hz: tuple[float, float] | None = None
    room_s: float | None = None
    """Reverberation time."""
    clip: float | None = None
    """The wave is amplified by this factor over full scale, and cut."""


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """Conditions of one training clip."""
    band = None
    if rng.random() < 0.2:
        band = TELEPHONE_BAND_HZ if rng.random() < 0.4 else (rng.uniform(50, 350), rng.uniform(3000, 7500))
    return Conditions(
        gain_db=float(rng.uniform(QUIETEST_GAIN_DB, 0)),
        snr_db=float(rng.uniform(5, 45)) if rng.random() < 0.7 else None,
        noise=str(rng.choice(list(NOISES))),
        band_hz=band,
        room_s=float(rng.uniform(0.08, 0.6)) if rng.random() < 0.3 else None,
        clip=float(rng.uniform(1.5, 4)) if rng.random() < 0.05 else None,
    )


def to_16k(samples: Sound, rate: int, speed: float = 1.0) -> Sound:
    """Resample to 16 kHz; speed > 1 plays faster and higher."""
    return np.asarray(soxr.resample(samples, rate * speed, SAMPLE_RATE, quality="MQ"), dtype=np.float32)


def record(speech: Sound, conditions: Conditions, rng: np.random.Generator) -> Sound:
    """What the microphone gives of a clip, its silences included, at the same length."""
    wave = speech
    if conditions.room_s is not None:
        wave = _in_room(wave, conditions.room_s, rng)
    if conditions.snr_db is not None:
        level = _rms(wave) * 10 ** (-conditions.snr_db / 20)
        wave = wave + level * NOISES[conditions.noise](len(wave), rng)
    if conditions.band_hz is not None:
        wave = _band(wave, conditions.band_hz)
    peak = float(np.abs(wave).max(initial=1e-6))
    wave = wave / peak
    if conditions.clip is not None:
        wave = np.clip(wave * conditions.clip, -1, 1)
    wave = wave * (FULL_SCALE * 10 ** (conditions.gain_db / 20))
    return _as_int16(wave, rng)


def _as_int16(wave: Wave, rng: np.random.Generator) -> Sound:
    """Rounded to 16 bits as a sound card does, with a dither of up to one step."""
    dithered = wave * 32768 + rng.uniform(-0.5, 0.5, len(wave))
    return (np.clip(np.rint(dithered), -32768, 32767) / 32768).astype(np.float32)


def _rms(wave: Wave) -> float:
    """Level of the loud half of a wave: its silences do not count."""
    size = SAMPLE_RATE // 50
    if len(wave) < size:
        return float(np.sqrt(np.mean(wave**2) + 1e-12))
    energy = np.mean(wave[: len(wave) // size * size].reshape(-1, size) ** 2, axis=1)
    return float(np.sqrt(np.mean(np.sort(energy)[len(energy) // 2 :]) + 1e-12))


def _fft_size(n: int) -> int:
    """A length of at least n that transforms fast."""
    return -(-n // 4000) * 4000


def _shaped(wave: Wave, gain_at: Callable[[Wave], Wave]) -> Sound:
    """A wave filtered by a gain for each frequency in Hz."""
    size = _fft_size(len(wave))
    spectrum = np.fft.rfft(wave, size)
    gains = gain_at(np.fft.rfftfreq(size, 1 / SAMPLE_RATE))
    return np.fft.irfft(spectrum * gains, size)[: len(wave)].astype(np.float32)


def _band(wave: Sound, band: tuple[float, float]) -> Sound:
    low, high = band
    return _shaped(wave, lambda f: 1 / np.sqrt((1 + (low / np.maximum(f, 1)) ** 6) * (1 + (f / high) ** 12)))


def _in_room(wave: Sound, seconds: float, rng: np.random.Generator) -> Sound:
    n = int(seconds * SAMPLE_RATE)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail[: int(0.002 * SAMPLE_RATE)] = 0
    tail *= rng.uniform(0.2, 0.8) / np.sqrt(np.sum(tail**2) + 1e-9)
    tail[0] = 1.0
    size = _fft_size(len(wave) + n)
    wet = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(tail, size), size)
    return np.asarray(wet[: len(wave)], np.float32)


def _unit(wave: Wave) -> Sound:
    return np.asarray(wave / (np.sqrt(np.mean(wave**2)) + 1e-9), np.float32)


def _white(n: int, rng: np.random.Generator) -> Sound:
    return rng.standard_normal(n, dtype=np.float32)


def _coloured(power: float) -> Callable[[int, np.random.Generator], Sound]:
    def noise(n: int, rng: np.random.Generator) -> Sound:
        return _unit(_shaped(_white(n, rng), lambda f: np.maximum(f, 20.0) ** -power))

    return noise


def _hum(n: int, rng: np.random.Generator) -> Sound:
    base = rng.choice([50.0, 60.0]) * rng.uniform(0.99, 1.01)
    t = np.arange(n) / SAMPLE_RATE
    parts = [rng.uniform(0, 1) / k * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) for k in range(1, 7)]
    return _unit(np.sum(parts, axis=0) + rng.uniform(0.005, 0.05) * _white(n, rng))


def _fan(n: int, rng: np.random.Generator) -> Sound:
    centre = rng.uniform(150, 1500)
    noise = _shaped(_white(n, rng), lambda f: 1 / (1 + (f / centre) ** 2))
    return _unit(_unit(noise) + 0.3 * _hum(n, rng))


NOISES: dict[str, Callable[[int, np.random.Generator], Sound]] = {
    "white": _white,
    "pink": _coloured(0.5),
    "brown": _coloured(1.0),
    "hum": _hum,
    "fan": _fan,
}
"""Steady noises of unit level."""


def _silence(n: int, rng: np.random.Generator) -> Sound:
    return np.zeros(n, np.float32)


def _tones(n: int, rng: np.random.Generator) -> Sound:
    """One tone or a chord, held or in notes."""
    t = np.arange(n) / SAMPLE_RATE
    root = rng.uniform(80, 1500)
    ratios = rng.choice([1.0, 1.2, 1.25, 4 / 3, 1.5, 2.0], size=rng.integers(1, 5))
    wave = np.zeros(n)
    for ratio in ratios:
        wave += sum(rng.uniform(0, 1) / k**1.5 * np.sin(2 * np.pi * root * ratio * k * t) for k in range(1, 5))
    if rng.random() < 0.5:
        period = int(rng.uniform(0.15, 1.2) * SAMPLE_RATE)
        wave *= np.exp(-(np.arange(n) % period) / (rng.uniform(0.1, 0.6) * period))
    return _unit(wave)


def _bursts(n: int, rng: np.random.Generator) -> Sound:
    """Clicks and knocks: short decaying bursts, regular or not."""
    wave = np.zeros(n)
    gap = rng.uniform(0.06, 0.9)
    regular = rng.random() < 0.4
    at = rng.uniform(0, gap)
    while at * SAMPLE_RATE < n:
        _add_strike(
            wave,
            rng,
            at_s=at,
            seconds=rng.uniform(0.001, 0.06),
            loudness=rng.uniform(0.3, 1),
            centre_hz=rng.uniform(200, 5000),
        )
        at += gap if regular else rng.exponential(gap) + 0.02
    return _unit(wave)


def _keys(n: int, rng: np.random.Generator) -> Sound:
    """Typing: each key is heard going down and, softer and higher, coming up; runs of keys, then a rest."""
    wave = np.zeros(n)
    at = rng.uniform(0, 0.5)
    while at * SAMPLE_RATE < n:
        loudness, centre = rng.uniform(0.3, 1), rng.uniform(800, 4000)
        up = at + rng.uniform(0.05, 0.12)
        _add_strike(wave, rng, at_s=at, seconds=rng.uniform(0.004, 0.02), loudness=loudness, centre_hz=centre)
        _add_strike(wave, rng, at_s=up, seconds=0.005, loudness=0.4 * loudness, centre_hz=1.4 * centre)
        at += rng.uniform(0.07, 0.3) if rng.random() < 0.85 else rng.uniform(0.4, 1.5)
    return _unit(wave)


def _applause(n: int, rng: np.random.Generator) -> Sound:
    """Many hands: claps at random times, more and fewer of them."""
    wave = np.zeros(n)
    a_second = rng.uniform(4, 60)
    for at in rng.uniform(0, n / SAMPLE_RATE, int(a_second * n / SAMPLE_RATE) + 1):
        _add_strike(
            wave,
            rng,
            at_s=at,
            seconds=rng.uniform(0.008, 0.04),
            loudness=rng.uniform(0.2, 1),
            centre_hz=rng.uniform(600, 2500),
        )
    swell = np.interp(np.arange(n), np.linspace(0, n, 6), rng.uniform(0.3, 1, 6))
    return _unit(wave * swell)


def _add_strike(
    wave: Wave, rng: np.random.Generator, *, at_s: float, seconds: float, loudness: float, centre_hz: float
) -> None:
    """Add a short decaying burst around a frequency to a wave, in place; what lies beyond the wave's end is lost."""
    start = int(at_s * SAMPLE_RATE)
    size = max(0, min(int(seconds * SAMPLE_RATE), len(wave) - start))
    t = np.arange(size) / SAMPLE_RATE
    body = rng.standard_normal(size) + 2 * np.sin(2 * np.pi * centre_hz * t)
    wave[start : start + size] += loudness * body * np.exp(-5 * t / seconds)


def _gliding(n: int, rng: np.random.Generator) -> Sound:
    """A tone that rises and falls: a whistle, a siren, a squeaking door."""
    n_turns = max(2, int(n / SAMPLE_RATE * rng.uniform(0.5, 4)))
    log_pitch = np.interp(np.arange(n), np.linspace(0, n, n_turns), np.log(rng.uniform(200, 3000, n_turns)))
    phase = 2 * np.pi * np.cumsum(np.exp(log_pitch)) / SAMPLE_RATE
    return _unit(np.sin(phase) + rng.uniform(0, 0.5) * np.sin(2 * phase) + rng.uniform(0, 0.1) * _white(n, rng))


def _noise(n: int, rng: np.random.Generator) -> Sound:
    return NOISES[str(rng.choice(list(NOISES)))](n, rng)


def _swelling(n: int, rng: np.random.Generator) -> Sound:
    """Noise that comes and goes: breath, traffic, paper."""
    slow = np.interp(np.arange(n), np.linspace(0, n, max(3, n // 4000)), rng.uniform(0, 1, max(3, n // 4000)) ** 2)
    return (_noise(n, rng) * slow).astype(np.float32)


NON_SPEECH: dict[str, Callable[[int, np.random.Generator], Sound]] = {
    "silence": _silence,
    "noise": _noise,
    "tones": _tones,
    "bursts": _bursts,
    "keys": _keys,
    "applause": _applause,
    "gliding": _gliding,
    "swelling": _swelling,
}
"""Sounds in which nobody speaks."""


def non_speech(kind: str, n: int, rng: np.random.Generator) -> Sound:
    """A clip of n samples in which nobody speaks: one of NON_SPEECH at a random level, often over a noise floor."""
    wave = NON_SPEECH[kind](n, rng)
    peak = float(np.abs(wave).max(initial=1e-6))
    wave = wave / peak * 10 ** (rng.uniform(-50, -1) / 20)
    if rng.random() < 0.6:
        wave = wave + 10 ** (rng.uniform(-85, -45) / 20) * _noise(n, rng)
    dither = _as_int16(wave, rng)
    return np.zeros(n, np.float32) if kind == "silence" and rng.random() < 0.3 else dither
