"""What every sound system offers, and the one way in which its sound reaches a session.

In: a device chosen from a list. Out: a Recording that pushes blocks into a Feed, and says what became of the device.
Which device is meant, when to close and whom to tell is the business of `live.capture`.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from live.audio import AudioBlock
from live.queues import AudioQueue

DeviceKind = Literal["microphone", "system"]
"""What a device hears, which is also its lane: a room, or what the computer itself plays."""

STALL_S = 0.5
"""A microphone that delivers nothing for so long hangs, whatever its sound system says."""
START_S = 3.0
"""How long a microphone's first block may take; Bluetooth headsets need about two seconds."""
CLOSE_S = 2.0
"""How long a recording may take to close; one that hangs is left behind."""


_ALLOW = {
    "linux": "add yourself to the group `audio`, or allow the microphone for this Flatpak or Snap",
    "darwin": "allow this terminal or Python in System Settings > Privacy & Security > Microphone",
    "win32": "allow desktop apps in Settings > Privacy & security > Microphone",
}
_REFUSED = re.compile(r"permission denied|access is denied|access denied|not permitted|unauthori[sz]ed|0x80070005")
_BUSY = re.compile(r"busy|device unavailable|in use|0x8889000a")


@dataclass(frozen=True, slots=True)
class InputDevice:
    """One thing to listen to."""

    index: int
    """The sound system's own number, good until devices come or go."""
    name: str
    """As people know it."""
    host_api: str
    """Through which system it is reached."""
    channels: int
    """As many as it has."""
    rate: int
    """Its own sample rate."""
    is_default: bool
    """The one of its kind that the system itself uses."""
    kind: DeviceKind = "microphone"
    key: str = ""
    """What the system itself calls it, where that is not its name; the same when it comes back."""


class Feed:
    """Where a recording puts its sound: keeps count of samples and stamps blocks. One thread pushes at a time."""

    def __init__(self, kind: DeviceKind, queue: AudioQueue) -> None:
        self.last_s = time.monotonic()
        """When sound came last; before any has, when the feed was made."""
        self.has_begun = False
        """Sound has come."""
        self._kind: DeviceKind = kind
        self._queue = queue
        self._next = 0

    def push(self, samples: NDArray[np.int16], n_missing: int = 0) -> None:
        """Take a block; for an audio callback: no lock, no wait.

        Args:
            samples: (n, channels), not to be changed afterwards.
            n_missing: samples that the device dropped before these; they still took their time.
        """
        now_s = time.monotonic()
        self._next += n_missing
        self._queue.offer(AudioBlock(self._kind, samples, self._next, now_s))
        self._next += len(samples)
        self.last_s, self.has_begun = now_s, True


class Recording(Protocol):
    """A device that is being listened to; made by `SoundSystem.open`."""

    @property
    def rate(self) -> int:
        """Samples a second."""
        ...

    @property
    def channels(self) -> int:
        """Columns of its blocks."""
        ...

    def problem(self) -> str | None:
        """Why its sound is no longer the device's, such as "is gone"; None while all is well.

        Asked a few times a second, by one thread; answers within half a second.
        """
        ...

    def close(self) -> None:
        """Push no more; returns within CLOSE_S whatever the sound system does."""
        ...


class SoundSystem(Protocol):
    """What of an operating system delivers sound."""

    def devices(self) -> tuple[InputDevice, ...]:
        """Everything that can be listened to now, of both kinds; empty where there is nothing.

        Raises:
            CaptureError: the system does not answer, or something of it is missing.
        """
        ...

    def default(self, kind: DeviceKind) -> str | None:
        """The key of the default device of that kind now; None where there is none, or where it cannot be told.

        Raises:
            CaptureError: the system does not answer.
        """
        ...

    def open(self, device: InputDevice, feed: Feed) -> Recording:
        """Listen to a device; where it is a microphone, returns once it is sure to deliver or has been given START_S.

        Raises:
            CaptureError: it cannot be opened.
        """
        ...

    def peak(self, device: InputDevice) -> float | None:
        """The loudest sample of a moment, 0 to 1; None where it cannot be told. Takes a quarter of a second."""
        ...


def called(device: InputDevice) -> str:
    """A device as the subject of a sentence."""
    return f"The microphone '{device.name}'" if device.kind == "microphone" else f"The sound of '{device.name}'"


def pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples in [-1, 1] as 16 bits; what is beyond is clipped."""
    return np.round(samples.clip(-1.0, 1.0) * 32_767).astype(np.int16)


def refusal(device: InputDevice, error: object) -> str:
    """What the owner of a device should do that cannot be opened, from what its sound system says of it."""
    text = str(error).casefold()
    if _REFUSED.search(text):
        return f"{called(device)} may not be used: {advice(_ALLOW)}."
    another = "name another (`tongchuan devices` lists them)"
    if _BUSY.search(text):
        return f"{called(device)} is in use by another program: close that one, or {another}."
    return f"{called(device)} cannot be opened ({error}): {another}."


def advice(lines: Mapping[str, str]) -> str:
    """The line for the system this runs on; Linux's where there is none."""
    return lines.get(sys.platform, lines["linux"])
