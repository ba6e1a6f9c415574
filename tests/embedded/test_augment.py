import numpy as np
import pytest

from models.base import SAMPLE_RATE
from models.embedded.recipe.augment import (
    FULL_SCALE,
    NOISES,
    NON_SPEECH,
    Conditions,
    draw_conditions,
    non_speech,
    record,
    to_16k,
)


def tone(frequency: float, seconds: float = 1.0, rate: int = SAMPLE_RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def power_near(wave: np.ndarray, frequency: float) -> float:
    spectrum = np.abs(np.fft.rfft(wave)) ** 2
    at = round(frequency * len(wave) / SAMPLE_RATE)
    return float(spectrum[max(at - 3, 0) : at + 4].sum() / spectrum.sum())


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def test_resampling_keeps_the_pitch_and_speed_raises_it():
    assert power_near(to_16k(tone(1000, rate=22050), 22050), 1000) > 0.9
    faster = to_16k(tone(1000, rate=22050), 22050, speed=1.1)
    assert power_near(faster, 1100) > 0.9
    assert len(faster) == pytest.approx(SAMPLE_RATE / 1.1, abs=3)


def test_a_recording_has_the_asked_level_length_and_type():
    recorded = record(tone(440), Conditions(gain_db=-20), generator())
    assert recorded.dtype == np.float32
    assert len(recorded) == SAMPLE_RATE
    assert np.abs(recorded).max() == pytest.approx(FULL_SCALE * 0.1, rel=0.01)


def test_noise_lies_at_the_asked_distance_below_the_speech():
    speech = tone(440)
    noisy = record(speech, Conditions(snr_db=10), generator())
    share = power_near(noisy, 440)
    assert 10 * np.log10(share / (1 - share)) == pytest.approx(10, abs=1)


def test_a_telephone_band_takes_the_lows_and_the_highs():
    mixed = tone(100) + tone(1000) + tone(7000)
    recorded = record(mixed, Conditions(band_hz=(300, 3400)), generator())
    assert power_near(recorded, 1000) > 0.97


def test_a_room_adds_a_tail_after_the_sound():
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[1000] = 1
    dry = record(click, Conditions(), generator())
    wet = record(click, Conditions(room_s=0.4), generator())
    assert np.abs(wet[2000:5000]).mean() > 5 * np.abs(dry[2000:5000]).mean()


def test_clipping_flattens_the_peaks():
    recorded = record(tone(440), Conditions(clip=4.0), generator())
    assert (np.abs(recorded) > 0.99).mean() > 0.5


def test_the_same_generator_gives_the_same_conditions_and_sound():
    first, second = (draw_conditions(generator()) for _ in range(2))
    assert first == second
    assert np.array_equal(record(tone(440), first, generator()), record(tone(440), first, generator()))


@pytest.mark.parametrize("name", NOISES)
def test_steady_noises_have_unit_level_at_any_length(name):
    for n in (800, 16000, 33333):
        noise = NOISES[name](n, generator())
        assert len(noise) == n
        assert 0.3 < np.sqrt(np.mean(noise**2)) < 2


@pytest.mark.parametrize("kind", NON_SPEECH)
def test_non_speech_is_finite_within_range_and_of_the_asked_length(kind):
    rng = generator()
    for n in (480, 12345, 5 * SAMPLE_RATE):
        sound = non_speech(kind, n, rng)
        assert sound.dtype == np.float32
        assert len(sound) == n
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() <= 1
