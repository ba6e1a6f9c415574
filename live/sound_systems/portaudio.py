"""PortAudio: the microphones of every system that has nothing better here.

In: a device of PortAudio's list. Out: its sound, in blocks, from PortAudio's own thread.
PortAudio makes its list once; it is made anew where nothing of it is in use.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Protocol

import numpy as np

from live.audio import BLOCK_S
from live.errors import CaptureError
from live.sound_systems.base import CLOSE_S, DeviceKind, Feed, InputDevice, advice, refusal
from models.base import SAMPLE_RATE

_INSTALL = {
    "linux": "install it with `sudo apt install libportaudio2` (Debian, Ubuntu), "
    "`sudo dnf install portaudio` (Fedora) or `sudo pacman -S portaudio` (Arch)",
    "darwin": "reinstall the package that brings it: `pip install --force-reinstall sounddevice`",
    "win32": "reinstall the package that brings it: `pip install --force-reinstall sounddevice`",
}

_log = logging.getLogger(__name__)


def portaudio() -> ModuleType:
    """The sounddevice module, imported only here: importing it initialises PortAudio.

    Raises:
        CaptureError: the PortAudio library is missing or does not start.
    """
    try:
        return importlib.import_module("sounddevice")
    except OSError as error:
        raise CaptureError(f"The sound library PortAudio is missing: {advice(_INSTALL)}.") from error
    except Exception as error:  # sounddevice's own error type cannot be named: its module failed to import
        raise CaptureError(f"The sound library PortAudio does not start ({error}).") from error


class _Use:
    """How many have a stream open: while one has, PortAudio must not be started again."""

    def __init__(self) -> None:
        self._n = 0
        self._lock = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[None]:
        with self._lock:
            self._n += 1
        try:
            yield
        finally:
            with self._lock:
                self._n -= 1

    def renew(self, sounddevice: ModuleType) -> None:
        """Have PortAudio look for devices again, where that ends no stream."""
        with self._lock:
            if not self._n:
                sounddevice._terminate()
                sounddevice._initialize()


_use = _Use()
in_use = _use.hold
"""While its context lasts, PortAudio's list stays as it is: for whoever has a stream open."""


class PortAudioSystem:
    """Every input that PortAudio lists."""

    def devices(self) -> tuple[InputDevice, ...]:
        sounddevice = portaudio()
        try:
            _use.renew(sounddevice)
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

    def default(self, kind: DeviceKind) -> str | None:
        return None  # it is told only when the list is made

    def open(self, device: InputDevice, feed: Feed) -> PortAudioRecording:
        return PortAudioRecording(device, feed)

    def peak(self, device: InputDevice) -> float | None:
        return None  # it would have to be opened


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


class PortAudioRecording:
    """A stream in the first format that the device takes."""

    def __init__(self, device: InputDevice, feed: Feed) -> None:
        self._ended = threading.Event()
        self._stream: _Stream
        with ExitStack() as held:
            held.enter_context(in_use())
            self._open(device, feed)
            self._held = held.pop_all()

    def problem(self) -> str | None:
        return "is gone" if self._ended.is_set() else None

    def close(self) -> None:
        """Leave the stream behind where its sound server hangs, which PortAudio would wait for without end."""

        def shut() -> None:
            self._stream.abort()
            self._stream.close()
            self._held.close()

        closer = threading.Thread(target=shut, name="microphone closer", daemon=True)
        closer.start()
        closer.join(CLOSE_S)
        if closer.is_alive():
            _log.warning("the sound server does not answer: the microphone is left open")
            # When the program ends, sounddevice would wait for it as well, and the program never end.
            atexit.unregister(portaudio()._exit_handler)

    def _open(self, device: InputDevice, feed: Feed) -> None:
        sounddevice = portaudio()
        refusals = []
        for self.rate, self.channels in _formats(device):
            try:
                self._stream = self._started(sounddevice, device, feed)
            except sounddevice.PortAudioError as error:
                refusals.append(error)
            else:
                return
        raise CaptureError(refusal(device, refusals[-1])) from refusals[-1]

    def _started(self, sounddevice: ModuleType, device: InputDevice, feed: Feed) -> _Stream:
        """A running stream; raises PortAudioError where the device does not take the format."""
        stream: _Stream = sounddevice.RawInputStream(
            device=device.index,
            samplerate=self.rate,
            channels=self.channels,
            dtype="int16",
            blocksize=round(self.rate * BLOCK_S),
            callback=_Callback(feed, self.rate, self.channels),
            finished_callback=self._ended.set,
        )
        try:
            stream.start()
        except sounddevice.PortAudioError:
            stream.close()
            self._ended.clear()
            raise
        return stream


class _Callback:
    """Copies, stamps, appends, and keeps count. Runs on PortAudio's thread."""

    def __init__(self, feed: Feed, rate: int, channels: int) -> None:
        self._feed, self._rate, self._channels = feed, rate, channels
        self._next_adc_s = 0.0

    def __call__(self, data: memoryview, n_samples: int, times: _Times, status: _Status) -> None:
        n_missing = 0
        if status.input_overflow and self._next_adc_s:
            # What the device dropped still took its time.
            n_missing = max(0, round((times.inputBufferAdcTime - self._next_adc_s) * self._rate))
        self._feed.push(np.frombuffer(bytes(data), np.int16).reshape(n_samples, self._channels), n_missing)
        self._next_adc_s = times.inputBufferAdcTime + n_samples / self._rate


def _formats(device: InputDevice) -> Iterator[tuple[int, int]]:
    """(rate, channels) to try: what the session wants, then what the device has by itself."""
    yield SAMPLE_RATE, 1
    yield device.rate, 1
    yield device.rate, min(2, device.channels)
    yield device.rate, device.channels
