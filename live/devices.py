"""Which sources of sound there are, by name.

In: nothing, or the name of an input as a person wrote it. Out: InputDevices as the sound system lists them, or the one
meant. Listening to one is the business of `live.capture`.
"""

from __future__ import annotations

import difflib

from live.errors import CaptureError
from live.sound_systems.base import DeviceKind, InputDevice, advice
from live.sound_systems.choice import sound_system

_NOTHING = {
    "microphone": {
        "linux": "No microphone was found: connect one, and see that the sound settings (or "
        "`pactl list short sources`) show it.",
        "darwin": "No microphone was found: connect one, and see that System Settings > Sound > Input shows it.",
        "win32": "No microphone was found: connect one, and see that Settings > System > Sound > Input shows it.",
    },
    "system": {
        "linux": "The computer's own sound cannot be heard: it takes a sound server (PipeWire with pipewire-pulse, or "
        "PulseAudio) that runs, and the package pulseaudio-utils.",
        "darwin": "The computer's own sound cannot be heard: it takes macOS 14.2 or later, or a virtual device such "
        "as BlackHole (`brew install blackhole-2ch`), chosen as the output beside the loudspeakers.",
        "win32": "The computer's own sound cannot be heard: no output was found. Connect one, and see that Settings > "
        "System > Sound > Output shows it.",
    },
}
_KINDS = {"microphone": "microphone", "system": "output"}
"""What a device is called that cannot be found."""


def input_devices(kind: DeviceKind = "microphone") -> tuple[InputDevice, ...]:
    """Every device of that kind, in the sound system's order; empty where there is none.

    Raises:
        CaptureError: the sound system does not answer, or something of it is missing.
    """
    return tuple(device for device in sound_system().devices() if device.kind == kind)


def find_input(wanted: str, devices: tuple[InputDevice, ...], kind: DeviceKind = "microphone") -> InputDevice:
    """The device a person means.

    Args:
        wanted: "" for the system's default, a number from the list, a name or a part of one; case does not matter.
            A name is what people or the system call it.
        devices: what there is, from `input_devices`.
        kind: of the devices.

    Raises:
        CaptureError: there is no device at all, or none of that name; the message offers the nearest.
    """
    if not devices:
        raise CaptureError(advice(_NOTHING[kind]))
    if wanted:
        matches = _matches(wanted.strip().casefold(), devices)
        if not matches:
            raise CaptureError(_unknown(wanted, devices, kind))
    else:
        matches = devices
    # One microphone is listed once for each host API on Windows: the default's entry is the one to take.
    return next((device for device in matches if device.is_default), matches[0])


def _matches(wanted: str, devices: tuple[InputDevice, ...]) -> tuple[InputDevice, ...]:
    """Devices of that number, else of exactly that name, else with it in their name."""
    tests = (
        lambda device: wanted == str(device.index),
        lambda device: wanted in (device.name.casefold(), device.key.casefold()),
        lambda device: wanted in device.name.casefold() or wanted in device.key.casefold(),
    )
    return next((found for test in tests if (found := tuple(filter(test, devices)))), ())


def _unknown(wanted: str, devices: tuple[InputDevice, ...], kind: DeviceKind) -> str:
    names = {word.casefold(): device.name for device in devices for word in (device.key, device.name) if word}
    nearest = difflib.get_close_matches(wanted.casefold(), names, n=1, cutoff=0.0)[0]
    what = _KINDS[kind]
    return f"There is no {what} named '{wanted}'; the nearest is '{names[nearest]}'. `tongchuan devices` lists all."
