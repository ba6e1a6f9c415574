"""The system's own sound output.

In: samples at 16 kHz, a few at a time. Out: sound. Which samples, and when, is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import numpy as np
import soxr

from live.errors import PlaybackError
from live.sound_systems.base import advice
from live.sound_systems.portaudio import in_use, portaudio
from models.base import SAMPLE_RATE, Samples

_CONNECT_ONE = {
    "linux": "connect one, and see that the sound settings (or `pactl list short sinks`) show it",
    "darwin": "connect one, and see that System Settings > Sound > Output shows it",
    "win32": "connect one, and see that Settings > System > Sound > Output shows it",
}


class Loudspeaker:
    """Open from its making until it is closed; used from one thread.

    Raises:
        CaptureError: PortAudio is missing.
        PlaybackError: there is no output, or it cannot be opened.
    """

    def __init__(self) -> None:
        with ExitStack() as held:
            held.enter_context(in_use())
            self._open()
            self._held = held.pop_all()

    def _open(self) -> None:
        sounddevice = portaudio()
        self._error: type[Exception] = sounddevice.PortAudioError
        try:
            device = sounddevice.query_devices(kind="output")
        except (sounddevice.PortAudioError, ValueError) as error:
            raise PlaybackError(f"There is no loudspeaker or headphone: {advice(_CONNECT_ONE)}.") from error
        self._name = str(device["name"])
        self._stream, rate, self._channels = self._opened(sounddevice, device)
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, rate, 1, "float32") if rate != SAMPLE_RATE else None

    def write(self, samples: Samples) -> None:
        """Take (n,) float32 in [-1, 1] at 16 kHz; returns when there is room for more.

        Raises:
            PlaybackError: the output is gone.
        """
        self._write(samples, is_last=False)

    def close(self, *, at_once: bool) -> None:
        """End it, after what was written was heard or at once.

        Raises:
            PlaybackError: the output was gone before the last was heard.
        """
        try:
            if at_once:
                self._stream.abort()
            else:
                self._write(np.zeros(0, np.float32), is_last=True)
                self._stream.stop()
        except self._error as error:
            raise self._lost(error) from error
        finally:
            self._stream.close()
            self._held.close()

    def _write(self, samples: Samples, *, is_last: bool) -> None:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=is_last)
        pcm = np.round(samples.clip(-1.0, 1.0) * 32_767).astype(np.int16)
        try:
            self._stream.write(np.repeat(pcm, self._channels).tobytes())
        except self._error as error:
            raise self._lost(error) from error

    def _opened(self, sounddevice: ModuleType, device: dict[str, Any]) -> tuple[Any, int, int]:
        """A running stream, its rate and channels.

        Raises:
            PlaybackError: it takes neither our format nor its own.
        """
        refusal: Exception | None = None
        for rate, channels in _formats(device):
            try:
                stream = sounddevice.RawOutputStream(samplerate=rate, channels=channels, dtype="int16")
                stream.start()
            except self._error as error:
                refusal = error
            else:
                return stream, rate, channels
        raise PlaybackError(
            f"The sound output '{self._name}' cannot be opened ({refusal}): choose another in the system's settings."
        ) from refusal

    def _lost(self, error: Exception) -> PlaybackError:
        return PlaybackError(f"The sound output '{self._name}' is gone ({error}).")


def _formats(device: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """(rate, channels) to try: what there is to play, then what the device has by itself."""
    yield SAMPLE_RATE, 1
    yield round(device["default_samplerate"]), min(2, device["max_output_channels"])
