"""Where sound comes from: what every source has, and the sources that are devices.

In: the name of a device. Out: AudioBlocks in an AudioQueue, and one call of `lost` when the device is gone.
How a device is listened to is the business of `live.sound_systems`; resampling and voice activity are nobody's here;
files are read by `live.audio_file`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from live.audio import LANE_NAMES, Lane
from live.devices import find_input
from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_systems.base import STALL_S, START_S, DeviceKind, Feed, InputDevice, Recording, SoundSystem, called
from live.sound_systems.choice import sound_system
from live.sound_systems.sleep import slept_s

WATCH_S = 0.2
"""How often a device is looked after."""
HELD_UP_S = 0.4
"""Where looking after a device took so long, the program stood still, and with it whoever takes the sound."""
SLEPT_S = 1.0
"""A sleep shorter than this is none."""

Lost = Callable[[str], None]
"""Told once, from a source's own thread, why no more sound comes; the session then closes the source."""

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Something that delivers sound of one lane."""

    @property
    def lane(self) -> Lane: ...

    @property
    def name(self) -> str:
        """As shown to people; of a device, its own name once it is open."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether it keeps to the clock. Where not, it waits for whoever is behind and nobody needs partials."""
        ...

    @property
    def rate(self) -> int:
        """Samples a second in its blocks, once it is open."""
        ...

    @property
    def channels(self) -> int:
        """Columns of its blocks, once it is open."""
        ...

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        """Start delivering blocks into `queue`, from a thread of its own.

        Raises:
            CaptureError: it cannot be opened.
        """
        ...

    def close(self) -> None:
        """Stop, and close the queue; nothing where it is closed already. A source may be opened again."""
        ...


def open_source(kind: DeviceKind, input_name: str = "") -> Source:
    """A device to listen to; it is looked for each time it is opened, and not before.

    Args:
        kind: also the lane its sound is on.
        input_name: as `live.devices.find_input` takes it; "" is the system's default, and followed when that changes.
            Of computer sound it is the output's.
    """
    return DeviceSource(kind, input_name)


class DeviceSource:
    """A device, looked after until it is closed or lost.

    Args:
        kind: also the lane.
        wanted: see `open_source`.
        system: finds the sound system, each time the source is opened.
    """

    is_live = True

    def __init__(self, kind: DeviceKind, wanted: str = "", system: Callable[[], SoundSystem] | None = None) -> None:
        self.lane: DeviceKind = kind
        self.name = wanted or f"default {LANE_NAMES[kind]}"
        self.rate = 0
        self.channels = 0
        self._wanted = wanted
        self._find_system = system or sound_system
        self._last_key = ""
        self._recording: Recording | None = None
        self._queue: AudioQueue | None = None
        self._watch: threading.Thread | None = None
        self._is_closing = threading.Event()

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        system = self._find_system()
        device = self._found(system.devices())
        feed = Feed(self.lane, queue)
        self._recording = recording = system.open(device, feed)
        self._queue, self._last_key = queue, device.key
        self.name, self.rate, self.channels = device.name, recording.rate, recording.channels
        _log.info("%s %r: %d Hz, %d channels", LANE_NAMES[self.lane], self.name, self.rate, self.channels)
        self._is_closing = threading.Event()
        watch = _Watch(system, device, recording, feed, follows_default=not self._wanted)
        self._watch = threading.Thread(
            target=watch.run, args=(self._is_closing, lost), name=f"watchdog {self.lane}", daemon=True
        )
        self._watch.start()

    def close(self) -> None:
        if self._recording is None or self._queue is None:
            return
        self._is_closing.set()
        recording, self._recording = self._recording, None
        recording.close()
        self._queue.close()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()

    def _found(self, devices: tuple[InputDevice, ...]) -> InputDevice:
        """The device meant: one that was chosen by a part of its name stays the same one while it is there."""
        mine = tuple(device for device in devices if device.kind == self.lane)
        if self._wanted and self._last_key:
            for device in mine:
                if device.key == self._last_key:
                    return device
        return find_input(self._wanted, mine, self.lane)


class _Watch:
    """Sees what becomes of a device. Nothing of it is called by the device's own thread."""

    def __init__(
        self, system: SoundSystem, device: InputDevice, recording: Recording, feed: Feed, *, follows_default: bool
    ) -> None:
        self._system, self._device, self._recording, self._feed = system, device, recording, feed
        self._follows_default = follows_default
        self._slept_s = slept_s()

    def run(self, is_closing: threading.Event, lost: Lost) -> None:
        asked_s = time.monotonic()
        while not is_closing.wait(WATCH_S):
            reason = self._reason(was_held_up=time.monotonic() - asked_s > HELD_UP_S)
            asked_s = time.monotonic()
            if reason is not None:
                if not is_closing.is_set():  # closing it is not losing it
                    lost(reason)
                return

    def _reason(self, *, was_held_up: bool) -> str | None:
        """Why no more of its sound comes; None while all is well."""
        if slept_s() - self._slept_s > SLEPT_S:
            return f"{called(self._device)} was interrupted: the computer was asleep."
        problem = self._recording.problem()
        if problem is None and not was_held_up and self._is_stalled():
            problem = "has stopped delivering sound"
        if problem is not None:
            return f"{called(self._device)} {problem}."
        return self._new_default() if self._follows_default else None

    def _is_stalled(self) -> bool:
        limit_s = STALL_S if self._feed.has_begun else START_S
        return self._device.kind == "microphone" and time.monotonic() - self._feed.last_s > limit_s

    def _new_default(self) -> str | None:
        try:
            key = self._system.default(self._device.kind)
        except CaptureError as error:
            return str(error)
        if not (key and self._device.key) or key == self._device.key:
            return None
        return f"{called(self._device)} is no longer the one that the system uses."
