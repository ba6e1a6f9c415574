"""`tongchuan devices`: print the microphones and outputs by the names that --input and --output take, with a level."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from ui.commands.options import Commands, add_command

if TYPE_CHECKING:
    from live.sound_systems.base import InputDevice, SoundSystem

METER_CELLS = 10
METER_FLOOR_DBFS = -60.0
"""The quietest that shows in a meter."""


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    add_command(
        commands,
        "devices",
        run,
        "list what can be listened to: microphones, and the computer's own sound",
        detail="A name, or any part of it, is what --input takes for a microphone and --output for computer sound; "
        "--device is the compute device, not a sound one.",
        examples=("tongchuan devices", 'tongchuan listen --input "USB"'),
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        CaptureError: nothing can be listened to, or the sound system fails.
    """
    from live.devices import find_input
    from live.sound_systems.choice import sound_system

    system = sound_system()
    devices = system.devices()
    for kind, title in (("microphone", "Microphones"), ("system", "Computer sound")):
        listed = tuple(device for device in devices if device.kind == kind)
        if kind == "microphone":
            find_input("", listed or devices)  # says what to do where there is nothing at all
        if listed:
            print(title)
            _print(listed, system)
    print("\n* is listened to unless --input or --output, or the setting of that name, names another.")
    return 0


def _print(devices: tuple[InputDevice, ...], system: SoundSystem) -> None:
    from rich.cells import cell_len, set_cell_size

    names = [_shown_name(device, devices) for device in devices]
    width = max(map(cell_len, names))
    for name, device in zip(names, devices, strict=True):
        mark = "*" if device.is_default else " "
        channels = "mono" if device.channels == 1 else f"{device.channels} channels"
        form = f"{device.host_api}, {device.rate} Hz, {channels}"
        print(f"{mark} {device.index:3}  {set_cell_size(name, width)}  {_meter(system.peak(device))}{form}", flush=True)


def _shown_name(device: InputDevice, devices: tuple[InputDevice, ...]) -> str:
    """Its name; of two of the same name also what the system calls it."""
    is_only = [other.name for other in devices].count(device.name) == 1
    return device.name if is_only or not device.key else f"{device.name} ({device.key})"


def _meter(peak: float | None) -> str:
    """A level as ten cells and dB of full scale; nothing where it is not known."""
    if peak is None:
        return ""
    dbfs = 20 * math.log10(peak) if peak > 0 else -math.inf
    n_lit = round(METER_CELLS * min(1.0, max(0.0, 1 - dbfs / METER_FLOOR_DBFS)))
    text = "silent" if dbfs < METER_FLOOR_DBFS else f"{dbfs:.0f} dB"
    return f"{'█' * n_lit}{'·' * (METER_CELLS - n_lit)} {text:>6}  "
