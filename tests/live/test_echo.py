import itertools

import numpy as np
import pytest
from audio_clips import silence, speech

from live.audio import AudioChunk, Utterance
from live.echo import EchoFilter
from models.base import SAMPLE_RATE

BLOCK = 320
REMOTE = (["we", "sent", "the", "goods", "to", "the", "store", "in", "London", "on", "Friday"], "en")
OWN = (["我们", "明天", "下午", "三点", "开会"], "zh")
SHORT = (["okay"], "en")


def at_level(sound, dbfs):
    return (sound * 10 ** (dbfs / 20) / np.sqrt(np.mean(sound**2))).astype(np.float32)


def placed(sound, at_s, length_s):
    whole = silence(length_s)
    start = round(at_s * SAMPLE_RATE)
    whole[start : start + len(sound)] = sound
    return whole


def in_a_room(sound, decay_s=0.4, seed=3):
    """With a synthetic impulse response: the direct sound, and a tail as strong."""
    n = round(decay_s * SAMPLE_RATE)
    tail = np.random.default_rng(seed).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail *= 0.7 / np.linalg.norm(tail)
    tail[0] = 1.0
    return np.convolve(sound, tail)[: len(sound)].astype(np.float32)


def repeated(system, delay_s, loss_db=12.0, decay_s=0.4):
    """What the microphone hears of the system's sound."""
    late = np.concatenate([silence(delay_s), system])[: len(system)]
    return in_a_room(late, decay_s) * np.float32(10 ** (-loss_db / 20))


def hum_of_the_room(length_s):
    return np.random.default_rng(5).normal(0, 3e-4, round(length_s * SAMPLE_RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def remote():
    """Six seconds in which the computer speaks from the first to about the fourth."""
    return placed(at_level(speech(*REMOTE), -24), 1.0, 6.0)


@pytest.fixture(scope="module")
def own():
    return at_level(speech(*OWN), -30)


def heard(microphone, system, skew=0):
    """A filter that has heard both, block by block."""
    echo = EchoFilter()
    for start in range(0, len(microphone), BLOCK):
        if start + skew >= 0:
            echo.hear(AudioChunk("system", system[start : start + BLOCK], start + skew))
        echo.hear(AudioChunk("microphone", microphone[start : start + BLOCK], start))
    return echo


def utterance(microphone, start_s, end_s, number=1, is_final=True):
    start, end = round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)
    return Utterance(number, "microphone", microphone[start:end], start, is_final)


@pytest.mark.parametrize("delay_s", [0.0, 0.12, 0.4])
@pytest.mark.parametrize("decay_s", [0.15, 0.6])
def test_a_quieter_later_reverberated_copy_of_the_computers_sound_is_an_echo(remote, delay_s, decay_s):
    microphone = repeated(remote, delay_s, decay_s=decay_s) + hum_of_the_room(6.0)
    echo = heard(microphone, remote)
    said = utterance(microphone, 0.8 + delay_s, 4.5 + delay_s)

    assert not echo.keeps(said)
    assert abs(echo.likeness(said).lag - delay_s * SAMPLE_RATE) <= 0.03 * SAMPLE_RATE


@pytest.mark.parametrize("loss_db", [0, 6, 25])
def test_how_loud_the_echo_is_makes_no_difference(remote, loss_db):
    microphone = repeated(remote, 0.1, loss_db) + hum_of_the_room(6.0)

    assert not heard(microphone, remote).keeps(utterance(microphone, 0.9, 4.6))


@pytest.mark.parametrize("skew_s", [-0.09, 0.09])
def test_lanes_whose_clocks_disagree_a_little_are_still_compared(remote, skew_s):
    microphone = repeated(remote, 0.1) + hum_of_the_room(6.0)
    echo = heard(microphone, remote, skew=round(skew_s * SAMPLE_RATE))

    assert not echo.keeps(utterance(microphone, 0.9, 4.5))


@pytest.mark.parametrize("above_db", [12, 6, 0])
def test_speech_over_an_echo_is_kept(remote, own, above_db):
    echoed = repeated(remote, 0.1)
    voice = placed(at_level(own, -36 + above_db), 1.6, 6.0)
    microphone = echoed + voice + hum_of_the_room(6.0)

    assert heard(microphone, remote).keeps(utterance(microphone, 0.9, 4.8))


def test_a_short_answer_right_after_an_echo_is_kept(remote):
    echoed = repeated(remote, 0.1)
    end_s = np.flatnonzero(np.abs(remote) > 0.01)[-1] / SAMPLE_RATE
    microphone = echoed + placed(at_level(speech(*SHORT), -26), end_s + 0.3, 6.0) + hum_of_the_room(6.0)

    assert heard(microphone, remote).keeps(utterance(microphone, 0.9, end_s + 1.0))


def test_speech_while_the_computer_speaks_into_headphones_is_kept(remote, own):
    microphone = placed(own, 1.2, 6.0) + hum_of_the_room(6.0)

    assert heard(microphone, remote).keeps(utterance(microphone, 1.0, 4.0))


def test_speech_while_the_computer_is_silent_is_kept(own):
    microphone = placed(own, 1.2, 6.0)

    assert heard(microphone, silence(6.0)).keeps(utterance(microphone, 1.0, 4.0))


def test_without_a_system_lane_all_is_kept(own):
    echo = EchoFilter()
    echo.hear(AudioChunk("microphone", own, 0))

    assert echo.keeps(Utterance(1, "microphone", own, 0, is_final=True))


def test_speech_that_goes_on_after_the_system_s_device_went_away_is_kept(remote, own):
    microphone = np.concatenate([repeated(remote, 0.1), placed(own, 0.5, 6.0)]) + hum_of_the_room(12.0)
    echo = heard(microphone, remote)

    assert not echo.keeps(utterance(microphone, 0.8, 4.8))
    assert echo.keeps(utterance(microphone, 0.8, 9.0))


def test_the_end_of_an_echo_is_one_though_the_system_s_lane_is_behind(remote):
    microphone = repeated(remote, 0.2) + hum_of_the_room(6.0)
    echo = EchoFilter()
    echo.hear(AudioChunk("system", remote[: 2 * SAMPLE_RATE], 0))
    echo.hear(AudioChunk("microphone", microphone, 0))

    assert not echo.keeps(utterance(microphone, 0.8, 3.45, is_final=False))


def test_other_lanes_are_never_compared(remote):
    echo = heard(remote, remote)

    assert echo.keeps(Utterance(1, "system", remote, 0, is_final=True))
    assert echo.keeps(Utterance(2, "file", remote, 0, is_final=True))


def test_an_echo_is_never_kept_while_it_grows(remote):
    microphone = repeated(remote, 0.2) + hum_of_the_room(6.0)
    echo = EchoFilter()
    kept = []
    for start in range(0, len(microphone), BLOCK):
        echo.hear(AudioChunk("system", remote[start : start + BLOCK], start))
        echo.hear(AudioChunk("microphone", microphone[start : start + BLOCK], start))
        end_s = start / SAMPLE_RATE
        if 1.6 < end_s < 4.6 and start % (20 * BLOCK) == 0:
            kept.append(echo.keeps(utterance(microphone, 1.0, end_s, is_final=False)))

    assert len(kept) > 5
    assert not any(kept)


def test_what_was_shown_while_it_grew_is_kept_at_its_end(remote, own):
    microphone = placed(own, 1.2, 6.0) + hum_of_the_room(6.0)
    echo = heard(microphone, remote)
    assert echo.keeps(utterance(microphone, 1.0, 3.0, number=7, is_final=False))
    # The same stretch, heard again as nothing but an echo.
    again = repeated(remote, 0.1) + hum_of_the_room(6.0)
    for start, lane_sound in itertools.product((6 * SAMPLE_RATE,), (("system", remote), ("microphone", again))):
        echo.hear(AudioChunk(lane_sound[0], lane_sound[1], start))
    whole = Utterance(7, "microphone", again[SAMPLE_RATE:], 7 * SAMPLE_RATE, is_final=True)

    assert echo.keeps(whole)
    assert echo.likeness(whole).is_echo


def test_a_gap_in_the_sound_counts_as_silence_and_times_stay_true(remote):
    microphone = repeated(remote, 0.1) + hum_of_the_room(6.0)
    echo = EchoFilter()
    late = 100 * SAMPLE_RATE + 77
    echo.hear(AudioChunk("system", silence(0.5), 0))
    echo.hear(AudioChunk("microphone", silence(0.5), 0))
    echo.hear(AudioChunk("system", remote, late))
    echo.hear(AudioChunk("microphone", microphone, late))
    said = Utterance(1, "microphone", microphone[SAMPLE_RATE:], late + SAMPLE_RATE, is_final=True)

    assert abs(echo.likeness(said).lag - 0.1 * SAMPLE_RATE) <= 0.03 * SAMPLE_RATE
    assert not echo.keeps(said)


def test_a_lane_whose_time_goes_back_is_heard_anew(remote):
    microphone = repeated(remote, 0.1) + hum_of_the_room(6.0)
    echo = heard(microphone, remote)
    early = 2 * SAMPLE_RATE
    for lane, sound in (("system", remote), ("microphone", microphone)):
        echo.hear(AudioChunk(lane, sound, early))
    said = Utterance(1, "microphone", microphone[SAMPLE_RATE : 4 * SAMPLE_RATE], early + SAMPLE_RATE, is_final=True)

    assert abs(echo.likeness(said).lag - 0.1 * SAMPLE_RATE) <= 0.03 * SAMPLE_RATE
    assert not echo.keeps(said)


def test_sound_that_is_hardly_there_is_no_echo():
    steady = np.full(6 * SAMPLE_RATE, 0.02, np.float32)
    echo = heard(steady, steady)

    assert echo.likeness(utterance(steady, 1.0, 4.0)).correlation < 0.1
    assert np.isfinite(echo.likeness(utterance(steady, 1.0, 1.02)).correlation)
