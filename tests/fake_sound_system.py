"""A sound system that has the devices it is given, and does to them what the test says."""

from __future__ import annotations

from live.errors import CaptureError
from live.sound_systems.base import InputDevice


def input_device(name, key="", *, index=0, kind="microphone", is_default=False):
    return InputDevice(index, name, "fake", 1, 16_000, is_default, kind, key or name)


class FakeRecording:
    rate = 16_000
    channels = 1

    def __init__(self, device, feed):
        self.device = device
        self.feed = feed
        self.trouble = None
        self.is_closed = False

    def problem(self):
        return self.trouble

    def close(self):
        self.is_closed = True


class FakeSystem:
    """`listed` may be changed, and `refusal` set to have every question refused."""

    def __init__(self, *devices):
        self.listed = devices
        self.recordings = []
        self.refusal = None

    def devices(self):
        if self.refusal:
            raise CaptureError(self.refusal)
        return self.listed

    def default(self, kind):
        return next((device.key for device in self.devices() if device.is_default and device.kind == kind), None)

    def open(self, device, feed):
        self.recordings.append(FakeRecording(device, feed))
        return self.recordings[-1]

    def peak(self, device):
        return 0.5
