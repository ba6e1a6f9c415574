import sys
import threading
import time

import numpy as np
import pytest
from fake_portaudio import FakePortAudio, device

from live import capture
from live.capture import DeviceSource, open_source
from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_systems import portaudio
from live.sound_systems.portaudio import PortAudioSystem

ONLY_48K = {(48_000, 1), (48_000, 2)}


def microphone_named(name=""):
    return DeviceSource("microphone", name, PortAudioSystem)


def refusing_all_but(accepted):
    return lambda rate, channels: None if (rate, channels) in accepted else "Invalid sample rate [PaErrorCode -9997]"


@pytest.fixture
def install(monkeypatch):
    """Puts a fake PortAudio in place of the real one."""

    def put(fake):
        monkeypatch.setitem(sys.modules, "sounddevice", fake)
        return fake

    return put


def ignore(reason):
    pass


def opened(fake, name="", capacity_s=10.0, lost=ignore):
    microphone, queue = microphone_named(name), AudioQueue(capacity_s, 16_000)
    microphone.open(queue, lost)
    return microphone, queue, fake.streams[-1]


def ramp(n, channels=1):
    return np.arange(n * channels, dtype=np.int16).reshape(n, channels)


def test_the_default_microphone_is_opened_at_16_khz_mono_in_blocks_of_20_ms(install):
    fake = install(FakePortAudio(device(0, "Webcam"), device(1, "Yeti", channels=2), default=1))
    microphone, _, stream = opened(fake)

    wanted = {"device": 1, "samplerate": 16_000, "channels": 1, "dtype": "int16", "blocksize": 320}
    assert {key: stream.options[key] for key in wanted} == wanted
    assert "latency" not in stream.options
    assert (microphone.name, microphone.rate, microphone.channels) == ("Yeti", 16_000, 1)
    assert (microphone.lane, microphone.is_live, stream.state) == ("microphone", True, "started")
    microphone.close()


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        (ONLY_48K, (48_000, 1, 960)),
        ({(48_000, 2), (48_000, 8)}, (48_000, 2, 960)),
        ({(48_000, 8)}, (48_000, 8, 960)),
    ],
)
def test_a_device_that_refuses_16_khz_mono_is_opened_as_it_is(install, accepted, taken):
    fake = install(FakePortAudio(device(0, "Array", channels=8), refuse=refusing_all_but(accepted)))
    microphone, queue, stream = opened(fake)
    stream.deliver(ramp(960, microphone.channels))
    block = queue.get(0.0)

    assert (microphone.rate, microphone.channels, stream.options["blocksize"]) == taken
    np.testing.assert_array_equal(block.samples, ramp(960, microphone.channels))
    microphone.close()


def test_a_block_is_a_stamped_copy_of_what_the_device_delivered(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, queue, stream = opened(fake)
    before_s = time.monotonic()
    stream.deliver(ramp(320))
    stream.deliver(ramp(320) + 1)
    first, second = queue.get(0.0), queue.get(0.0)

    np.testing.assert_array_equal(first.samples, ramp(320))
    np.testing.assert_array_equal(second.samples, ramp(320) + 1)
    assert (first.first, second.first, first.lane) == (0, 320, "microphone")
    assert before_s <= first.stamp_s <= second.stamp_s <= time.monotonic()
    microphone.close()


def test_what_does_not_fit_the_queue_is_dropped_and_its_time_still_counts(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, queue, stream = opened(fake, capacity_s=0.04)
    for _ in range(4):
        stream.deliver(ramp(320))
    taken = [queue.get(0.0).first, queue.get(0.0).first]
    stream.deliver(ramp(320))

    assert (taken, queue.get(0.0).first, queue.n_dropped) == ([0, 320], 1_280, 640)
    microphone.close()


def test_what_the_device_itself_dropped_counts_as_time(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, queue, stream = opened(fake)
    stream.deliver(ramp(320))
    stream.deliver(ramp(320), late_s=0.1, overflowed=True)
    stream.deliver(ramp(320))

    assert [queue.get(0.0).first for _ in range(3)] == [0, 320 + 1_600, 640 + 1_600]
    microphone.close()


def test_a_device_clock_that_trembles_drops_nothing(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, queue, stream = opened(fake)
    stream.deliver(ramp(320))
    stream.deliver(ramp(320), late_s=0.01)
    stream.deliver(ramp(320), late_s=-0.02, overflowed=True)

    assert [queue.get(0.0).first for _ in range(3)] == [0, 320, 640]
    microphone.close()


def test_an_overflow_before_the_first_block_is_of_no_account(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, queue, stream = opened(fake)
    stream.deliver(ramp(320), late_s=3.0, overflowed=True)

    assert queue.get(0.0).first == 0
    microphone.close()


def test_closing_aborts_the_stream_and_closes_the_queue_and_may_be_done_twice(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    said = []
    microphone, queue, stream = opened(fake, lost=said.append)
    microphone.close()
    microphone.close()

    assert (stream.state, queue.is_closed, said) == ("closed", True, [])


def test_a_sound_server_that_hangs_does_not_hold_up_closing_nor_the_end_of_the_program(install, monkeypatch):
    fake = install(FakePortAudio(device(0, "Yeti")))
    unregistered = []
    monkeypatch.setattr(portaudio, "CLOSE_S", 0.0)
    monkeypatch.setattr(portaudio.atexit, "unregister", unregistered.append)
    microphone, queue, stream = opened(fake)
    stream.answers.clear()
    stream.vanish()
    microphone.close()

    assert (stream.state, queue.is_closed) == ("started", True)
    assert unregistered == [fake._exit_handler]
    stream.answers.set()


def test_a_microphone_that_was_never_opened_can_be_closed():
    microphone_named().close()


def test_a_microphone_may_be_opened_again(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, _, _ = opened(fake)
    microphone.close()
    queue = AudioQueue(10.0, 16_000)
    microphone.open(queue, ignore)
    fake.streams[-1].deliver(ramp(320))

    assert queue.get(0.0).first == 0
    microphone.close()


class Told:
    """A `lost` that can be waited for."""

    def __init__(self):
        self.reasons = []
        self.event = threading.Event()

    def __call__(self, reason):
        self.reasons.append(reason)
        self.event.set()


def test_a_device_that_goes_away_is_said_to_be_gone_once(install):
    told = Told()
    microphone, _, stream = opened(install(FakePortAudio(device(0, "Yeti"))), lost=told)
    stream.vanish()

    assert told.event.wait(10.0)
    microphone.close()
    assert told.reasons == ["The microphone 'Yeti' is gone."]


def test_a_device_that_falls_silent_without_a_word_is_noticed(install, monkeypatch):
    told = Told()
    fake = install(FakePortAudio(device(0, "Yeti")))
    monkeypatch.setattr(capture, "STALL_S", 0.0)
    monkeypatch.setattr(capture, "START_S", 60.0)
    microphone, _, stream = opened(fake, lost=told)
    stream.deliver(ramp(320))

    assert told.event.wait(10.0)
    microphone.close()
    assert told.reasons == ["The microphone 'Yeti' has stopped delivering sound."]


def test_a_device_that_never_begins_is_noticed(install, monkeypatch):
    told = Told()
    monkeypatch.setattr(capture, "START_S", 0.0)
    microphone, _, _ = opened(install(FakePortAudio(device(0, "Yeti"))), lost=told)

    assert told.event.wait(10.0)
    microphone.close()


def test_whoever_is_told_may_close_the_microphone_at_once(install):
    told = Told()
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, queue = microphone_named(), AudioQueue(10.0, 16_000)

    def close_and_tell(reason):
        microphone.close()
        told(reason)

    microphone.open(queue, close_and_tell)
    fake.streams[-1].vanish()

    assert told.event.wait(10.0)
    assert queue.is_closed


@pytest.mark.parametrize(
    ("error", "system", "message"),
    [
        (
            "Unanticipated host error: 'Permission denied' [ALSA error -13]",
            "linux",
            "may not be used: add yourself to the group",
        ),
        ("Unanticipated host error 0x80070005", "win32", "may not be used: allow desktop apps in Settings"),
        ("Operation not permitted", "darwin", "may not be used: .*Privacy & Security"),
        ("Device unavailable [PaErrorCode -9985]", "linux", "'Yeti' is in use by another program"),
        ("Device or resource busy [ALSA error -16]", "linux", "'Yeti' is in use by another program"),
        (
            "Internal PortAudio error [PaErrorCode -9986]",
            "linux",
            r"cannot be opened \(Internal .*-9986\]\): name another",
        ),
    ],
)
@pytest.mark.parametrize("when", ["opening", "starting"])
def test_a_refused_microphone_is_named_with_what_to_do(install, monkeypatch, when, error, system, message):
    monkeypatch.setattr(sys, "platform", system)
    refusals = {"refuse": lambda rate, channels: error} if when == "opening" else {"refuse_start": error}
    fake = install(FakePortAudio(device(0, "Yeti"), **refusals))

    with pytest.raises(CaptureError, match=message) as refusal:
        microphone_named().open(AudioQueue(10.0, 16_000), ignore)
    assert "Yeti" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert {stream.state for stream in fake.streams} <= {"closed"}


def test_without_a_microphone_nothing_is_opened(install):
    fake = install(FakePortAudio(default=-1))

    with pytest.raises(CaptureError, match="No microphone was found"):
        microphone_named().open(AudioQueue(10.0, 16_000), ignore)
    assert fake.streams == []


def test_an_unknown_microphone_is_refused_with_the_nearest_name(install):
    install(FakePortAudio(device(0, "Blue Yeti"), device(1, "Webcam")))

    with pytest.raises(CaptureError, match="no microphone named 'blue yetti'; the nearest is 'Blue Yeti'"):
        microphone_named("blue yetti").open(AudioQueue(10.0, 16_000), ignore)


def test_a_source_is_opened_by_kind_and_name(install):
    fake = install(FakePortAudio(device(0, "Webcam"), device(1, "Yeti")))
    source, queue = open_source("microphone", "yeti"), AudioQueue(10.0, 16_000)
    source.open(queue, ignore)

    assert (source.lane, source.name, fake.streams[-1].options["device"]) == ("microphone", "Yeti", 1)
    source.close()


def test_devices_are_looked_for_anew_unless_that_would_end_a_stream(install):
    fake = install(FakePortAudio(device(0, "Yeti")))
    microphone, _, _ = opened(fake)
    n_lists = fake.n_lists
    with portaudio.in_use():
        microphone.close()
        PortAudioSystem().devices()
    opened(fake)[0].close()
    assert (n_lists, fake.n_lists) == (1, 2)
