import itertools

import numpy as np
import pytest
from audio_clips import chunks, noise, silence, tone

from live.level import LEVEL_EVERY, NOISE_WINDOW_S, SILENCE_DBFS, LevelMeter
from models.base import SAMPLE_RATE


def levels(samples, size=320):
    meter = LevelMeter()
    return [level for chunk in chunks(samples, itertools.repeat(size)) if (level := meter.push(chunk)) is not None]


def test_levels_come_fifteen_times_a_second():
    assert len(levels(tone(4.0), size=LEVEL_EVERY)) == 60


def test_a_sine_of_full_scale_is_three_db_below_it():
    assert levels(tone(1.0, level=1.0))[-1].dbfs == pytest.approx(-3.01, abs=0.05)


def test_digital_silence_has_the_lowest_level_there_is():
    assert {(level.dbfs, level.noise_dbfs) for level in levels(silence(1.0))} == {(SILENCE_DBFS, SILENCE_DBFS)}


def test_what_is_fainter_than_the_lowest_level_is_silence():
    assert levels(np.full(SAMPLE_RATE, 1e-9, np.float32))[-1].dbfs == SILENCE_DBFS


@pytest.mark.parametrize("level", [0.001, 0.03])
def test_the_noise_floor_of_steady_noise_is_its_level(level):
    found = levels(noise(12.0, level))[-1]

    assert found.noise_dbfs == pytest.approx(20 * np.log10(level), abs=1.0)


def test_the_noise_floor_is_that_between_words():
    """A quarter of a second of quiet every second, as in speech without a pause."""
    sound = noise(20.0, 0.001)
    words = tone(20.0, level=0.2)
    words[np.arange(len(words)) % SAMPLE_RATE < SAMPLE_RATE // 4] = 0

    assert {round(level.noise_dbfs, -1) for level in levels(sound + words)} == {-60}


def test_the_noise_floor_follows_noise_that_begins_once_the_quiet_is_long_ago():
    sound = np.concatenate([noise(5.0, 0.001), noise(NOISE_WINDOW_S + 5.0, 0.03)])
    found = levels(sound)
    just_before = [level for level in found if level.noise_dbfs < -50]

    assert found[-1].noise_dbfs == pytest.approx(-30.5, abs=1.0)
    assert len(just_before) / 15 == pytest.approx(5.0 + NOISE_WINDOW_S, abs=1.0)
