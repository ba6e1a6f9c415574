"""`tongchuan doctor`: one line a check, ok or not, and what to do; what a bug report needs.

Each check stands alone: whatever one meets, the others go on. torch, Qt and PortAudio are asked in processes of their
own: each may end the process that loads it, or hang with it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import os
import platform
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from live.errors import LiveError, unworded
from models.base import Failed, ModelError, Ready
from ui.commands.options import Commands, add_command, load_settings, resolve_model
from ui.saying import say

if TYPE_CHECKING:
    from live.sound_check import Heard
    from live.sound_systems.base import DeviceKind

PROBE_TIMEOUT_S = 60.0

log = logging.getLogger(__name__)

_LIBRARIES = ("torch", "transformers", "PySide6-Essentials", "av", "onnxruntime", "sounddevice", "numpy")
_TORCH = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "build": torch.version.cuda, "gpu": torch.cuda.get_device_name(0) if cuda else None,
    "memory": torch.cuda.get_device_properties(0).total_memory if cuda else 0,
    "mps": torch.backends.mps.is_available(),
}))
"""
_QT = """
import json
from PySide6.QtCore import qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
app = QGuiApplication([])
fonts = QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese)
print(json.dumps({"version": qVersion(), "fonts": fonts}))
"""
_PORTAUDIO = """
import json
from live.errors import CaptureError
from live.sound_systems.portaudio import portaudio
try:
    print(json.dumps({"version": portaudio().get_portaudio_version()[1]}))
except CaptureError as error:
    print(json.dumps({"missing": str(error)}))
"""


class NotOk(Exception):  # noqa: N818 - a finding, not a failure
    """What a check found wrong, and what to do."""


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    add_command(
        commands,
        "doctor",
        run,
        "check what works here, and say what to do about the rest",
        detail="One line a check. Add what it prints to a bug report: it holds no sound, no text and no secrets.",
        examples=("tongchuan doctor", "tongchuan doctor --model FOLDER --device cuda"),
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it; a finding is no failure, so the status is 0."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("program", _program),
        ("libraries", _libraries),
        ("settings", lambda: _settings(arguments)),
        ("log", _log),
        ("processor", _processor),
        ("graphics", _graphics),
        ("model", lambda: _model(arguments)),
        ("fits", lambda: _fitting(arguments)),
        ("sound", _sound),
        ("microphone", lambda: _microphone(arguments)),
        ("computer", lambda: _computer_sound(arguments)),
        ("screen", _screen),
        ("fonts", _fonts),
        ("network", _network),
    )
    for name, check in checks:
        is_ok, text = _outcome(check)
        print(f"{'ok' if is_ok else 'NOT OK':6}  {name:10}  {text}", flush=True)
    return 0


def _outcome(check: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, check()
    except (NotOk, LiveError, ModelError) as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - around one job: the other checks go on
        log.error("a check failed:\n%s", unworded(error))
        return False, f"the check itself failed ({type(error).__name__}: {error}); the log has the details"


def _program() -> str:
    version = importlib.metadata.version("tongchuan")
    return f"tongchuan {version}, Python {platform.python_version()} in {sys.prefix}, {platform.platform()}"


def _libraries() -> str:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        raise NotOk(f"missing: {', '.join(missing)}. Install the program again: `pip install .` in its folder.")
    return ", ".join(found)


def _settings(arguments: argparse.Namespace) -> str:
    from live.settings import settings_path

    _, origins = load_settings(arguments)
    path = settings_path()
    changed = [f"{key} ({origin})" for key, origin in origins.items() if origin != "default"]
    return f"{path}{'' if path.exists() else ' (does not exist)'}; changed: {', '.join(changed) or 'nothing'}"


def _log() -> str:
    from ui.logs import log_path

    path = log_path()
    if not os.access(path, os.W_OK):
        raise NotOk(f"{path} cannot be written: allow it, so that defects can be looked into.")
    return str(path)


def _processor() -> str:
    cores = os.cpu_count() or 1
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    memory = f", {pages / 1e9:.0f} GB of memory" if pages else ""
    return f"{platform.machine()}, {cores} cores{memory}"


def _graphics() -> str:
    facts = _probe(_TORCH, "torch")
    if facts["gpu"]:
        return f"{facts['gpu']}, {facts['memory'] / 1e9:.0f} GB, CUDA {facts['build']}"
    if facts["mps"]:
        return "Apple GPU (mps)"
    has_driver = shutil.which("nvidia-smi") is not None
    if has_driver and facts["build"] is None:
        raise NotOk(
            "an NVIDIA driver is here, but torch is built for the processor alone: install a CUDA build of it in this "
            f"environment, `{sys.executable} -m pip install --force-reinstall torch --index-url URL` with the URL that "
            "https://pytorch.org/get-started/locally names for your system"
        )
    if has_driver:
        raise NotOk(f"an NVIDIA driver is here, but torch (CUDA {facts['build']}) finds no GPU: update the driver")
    return "none: the processor computes"


def _model(arguments: argparse.Namespace) -> str:
    from models.worker import ModelWorker
    from ui.logs import model_log_path

    settings, _ = load_settings(arguments)
    entry = resolve_model(settings, may_ask=False)
    began_s = time.monotonic()
    with ModelWorker(entry.factory, log_path=str(model_log_path())) as worker:
        while (left_s := began_s + PROBE_TIMEOUT_S - time.monotonic()) > 0:
            try:
                reply = worker.replies.get(timeout=left_s)
            except queue.Empty:
                break
            if isinstance(reply, Ready):
                size = f", {entry.size_bytes / 1e6:.0f} MB" if entry.size_bytes else ""
                loaded_s = time.monotonic() - began_s
                return f"{entry.name}{size}, loads in {loaded_s:.1f} s on {reply.capabilities.device}"
            if isinstance(reply, Failed):
                raise reply.error
    raise NotOk(f"{entry.name} did not load within {PROBE_TIMEOUT_S:.0f} s")


def _fitting(arguments: argparse.Namespace) -> str:
    from models.catalogue import EMBEDDED, large
    from models.choice import fit_text, fits
    from models.memory import NoGpu, find_gpu

    settings, _ = load_settings(arguments)
    gpu = find_gpu(settings.device)
    entries = large(settings.device)
    if isinstance(gpu, NoGpu):
        return f"{EMBEDDED}; the larger models need a GPU, and {gpu.reason}"
    fitting = [entry.name + ("" if entry.is_here else " (not here)") for entry in entries if fits(entry, gpu)]
    others = {fit_text(entry, gpu) for entry in entries if not fits(entry, gpu)}
    return "; ".join([", ".join([EMBEDDED, *fitting]), *(f"another {text}" for text in sorted(others))])


def _network() -> str:
    from models.download import endpoint

    return f"used only to fetch a model that you ask for, from {endpoint()}"


def _sound() -> str:
    from live.devices import find_input, input_devices

    devices = input_devices()
    chosen = find_input("", devices)
    facts = _probe(_PORTAUDIO, "PortAudio")
    missing = facts.get("missing")
    output = f"nothing can be replayed: {missing}" if missing else f"replays through {facts['version'].split(',')[0]}"
    return f"microphones: {len(devices)}, by default '{chosen.name}' ({chosen.host_api}); {output}"


def _microphone(arguments: argparse.Namespace) -> str:
    from live.hearing import advice, likely_cause

    heard, name, form = _listen(arguments, "microphone")
    cause = None if heard.has_speech else likely_cause(heard.loudest_dbfs)
    if cause in ("silent", "faint"):
        raise NotOk(f"{advice('microphone', cause, name, heard.loudest_dbfs)} ({form})")
    said = "speech heard" if heard.has_speech else "sound, but no speech" if cause else "nobody spoke"
    return f"'{name}' ({form}), {_levels(heard)}, {said} in {heard.seconds:.0f} s"


def _computer_sound(arguments: argparse.Namespace) -> str:
    from live.hearing import SILENT_DBFS

    heard, name, form = _listen(arguments, "system")
    if heard.loudest_dbfs < SILENT_DBFS:
        return f"'{name}' ({form}), silent: nothing plays, it plays on another output, or listening is not allowed"
    said = "speech heard" if heard.has_speech else "no speech"
    return f"'{name}' ({form}), {_levels(heard)}, {said} in {heard.seconds:.0f} s"


def _levels(heard: Heard) -> str:
    return f"{heard.loudest_dbfs:.0f} dBFS at most, noise {heard.noise_dbfs:.0f} dBFS"


def _listen(arguments: argparse.Namespace, kind: DeviceKind) -> tuple[Heard, str, str]:
    """What a device hears for a moment, its name, and its form."""
    from live.capture import open_source
    from live.sound_check import LISTEN_S, listen
    from live.vad import make_detector

    settings, _ = load_settings(arguments)
    source = open_source(kind, settings.input if kind == "microphone" else settings.output)
    if kind == "microphone" and sys.stderr.isatty():
        say(f"Listening for {LISTEN_S:.0f} s: say something.")
    heard = listen(source, make_detector(settings.detector))
    if not heard.seconds and kind == "microphone":
        raise NotOk(f"'{source.name}' opens but delivers no sound: see that no other program holds it")
    return heard, source.name, f"{source.rate} Hz, {source.channels} channel{'s' if source.channels > 1 else ''}"


def _screen() -> str:
    from ui.screen import qt_platform, screen_problem

    if problem := screen_problem():
        raise NotOk(problem)
    desktop = os.environ.get("XDG_CURRENT_DESKTOP", "")
    session = os.environ.get("XDG_SESSION_TYPE", "")
    words = [word for word in (qt_platform() or sys.platform, desktop, session) if word]
    return f"Qt platform {', '.join(words)}"


def _fonts() -> str:
    facts = _probe(_QT, "Qt", QT_QPA_PLATFORM="offscreen")
    if not facts["fonts"]:
        raise NotOk("no font with Chinese characters: install one, such as `sudo apt install fonts-noto-cjk`")
    return f"Qt {facts['version']}, {len(facts['fonts'])} with Chinese characters, such as {facts['fonts'][0]}"


def _probe(code: str, library: str, **environment: str) -> dict[str, Any]:
    """Run a few lines in a process of their own and return the JSON object they print last.

    Raises:
        NotOk: the library cannot be loaded.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotOk(f"{library} did not answer within {PROBE_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise NotOk(f"{library} cannot be loaded ({last}): install the program again, `pip install .` in its folder")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts
