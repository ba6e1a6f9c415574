"""What is kept off the terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ui.logs import log_path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, sys
from ui.logs import configure, native_noise_logged
configure()
print("before", file=sys.stderr)
with native_noise_logged():
    os.write(2, b"Expression 'alsa_snd_pcm' failed\\n")
    print("during", file=sys.stderr)
os.write(2, b"after\\n")
print("at last", file=sys.stderr)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_what_a_library_in_c_prints_goes_to_the_log_and_what_python_says_to_the_terminal() -> None:
    master, slave = os.openpty()
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stderr=slave) as program:
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal without a program ends
            while part := os.read(master, 1000):
                shown += part
        os.close(master)
    assert program.returncode == 0
    assert shown.split(b"\r\n") == [b"before", b"during", b"after", b"at last", b""]
    assert "alsa_snd_pcm" in log_path().read_text()


def test_where_standard_error_is_no_terminal_nothing_changes() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stderr.splitlines()) == 5
    assert "alsa_snd_pcm" in done.stderr
