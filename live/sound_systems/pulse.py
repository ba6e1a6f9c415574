"""Linux: the microphones of a PulseAudio or PipeWire server, and the sound played on each of its outputs.

In: a device of the server, by the server's own name. Out: its sound, through a child process, `parec`, of the package
pulseaudio-utils. A child can be ended whatever the server does, and says which device it hears; libpulse in this
process, as PortAudio and SoundCard use it, waits for a hung server without end or takes the program down with it.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

from live.audio import BLOCK_S
from live.errors import CaptureError
from live.sound_systems.base import CLOSE_S, START_S, DeviceKind, Feed, InputDevice, called, refusal
from live.sound_systems.pulse_server import ANSWER_S, NoServerError, Pulse, Server, shared
from models.base import SAMPLE_RATE

PEAK_S = 0.25
"""How long a level is measured."""
LATENCY_MS = 20
"""Asked of the server."""
FETCH_MS = 10
"""How often it is to hand sound over."""
SUSPENDED_S = 0.3
"""A microphone still suspended so long after it was opened stays so."""
_POLL_S = 0.02
_RECORDER = "parec"
_MARK = "tongchuan.recording"
"""The property by which a stream of ours is found among the server's."""
_BLOCK_BYTES = round(SAMPLE_RATE * BLOCK_S) * 2

_log = logging.getLogger(__name__)


class PulseSystem:
    """The sound server that this process finds."""

    def __init__(self, server: Server | None = None) -> None:
        self._server = server or shared()

    def is_here(self) -> bool:
        """Whether there is a server, and what is needed to listen to it; one that was here and ended counts.

        Raises:
            CaptureError: there is one, and it does not answer.
        """
        if shutil.which(_RECORDER) is None or not _has_library():
            return False
        try:
            return self._server.has_answered or bool(self._server.ask(lambda pulse: pulse.connected))
        except NoServerError:
            return False

    def devices(self) -> tuple[InputDevice, ...]:
        return self._server.ask(_listed)

    def default(self, kind: DeviceKind) -> str | None:
        return next((device.key for device in self.devices() if device.is_default and device.kind == kind), None)

    def open(self, device: InputDevice, feed: Feed) -> PulseRecording:
        recording = PulseRecording(self._server, device, feed)
        try:
            recording.wait_for_sound()
        except BaseException:
            recording.close()
            raise
        return recording

    def peak(self, device: InputDevice) -> float | None:
        peak: float = self._server.ask(lambda pulse: pulse.get_peak_sample(device.key, PEAK_S), PEAK_S + ANSWER_S)
        return peak


@dataclass(frozen=True, slots=True)
class _Found:
    """What the server knows of a recording of ours."""

    heard: InputDevice | None
    """The device that it hears by now; None where the server does not know the recording."""
    is_suspended: bool
    """That device sleeps."""
    is_there: bool
    """The device that it was to hear is still one of the server's."""
    is_taken_along: bool
    """It hears the server's default source, to which the server takes whoever heard the one before."""


class PulseRecording:
    """One `parec`."""

    rate = SAMPLE_RATE
    channels = 1

    def __init__(self, server: Server, device: InputDevice, feed: Feed) -> None:
        self._server, self._device, self._feed = server, device, feed
        self._mark = uuid.uuid4().hex
        self._ended = threading.Event()
        try:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in the terminal is for the program, which ends it in order
            )
        except OSError as error:
            raise CaptureError(f"{called(device)} cannot be opened: `{_RECORDER}` does not start ({error}).") from error
        self._reader = threading.Thread(target=self._read, name=f"reader {device.kind}", daemon=True)
        self._reader.start()

    def wait_for_sound(self) -> None:
        """Return once the server lets us hear the device, and a microphone has begun to deliver.

        Raises:
            CaptureError: it does not, or the device is suspended.
        """
        began_s = time.monotonic()
        while not self._feed.has_begun and not (
            self._device.kind == "system" and self._server.ask(self._find).heard is not None
        ):
            waited_s = time.monotonic() - began_s
            if self._ended.wait(_POLL_S):
                raise CaptureError(self._refusal())
            if waited_s > SUSPENDED_S and (problem := self.problem()) is not None:
                raise CaptureError(f"{called(self._device)} {problem}.")
            if waited_s > START_S:
                raise CaptureError(f"{called(self._device)} delivers nothing: see that nothing else holds it.")

    def problem(self) -> str | None:
        if self._ended.is_set():
            return "is gone"
        try:
            found = self._server.ask(self._find)
            if found.is_there and found.is_taken_along and self._server.ask(self._move_back):
                _log.info("%s is heard again: the sound server had moved to its new default", called(self._device))
                return None
        except NoServerError:
            return "is gone: the sound server has ended"
        except CaptureError:
            return "is silent: the sound server does not answer"
        return self._judged(found)

    def close(self) -> None:
        self._process.kill()
        self._reader.join(CLOSE_S)
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            _log.warning("%s does not end", _RECORDER)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _command(self) -> list[str]:
        return [
            _RECORDER,
            f"--device={self._device.key}",
            f"--rate={SAMPLE_RATE}",
            "--channels=1",
            "--format=s16le",
            "--raw",
            f"--latency-msec={LATENCY_MS}",
            f"--process-time-msec={FETCH_MS}",
            "--client-name=Tongchuan",
            "--stream-name=Live translation",
            f"--property={_MARK}={self._mark}",
        ]

    def _read(self) -> None:
        assert self._process.stdout is not None
        while len(data := self._process.stdout.read(_BLOCK_BYTES)) == _BLOCK_BYTES:
            self._feed.push(np.frombuffer(data, np.int16).reshape(-1, self.channels))
        self._ended.set()

    def _find(self, pulse: Pulse) -> _Found:
        listed, sources = {device.index: device for device in _listed(pulse)}, pulse.source_list()
        stream = self._stream(pulse)
        number = -1 if stream is None else stream.source
        heard = listed.get(number)
        return _Found(
            heard=heard,
            is_suspended=any(source.index == number and source.state == "suspended" for source in sources),
            is_there=any(device.key == self._device.key for device in listed.values()),
            is_taken_along=heard is not None
            and heard.key != self._device.key
            and heard.key == pulse.server_info().default_source_name,
        )

    def _move_back(self, pulse: Pulse) -> bool:
        """Have the server let us hear our device again; it then leaves us there. False where it does not."""
        import pulsectl

        stream = self._stream(pulse)
        device = next((device for device in _listed(pulse) if device.key == self._device.key), None)
        if stream is None or device is None:
            return False
        try:
            pulse.source_output_move(stream.index, device.index)
        except pulsectl.PulseOperationFailed:
            return False
        return True

    def _stream(self, pulse: Pulse) -> Any:  # noqa: ANN401 - pulsectl has no types
        """What the server knows of us; None where it does not."""
        ours = (output for output in pulse.source_output_list() if output.proplist.get(_MARK) == self._mark)
        return next(ours, None)

    def _judged(self, found: _Found) -> str | None:
        if not found.is_there:
            return "is gone"
        if found.heard is not None and found.heard.key != self._device.key:
            by = (
                "the system's new default"
                if found.heard.is_default
                else "to which the sound server moved the recording"
            )
            return f"gave way to '{found.heard.name}', {by}"
        if found.is_suspended and self._device.kind == "microphone":
            return "is suspended: wait, or wake it in the sound settings"
        return None

    def _refusal(self) -> str:
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else "no reason was given"
        return refusal(self._device, reason)


def _has_library() -> bool:
    try:
        import pulsectl  # noqa: F401 - it looks for libpulse
    except OSError:
        return False
    return True


def _listed(pulse: Pulse) -> tuple[InputDevice, ...]:
    server, outputs = pulse.server_info(), {sink.name: sink.description for sink in pulse.sink_list()}
    return tuple(
        InputDevice(
            index=source.index,
            name=outputs.get(source.monitor_of_sink_name, source.description),
            host_api=server.server_name,
            channels=source.channel_count,
            rate=source.sample_spec.rate,
            is_default=source.name == server.default_source_name
            if source.monitor_of_sink_name is None
            else source.monitor_of_sink_name == server.default_sink_name,
            kind="microphone" if source.monitor_of_sink_name is None else "system",
            key=source.name,
        )
        for source in pulse.source_list()
    )
