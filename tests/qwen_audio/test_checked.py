"""Sound from outside: converted where that changes nothing, else one clear sentence."""

from __future__ import annotations

import numpy as np
import pytest

from models.base import TranslateError
from models.qwen_audio.sound import checked

SECOND = np.sin(np.arange(16_000) / 20, dtype=np.float32)


def test_good_sound_is_passed_on_as_it_is():
    assert checked(SECOND, 480_000) is SECOND


def test_sixteen_bit_and_double_samples_are_converted():
    assert np.allclose(checked((SECOND * 32767).astype(np.int16), 480_000), SECOND, atol=1e-4)
    assert checked(SECOND.astype(np.float64), 480_000).dtype == np.float32
    assert checked(np.array([-32768], np.int16), 480_000).tolist() == [-1.0]


def test_no_samples_are_no_error_and_a_little_over_one_is_none_either():
    assert checked(SECOND[:0], 480_000).size == 0
    assert checked(SECOND * 1.5, 480_000).max() > 1.4


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 100), np.float32), r"\(2, 100\); mix it down to one channel"),
        (np.zeros((100, 1), np.int16), "one channel"),
        (np.float32(0.5), "no array"),
        ([0.0, 0.1], "no array but list"),
        (np.zeros(480_001, np.float32), r"30.0 s long and the model hears at most 30 s"),
        (np.zeros(100, np.int32), "int32 samples"),
        (np.zeros(100, np.uint8), "uint8 samples"),
        (np.zeros(100, np.complex64), "complex64"),
        (np.array([0.0, np.nan], np.float32), "not numbers"),
        (np.array([0.0, -np.inf], np.float32), "not numbers"),
        (SECOND * 32767, "up to 32767"),
    ],
)
def test_what_is_no_sound_is_one_clear_sentence(samples, message):
    with pytest.raises(TranslateError, match=message):
        checked(samples, 480_000)
