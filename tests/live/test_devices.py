import sys

import pytest
from fake_portaudio import FakePortAudio, device

from live.devices import InputDevice, find_input, input_devices
from live.errors import CaptureError
from live.sound_systems import portaudio as portaudio_module


def listed(name, index=0, *, is_default=False):
    return InputDevice(index, name, "ALSA", 1, 48_000, is_default)


DEVICES = (
    listed("HDA Intel PCH", 0),
    listed("Blue Yeti", 3, is_default=True),
    listed("USB Webcam", 5),
    listed("USB Headset", 6),
)


def test_only_devices_that_record_are_listed_and_the_default_is_marked(monkeypatch):
    fake = FakePortAudio(
        device(0, "Speakers", channels=0), device(1, "Yeti", channels=2, rate=44_100, host_api=1), default=1
    )
    monkeypatch.setitem(sys.modules, "sounddevice", fake)

    assert input_devices() == (InputDevice(1, "Yeti", "JACK", 2, 44_100, True),)


def test_without_a_device_the_list_is_empty(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(default=-1))

    assert input_devices() == ()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", "Blue Yeti"),
        ("blue yeti", "Blue Yeti"),
        ("YETI", "Blue Yeti"),
        ("5", "USB Webcam"),
        ("usb", "USB Webcam"),
        ("headset", "USB Headset"),
        (" Headset ", "USB Headset"),
    ],
)
def test_a_device_is_found_by_number_name_or_part_of_a_name(wanted, found):
    assert find_input(wanted, DEVICES).name == found


def test_of_devices_that_fit_the_default_is_taken():
    twice = (listed("Yeti", 0), listed("Yeti", 1, is_default=True), listed("Yeti", 2))

    assert find_input("yeti", twice).index == 1


def test_a_whole_name_goes_before_a_part_of_another():
    assert find_input("mic", (listed("mic array"), listed("mic"))).name == "mic"


def test_without_a_default_the_first_device_is_taken():
    assert find_input("", (listed("A"), listed("B"))).name == "A"


def test_an_unknown_device_is_refused_with_the_nearest_name():
    with pytest.raises(CaptureError, match="no microphone named 'blu yetti'; the nearest is 'Blue Yeti'"):
        find_input("blu yetti", DEVICES)


@pytest.mark.parametrize(
    ("system", "place"), [("linux", "pactl"), ("darwin", "System Settings"), ("win32", "Settings")]
)
def test_no_microphone_at_all_says_what_to_do_on_this_system(monkeypatch, system, place):
    monkeypatch.setattr(sys, "platform", system)

    with pytest.raises(CaptureError, match=f"No microphone was found: connect one.*{place}"):
        find_input("yeti", ())


def failing_import(monkeypatch, error):
    def fail(name):
        assert name == "sounddevice"
        raise error

    monkeypatch.setattr(portaudio_module.importlib, "import_module", fail)


@pytest.mark.parametrize(
    ("system", "remedy"),
    [("linux", "sudo apt install libportaudio2"), ("darwin", "pip install"), ("win32", "pip install")],
)
def test_a_missing_portaudio_is_named_with_what_to_install(monkeypatch, system, remedy):
    monkeypatch.setattr(sys, "platform", system)
    failing_import(monkeypatch, OSError("PortAudio library not found"))

    with pytest.raises(CaptureError, match=f"PortAudio is missing: .*{remedy}"):
        input_devices()


def test_a_portaudio_that_does_not_start_is_no_traceback(monkeypatch):
    failing_import(monkeypatch, RuntimeError("Unanticipated host error"))

    with pytest.raises(CaptureError, match=r"PortAudio does not start \(Unanticipated host error\)"):
        input_devices()


def test_a_portaudio_that_cannot_list_devices_is_no_traceback(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(list_error="Device unavailable"))

    with pytest.raises(CaptureError, match=r"cannot be listed \(Device unavailable\)"):
        input_devices()
