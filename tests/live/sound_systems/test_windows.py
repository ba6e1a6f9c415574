"""WASAPI through SoundCard, which is faked: nothing here was tried on Windows."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_systems import windows
from live.sound_systems.base import Feed
from live.sound_systems.windows import WindowsSystem


class FakeRecorder:
    def __init__(self, card):
        self._card = card

    def __enter__(self):
        if self._card.refusal:
            raise RuntimeError(self._card.refusal)
        self._card.n_open += 1
        return self

    def __exit__(self, *_):
        self._card.n_open -= 1

    def record(self, n):
        if self._card.error:
            raise RuntimeError(self._card.error)
        self._card.recorded.release()
        return np.full((n, 2), 0.5, np.float32)


class FakeMicrophone:
    def __init__(self, card, key, name, *, isloopback=False):
        self.id, self.name, self.isloopback, self._card = key, name, isloopback, card

    def recorder(self, samplerate, channels, blocksize):
        assert (samplerate, blocksize) == (16_000, 8_000)
        assert channels > 1, "SoundCard records garbage of a single channel"
        return FakeRecorder(self._card)


class FakeSoundCard:
    def __init__(self):
        self.refusal = self.error = None
        self.n_open = 0
        self.recorded = threading.Semaphore(0)
        self.speaker = "s2"
        self.listed = [
            FakeMicrophone(self, "s1", "Speakers", isloopback=True),
            FakeMicrophone(self, "s2", "Headphones", isloopback=True),
            FakeMicrophone(self, "m1", "Yeti"),
        ]

    def all_microphones(self, include_loopback):
        assert include_loopback
        return self.listed

    def default_speaker(self):
        return SimpleNamespace(id=self.speaker)

    def default_microphone(self):
        if len(self.listed) < 3:
            raise RuntimeError("Error 0x80070490")
        return SimpleNamespace(id="m1")


@pytest.fixture
def card(monkeypatch):
    fake = FakeSoundCard()
    monkeypatch.setitem(sys.modules, "soundcard", fake)
    windows._soundcard.cache_clear()
    yield fake
    windows._soundcard.cache_clear()


def opened(key):
    system, queue = WindowsSystem(), AudioQueue(60.0, 16_000)
    (device,) = (device for device in system.devices() if device.key == key)
    return system.open(device, Feed(device.kind, queue)), queue


def test_outputs_are_computer_sound_and_both_defaults_are_marked(card):
    listed = [(device.kind, device.name, device.is_default) for device in WindowsSystem().devices()]

    assert listed == [("system", "Speakers", False), ("system", "Headphones", True), ("microphone", "Yeti", True)]


def test_without_a_microphone_there_is_no_default_one(card):
    card.listed.pop()

    assert WindowsSystem().default("microphone") is None
    assert WindowsSystem().default("system") == "s2"


@pytest.mark.parametrize(("key", "lane"), [("s2", "system"), ("m1", "microphone")])
def test_what_a_device_delivers_becomes_blocks(card, key, lane):
    recording, queue = opened(key)
    block = queue.get(10.0)
    recording.close()

    assert (recording.rate, recording.channels) == (16_000, 2)
    assert (block.lane, block.samples.shape, block.samples.dtype) == (lane, (320, 2), np.int16)
    assert set(block.samples.ravel().tolist()) == {16_384}
    assert card.n_open == 0


def test_a_device_that_is_gone_ends_the_recording(card):
    recording, _ = opened("m1")
    assert card.recorded.acquire(timeout=10.0)
    assert recording.problem() is None
    card.error = "Error 0x88890004"
    recording._reader.join(10.0)

    assert recording.problem() == "is gone"
    recording.close()
    assert card.n_open == 0


def test_a_device_that_another_program_holds_is_refused(card):
    card.refusal = "Error 0x8889000a"

    with pytest.raises(CaptureError, match="'Yeti' is in use by another program"):
        opened("m1")


def test_a_device_that_went_meanwhile_is_refused(card):
    (device,) = (device for device in WindowsSystem().devices() if device.key == "m1")
    card.listed.pop()

    with pytest.raises(CaptureError, match="'Yeti' cannot be opened \\(it is gone\\)"):
        WindowsSystem().open(device, Feed("microphone", AudioQueue(1.0, 16_000)))


def test_the_level_is_the_loudest_sample_and_none_where_it_cannot_be_measured(card):
    device = WindowsSystem().devices()[-1]
    assert WindowsSystem().peak(device) == 0.5
    card.refusal = "Error 0x8889000a"
    assert WindowsSystem().peak(device) is None


def test_without_soundcard_what_to_install_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundcard", None)
    windows._soundcard.cache_clear()
    before = set(threading.enumerate())

    with pytest.raises(CaptureError, match="pip install --force-reinstall soundcard"):
        WindowsSystem().devices()
    for thread in set(threading.enumerate()) - before:
        thread.join(10.0)
        assert not thread.is_alive(), "each try would leave a thread behind"
    windows._soundcard.cache_clear()
