"""What a source does with its device, whatever the sound system; hardware and servers are in tests/desktop."""

import threading

import numpy as np
import pytest
from fake_sound_system import FakeSystem, input_device

from live import capture
from live.capture import DeviceSource
from live.errors import CaptureError
from live.queues import AudioQueue

YETI = input_device("Blue Yeti", "usb-yeti", index=1)
BUILT_IN = input_device("Built-in", "pci", index=2, is_default=True)
SPEAKERS = input_device("Speakers", "spk.monitor", kind="system", is_default=True)
HEADPHONES = input_device("Headphones", "hp.monitor", kind="system")


class Told:
    def __init__(self):
        self.reasons = []
        self.event = threading.Event()

    def __call__(self, reason):
        self.reasons.append(reason)
        self.event.set()

    def reason(self):
        assert self.event.wait(10.0)
        (reason,) = self.reasons
        return reason


@pytest.fixture
def opened():
    """Opens sources and closes them at the end."""
    sources = []

    def open_one(system, kind="microphone", wanted=""):
        source, told, queue = DeviceSource(kind, wanted, lambda: system), Told(), AudioQueue(10.0, 16_000)
        sources.append(source)
        source.open(queue, told)
        return source, told, queue

    yield open_one
    for source in sources:
        source.close()


def looked_after(opened, system):
    """What is told of a microphone of the system; it has been looked after three times."""
    asked = threading.Semaphore(0)
    system.default = lambda _kind: asked.release()
    _, told, _ = opened(system)
    for _ in range(3):
        assert asked.acquire(timeout=10.0)
    return told


@pytest.mark.parametrize(
    ("kind", "wanted", "name"),
    [
        ("microphone", "", "Built-in"),
        ("microphone", "yeti", "Blue Yeti"),
        ("microphone", "USB-YETI", "Blue Yeti"),
        ("microphone", "1", "Blue Yeti"),
        ("system", "", "Speakers"),
        ("system", "hp", "Headphones"),
    ],
)
def test_a_device_is_chosen_among_those_of_its_kind(opened, kind, wanted, name):
    source, _, _ = opened(FakeSystem(YETI, BUILT_IN, SPEAKERS, HEADPHONES), kind, wanted)

    assert (source.lane, source.name, source.rate, source.channels) == (kind, name, 16_000, 1)


def test_before_it_is_open_a_source_has_the_name_that_was_asked_for():
    assert DeviceSource("microphone").name == "default microphone"
    assert DeviceSource("system").name == "default computer sound"
    assert DeviceSource("system", "hp").name == "hp"


def test_an_output_is_no_microphone_and_the_nearest_is_offered(opened):
    with pytest.raises(CaptureError, match="no microphone named 'speakers'; the nearest is '"):
        opened(FakeSystem(YETI, SPEAKERS), "microphone", "speakers")
    with pytest.raises(CaptureError, match="no output named 'usb-spk'; the nearest is 'Speakers'"):
        opened(FakeSystem(YETI, SPEAKERS), "system", "usb-spk")


def test_without_an_output_what_to_do_is_said(opened):
    with pytest.raises(CaptureError, match=r"own sound cannot be heard: .*pulseaudio-utils"):
        opened(FakeSystem(YETI), "system")


def test_what_the_sound_system_says_of_the_device_is_passed_on_once(opened):
    system = FakeSystem(BUILT_IN)
    source, told, _ = opened(system)
    system.recordings[-1].trouble = "is gone"

    assert told.reason() == "The microphone 'Built-in' is gone."
    source.close()
    assert len(told.reasons) == 1
    assert system.recordings[-1].is_closed


def test_another_default_is_noticed_by_who_follows_it_alone(opened):
    system = FakeSystem(YETI, BUILT_IN)
    _, follows, _ = opened(system)
    _, keeps, _ = opened(system, wanted="pci")
    system.listed = (input_device("Blue Yeti", "usb-yeti", is_default=True), input_device("Built-in", "pci"))

    assert follows.reason() == "The microphone 'Built-in' is no longer the one that the system uses."
    assert keeps.reasons == []


def test_where_no_default_is_left_the_device_is_kept(opened, monkeypatch):
    monkeypatch.setattr(capture, "WATCH_S", 0.001)
    system = FakeSystem(BUILT_IN)
    told = looked_after(opened, system)

    assert told.reasons == []


def test_a_sound_system_that_stops_answering_is_a_reason(opened):
    system = FakeSystem(SPEAKERS)
    _, told, _ = opened(system, "system")
    system.refusal = "The sound server does not answer: restart it."

    assert told.reason() == "The sound server does not answer: restart it."


def test_computer_sound_that_delivers_nothing_is_silence_and_a_microphone_is_lost(opened, monkeypatch):
    monkeypatch.setattr(capture, "WATCH_S", 0.001)
    monkeypatch.setattr(capture, "START_S", 0.0)
    system = FakeSystem(BUILT_IN, SPEAKERS)
    _, idle, _ = opened(system, "system")
    _, told, _ = opened(system)

    assert told.reason() == "The microphone 'Built-in' has stopped delivering sound."
    assert idle.reasons == []


def test_a_microphone_may_take_long_to_begin_but_not_to_go_on(opened, monkeypatch):
    monkeypatch.setattr(capture, "WATCH_S", 0.001)
    monkeypatch.setattr(capture, "STALL_S", 0.0)
    monkeypatch.setattr(capture, "START_S", 1000.0)
    system = FakeSystem(BUILT_IN)
    told = looked_after(opened, system)
    assert told.reasons == []
    system.recordings[-1].feed.push(np.zeros((320, 1), np.int16))

    assert told.reason() == "The microphone 'Built-in' has stopped delivering sound."


def test_a_microphone_is_not_lost_because_the_program_stood_still(opened, monkeypatch):
    monkeypatch.setattr(capture, "WATCH_S", 0.001)
    monkeypatch.setattr(capture, "START_S", 0.0)
    monkeypatch.setattr(capture, "HELD_UP_S", 0.0)  # it does so all the time
    system = FakeSystem(BUILT_IN)
    told = looked_after(opened, system)

    assert told.reasons == []


def test_a_computer_that_slept_opens_its_devices_afresh(opened, monkeypatch):
    system = FakeSystem(BUILT_IN)
    source, told, _ = opened(system)
    monkeypatch.setattr(capture, "slept_s", lambda: 1e9)
    assert told.reason() == "The microphone 'Built-in' was interrupted: the computer was asleep."

    source.close()
    queue = AudioQueue(10.0, 16_000)
    source.open(queue, Told())
    system.recordings[-1].feed.push(np.zeros((320, 1), np.int16))
    assert queue.get(0.0).first == 0


def test_a_device_chosen_by_a_part_of_its_name_stays_the_one_while_it_is_there(opened):
    first, second = input_device("USB A", "usb-a"), input_device("USB B", "usb-b")
    system = FakeSystem(first, second)
    source, _, _ = opened(system, wanted="usb")
    source.close()
    system.listed = (second, first)
    source.open(AudioQueue(10.0, 16_000), Told())
    assert source.name == "USB A"
    source.close()
    system.listed = (second,)
    source.open(AudioQueue(10.0, 16_000), Told())
    assert source.name == "USB B"


def test_devices_are_looked_at_anew_at_each_opening(opened):
    system = FakeSystem(BUILT_IN)
    source, _, _ = opened(system)
    source.close()
    system.listed = ()
    with pytest.raises(CaptureError, match="No microphone was found"):
        source.open(AudioQueue(10.0, 16_000), Told())
    system.listed = (input_device("Headset", is_default=True),)
    source.open(AudioQueue(10.0, 16_000), Told())
    assert source.name == "Headset"
