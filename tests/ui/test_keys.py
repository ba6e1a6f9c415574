"""Single keys in a terminal, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import queue
import select
import subprocess
import sys
import textwrap

import pytest

from live.actions import CopyLines
from live.events import AddMark, Pause, Replay, Resume, Stop
from ui.keys import action_of

if sys.platform == "win32":
    pytest.skip("a terminal of POSIX", allow_module_level=True)

import pty
import termios

from ui import keys as keys_module
from ui.keys import _posix_keys

WAIT_S = 20


@pytest.fixture
def terminal():
    outer, inner = pty.openpty()
    yield outer, inner
    os.close(outer)
    os.close(inner)


@pytest.fixture
def in_front(monkeypatch):
    """The test's terminal is not the one its process belongs to."""
    monkeypatch.setattr(keys_module, "_is_in_front", lambda _terminal: True)


@pytest.mark.parametrize(
    ("key", "is_paused", "action"),
    [
        ("m", False, AddMark()),
        ("M", False, AddMark()),
        ("r", False, Replay()),
        ("c", True, CopyLines()),
        (" ", False, Pause()),
        (" ", True, Resume()),
        ("q", False, Stop()),
        ("x", False, None),
        ("好", False, None),
    ],
)
def test_a_key_is_an_action(key, is_paused, action):
    assert action_of(key, is_paused=is_paused) == action


@pytest.mark.usefixtures("in_front")
def test_keys_come_one_by_one_without_an_echo_and_the_terminal_is_put_back(terminal):
    outer, inner = terminal
    before = termios.tcgetattr(inner)
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    with _posix_keys(inner, typed.put):
        now = termios.tcgetattr(inner)[3]
        assert not now & (termios.ECHO | termios.ICANON)
        assert now & termios.ISIG  # Ctrl-C stays a signal
        os.write(outer, b"m")
        assert typed.get(timeout=WAIT_S) == "m"
        os.write(outer, b"r ")
        assert [typed.get(timeout=WAIT_S) for _ in range(2)] == ["r", " "]
    assert termios.tcgetattr(inner) == before


@pytest.mark.usefixtures("in_front")
def test_an_arrow_key_is_no_letter_and_broken_text_no_error(terminal):
    outer, inner = terminal
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    with _posix_keys(inner, typed.put):
        os.write(outer, b"\x1b[C\x1bOP\x1b[15;2~\xff\xe5q")
        assert typed.get(timeout=WAIT_S) == "q"


@pytest.mark.usefixtures("in_front")
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_it_the_terminal_is_put_back(terminal, error):
    _, inner = terminal
    before = termios.tcgetattr(inner)
    with pytest.raises(error), _posix_keys(inner, lambda _key: None):
        raise error
    assert termios.tcgetattr(inner) == before


def test_a_program_in_the_background_leaves_the_terminal_alone(terminal, monkeypatch):
    monkeypatch.setattr(keys_module, "_is_in_front", lambda _terminal: False)
    outer, inner = terminal
    before = termios.tcgetattr(inner)
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    with _posix_keys(inner, typed.put):
        assert termios.tcgetattr(inner) == before
        os.write(outer, b"q\n")
    assert typed.empty()


def test_ctrl_c_in_a_real_terminal_puts_it_back():
    """A program with the terminal for its own, as a shell starts one."""
    program = textwrap.dedent(
        """
        import signal, sys, termios
        from ui.keys import keys
        before = termios.tcgetattr(0)
        try:
            with keys(lambda key: print("key", key, flush=True)):
                assert termios.tcgetattr(0) != before
                print("ready", flush=True)
                signal.pause()
        except KeyboardInterrupt:
            print("same" if termios.tcgetattr(0) == before else "changed", flush=True)
        """
    )
    outer, inner = pty.openpty()
    code = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{program}"
    command = [sys.executable, "-c", code]
    child = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
    os.close(inner)
    try:
        assert _read_until(outer, b"ready")
        os.write(outer, b"m")
        assert _read_until(outer, b"key m")
        os.write(outer, b"\x03")
        assert b"same" in _read_until(outer, b"same")
        assert child.wait(WAIT_S) == 0
    finally:
        child.kill()
        child.wait()
        os.close(outer)


def _read_until(terminal: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        assert select.select([terminal], [], [], WAIT_S)[0], seen
        seen += os.read(terminal, 1024)
    return seen
