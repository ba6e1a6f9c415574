"""`tongchuan doctor` beside a real PulseAudio, well and hung."""

import subprocess
import sys

import pytest
from pulse import MICROPHONE, PulseServer, missing

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"needs {', '.join(missing())}"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def pulse():
    with PulseServer() as server:
        yield server


def lines(pulse):
    """What it says of each check, as (mark, text)."""
    command = [sys.executable, "-m", "ui.cli", "doctor", "--model", "fake"]
    done = subprocess.run(command, env=pulse.env, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    return {line[8:].split()[0]: (line[:6].strip(), line[8:].split(maxsplit=1)[1]) for line in done.stdout.splitlines()}


def test_it_listens_to_both_devices_and_lets_go_of_them(pulse):
    before = pulse.control("list", "short", "source-outputs")
    found = lines(pulse)

    assert MICROPHONE in found["sound"][1]
    assert found["microphone"][0] == "NOT OK"
    assert "gives only silence" in found["microphone"][1]
    assert found["computer"][0] == "ok"
    assert pulse.control("list", "short", "source-outputs") == before


def test_a_server_that_hangs_is_said_and_holds_nothing_up(pulse):
    pulse.stall()
    found = lines(pulse)
    pulse.resume()

    for check in ("sound", "microphone", "computer"):
        assert found[check][0] == "NOT OK"
        assert "The sound server does not answer" in found[check][1]
