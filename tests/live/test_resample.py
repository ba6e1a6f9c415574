from itertools import repeat

import numpy as np
import pytest
from audio_clips import blocks, noise, random_sizes, silence, to_pcm, tone

from live.audio import AudioBlock
from live.resample import Resampler


def resampled(pcm, rate, sizes):
    resampler = Resampler("microphone", rate, pcm.shape[1])
    chunks = [resampler.push(block) for block in blocks(pcm, sizes)] + [resampler.flush()]
    assert chunks[0].start == 0
    assert [chunk.start for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
    assert all(chunk.samples.dtype == np.float32 and not chunk.samples.flags.writeable for chunk in chunks)
    return np.concatenate([chunk.samples for chunk in chunks])


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("n", [1, 7, 320, 12_345])
def test_the_resampled_sound_lasts_as_long_as_the_blocks_did(rate, n):
    out = resampled(to_pcm(noise(1.0, rate=n)), rate, repeat(rate // 50))

    assert abs(len(out) - n * 16_000 / rate) <= 0.5


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_block_sizes_make_no_difference(rate, channels):
    pcm = to_pcm(noise(channels * 1.5, rate=rate).reshape(-1, channels))
    whole = resampled(pcm, rate, repeat(len(pcm)))

    for sizes in (repeat(rate // 50), repeat(37), random_sizes(1, rate // 5)):
        np.testing.assert_array_equal(resampled(pcm, rate, sizes), whole)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_height_its_level_and_its_place(rate):
    out = resampled(to_pcm(tone(1.0, 440.0, 0.3, rate)), rate, repeat(rate // 50))

    middle = slice(4_000, 12_000)
    assert np.abs(out[middle] - tone(1.0)[middle]).max() < 2e-3


def test_sixteen_kilohertz_passes_through_unchanged():
    pcm = to_pcm(noise(0.5))

    np.testing.assert_array_equal(resampled(pcm, 16_000, repeat(320)), pcm[:, 0] / np.float32(32_768))


def test_full_scale_stays_within_range():
    square = np.where(tone(0.5, 500.0, rate=48_000) >= 0, 32_767, -32_768).astype(np.int16)[:, np.newaxis]
    out = resampled(square, 48_000, repeat(960))

    assert np.isfinite(out).all()
    assert np.abs(out).max() == 1.0


def test_silence_stays_silence():
    assert not resampled(to_pcm(silence(0.5, 44_100)), 44_100, repeat(882)).any()


def test_both_sides_of_stereo_are_heard_alike():
    pcm = to_pcm(np.stack([tone(0.5), silence(0.5)], axis=1))
    out = resampled(pcm, 16_000, repeat(320))

    np.testing.assert_array_equal(out, resampled(pcm[:, ::-1], 16_000, repeat(320)))
    np.testing.assert_allclose(out, tone(0.5) / 2, atol=1e-4)


def test_in_surround_sound_the_centre_counts_most_and_the_low_frequencies_not_at_all():
    def level_of(channel):
        pcm = np.zeros((1_600, 6), np.int16)
        pcm[:, channel] = 10_000
        return resampled(pcm, 16_000, repeat(320))[0]

    left, right, centre, low, back_left, back_right = (level_of(channel) for channel in range(6))
    assert left == right
    assert back_left == back_right
    assert centre > left > back_left > low == 0


def test_surround_sound_at_full_scale_does_not_clip():
    out = resampled(np.full((160, 6), 32_767, np.int16), 16_000, repeat(160))

    assert 0.999 < out.max() < 1.0


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_what_a_device_dropped_is_silence_of_the_same_length(rate):
    pcm = to_pcm(tone(3.0, rate=rate))
    lost = slice(rate, 2 * rate)
    resampler = Resampler("microphone", rate, 1)
    kept = [
        AudioBlock("microphone", pcm[: lost.start], 0, 0.0),
        AudioBlock("microphone", pcm[lost.stop :], lost.stop, 0.0),
    ]
    chunks = [resampler.push(kept[0]), resampler.push(kept[1]), resampler.flush()]
    out = np.concatenate([chunk.samples for chunk in chunks])

    assert chunks[-1].end == len(out) == 48_000
    assert np.abs(out[16_500:31_500]).max() < 1e-3
    assert np.abs(out[33_000:47_000] - tone(3.0)[33_000:47_000]).max() < 2e-3


def test_a_sample_that_comes_twice_counts_once():
    pcm = to_pcm(noise(0.1))
    resampler = Resampler("microphone", 16_000, 1)
    first = resampler.push(AudioBlock("microphone", pcm[:1_000], 0, 0.0))
    again = resampler.push(AudioBlock("microphone", pcm[600:], 600, 0.0))

    np.testing.assert_array_equal(
        np.concatenate([first.samples, again.samples]), resampled(pcm, 16_000, repeat(len(pcm)))
    )


def test_a_clip_shorter_than_the_filter_comes_out_whole():
    pcm = to_pcm(tone(0.02, rate=48_000))

    assert len(resampled(pcm, 48_000, repeat(960))) == 320
