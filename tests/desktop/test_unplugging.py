"""What happens to devices, on a real sound server: each is noticed and said, and the source can be opened again."""

import itertools
import threading

import numpy as np
import pytest
from audio_clips import silence, to_pcm, write_audio
from pulse import MICROPHONE, PulseServer, missing

from live import capture
from live.capture import DeviceSource
from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_systems.pulse import PulseSystem
from live.sound_systems.pulse_server import Server
from models.base import SAMPLE_RATE

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]

NOTICE_S = 10.0
"""Generous: what is said, not how soon, is what is tested."""
OTHER = "headset"
SPEAKERS = "speakers"


@pytest.fixture
def server(monkeypatch):
    with PulseServer() as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def listening(server):
    """Opens sources and closes them at the end."""
    opened = []

    def listen(kind="microphone", name=""):
        opened.append(Listener(kind, name))
        return opened[-1].opened()

    yield listen
    server.resume()
    for listener in opened:
        listener.source.close()


class Listener:
    """A source, opened again as often as a test asks."""

    def __init__(self, kind, name):
        server = Server()
        self.source = DeviceSource(kind, name, lambda: PulseSystem(server))
        self.queue = None
        self._lost = threading.Event()
        self._reasons = []

    def opened(self):
        self.queue = AudioQueue(60.0, SAMPLE_RATE)
        self._lost.clear()
        self.source.open(self.queue, self._take)
        return self

    def again(self):
        """Open as the session does once the device is lost, until it can be."""
        self.source.close()
        for _ in range(50):
            try:
                return self.opened()
            except CaptureError:
                threading.Event().wait(0.1)
        raise AssertionError("it never came back")

    def refused(self):
        """Why it cannot be opened now."""
        self.source.close()
        with pytest.raises(CaptureError) as refusal:
            self.opened()
        return str(refusal.value)

    def lost(self):
        """Why it was lost, said once."""
        assert self._lost.wait(NOTICE_S), "nobody noticed"
        (reason,) = self._reasons
        self._reasons.clear()
        return reason

    def is_lost(self):
        return bool(self._reasons)

    def hears(self, n_blocks=20):
        """The loudest sample of so many blocks, which follow each other without a gap."""
        blocks = [self.queue.get(NOTICE_S) for _ in range(n_blocks)]
        assert None not in blocks
        for before, after in itertools.pairwise(blocks):
            assert after.first == before.first + len(before.samples)
            assert after.stamp_s >= before.stamp_s
        return max(int(np.abs(block.samples.astype(np.int32)).max()) for block in blocks)

    def hears_from_the_start(self):
        block = self.queue.get(NOTICE_S)
        return block is not None and block.first == 0

    def _take(self, reason):
        self._reasons.append(reason)
        self._lost.set()


def test_a_chosen_microphone_that_is_unplugged_is_waited_for_though_another_is_there(server, listening):
    server.plug(OTHER)
    listener = listening(name=OTHER)
    server.unplug(OTHER)

    assert listener.lost() == f"The microphone 'Microphone-{OTHER}' is gone."
    assert listener.refused().startswith(f"There is no microphone named '{OTHER}'; the nearest is ")
    server.plug(OTHER)
    assert listener.again().source.name == f"Microphone-{OTHER}"
    assert listener.hears_from_the_start()


def test_where_the_default_microphone_is_unplugged_the_next_default_is_taken(server, listening):
    server.plug(OTHER)
    listener = listening()
    server.unplug(MICROPHONE)

    assert listener.lost() == f"The microphone 'Microphone-{MICROPHONE}' is gone."
    assert listener.again().source.name == f"Microphone-{OTHER}"
    assert listener.hears_from_the_start()


def test_the_last_microphone_is_missed_and_found_again(server, listening):
    listener = listening()
    server.unplug(MICROPHONE)

    assert listener.lost() == f"The microphone 'Microphone-{MICROPHONE}' is gone."
    assert listener.refused().startswith("No microphone was found")
    server.plug(MICROPHONE)
    assert listener.again().hears_from_the_start()


@pytest.mark.parametrize("kind", ["microphone", "system"])
def test_a_server_that_ends_is_missed_and_found_again(server, listening, kind):
    listener = listening(kind)
    server.kill()

    assert "gone" in listener.lost()
    assert listener.refused().startswith("The sound server has ended")
    server.start()
    assert listener.again().source.lane == kind
    assert not listener.is_lost()


@pytest.mark.parametrize("kind", ["microphone", "system"])
def test_a_server_that_hangs_is_noticed_and_holds_nobody_up(server, listening, kind):
    listener = listening(kind)
    server.stall()

    assert listener.lost().endswith("is silent: the sound server does not answer.")
    assert listener.refused().startswith("The sound server does not answer")
    server.resume()
    assert listener.again().hears_from_the_start()


def test_a_suspended_microphone_is_said_to_be_so_and_heard_when_it_wakes(server, listening):
    listener = listening()
    server.control("suspend-source", MICROPHONE, "1")

    assert "is suspended" in listener.lost()
    assert "is suspended" in listener.refused()
    server.control("suspend-source", MICROPHONE, "0")
    assert listener.again().hears_from_the_start()


def test_the_default_microphone_is_followed_and_a_chosen_one_is_kept(server, listening):
    server.plug(OTHER)
    follows, keeps = listening(), listening(name=MICROPHONE)
    server.control("set-default-source", OTHER)

    # The server takes along whoever records its default; before it is asked for the default, that is undone.
    assert follows.lost() == f"The microphone 'Microphone-{MICROPHONE}' is no longer the one that the system uses."
    assert follows.again().source.name == f"Microphone-{OTHER}"
    server.waits_for_recordings_of(MICROPHONE, 1)
    server.control("set-default-source", MICROPHONE)
    assert follows.lost() == f"The microphone 'Microphone-{OTHER}' is no longer the one that the system uses."
    keeps.hears(60)
    assert not keeps.is_lost()


def test_an_output_is_kept_though_its_sound_was_the_default_source_until_a_microphone_came(server, listening):
    server.unplug(MICROPHONE)
    listener = listening("system")
    server.plug(MICROPHONE)
    server.control("set-default-source", MICROPHONE)
    server.waits_for_recordings_of("vmic.monitor", 2)  # that microphone's own is the other

    listener.hears(60)
    assert not listener.is_lost()


def test_a_recording_that_the_server_moves_to_another_microphone_is_noticed(server, listening):
    server.plug(OTHER)
    listener = listening(name=MICROPHONE)
    server.move_recordings(OTHER)

    said = listener.lost()
    assert said.startswith(f"The microphone 'Microphone-{MICROPHONE}' gave way to 'Microphone-{OTHER}', to which ")
    assert listener.again().source.name == f"Microphone-{MICROPHONE}"
    assert listener.hears_from_the_start()
    assert not listener.is_lost()


def test_the_default_output_is_followed_when_it_changes_or_goes(server, listening):
    server.plug_output(SPEAKERS)
    listener = listening("system")
    assert listener.source.name == "Output-vmic"
    server.control("set-default-sink", SPEAKERS)

    assert listener.lost() == "The sound of 'Output-vmic' is no longer the one that the system uses."
    assert listener.again().source.name == f"Output-{SPEAKERS}"
    server.unplug_output(SPEAKERS)
    assert listener.lost() == f"The sound of 'Output-{SPEAKERS}' is gone."
    assert listener.again().source.name == "Output-vmic"


def test_what_an_output_plays_is_heard(server, listening, tmp_path):
    server.plug_output(SPEAKERS)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    wav = write_audio(tmp_path / "tone.wav", to_pcm(np.concatenate([tone, silence(0.5)])))
    listener = listening("system", SPEAKERS)
    server.play(wav, SPEAKERS)

    assert listener.hears(60) == pytest.approx(0.5 * 2**15, rel=0.1)


def test_an_output_that_is_suspended_is_silent_and_not_lost(server, listening):
    listener = listening("system")
    listener.hears()
    server.control("suspend-sink", "vmic", "1")
    while listener.queue.get(0.5):
        pass  # what was on its way
    assert listener.queue.get(2.0) is None
    assert not listener.is_lost()
    server.control("suspend-sink", "vmic", "0")

    assert listener.hears() == 0
    assert not listener.is_lost()


def test_after_sleep_the_device_is_opened_afresh(server, listening, monkeypatch):
    listener = listening()
    monkeypatch.setattr(capture, "slept_s", lambda: 1e9)

    expected = f"The microphone 'Microphone-{MICROPHONE}' was interrupted: the computer was asleep."
    assert listener.lost() == expected
    assert listener.again().hears_from_the_start()


def test_devices_are_listed_by_their_own_names_with_the_defaults_marked(server):
    server.plug(OTHER)
    listed = {(device.kind, device.name, device.key): device for device in PulseSystem(Server()).devices()}

    assert listed[("microphone", f"Microphone-{MICROPHONE}", MICROPHONE)].is_default
    assert not listed[("microphone", f"Microphone-{OTHER}", OTHER)].is_default
    assert listed[("system", "Output-vmic", "vmic.monitor")].is_default
    assert len(listed) == 3


def test_the_level_of_a_device_is_that_of_what_is_played(server, tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    wav = write_audio(tmp_path / "tone.wav", to_pcm(tone))
    system = PulseSystem(Server())
    (device,) = (device for device in system.devices() if device.kind == "microphone")
    quiet = system.peak(device)
    playing = threading.Thread(target=server.play, args=(wav,))
    playing.start()
    peaks = []
    while playing.is_alive():
        peaks.append(system.peak(device))
    playing.join()

    assert quiet == 0.0
    assert max(peaks) == pytest.approx(0.5, rel=0.1)
