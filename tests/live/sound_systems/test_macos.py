"""Core Audio taps through catap, which is faked: nothing here was tried on a Mac."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from fake_portaudio import FakePortAudio, device

from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_systems import macos
from live.sound_systems.base import Feed
from live.sound_systems.macos import TAP, MacSystem

FLOAT = SimpleNamespace(sample_rate=48_000.0, num_channels=2, bits_per_sample=32, sample_type="float")
INT16 = SimpleNamespace(sample_rate=44_100.0, num_channels=1, bits_per_sample=16, sample_type="signed_integer")
INT24 = SimpleNamespace(sample_rate=44_100.0, num_channels=1, bits_per_sample=24, sample_type="signed_integer")


class FakeSession:
    def __init__(self, catap, on_buffer):
        self.stream_format = catap.format
        self.capture_failed = False
        self.captured_only_silence = True
        self.is_closed = False
        self._catap, self._on_buffer = catap, on_buffer

    def start(self):
        if self._catap.refusal:
            raise OSError(self._catap.refusal)

    def close(self):
        self.is_closed = True

    def deliver(self, samples):
        self._on_buffer(SimpleNamespace(data=samples.tobytes(), format=self.stream_format))


class FakeCatap:
    """Stands in for the module `catap`."""

    def __init__(self):
        self.format = FLOAT
        self.refusal = None
        self.is_playing = False
        self.sessions = []
        self.listed = [
            self._device(40, "mic-uid", "MacBook Microphone", inputs=1, is_default_input=True),
            self._device(50, "spk-uid", "MacBook Speakers", outputs=2, is_default_output=True),
        ]

    def list_audio_devices(self):
        return self.listed

    def find_audio_device_by_uid(self, uid):
        return next((each for each in self.listed if each.uid == uid), None)

    def list_audio_processes(self):
        return [SimpleNamespace(is_outputting=self.is_playing)]

    def record_device(self, uid, *, on_buffer):
        assert uid == "spk-uid"
        self.sessions.append(FakeSession(self, on_buffer))
        return self.sessions[-1]

    @staticmethod
    def _device(number, uid, name, *, inputs=0, outputs=0, is_default_input=False, is_default_output=False):
        def streams(channels):
            return (SimpleNamespace(num_channels=channels, sample_rate=48_000.0),) if channels else ()

        return SimpleNamespace(
            audio_object_id=number,
            uid=uid,
            name=name,
            input_streams=streams(inputs),
            output_streams=streams(outputs),
            is_default_input=is_default_input,
            is_default_output=is_default_output,
        )


@pytest.fixture
def portaudio(monkeypatch):
    fake = FakePortAudio(device(0, "MacBook Microphone"), device(1, "BlackHole 2ch", channels=2))
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


@pytest.fixture
def catap(monkeypatch, portaudio):
    fake = FakeCatap()
    monkeypatch.setitem(sys.modules, "catap", fake)
    return fake


@pytest.fixture
def tapped(catap):
    """Opens the loudspeakers; returns the recording, its session and its queue."""

    def tap(form=FLOAT):
        catap.format = form
        system, queue = MacSystem(), AudioQueue(10.0, 48_000)
        (speakers,) = (each for each in system.devices() if each.kind == "system")
        return system.open(speakers, Feed("system", queue)), catap.sessions[-1], queue

    return tap


def test_microphones_and_tapped_outputs_are_listed_with_their_defaults(catap):
    listed = {device.name: device for device in MacSystem().devices()}

    assert (listed["MacBook Microphone"].kind, listed["MacBook Microphone"].key) == ("microphone", "mic-uid")
    assert listed["BlackHole 2ch"].kind == "microphone"
    speakers = listed["MacBook Speakers"]
    assert (speakers.kind, speakers.key, speakers.host_api, speakers.is_default) == ("system", "spk-uid", TAP, True)
    assert (MacSystem().default("microphone"), MacSystem().default("system")) == ("mic-uid", "spk-uid")


def test_a_microphone_goes_through_portaudio_where_outputs_are_tapped(catap, portaudio):
    (microphone,) = (each for each in MacSystem().devices() if each.name == "MacBook Microphone")
    recording = MacSystem().open(microphone, Feed("microphone", AudioQueue(1.0, 16_000)))

    assert portaudio.streams[-1].options["device"] == 0
    assert not catap.sessions
    recording.close()


def test_before_taps_a_virtual_device_stands_for_computer_sound(monkeypatch, portaudio):
    monkeypatch.setitem(sys.modules, "catap", None)
    system = MacSystem()
    kinds = {device.name: device.kind for device in system.devices()}

    assert kinds == {"MacBook Microphone": "microphone", "BlackHole 2ch": "system"}
    assert system.default("system") is None
    recording = system.open(system.devices()[1], Feed("system", AudioQueue(1.0, 16_000)))
    assert portaudio.streams[-1].options["device"] == 1
    recording.close()


@pytest.mark.parametrize(
    ("form", "delivered"),
    [
        (FLOAT, np.array([0.5, -0.5, 1.0, 0.0], np.float32)),
        (INT16, np.array([16_384, -16_384, 32_767, 0], np.int16)),
    ],
)
def test_what_a_tap_delivers_becomes_blocks_of_16_bits(tapped, form, delivered):
    recording, session, queue = tapped(form)
    session.deliver(delivered)
    block = queue.get(0.0)

    assert (recording.rate, recording.channels) == (form.sample_rate, form.num_channels)
    assert block.samples.shape == (4 // form.num_channels, form.num_channels)
    np.testing.assert_allclose(block.samples.ravel(), [16_384, -16_384, 32_767, 0], atol=1)
    recording.close()
    assert session.is_closed


def test_samples_of_a_form_that_cannot_be_read_are_refused(tapped, catap):
    with pytest.raises(CaptureError, match="24 bits"):
        tapped(INT24)
    assert catap.sessions[-1].is_closed


def test_a_tap_that_cannot_be_made_is_refused(tapped, catap):
    catap.refusal = "AudioHardwareCreateProcessTap failed with status 560947818"

    with pytest.raises(CaptureError, match="'MacBook Speakers' cannot be opened"):
        tapped()
    assert catap.sessions[-1].is_closed, "catap may hold on to a tap that it could not start"


def test_an_output_that_was_unplugged_is_gone_though_its_tap_lives_on(tapped, catap):
    recording, _, _ = tapped()
    assert recording.problem() is None
    catap.listed.pop()

    assert recording.problem() == "is gone"


def test_a_capture_that_failed_is_gone(tapped):
    recording, session, _ = tapped()
    assert recording.problem() is None
    session.capture_failed = True

    assert recording.problem() == "is gone"


def test_silence_while_something_plays_is_a_missing_permission(tapped, catap, monkeypatch):
    now_s = 100.0
    monkeypatch.setattr(macos.time, "monotonic", lambda: now_s)
    recording, session, _ = tapped()
    assert recording.problem() is None
    now_s += 60.0
    assert recording.problem() is None, "nothing plays"
    catap.is_playing = True
    now_s += macos.SILENT_S + 1.0
    assert "System Audio Recording" in recording.problem()
    session.captured_only_silence = False
    assert recording.problem() is None
