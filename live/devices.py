"""Which sources of sound there are, by name.

In: nothing, or the name of an input as a person wrote it. Out: InputDevices as PortAudio lists them, or the one meant.
Opening one is the business of `live.capture`.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from dataclasses import dataclass
from types import ModuleType

from live.errors import CaptureError

_INSTALL_PORTAUDIO = {
    "linux": "install it with `sudo apt install libportaudio2` (Debian, Ubuntu), "
    "`sudo dnf install portaudio` (Fedora) or `sudo pacman -S portaudio` (Arch)",
    "darwin": "reinstall the package that brings it: `pip install --force-reinstall sounddevice`",
    "win32": "reinstall the package that brings it: `pip install --force-reinstall sounddevice`",
}
_CONNECT_ONE = {
    "linux": "connect one, and see that the sound settings (or `pactl list short sources`) show it",
    "darwin": "connect one, and see that System Settings > Sound > Input shows it",
    "win32": "connect one, and see that Settings > System > Sound > Input shows it",
}


@dataclass(frozen=True, slots=True)
class InputDevice:
    """One thing to listen to."""

    index: int
    """PortAudio's own number, good until it is initialised again."""
    name: str
    host_api: str
    channels: int
    """As many as it has."""
    rate: int
    """Its default sample rate."""
    is_default: bool


def portaudio() -> ModuleType:
    """The sounddevice module, imported only here: importing it initialises PortAudio.

    Raises:
        CaptureError: the PortAudio library is missing or does not start.
    """
    try:
        return importlib.import_module("sounddevice")
    except OSError as error:
        raise CaptureError(f"The sound library PortAudio is missing: {advice(_INSTALL_PORTAUDIO)}.") from error
    except Exception as error:  # sounddevice's own error type cannot be named: its module failed to import
        raise CaptureError(f"The sound library PortAudio does not start ({error}).") from error


def input_devices() -> tuple[InputDevice, ...]:
    """Every device that sound can be recorded from, in PortAudio's order; empty where there is none.

    Raises:
        CaptureError: PortAudio is missing or cannot list devices.
    """
    sounddevice = portaudio()
    try:
        devices = sounddevice.query_devices()
        host_apis = sounddevice.query_hostapis()
    except sounddevice.PortAudioError as error:
        raise CaptureError(f"The sound devices cannot be listed ({error}).") from error
    default = sounddevice.default.device[0]
    return tuple(
        InputDevice(
            index=device["index"],
            name=device["name"],
            host_api=host_apis[device["hostapi"]]["name"],
            channels=device["max_input_channels"],
            rate=round(device["default_samplerate"]),
            is_default=device["index"] == default,
        )
        for device in devices
        if device["max_input_channels"] > 0
    )


def find_input(wanted: str, devices: tuple[InputDevice, ...]) -> InputDevice:
    """The device a person means.

    Args:
        wanted: "" for the system's default, a number from the list, a name or a part of one; case does not matter.
        devices: what there is, from `input_devices`.

    Raises:
        CaptureError: there is no device at all, or none of that name; the message offers the nearest.
    """
    if not devices:
        raise CaptureError(f"No microphone was found: {advice(_CONNECT_ONE)}.")
    if wanted:
        matches = _matches(wanted.strip().casefold(), devices)
        if not matches:
            raise CaptureError(_unknown(wanted, devices))
    else:
        matches = devices
    # One microphone is listed once for each host API on Windows: the default's entry is the one to take.
    return next((device for device in matches if device.is_default), matches[0])


def advice(lines: dict[str, str]) -> str:
    """The line for the system this runs on; Linux's where there is none."""
    return lines.get(sys.platform, lines["linux"])


def _matches(wanted: str, devices: tuple[InputDevice, ...]) -> tuple[InputDevice, ...]:
    """Devices of that number, else of exactly that name, else with it in their name."""
    tests = (
        lambda device: wanted == str(device.index),
        lambda device: wanted == device.name.casefold(),
        lambda device: wanted in device.name.casefold(),
    )
    return next((found for test in tests if (found := tuple(filter(test, devices)))), ())


def _unknown(wanted: str, devices: tuple[InputDevice, ...]) -> str:
    names = {device.name.casefold(): device.name for device in devices}
    nearest = difflib.get_close_matches(wanted.casefold(), names, n=1, cutoff=0.0)[0]
    return f"There is no microphone named '{wanted}'; the nearest is '{names[nearest]}'. `tongchuan devices` lists all."
