import math

import numpy as np
import pytest
from audio_clips import Loudness, noise, silence, tone

from live.evaluation.voice_activity import STEP, Score, answers, loud_steps, noisy, score, steps_of
from models.base import SAMPLE_RATE


def clip():
    """A second of quiet, two of sound, one of quiet."""
    return np.concatenate([silence(1), tone(2), silence(1)])


SPOKEN = [(SAMPLE_RATE, 3 * SAMPLE_RATE)]


class Always:
    window = 512

    def __init__(self, probability):
        self.probability = probability
        self.n_resets = 0

    def probabilities(self, samples):
        return np.full(len(samples) // self.window, self.probability, np.float32)

    def reset(self):
        self.n_resets += 1


def test_a_detector_that_is_right_has_both_at_one_but_for_the_width_of_its_windows():
    found = score(clip(), steps_of(SPOKEN, 4 * SAMPLE_RATE), Loudness())

    assert found.precision == pytest.approx(1.0, abs=0.02)
    assert found.recall == pytest.approx(1.0, abs=0.02)
    assert found.speech == pytest.approx(0.5, abs=0.01)


def test_who_always_says_yes_has_the_share_of_speech_for_precision():
    found = score(clip(), steps_of(SPOKEN, 4 * SAMPLE_RATE), Always(0.5))

    assert found.recall == found.alarms == 1.0
    assert found.precision == found.speech


def test_who_always_says_no_has_no_precision_and_no_recall():
    found = score(clip(), steps_of(SPOKEN, 4 * SAMPLE_RATE), Always(0.49))

    assert math.isnan(found.precision)
    assert found.recall == found.alarms == 0.0


def test_of_sound_without_speech_there_is_no_recall():
    assert math.isnan(score(silence(2), steps_of([], 2 * SAMPLE_RATE), Always(1.0)).recall)


def test_each_sound_is_heard_anew():
    detector = Always(1.0)
    answers(silence(1), detector)
    answers(silence(1), detector)

    assert detector.n_resets == 2


def test_a_step_is_answered_by_the_window_that_its_middle_lies_in():
    said = answers(np.concatenate([silence(0.512), tone(0.512)]), Loudness())

    assert np.flatnonzero(said)[0] == math.ceil((0.512 * SAMPLE_RATE - STEP / 2) / STEP)


def test_scores_are_counted_together():
    assert Score(1, 2, 3, 4) + Score(1, 1, 1, 1) == Score(2, 3, 4, 5)


def test_short_pauses_between_loud_moments_count_as_speech_and_long_ones_do_not():
    sound = np.concatenate([silence(0.5), tone(0.5), silence(0.1), tone(0.5), silence(0.4), tone(0.5), silence(0.5)])
    loud = loud_steps(sound)

    assert loud[50:160].all()
    assert not loud[165:195].any()
    assert not loud[:50].any()


@pytest.mark.parametrize("snr_db", [20.0, 0.0])
def test_noise_is_added_at_the_level_that_was_asked_for(snr_db):
    sound, hiss = clip() / 4, noise(5.0, 0.01)
    mixed = noisy(sound, steps_of(SPOKEN, len(sound)), hiss, snr_db)
    quiet = mixed[: SAMPLE_RATE // 2]

    found_db = 10 * np.log10(np.mean(sound[SAMPLE_RATE : 3 * SAMPLE_RATE] ** 2) / np.mean(quiet**2))
    assert found_db == pytest.approx(snr_db, abs=0.5)


def test_what_noise_lifts_over_full_scale_is_made_quieter_as_a_whole():
    mixed = noisy(10 * clip(), steps_of(SPOKEN, 4 * SAMPLE_RATE), noise(4.0), 0.0)

    assert np.abs(mixed).max() == pytest.approx(1.0)
