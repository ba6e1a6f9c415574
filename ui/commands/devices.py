"""`tongchuan devices`: print the microphones by the names that --input takes."""

from __future__ import annotations

import argparse

from ui.commands.options import Commands, add_command


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    add_command(
        commands,
        "devices",
        run,
        "list the microphones and other sound inputs",
        detail="A name, or any part of it, is what --input takes; --device is the compute device, not a sound one.",
        examples=("tongchuan devices", 'tongchuan listen --input "USB"'),
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        CaptureError: PortAudio is missing or fails, or there is no input.
    """
    from live.devices import find_input, input_devices

    devices = input_devices()
    find_input("", devices)  # says what to do where there is none
    width = max(len(device.name) for device in devices)
    for device in devices:
        mark = "*" if device.is_default else " "
        channels = "mono" if device.channels == 1 else f"{device.channels} channels"
        print(f"{mark} {device.index:3}  {device.name:{width}}  {device.host_api}, {device.rate} Hz, {channels}")
    print("\n* is what is listened to unless --input or the setting 'input' names another.")
    return 0
