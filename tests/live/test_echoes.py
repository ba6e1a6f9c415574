import numpy as np
from audio_clips import Loudness, noise, silence, talk

from live.evaluation.echoes import Outcome, Scene, hear
from models.base import SAMPLE_RATE


def speechlike(seed):
    """Three seconds, of which two are loud, in bursts."""
    return talk(0.5, 0.3, 0.1, 0.6, 0.15, 0.4, 0.1, 0.35, 1.0, seed=seed)


def test_an_echo_that_is_dropped_counts_as_a_repeat_that_did_not_come_through():
    system = speechlike(1)

    assert hear(Scene(system / 2, system, None), Loudness()) == Outcome(n_repeats=1)


def test_speech_of_ones_own_is_not_lost():
    own = talk(0.9, 0.2, 0.2, 0.25, 0.3, 0.15, 0.1, 0.4, 1.0, seed=2)
    scene = Scene(own, speechlike(1), (SAMPLE_RATE // 2, len(own) - SAMPLE_RATE))

    assert hear(scene, Loudness()) == Outcome(n_own=1)


def test_speech_taken_for_an_echo_counts_as_lost():
    """The truth is made up: what the system played is said to be the user's."""
    system = speechlike(1)
    scene = Scene(system / 2, system, (SAMPLE_RATE // 2, len(system) - SAMPLE_RATE))

    assert hear(scene, Loudness()) == Outcome(n_own=1, n_lost=1)


def test_a_noise_shown_while_nobody_speaks_counts_as_let_through():
    microphone = np.concatenate([silence(1), noise(1.0, 0.2), silence(1)])

    assert hear(Scene(microphone, silence(3), None), Loudness()) == Outcome(n_repeats=1, n_let_through=1)


def test_outcomes_are_counted_together():
    assert Outcome(1, 2, 3, 4) + Outcome(10, 20, 30, 40) == Outcome(11, 22, 33, 44)
