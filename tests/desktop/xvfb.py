"""A screen without hardware: Xvfb with a window manager and a compositor, and a picture of what is on it.

In: a size. Out: a display to start programs on. Nothing of the machine's own screen is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("Xvfb", "openbox", "picom", "xdotool", "import", "xprop", "xsetroot", "xrandr")
DEADLINE_S = 20.0
POLL_S = 0.05


def missing_programs() -> list[str]:
    """What would have to be installed (`make test-desktop` does)."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def wait_until(condition: Callable[[], bool], what: str, within_s: float = DEADLINE_S) -> None:
    """Wait for something outside this process; fails when the time is over."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {within_s:.0f} s"
        time.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class XScreen:
    """A running display."""

    display: str

    @property
    def environment(self) -> dict[str, str]:
        """For programs that shall appear on it."""
        inherited = {
            key: value for key, value in os.environ.items() if key not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")
        }
        return inherited | {"DISPLAY": self.display}

    def run(self, *command: str) -> str:
        """Run an X program to its end; return what it printed."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.strip()

    def screenshot(self, path: Path) -> bytes:
        """Take a picture once the screen stands still; return its pixels as well."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shots = [b"", b"-"]

        def stands_still() -> bool:
            self.run("import", "-window", "root", "-depth", "8", str(path))
            shots[:] = [shots[1], self.pixels(path)]
            return shots[0] == shots[1]

        wait_until(stands_still, "a still screen")
        return shots[1]

    def pixels(self, path: Path) -> bytes:
        """Read a picture as RGB bytes."""
        command = ["convert", str(path), "-depth", "8", "rgb:-"]
        return subprocess.run(command, capture_output=True, timeout=30, check=True).stdout


@contextmanager
def x_screen(size: str = "1280x720") -> Iterator[XScreen]:
    """Start a display with openbox and picom; everything ends with the block."""
    with ExitStack() as stack:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-noreset", "-nolisten", "tcp"]
        stack.enter_context(_running([*command, "+extension", "RANDR", "+extension", "Composite"], pass_fds=(write,)))
        os.close(write)
        with os.fdopen(read) as numbers:
            screen = XScreen(f":{numbers.readline().strip()}")
        screen.run("xsetroot", "-solid", "#35506b")
        stack.enter_context(_running(["openbox", "--config-file", "/etc/xdg/openbox/rc.xml"], env=screen.environment))
        wait_until(lambda: "window id" in screen.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "a window manager")
        picom = ["picom", "--backend", "xrender", "--config", "/dev/null"]
        stack.enter_context(_running(picom, env=screen.environment))
        yield screen


@contextmanager
def _running(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)
