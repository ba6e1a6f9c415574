"""The front end against transformers' WhisperFeatureExtractor and against the lengths of the original."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from models.base import SAMPLE_RATE, TranslateError
from models.qwen_audio.frontend import MAX_SAMPLES, V1, FrontEnd

GOLDEN = json.loads((Path(__file__).parents[1] / "assets" / "qwen_audio_golden.json").read_text())


def noise(n: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(n) * 0.1).astype(np.float32)


def library_mel(samples: np.ndarray) -> np.ndarray:
    """The first columns of the mel of the clip padded to 30 s, as the original cuts them."""
    extractor = WhisperFeatureExtractor(feature_size=V1.n_mels)
    mel = extractor(samples, sampling_rate=SAMPLE_RATE, return_tensors="np")["input_features"][0]
    return mel[:, : 2 * V1.encoder_length(len(samples))]


@pytest.mark.parametrize("case", [c for c in GOLDEN["lengths"] if c["samples"] <= MAX_SAMPLES], ids=str)
def test_lengths_are_those_of_the_original(case):
    n = case["samples"]
    assert (V1.mel_length(n), V1.encoder_length(n), V1.audio_tokens(n)) == (case["mel"], case["T"], case["tokens"])


@pytest.mark.parametrize("n", [480, 1_600, 15_999, 16_000, 16_001, 37_920, 479_700, 479_999, 480_000])
def test_the_mel_is_the_librarys_of_the_clip_padded_to_thirty_seconds(n):
    samples = noise(n)
    mel = V1.log_mel(samples).numpy()
    assert mel.shape == (V1.n_mels, 2 * V1.encoder_length(n))
    np.testing.assert_allclose(mel, library_mel(samples), atol=1e-5, rtol=0)


def test_a_loud_end_that_only_a_cut_column_sees_still_sets_the_floor():
    n = 16_000 + 159  # 100 columns are read, and the 101st hears the end best
    samples = noise(n) * 1e-4
    samples[-40:] = 1.0
    np.testing.assert_allclose(V1.log_mel(samples).numpy(), library_mel(samples), atol=1e-5, rtol=0)


def test_silence_is_the_same_everywhere():
    assert torch.equal(V1.log_mel(np.zeros(4_000, np.float32)), torch.full((V1.n_mels, 26), -1.5))


def test_a_clip_of_a_few_samples_is_padded_to_one_audio_token():
    short = noise(7)
    padded = np.concatenate([short, np.zeros(V1.min_samples - 7, np.float32)])
    assert V1.audio_tokens(7) == 1
    assert torch.equal(V1.log_mel(short), V1.log_mel(padded))
    assert V1.log_mel(np.zeros(0, np.float32)).shape == (V1.n_mels, 4)


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("n", [480, 16_000, 16_001, 37_920, 479_520, 479_681, 480_000])
def test_the_masked_edge_sees_the_silence_that_the_library_pads_with(n, n_mels):
    samples = noise(n)
    front_end = FrontEnd(n_mels, "masked")
    mel = front_end.log_mel(samples)
    extractor = WhisperFeatureExtractor(feature_size=n_mels)
    padded = extractor(samples, sampling_rate=SAMPLE_RATE, return_attention_mask=True, return_tensors="pt")
    expected = torch.nn.functional.pad(padded["input_features"][0], (0, 2))[:, : mel.shape[1]]
    torch.testing.assert_close(mel, expected, atol=1e-5, rtol=0)
    assert mel.shape == (n_mels, 2 * front_end.encoder_length(n) + 2)
    assert front_end.positions(mel.shape[1]) == front_end.encoder_length(n)
    assert front_end.mel_length(n) == padded["attention_mask"].sum()


def test_an_encoder_with_fewer_positions_hears_shorter_clips():
    front_end = FrontEnd(n_positions=200)
    assert front_end.max_samples == 4 * SAMPLE_RATE
    assert front_end.log_mel(noise(64_000)).shape == (80, 400)
    with pytest.raises(TranslateError, match="at most 4 s"):
        front_end.log_mel(noise(64_001))


def test_a_clip_over_thirty_seconds_is_refused_and_never_cut():
    with pytest.raises(TranslateError, match=r"30\.5 s long.*at most 30 s"):
        V1.log_mel(noise(488_000))


def test_stereo_and_values_that_are_no_samples_are_refused_and_sixteen_bits_scaled():
    with pytest.raises(TranslateError, match="one channel"):
        V1.log_mel(noise(2_000).reshape(1_000, 2))
    with pytest.raises(TranslateError, match="int32"):
        V1.log_mel((noise(2_000) * 32_767).astype(np.int32))
    sixteen = (noise(2_000) * 32_768).astype(np.int16)
    torch.testing.assert_close(V1.log_mel(sixteen), V1.log_mel(sixteen.astype(np.float32) / 32_768))
    broken = noise(2_000)
    broken[3] = np.nan
    with pytest.raises(TranslateError, match="not numbers"):
        V1.log_mel(broken)
