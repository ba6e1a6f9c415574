"""Recordings read whole and cut where they are quiet."""

from __future__ import annotations

import random

import numpy as np
import pytest
from audio_clips import noise, silence, to_pcm, tone, write_audio

from live.errors import CaptureError
from live.parts import cut, read_recording
from models.base import SAMPLE_RATE

LONGEST = 30 * SAMPLE_RATE


def test_what_fits_is_one_part():
    sound = tone(30.0)
    assert [(part.start, part.end) for part in cut(sound, LONGEST)] == [(0, LONGEST)]


def test_nothing_is_lost_or_doubled_and_no_part_is_too_long():
    draw = random.Random(1)
    for _ in range(50):
        sound = np.arange(draw.randint(1, 150_000), dtype=np.float32)
        parts = cut(sound, 20_000)
        assert np.array_equal(np.concatenate([part.samples for part in parts]), sound)
        assert [part.start for part in parts] == [0, *(part.end for part in parts[:-1])]
        assert max(len(part.samples) for part in parts) <= 20_000
        assert len(parts) == 1 or min(len(part.samples) for part in parts) >= 6000


def test_the_cut_is_where_it_is_quiet():
    sound = np.concatenate([noise(18.0), silence(0.4), noise(14.6)])
    first, second = cut(sound, LONGEST)
    assert 18.0 <= first.end / SAMPLE_RATE <= 18.4
    assert second.end == len(sound)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (8000, 2), (44_100, 2), (48_000, 6)])
def test_any_rate_and_channels_become_16_khz_mono_of_the_same_length(tmp_path, rate, channels):
    sound = np.repeat(to_pcm(tone(1.5, rate=rate)), channels, axis=1)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    read = read_recording(write_audio(tmp_path / "a.wav", sound, rate, layout=layout), 60.0)
    assert (read.name, read.warning) == ("a.wav", None)
    assert abs(len(read.samples) - 1.5 * SAMPLE_RATE) <= 1
    assert read.samples.dtype == np.float32
    assert not read.samples.flags.writeable
    assert 0.15 < np.abs(read.samples).max() < 0.35


def test_a_recording_over_the_limit_is_answered_with_what_to_do(tmp_path):
    long = write_audio(tmp_path / "long.wav", to_pcm(silence(121.0)))
    with pytest.raises(CaptureError, match=r"At most 2 minutes .* lasts 2\.0 minutes: cut .* -t 120 piece\.wav"):
        read_recording(long, 120.0)


def test_a_recording_that_hides_its_length_is_read_no_further_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("live.audio_file.SoundFile._promised_s", lambda _: None)
    with pytest.raises(CaptureError, match=r"At most 1 minutes of sound .* is longer"):
        read_recording(write_audio(tmp_path / "long.wav", to_pcm(silence(61.0))), 60.0)


def test_a_recording_too_short_to_hear_is_refused(tmp_path):
    with pytest.raises(CaptureError, match="holds 50 ms of sound, too little"):
        read_recording(write_audio(tmp_path / "click.wav", to_pcm(tone(0.05))), 60.0)


def test_a_cut_file_is_read_as_far_as_it_goes_and_said(tmp_path):
    whole = write_audio(tmp_path / "cut.wav", to_pcm(tone(4.0)))
    whole.write_bytes(whole.read_bytes()[:64_044])
    read = read_recording(whole, 60.0)
    assert 1.9 * SAMPLE_RATE < len(read.samples) <= 2 * SAMPLE_RATE
    assert "cut short" in read.warning
