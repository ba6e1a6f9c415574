"""Windows: microphones, and the sound played on each output, through WASAPI. Never tried on a real Windows.

In: devices as SoundCard lists them, anew each time: PortAudio's list stands still while anything is open, so that no
change of the default would be seen. Out: their sound, converted by Windows to 16 kHz stereo.
An output that plays nothing delivers silence, which SoundCard puts where WASAPI has nothing.
"""

from __future__ import annotations

import functools
import importlib
import logging
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import numpy as np

from live.audio import BLOCK_S
from live.errors import CaptureError
from live.sound_systems.base import CLOSE_S, DeviceKind, Feed, InputDevice, pcm, refusal
from models.base import SAMPLE_RATE

PEAK_S = 0.25
"""How long a level is measured."""
CHANNELS = 2
"""SoundCard records garbage of a single one (its own list of known issues)."""
BUFFER_S = 0.5
"""What Windows keeps for a reader that is held up. Sound is handed over every 10 ms all the same."""
_BLOCK = round(SAMPLE_RATE * BLOCK_S)
_BUFFER = round(SAMPLE_RATE * BUFFER_S)
_FAILURES = (RuntimeError, AssertionError)
"""What SoundCard raises for what WASAPI refuses, and for a mix format that it does not know."""

_log = logging.getLogger(__name__)


class WindowsSystem:
    """WASAPI's active endpoints."""

    def devices(self) -> tuple[InputDevice, ...]:
        soundcard = _soundcard()
        defaults = {self.default("microphone"), self.default("system")}
        try:
            return tuple(
                InputDevice(
                    index=index,
                    name=found.name,
                    host_api="WASAPI",
                    channels=CHANNELS,
                    rate=SAMPLE_RATE,
                    is_default=found.id in defaults,
                    kind="system" if found.isloopback else "microphone",
                    key=found.id,
                )
                for index, found in enumerate(soundcard.all_microphones(include_loopback=True))
            )
        except _FAILURES as error:
            raise CaptureError(f"The sound devices cannot be listed ({error}).") from error

    def default(self, kind: DeviceKind) -> str | None:
        soundcard = _soundcard()
        try:
            found = soundcard.default_microphone() if kind == "microphone" else soundcard.default_speaker()
        except _FAILURES:
            return None  # there is none
        key: str = found.id
        return key

    def open(self, device: InputDevice, feed: Feed) -> WindowsRecording:
        return WindowsRecording(device, feed)

    def peak(self, device: InputDevice) -> float | None:
        try:
            with _recorder(device) as recorder:
                return float(np.abs(recorder.record(round(SAMPLE_RATE * PEAK_S))).max())
        except _FAILURES:
            return None


class WindowsRecording:
    """One thread that reads a device."""

    rate = SAMPLE_RATE
    channels = CHANNELS

    def __init__(self, device: InputDevice, feed: Feed) -> None:
        self._feed = feed
        self._is_closing = threading.Event()
        self._ended = threading.Event()
        self._held = ExitStack()
        try:
            self._recorder = self._held.enter_context(_recorder(device))
        except _FAILURES as error:
            raise CaptureError(refusal(device, error)) from error
        self._reader = threading.Thread(target=self._read, name=f"reader {device.kind}", daemon=True)
        self._reader.start()

    def problem(self) -> str | None:
        return "is gone" if self._ended.is_set() else None

    def close(self) -> None:
        self._is_closing.set()
        self._reader.join(CLOSE_S)

    def _read(self) -> None:
        try:
            with self._held:
                while not self._is_closing.is_set():
                    self._feed.push(pcm(self._recorder.record(_BLOCK)))
        except _FAILURES as error:
            _log.info("a device ended: %s", error)
        finally:
            self._ended.set()


def _recorder(device: InputDevice) -> Any:  # noqa: ANN401 - SoundCard has no types
    """A context whose value records; raises what is in _FAILURES."""
    found = next(
        (each for each in _soundcard().all_microphones(include_loopback=True) if each.id == device.key),
        None,
    )
    if found is None:
        raise RuntimeError("it is gone")
    return found.recorder(SAMPLE_RATE, channels=CHANNELS, blocksize=_BUFFER)


@functools.cache
def _soundcard() -> ModuleType:
    """The module, imported by a thread that stays.

    Importing it joins COM's multithreaded apartment, which every other thread then uses too, and which lasts as long as
    a thread is in it. The main thread cannot be the one: Qt puts it into an apartment of its own.
    """
    module: Future[ModuleType] = Future()

    def stay() -> None:
        try:
            module.set_result(importlib.import_module("soundcard"))
        except Exception as error:  # noqa: BLE001 - around one job: whoever asked is told
            module.set_exception(error)
        else:
            threading.Event().wait()

    threading.Thread(target=stay, name="sound system", daemon=True).start()
    try:
        return module.result()
    except (ImportError, OSError, *_FAILURES) as error:
        raise CaptureError(
            f"Windows' sound cannot be reached ({error}): `pip install --force-reinstall soundcard`."
        ) from error
