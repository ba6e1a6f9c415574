"""The system's output, with PortAudio played by the test."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from live import loudspeaker
from live.errors import CaptureError, PlaybackError
from live.loudspeaker import Loudspeaker
from models.base import SAMPLE_RATE


class PortAudioError(Exception):
    pass


class FakeStream:
    def __init__(self, **options):
        self.options, self.state, self.data, self.gone = options, "opened", b"", False

    def start(self):
        self.state = "started"

    def write(self, data):
        if self.gone:
            raise PortAudioError("unplugged")
        self.data += data

    def stop(self):
        self.state = "played"

    def abort(self):
        self.state = "aborted"

    def close(self):
        self.state += ", closed"


class FakePortAudio(SimpleNamespace):
    """An output that takes some formats."""

    PortAudioError = PortAudioError

    def __init__(self, *, has_output=True, takes=lambda rate: True):
        super().__init__(streams=[], has_output=has_output, takes=takes)

    def query_devices(self, kind):
        assert kind == "output"
        if not self.has_output:
            raise PortAudioError("Error querying device -1")
        return {"name": "Headphones", "default_samplerate": 48_000.0, "max_output_channels": 6}

    def RawOutputStream(self, **options):  # noqa: N802
        if not self.takes(options["samplerate"]):
            raise PortAudioError("Invalid sample rate")
        self.streams.append(FakeStream(**options))
        return self.streams[-1]


@pytest.fixture
def portaudio(monkeypatch):
    def use(**options):
        fake = FakePortAudio(**options)
        monkeypatch.setattr(loudspeaker, "portaudio", lambda: fake)
        return fake

    return use


def played(stream):
    return np.frombuffer(stream.data, np.int16).reshape(-1, stream.options["channels"])


def test_samples_go_to_the_output_as_they_are(portaudio):
    fake = portaudio()
    speaker = Loudspeaker()
    speaker.write(np.array([0.0, 0.5, -1.0, 2.0], np.float32))
    speaker.close(at_once=False)
    (stream,) = fake.streams
    assert (stream.options["samplerate"], stream.options["channels"]) == (SAMPLE_RATE, 1)
    assert played(stream)[:, 0].tolist() == [0, 16_384, -32_767, 32_767]
    assert stream.state == "played, closed"


def test_a_device_of_another_rate_gets_its_own_in_both_channels(portaudio):
    fake = portaudio(takes=lambda rate: rate == 48_000)
    speaker = Loudspeaker()
    tone = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32) / 2
    for start in range(0, SAMPLE_RATE, 1600):
        speaker.write(tone[start : start + 1600])
    speaker.close(at_once=False)
    pcm = played(fake.streams[0])
    assert pcm.shape == (48_000, 2)
    assert np.array_equal(pcm[:, 0], pcm[:, 1])
    wanted = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000) * 16_384
    assert np.abs(pcm[2_000:-2_000, 0] - wanted[2_000:-2_000]).max() < 200


def test_stopping_at_once_drops_what_waits(portaudio):
    fake = portaudio()
    Loudspeaker().close(at_once=True)
    assert fake.streams[0].state == "aborted, closed"


def test_without_an_output_a_sentence_says_what_to_do(portaudio):
    portaudio(has_output=False)
    with pytest.raises(PlaybackError, match=r"no loudspeaker or headphone: connect one"):
        Loudspeaker()


def test_an_output_that_takes_no_format_is_named(portaudio):
    portaudio(takes=lambda rate: False)
    with pytest.raises(PlaybackError, match="'Headphones' cannot be opened"):
        Loudspeaker()


def test_an_output_that_goes_away_is_named_and_closed(portaudio):
    fake = portaudio()
    speaker = Loudspeaker()
    fake.streams[0].gone = True
    with pytest.raises(PlaybackError, match="'Headphones' is gone"):
        speaker.write(np.zeros(10, np.float32))
    with pytest.raises(PlaybackError, match="is gone"):
        speaker.close(at_once=False)
    assert fake.streams[0].state.endswith("closed")


def test_without_portaudio_a_sentence_says_how_to_install_it(monkeypatch):
    def missing():
        raise CaptureError("The sound library PortAudio is missing: install it.")

    monkeypatch.setattr(loudspeaker, "portaudio", missing)
    with pytest.raises(CaptureError, match="install it"):
        Loudspeaker()
