"""Where sound is quiet for a moment."""

from __future__ import annotations

import numpy as np
import pytest
from audio_clips import noise, silence

from live.policy.lulls import SHORTEST, lulls
from models.base import SAMPLE_RATE, Samples

GAP_S = 0.12


def speech_with_a_gap(gap_s: float, *, floor: float) -> tuple[Samples, int]:
    """Quiet, as before each utterance, 2 s of loud sound, a gap, 2 s more, all over a floor; and the gap's middle."""
    before = np.concatenate([silence(0.3), noise(2.0, 0.1, seed=1)])
    sound = np.concatenate([before, silence(gap_s), noise(2.0, 0.1, seed=2)])
    return sound + noise(len(sound) / SAMPLE_RATE, floor, seed=3), len(before) + round(gap_s * SAMPLE_RATE / 2)


@pytest.mark.parametrize("floor", [0.0, 0.0005, 0.018], ids=["no noise", "a quiet room", "noise of 15 dB"])
def test_a_gap_is_found_whatever_the_noise(floor):
    sound, middle = speech_with_a_gap(GAP_S, floor=floor)
    _, lull = lulls(sound)
    assert abs(lull.middle - middle) <= 0.01 * SAMPLE_RATE
    assert SHORTEST <= lull.end - lull.start <= 1.1 * GAP_S * SAMPLE_RATE


def test_a_word_that_holds_its_breath_is_no_lull():
    sound, _ = speech_with_a_gap(0.05, floor=0.0005)
    assert len(lulls(sound)) == 1  # the quiet before


def test_a_lull_may_be_at_the_beginning_or_at_the_end():
    quiet = noise(0.2, 0.0005)
    found = lulls(np.concatenate([quiet, noise(2.0, 0.1), quiet]))
    assert [lull.start for lull in found] == [0, pytest.approx(2.2 * SAMPLE_RATE, abs=0.02 * SAMPLE_RATE)]


@pytest.mark.parametrize("n", [0, 1, 479, 480])
def test_too_little_sound_has_none(n):
    assert lulls(noise(n / SAMPLE_RATE)) == []
