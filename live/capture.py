"""Where sound comes from: what every source has, and the microphone.

In: the name of a device. Out: AudioBlocks in an AudioQueue, and one call of `lost` when the device is gone.
Resampling and voice activity are not its business; files are read by `live.audio_file`.
"""

from __future__ import annotations

import atexit
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Literal, Protocol

import numpy as np

from live.audio import BLOCK_S, AudioBlock, Lane
from live.devices import InputDevice, advice, find_input, input_devices, portaudio
from live.errors import CaptureError
from live.queues import AudioQueue
from models.base import SAMPLE_RATE

STALL_S = max(10 * BLOCK_S, 0.5)
"""No callback for so long: the device hangs, though PortAudio calls it active."""
START_S = 3.0
"""How long the first callback may take; Bluetooth headsets need about two seconds."""
CLOSE_S = 2.0
"""How long a stream may take to close."""
_WATCH_S = 0.1

DeviceKind = Literal["microphone", "system"]
"""What a device hears: a room, or what the computer itself plays."""

Lost = Callable[[str], None]
"""Told once, from a source's own thread, why no more sound comes; the session then closes the source."""

_log = logging.getLogger(__name__)

_ALLOW = {
    "linux": "add yourself to the group `audio`, or allow the microphone for this Flatpak or Snap",
    "darwin": "allow this terminal or Python in System Settings > Privacy & Security > Microphone",
    "win32": "allow desktop apps in Settings > Privacy & security > Microphone",
}
_REFUSED = re.compile(r"permission denied|access is denied|access denied|not permitted|unauthori[sz]ed|0x80070005")
_BUSY = re.compile(r"busy|device unavailable|in use|0x8889000a")


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
        input_name: as `live.devices.find_input` takes it; "" is the system's default.
    """
    return Microphone(input_name) if kind == "microphone" else _NoSystemSound()


class _NoSystemSound:
    """Computer sound where it cannot be listened to."""

    lane: Lane = "system"
    name = "computer sound"
    is_live = True
    rate = 0
    channels = 0

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        raise CaptureError("The computer's own sound cannot be listened to here: choose a microphone.")

    def close(self) -> None:
        """Nothing is open."""


class Microphone:
    """An input device, through PortAudio."""

    lane: Lane = "microphone"
    is_live = True

    def __init__(self, input_name: str = "") -> None:
        """Args: input_name: as `live.devices.find_input` takes it; "" is the system's default."""
        self.name = input_name or "default microphone"
        self.rate = 0
        self.channels = 0
        self._wanted = input_name
        self._stream: _Stream | None = None
        self._queue: AudioQueue | None = None
        self._watch: threading.Thread | None = None
        self._is_closing = False

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        device = find_input(self._wanted, input_devices())
        self._is_closing = False
        feed = self._start(device, queue)
        self.name, self._queue = device.name, queue
        _log.info("microphone %r: %d Hz, %d channels", device.name, self.rate, self.channels)
        self._watch = threading.Thread(target=self._run_watch, args=(feed, lost), name="watchdog", daemon=True)
        self._watch.start()

    def close(self) -> None:
        if self._stream is None or self._queue is None:
            return
        self._is_closing = True
        stream, self._stream = self._stream, None
        _shut(stream)
        self._queue.close()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()

    def _start(self, device: InputDevice, queue: AudioQueue) -> _Feed:
        """Open the device in the first format it takes; sets rate and channels.

        Raises:
            CaptureError: it takes none.
        """
        sounddevice = portaudio()
        refusals = []
        for rate, channels in _formats(device):
            feed = _Feed(queue, rate, channels)
            try:
                self._stream = _started(sounddevice, device, feed)
            except sounddevice.PortAudioError as error:
                refusals.append(error)
            else:
                self.rate, self.channels = rate, channels
                return feed
        raise CaptureError(_refusal(device.name, str(refusals[-1]))) from refusals[-1]

    def _run_watch(self, feed: _Feed, lost: Lost) -> None:
        """Notice that the stream ended, or that a stream called active delivers nothing."""
        while not feed.ended.wait(_WATCH_S):
            if time.monotonic() > feed.due_s:
                lost(f"The microphone '{self.name}' has stopped delivering sound.")
                return
        if not self._is_closing:
            lost(f"The microphone '{self.name}' is gone.")


class _Stream(Protocol):
    """What is used of sounddevice.RawInputStream."""

    def start(self) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...


class _Times(Protocol):
    """What PortAudio says about a block's time, on the device's clock."""

    inputBufferAdcTime: float  # noqa: N815 - PortAudio's name


class _Status(Protocol):
    """What PortAudio says happened before a block."""

    input_overflow: bool


class _Feed:
    """The stream's callback: copies, stamps, appends, and keeps count. Runs on PortAudio's thread."""

    def __init__(self, queue: AudioQueue, rate: int, channels: int) -> None:
        self.due_s = time.monotonic() + START_S
        """By when the next callback is expected."""
        self.ended = threading.Event()
        """The stream ended, by itself or because it was closed."""
        self.rate = rate
        self.channels = channels
        self._queue = queue
        self._next = 0
        self._next_adc_s = 0.0

    def __call__(self, data: memoryview, n_samples: int, times: _Times, status: _Status) -> None:
        now_s = time.monotonic()
        if status.input_overflow and self._next_adc_s:
            # What the device dropped still took its time.
            self._next += max(0, round((times.inputBufferAdcTime - self._next_adc_s) * self.rate))
        samples = np.frombuffer(bytes(data), np.int16).reshape(n_samples, self.channels)
        self._queue.offer(AudioBlock("microphone", samples, self._next, now_s))
        self._next += n_samples
        self._next_adc_s = times.inputBufferAdcTime + n_samples / self.rate
        self.due_s = now_s + STALL_S


def _started(sounddevice: ModuleType, device: InputDevice, feed: _Feed) -> _Stream:
    """A running stream; raises PortAudioError where the device does not take the feed's format."""
    stream: _Stream = sounddevice.RawInputStream(
        device=device.index,
        samplerate=feed.rate,
        channels=feed.channels,
        dtype="int16",
        blocksize=round(feed.rate * BLOCK_S),
        callback=feed,
        finished_callback=feed.ended.set,
    )
    try:
        stream.start()
    except sounddevice.PortAudioError:
        stream.close()
        raise
    return stream


def _shut(stream: _Stream) -> None:
    """Close a stream; leave it behind where its sound server hangs, which PortAudio would wait for without end."""

    def shut() -> None:
        stream.abort()
        stream.close()

    closer = threading.Thread(target=shut, name="microphone closer", daemon=True)
    closer.start()
    closer.join(CLOSE_S)
    if closer.is_alive():
        _log.warning("the sound server does not answer: the microphone is left open")
        # When the program ends, sounddevice would wait for it as well, and the program never end.
        atexit.unregister(portaudio()._exit_handler)


def _formats(device: InputDevice) -> Iterator[tuple[int, int]]:
    """(rate, channels) to try: what the session wants, then what the device has by itself."""
    yield SAMPLE_RATE, 1
    yield device.rate, 1
    yield device.rate, min(2, device.channels)
    yield device.rate, device.channels


def _refusal(name: str, error: str) -> str:
    """What a refused microphone's owner should do."""
    text = error.casefold()
    if _REFUSED.search(text):
        return f"The microphone '{name}' may not be used: {advice(_ALLOW)}."
    another = "name another with --input (`tongchuan devices` lists them)"
    if _BUSY.search(text):
        return f"The microphone '{name}' is in use by another program: close that one, or {another}."
    return f"The microphone '{name}' cannot be opened ({error}): {another}."
