import numpy as np
import pytest
from audio_clips import Loudness
from fakes import FakeSource, quiet, tone

from live import sound_check
from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_check import LISTEN_S, listen


class Device(FakeSource):
    """Delivers some sound as soon as it is open."""

    def __init__(self, samples, lost=None, **options):
        super().__init__(**options)
        self.samples, self.why = samples, lost

    def opened(self):
        self.say(self.samples)
        if self.why is not None:
            self.lose(self.why)
        self.end()


def test_level_noise_and_speech_of_a_few_seconds_are_measured():
    heard = listen(Device(np.concatenate([quiet(1.0), tone(1.5, level=0.5), quiet(2.0)])), Loudness())

    assert heard.seconds == pytest.approx(LISTEN_S, abs=0.1)
    assert heard.loudest_dbfs == pytest.approx(-9.0, abs=0.2)
    assert heard.noise_dbfs == -100.0
    assert heard.speech_s == pytest.approx(1.5, abs=0.1)
    assert heard.has_speech


def test_a_click_is_no_speech():
    assert not listen(Device(np.concatenate([quiet(1.0), tone(0.05), quiet(1.0)])), Loudness()).has_speech


def test_a_device_is_closed_once_it_was_heard():
    device = Device(quiet(4.0))
    listen(device, Loudness())

    assert not device.is_open


def test_a_device_that_delivers_nothing_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(sound_check, "START_S", 0.0)

    assert listen(FakeSource(), Loudness()).seconds == 0.0


def test_a_device_that_falls_silent_is_waited_for_as_long_as_a_stall_and_not_as_a_start(monkeypatch):
    waits = []

    class Impatient(AudioQueue):
        def get(self, timeout_s):
            waits.append(timeout_s)
            return super().get(0.0)

    class Stalls(Device):
        def end(self):
            pass

    monkeypatch.setattr(sound_check, "AudioQueue", Impatient)
    heard = listen(Stalls(quiet(0.5)), Loudness())

    assert heard.seconds == pytest.approx(0.5, abs=0.05)
    assert (waits[0], set(waits[1:])) == (sound_check.START_S, {sound_check.STALL_S})


def test_a_detector_begins_anew_with_each_device():
    class Remembers(Loudness):
        is_fresh = False

        def reset(self):
            self.is_fresh = True

        def probabilities(self, windows):
            assert self.is_fresh
            self.is_fresh = False
            return super().probabilities(windows)

    detector = Remembers()
    listen(Device(quiet(1.0)), detector)
    listen(Device(quiet(1.0)), detector)


def test_a_device_that_is_lost_meanwhile_says_why():
    with pytest.raises(CaptureError, match="is gone"):
        listen(Device(quiet(0.5), lost="The microphone 'fake' is gone."), Loudness())


def test_a_device_that_cannot_be_opened_says_why():
    with pytest.raises(CaptureError, match="in use"):
        listen(FakeSource(refuses=CaptureError("It is in use.")), Loudness())
