"""How a device's clock is held beside the monotonic one; time here is made up."""

from __future__ import annotations

import numpy as np
import pytest

from live.audio import AudioBlock
from live.clock import EARLY_S, LATE_S, MAX_SPEED, DeviceClock, SessionClock

RATE = 16_000
BLOCK_S = 0.1
N = round(BLOCK_S * RATE)
SOUND = np.zeros((N, 1), np.int16)
SOUND.flags.writeable = False


def jitter(n: int, seed: int) -> np.ndarray:
    """Seconds by which blocks are late: mostly a few milliseconds, now and then a fifth of a second."""
    rng = np.random.default_rng(seed)
    return rng.exponential(0.004, n) + np.where(rng.random(n) < 0.01, rng.uniform(0.0, 0.2, n), 0.0)


def played(clock: DeviceClock, stamps_s: np.ndarray) -> np.ndarray:
    """Monotonic time at which the end of each block is played, when blocks arrive at `stamps_s`."""
    ends_s = np.zeros(len(stamps_s))
    now_s = stamps_s[0] - BLOCK_S
    for i, stamp_s in enumerate(stamps_s):
        speed = clock.speed
        now_s += clock.hear(AudioBlock("microphone", SOUND, i * N, float(stamp_s))) / RATE
        now_s += BLOCK_S * (1 + speed)
        ends_s[i] = now_s
    return ends_s


@pytest.mark.parametrize("drift", [-200e-6, -50e-6, 0.0, 50e-6, 200e-6])
def test_a_device_that_is_fast_or_slow_stays_in_time_for_hours_under_jitter(drift):
    true_s = np.arange(1, 108_001) * BLOCK_S * (1 + drift)  # three hours
    clock = DeviceClock(RATE)
    error_s = played(clock, true_s + jitter(len(true_s), 1)) - true_s
    assert np.abs(error_s[600:]).max() < 0.03
    assert clock.speed == pytest.approx(drift, abs=1e-4)


def test_a_device_in_time_is_played_as_it_is():
    clock = DeviceClock(RATE)
    stamps_s = np.arange(1, 601) * BLOCK_S
    np.testing.assert_allclose(played(clock, stamps_s), stamps_s, atol=1e-9)
    assert clock.speed == pytest.approx(0.0, abs=1e-12)


def test_blocks_held_up_for_a_while_move_nothing():
    clock = DeviceClock(RATE)
    stamps_s = np.arange(1, 601) * BLOCK_S
    for at in (100, 200, 201, 202, 400):
        stamps_s[at] += 0.3
    assert [clock.hear(AudioBlock("microphone", SOUND, i * N, s)) for i, s in enumerate(stamps_s)] == [0] * 600


@pytest.mark.parametrize("gap_s", [0.15, 0.3, 0.6, 5.0])
def test_what_a_device_swallowed_is_made_up_for_within_a_second(gap_s):
    clock = DeviceClock(RATE)
    stamps_s = np.arange(1, 601) * BLOCK_S
    stamps_s[300:] += gap_s
    moves = [clock.hear(AudioBlock("microphone", SOUND, i * N, s)) for i, s in enumerate(stamps_s)]
    assert sum(moves) == pytest.approx(gap_s * RATE, abs=1)
    assert next(i for i, move in enumerate(moves) if move) <= 310


def test_a_gap_too_short_to_be_told_from_jitter_is_made_up_for_slowly():
    clock = DeviceClock(RATE)
    stamps_s = np.arange(1, 3_001) * BLOCK_S
    stamps_s[300:] += LATE_S / 2
    error_s = played(clock, stamps_s) - stamps_s
    assert error_s[310] == pytest.approx(-LATE_S / 2, abs=0.001)
    assert abs(error_s[-1]) < 0.005


def test_sound_from_a_time_that_has_passed_is_moved_out_of_the_way():
    clock = DeviceClock(RATE)
    stamps_s = np.arange(1, 101) * BLOCK_S
    stamps_s[:50] += 2 * EARLY_S  # all of the beginning came late
    moves = [clock.hear(AudioBlock("microphone", SOUND, i * N, s)) for i, s in enumerate(stamps_s)]
    assert [(i, move) for i, move in enumerate(moves) if move] == [(50, round(-2 * EARLY_S * RATE))]


@pytest.mark.parametrize("drift", [-5 * MAX_SPEED, 5 * MAX_SPEED])
def test_a_device_whose_drift_is_too_much_to_be_corrected_smoothly_stays_in_time_by_jumps(drift):
    clock = DeviceClock(RATE)
    stamps_s = np.arange(1, 6_001) * BLOCK_S * (1 + drift)
    assert np.abs(played(clock, stamps_s) - stamps_s).max() < 0.105


def test_the_lane_that_is_heard_first_says_when_the_session_began():
    clock = SessionClock()
    assert clock.zero_s is None
    assert clock.begin(5.0) == 5.0
    assert clock.begin(4.0) == 5.0
    assert clock.zero_s == 5.0
