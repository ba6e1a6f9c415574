"""A sounddevice module that is told which devices there are, what they refuse, and what they deliver."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np


class PortAudioError(Exception):
    pass


def device(index, name, *, channels=1, rate=48_000, host_api=0):
    return {
        "index": index,
        "name": name,
        "hostapi": host_api,
        "max_input_channels": channels,
        "max_output_channels": 2,
        "default_samplerate": float(rate),
    }


class FakePortAudio:
    """Stands in for the module `sounddevice`; the streams it opened are in `streams`."""

    PortAudioError = PortAudioError

    def __init__(self, *devices, default=0, refuse=lambda rate, channels: None, refuse_start=None, list_error=None):
        self.default = SimpleNamespace(device=[default, -1])
        self.streams = []
        self.n_lists = 0
        self._devices = devices
        self._refuse = refuse
        self._refuse_start = refuse_start
        self._list_error = list_error

    def _exit_handler(self):
        """What sounddevice does when the program ends."""

    def _terminate(self):
        assert all(stream.state in ("opened", "closed") for stream in self.streams), "this would end a stream"
        self.n_lists += 1

    def _initialize(self):
        """It looks for devices."""

    def query_devices(self):
        if self._list_error:
            raise PortAudioError(self._list_error)
        return self._devices

    def query_hostapis(self):
        return ({"name": "ALSA"}, {"name": "JACK"})

    def RawInputStream(self, **options):  # noqa: N802
        refusal = self._refuse(options["samplerate"], options["channels"])
        if refusal:
            raise PortAudioError(refusal)
        self.streams.append(FakeStream(options, self._refuse_start))
        return self.streams[-1]


class FakeStream:
    """A stream that delivers when the test says so."""

    def __init__(self, options, refuse_start):
        self.options = options
        self.state = "opened"
        self.answers = threading.Event()
        """Clear while the sound server does not answer."""
        self.answers.set()
        self._refuse_start = refuse_start
        self._adc_s = 5.0

    def start(self):
        if self._refuse_start:
            raise PortAudioError(self._refuse_start)
        self.state = "started"

    def abort(self):
        self.answers.wait()
        self.state = "aborted"
        self.options["finished_callback"]()

    def close(self):
        self.state = "closed"

    def deliver(self, samples, *, late_s=0.0, overflowed=False):
        """Call the callback with (n, channels) int16, that much later on the device's clock than the last ended."""
        self._adc_s += late_s
        times = SimpleNamespace(inputBufferAdcTime=self._adc_s)
        status = SimpleNamespace(input_overflow=overflowed)
        buffer = bytearray(np.ascontiguousarray(samples).tobytes())
        self.options["callback"](memoryview(buffer), len(samples), times, status)
        buffer[:] = bytes(len(buffer))  # as PortAudio does, which uses it again
        self._adc_s += len(samples) / self.options["samplerate"]

    def vanish(self):
        """What PortAudio does when the device goes away."""
        self.options["finished_callback"]()
