"""A session of both lanes on a real sound server: whatever happens to devices it goes on, its clock with it."""

import itertools
import threading
import time

import numpy as np
import pytest
from audio_clips import silence, to_pcm, write_audio
from pulse import MICROPHONE, PulseServer, missing

from live.capture import DeviceSource
from live.events import DeviceChanged, Stop
from live.session import Session
from live.settings import Settings
from live.sound_systems.pulse import PulseSystem
from live.sound_systems.pulse_server import Server
from models.base import SAMPLE_RATE, TranslatorFactory

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]

WAIT_S = 20.0
HEADSET = "headset"
SPEAKERS = "speakers"
BEEP_S, AFTER_S = 0.3, 0.7
SLACK_S = 0.15
"""How far off the lane's clock may be: what is asked of it, and what the server takes."""


class Meeting:
    """A session, what it said of its devices, and what it heard."""

    def __init__(self, server, wav):
        self._server, self._wav = server, wav
        self._changed = threading.Condition()
        self.devices = []
        self.chunks = {"microphone": [], "system": []}
        asked = Server()
        self.session = Session(
            Settings(),
            [
                DeviceSource(kind, name, lambda: PulseSystem(asked))
                for kind, name in (("microphone", ""), ("system", ""))
            ],
            TranslatorFactory("models.fake:FakeTranslator"),
            self._take,
            model_name="fake",
            hear=[lambda chunk: self.chunks[chunk.lane].append(chunk)],
        )
        self.session.start()

    def wait(self, lane, name):
        """Wait until it is said that a lane hears a device of that name, or (None) no device; returns the reason."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._next(lane, name) is not None, WAIT_S), self.devices
            event = self._next(lane, name)
            self.devices.remove(event)
        return event.detail

    def beeps(self, lane):
        """Play a beep into the microphone's sink and see when a lane hears it."""
        n_before = len(self.chunks[lane])
        began_s = time.monotonic()
        self._server.play(self._wav)
        ended_s = time.monotonic()
        loud = [
            chunk.start + int(np.argmax(np.abs(chunk.samples) > 0.1))
            for chunk in self.chunks[lane][n_before:]
            if np.abs(chunk.samples).max(initial=0.0) > 0.1
        ]
        assert loud, "the beep was not heard"
        heard_s = self.session.started_s + loud[0] / SAMPLE_RATE
        assert began_s - SLACK_S < heard_s < ended_s - BEEP_S - AFTER_S + SLACK_S

    def no_sample_is_heard_twice(self):
        for chunks in self.chunks.values():
            assert all(after.start >= before.end for before, after in itertools.pairwise(chunks))

    def _take(self, event):
        if isinstance(event, DeviceChanged):
            with self._changed:
                self.devices.append(event)
                self._changed.notify_all()

    def _next(self, lane, name):
        return next((event for event in self.devices if event.lane == lane and event.name == name), None)


@pytest.fixture
def server(monkeypatch):
    with PulseServer() as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def meeting(server, tmp_path):
    beep = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(BEEP_S * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)
    wav = write_audio(tmp_path / "beep.wav", to_pcm(np.concatenate([beep, silence(AFTER_S)])))
    running = Meeting(server, wav)
    running.wait("microphone", f"Microphone-{MICROPHONE}")
    running.wait("system", "Output-vmic")
    yield running
    server.resume()
    running.session.send(Stop())
    assert running.session.join(WAIT_S)


def test_both_lanes_hear_what_is_played_when_it_is_played(meeting):
    meeting.beeps("microphone")
    meeting.beeps("system")
    meeting.no_sample_is_heard_twice()


def test_a_microphone_that_is_unplugged_and_plugged_again_is_heard_in_its_time(server, meeting):
    server.unplug(MICROPHONE)
    assert meeting.wait("microphone", None) == f"The microphone 'Microphone-{MICROPHONE}' is gone."
    meeting.beeps("system")
    server.plug(MICROPHONE)
    meeting.wait("microphone", f"Microphone-{MICROPHONE}")
    meeting.beeps("microphone")
    meeting.beeps("system")
    meeting.no_sample_is_heard_twice()
    assert {event.lane for event in meeting.devices} <= {"microphone"}  # the other lane is as it was


def test_where_the_microphone_is_unplugged_the_next_default_goes_on(server, meeting):
    server.plug(HEADSET)
    server.unplug(MICROPHONE)
    meeting.wait("microphone", None)
    meeting.wait("microphone", f"Microphone-{HEADSET}")
    meeting.beeps("microphone")
    meeting.no_sample_is_heard_twice()
    assert meeting.devices == []


def test_a_server_that_is_started_again_is_heard_on_both_lanes_in_their_time(server, meeting):
    server.kill()
    assert "gone" in meeting.wait("microphone", None)
    assert "gone" in meeting.wait("system", None)
    server.start()
    meeting.wait("microphone", f"Microphone-{MICROPHONE}")
    meeting.wait("system", "Output-vmic")
    meeting.beeps("microphone")
    meeting.beeps("system")
    meeting.no_sample_is_heard_twice()


def test_a_server_that_hung_is_heard_on_both_lanes_in_their_time(server, meeting):
    server.stall()
    assert "does not answer" in meeting.wait("microphone", None)
    assert "does not answer" in meeting.wait("system", None)
    server.resume()
    meeting.wait("microphone", f"Microphone-{MICROPHONE}")
    meeting.wait("system", "Output-vmic")
    meeting.beeps("microphone")
    meeting.beeps("system")
    meeting.no_sample_is_heard_twice()


def test_a_suspended_microphone_is_heard_in_its_time_once_it_wakes(server, meeting):
    server.control("suspend-source", MICROPHONE, "1")
    assert "is suspended" in meeting.wait("microphone", None)
    server.control("suspend-source", MICROPHONE, "0")
    meeting.wait("microphone", f"Microphone-{MICROPHONE}")
    meeting.beeps("microphone")
    meeting.no_sample_is_heard_twice()


def test_a_recording_that_was_moved_comes_back_and_is_heard_in_its_time(server, meeting):
    server.plug(HEADSET)
    server.move_recordings(HEADSET)
    assert "the sound server moved" in meeting.wait("microphone", None)
    meeting.wait("microphone", f"Microphone-{MICROPHONE}")
    meeting.beeps("microphone")
    meeting.no_sample_is_heard_twice()


def test_the_default_output_is_followed_in_its_time(server, meeting):
    server.plug_output(SPEAKERS)
    server.control("set-default-sink", SPEAKERS)
    meeting.wait("system", None)
    meeting.wait("system", f"Output-{SPEAKERS}")
    server.control("set-default-sink", "vmic")
    meeting.wait("system", None)
    meeting.wait("system", "Output-vmic")
    meeting.beeps("system")
    meeting.no_sample_is_heard_twice()


def test_an_output_that_was_suspended_is_heard_in_its_time_and_never_lost(server, meeting):
    server.control("suspend-sink", "vmic", "1")
    # Its microphone hears the same sink: that one is lost, and by then the output would be as well.
    meeting.wait("microphone", None)
    server.control("suspend-sink", "vmic", "0")
    meeting.wait("microphone", f"Microphone-{MICROPHONE}")
    meeting.beeps("system")
    meeting.no_sample_is_heard_twice()
    assert meeting.devices == []
