"""A private PulseAudio server with null sinks for microphones: what is played into one is what its microphone hears.

Needs the packages pulseaudio, pulseaudio-utils, libasound2-plugins and libportaudio2; no sound card, no root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

MICROPHONE = "mic"
"""The server's and PortAudio's name for what is played into the sink of the same purpose."""
_SINK = "vmic"
_START_S = 20.0
_NEEDED = ("pulseaudio", "pactl", "paplay")
_ALSA = f"""
</usr/share/alsa/alsa.conf>
pcm.{MICROPHONE} {{ type pulse device {MICROPHONE} hint {{ show on description "Test microphone" }} }}
pcm.!default {{ type pulse }}
"""


def missing() -> list[str]:
    """The commands this needs and the system has not."""
    return [command for command in _NEEDED if shutil.which(command) is None]


class PulseServer:
    """The server, while the context lasts; programs started with `env` see it and nothing else."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pulse"))  # private, and short enough for a socket's path
        self.env = os.environ | {
            "PULSE_RUNTIME_PATH": str(self._folder),
            "PULSE_SERVER": f"unix:{self._folder}/native",
            "PULSE_COOKIE": str(self._folder / "cookie"),
            "ALSA_CONFIG_PATH": str(self._folder / "alsa.conf"),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PulseServer:
        (self._folder / "alsa.conf").write_text(_ALSA)
        self.start()
        return self

    def start(self) -> None:
        """Start the server, again where it was killed, with one microphone, which is the default."""
        native = f"module-native-protocol-unix socket={self._folder}/native auth-anonymous=1"
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no"]
        for module in (native, _sink(_SINK), _microphone(MICROPHONE, _SINK), "module-always-sink"):
            command += ["-L", module]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        self._wait_until_ready()
        self.control("set-default-source", MICROPHONE)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def play(self, path: Path, sink: str = _SINK) -> None:
        """Play a sound file into the microphone or another sink, to its end."""
        subprocess.run(["paplay", f"--device={sink}", str(path)], env=self.env, check=True, timeout=120)

    def plug(self, microphone: str, sink: str = _SINK) -> None:
        """Connect a microphone that hears what is played into the sink."""
        self.control("load-module", *_microphone(microphone, sink).split())

    def unplug(self, microphone: str) -> None:
        """Disconnect a microphone, and wait until the server has."""
        self._unload(f"source_name={microphone} ")

    def plug_output(self, sink: str) -> None:
        """Connect an output."""
        self.control("load-module", *_sink(sink).split())

    def unplug_output(self, sink: str) -> None:
        """Disconnect an output, and wait until the server has."""
        self._unload(f"sink_name={sink} ")

    def move_recordings(self, source: str) -> None:
        """Have whoever records hear another source, as a volume control can."""
        for line in self.control("list", "short", "source-outputs").splitlines():
            number, _source, _client, driver = line.split()[:4]
            if driver.startswith("protocol-native"):
                self.control("move-source-output", number, source)

    def waits_for_recordings_of(self, source: str, n: int) -> None:
        """Wait until so many recordings, those of virtual microphones among them, hear a source."""
        numbers = {line.split()[1]: line.split()[0] for line in self.control("list", "short", "sources").splitlines()}
        deadline_s = time.monotonic() + _START_S
        while (heard := self._heard_sources()).count(numbers[source]) != n:
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"Of {numbers}, recordings hear {heard}")
            time.sleep(0.05)

    def control(self, *arguments: str) -> str:
        """What pactl answers."""
        ran = subprocess.run(
            ["pactl", *arguments], env=self.env, check=True, timeout=20, capture_output=True, text=True
        )
        return ran.stdout

    def stall(self) -> None:
        """Stop the server without a word, as a suspended device does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a stalled server go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the server at once; nothing where it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _heard_sources(self) -> list[str]:
        return [line.split()[1] for line in self.control("list", "short", "source-outputs").splitlines()]

    def _unload(self, argument: str) -> None:
        for line in self.control("list", "short", "modules").splitlines():
            if argument in line:
                self.control("unload-module", line.split()[0])

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _START_S
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True, timeout=20, check=False).returncode:
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"PulseAudio did not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.05)


def _sink(name: str) -> str:
    # Without norewinds the sink renders two seconds at once, and the beginning of what is played is lost.
    return f"module-null-sink sink_name={name} norewinds=1 rate=48000 sink_properties=device.description=Output-{name}"


def _microphone(name: str, sink: str) -> str:
    described = f"source_properties=device.description=Microphone-{name}"
    return f"module-remap-source source_name={name} master={sink}.monitor {described}"
