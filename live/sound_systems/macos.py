"""macOS: microphones through PortAudio, and what outputs play through Core Audio taps. Never tried on a real Mac.

In: devices as PortAudio and catap list them. Out: their sound. Taps need macOS 14.2; before, a virtual device that
something plays into, such as BlackHole, stands for the computer's sound.
Whoever may not record the computer's sound is given digital silence: that is told from an output that plays nothing.
"""

from __future__ import annotations

import importlib
import logging
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from live.errors import CaptureError
from live.sound_systems.base import DeviceKind, Feed, InputDevice, Recording, pcm, refusal
from live.sound_systems.portaudio import PortAudioSystem

TAP = "Core Audio tap"
"""How a tapped output is said to be reached."""
SILENT_S = 5.0
"""Digital silence for so long while some program plays means that the permission is missing."""
_VIRTUAL = re.compile(r"blackhole|loopback|soundflower|vb-cable|background music", re.IGNORECASE)
"""Virtual devices that are both an output and an input."""
_NOT_ALLOWED = (
    "has been silent while some program played: if you heard it, allow this terminal or Python in System Settings > "
    "Privacy & Security > Screen & System Audio Recording, under System Audio Recording Only, then start it again"
)
"""A guess: what plays may be on another output, or a meeting in which everybody is muted."""

_SAMPLES: Mapping[tuple[str, int], tuple[type[np.number[Any]], float]] = {
    ("float", 32): (np.float32, 1.0),
    ("signed_integer", 16): (np.int16, 2.0**15),
    ("signed_integer", 32): (np.int32, 2.0**31),
}
"""How numpy reads what a tap delivers, and what is full scale there."""

_FAILURES = (OSError, LookupError, ValueError, RuntimeError)
"""What catap raises for what Core Audio refuses, devices it does not find, and formats it does not take."""

_log = logging.getLogger(__name__)


class MacSystem:
    """Core Audio."""

    def __init__(self) -> None:
        self._portaudio = PortAudioSystem()
        self._catap = _catap()

    def devices(self) -> tuple[InputDevice, ...]:
        inputs = self._portaudio.devices()
        if self._catap is None:
            return tuple(replace(each, kind="system") if _VIRTUAL.search(each.name) else each for each in inputs)
        found = self._found(self._catap)
        uids = {each.name: each.uid for each in found if each.input_streams}
        return (*(replace(each, key=uids.get(each.name, "")) for each in inputs), *_outputs(found))

    def default(self, kind: DeviceKind) -> str | None:
        if self._catap is None:
            return None
        for each in self._found(self._catap):
            if each.is_default_input if kind == "microphone" else each.is_default_output:
                return str(each.uid)
        return None

    def open(self, device: InputDevice, feed: Feed) -> Recording:
        if self._catap is None or device.host_api != TAP:
            return self._portaudio.open(device, feed)
        return TapRecording(self._catap, device, feed)

    def peak(self, device: InputDevice) -> float | None:
        return self._portaudio.peak(device)

    def _found(self, catap: ModuleType) -> list[Any]:
        """Raises CaptureError."""
        try:
            return list(catap.list_audio_devices())
        except OSError as error:
            raise CaptureError(f"The sound devices cannot be listed ({error}).") from error


class TapRecording:
    """One session of catap; its sound comes from catap's own thread."""

    def __init__(self, catap: ModuleType, device: InputDevice, feed: Feed) -> None:
        self._catap, self._feed, self._key = catap, feed, device.key
        self._silent_since_s = time.monotonic()
        try:
            self._session = catap.record_device(device.key, on_buffer=self._take)
        except _FAILURES as error:
            raise CaptureError(refusal(device, error)) from error
        try:
            self._session.start()
            form = self._session.stream_format
        except _FAILURES as error:
            self.close()  # catap may hold on to a tap that it could not start
            raise CaptureError(refusal(device, error)) from error
        if _sample_form(form) not in _SAMPLES:
            self.close()
            raise CaptureError(refusal(device, f"samples of {form.bits_per_sample} bits"))
        self.rate = round(form.sample_rate)
        self.channels = form.num_channels

    def problem(self) -> str | None:
        if self._session.capture_failed or not self._is_there():
            return "is gone"
        if not self._session.captured_only_silence or not self._something_plays():
            self._silent_since_s = time.monotonic()
        return _NOT_ALLOWED if time.monotonic() - self._silent_since_s > SILENT_S else None

    def close(self) -> None:
        try:
            self._session.close()
        except (OSError, RuntimeError) as error:
            _log.warning("a tap did not close: %s", error)

    def _is_there(self) -> bool:
        """A tap of an output that was unplugged may live on and deliver nothing."""
        try:
            return self._catap.find_audio_device_by_uid(self._key) is not None
        except OSError:
            return False

    def _something_plays(self) -> bool:
        try:
            return any(process.is_outputting for process in self._catap.list_audio_processes())
        except OSError:
            return False

    def _take(self, buffer: Any) -> None:  # noqa: ANN401 - catap's AudioBuffer, whose types exist on macOS only
        form = buffer.format
        dtype, full_scale = _SAMPLES[_sample_form(form)]
        samples = pcm(np.frombuffer(buffer.data, dtype).astype(np.float32) / full_scale)
        self._feed.push(samples.reshape(-1, form.num_channels))


def _sample_form(form: Any) -> tuple[str, int]:  # noqa: ANN401 - catap's AudioStreamFormat
    return form.sample_type, form.bits_per_sample


def _catap() -> ModuleType | None:
    """The package; None where it is not there, or macOS is too old for it."""
    try:
        return importlib.import_module("catap")
    except (ImportError, OSError):
        return None


def _outputs(found: Iterable[Any]) -> Iterable[InputDevice]:
    for each in found:
        if each.output_streams:
            stream = each.output_streams[0]
            yield InputDevice(
                index=each.audio_object_id,
                name=each.name,
                host_api=TAP,
                channels=stream.num_channels,
                rate=round(stream.sample_rate),
                is_default=each.is_default_output,
                kind="system",
                key=each.uid,
            )
