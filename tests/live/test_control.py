"""The channel by which other programs of the same user reach one that runs."""

from __future__ import annotations

import json
import os
import queue
import socket
import stat
import subprocess
import sys
import threading
from contextlib import closing
from multiprocessing.connection import Client
from pathlib import Path

import pytest

from live import control
from live.actions import CopyLines
from live.control import MAX_BYTES, MAX_CLIENTS, ControlServer, control_folder, reachable, send
from live.errors import LiveError
from live.events import AddMark, Pause

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets in a folder")


class Program:
    """Takes actions, and answers them as it is told to."""

    def __init__(self, name="listen-1", *, refusal=None, answers=True):
        self.name = name
        self.taken = []
        self._refusal, self._answers = refusal, answers
        self.server = ControlServer(name, self.handle)

    @property
    def address(self):
        return str(control_folder() / f"{self.name}.sock")

    def handle(self, action, answer):
        self.taken.append(action)
        if self._answers:
            answer(self._refusal)

    def close(self):
        self.server.close()


def started(*args, **options):
    return closing(Program(*args, **options))


def test_an_action_reaches_the_program_and_is_answered():
    with started() as program:
        reply = send(["mark", "Budget", "通过"])
        assert (reply.program, reply.refusal, reply.others) == ("listen-1", None, ())
        send(["copy", "3"])
    assert program.taken == [AddMark("Budget 通过"), CopyLines(3)]


def test_why_it_was_not_done_comes_back():
    with started(refusal="There is nothing to replay."):
        assert send(["replay"]).refusal == "There is nothing to replay."


def test_an_unknown_action_is_refused_before_any_program_is_asked():
    with pytest.raises(LiveError, match="nearest is `pause`"):
        send(["pauze"])


@pytest.mark.parametrize("has_folder", [False, True])
def test_without_a_program_a_sentence_says_so(has_folder):
    if has_folder:
        control_folder().mkdir(mode=0o700)
    with pytest.raises(LiveError, match="No Tongchuan is running"):
        send(["pause"])


def test_of_two_programs_the_newest_takes_it_unless_one_is_named():
    with started("run-1") as first, started("listen-22") as second:
        os.utime(first.address, (1, 1))
        assert send(["pause"]).program == "listen-22"
        assert send(["pause"]).others == ("run-1",)
        assert send(["pause"], "run").program == "run-1"
        assert send(["pause"], "listen-22").program == "listen-22"
        with pytest.raises(LiveError, match="named 'demo'; there is listen-22, run-1"):
            send(["pause"], "demo")
    assert (len(first.taken), len(second.taken)) == (1, 3)


def test_what_a_killed_program_left_is_cleaned_away():
    code = (
        "import os, signal\nfrom live.control import ControlServer\n"
        "ControlServer('listen-9', lambda action, answer: None)\nprint('listens', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL)
    left = control_folder() / "listen-9.sock"
    assert left.exists()
    with started("run-1"):
        assert send(["pause"]).program == "run-1"
    assert not left.exists()


def test_a_program_takes_the_place_of_a_killed_one_of_its_name():
    control_folder().mkdir(mode=0o700)
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(control_folder() / "listen-1.sock"))
    with started():
        assert send(["pause"]).refusal is None


def test_a_program_that_ended_leaves_nothing():
    with started():
        pass
    assert list(control_folder().iterdir()) == []


def test_folder_and_socket_are_the_user_s_alone():
    with started() as program:
        assert stat.S_IMODE(control_folder().stat().st_mode) == 0o700
        assert stat.S_IMODE(Path(program.address).stat().st_mode) == 0o600


def test_a_folder_that_others_may_enter_is_not_used():
    control_folder().mkdir()
    control_folder().chmod(0o755)
    with pytest.raises(LiveError, match="not a folder of yours alone"):
        ControlServer("listen-1", lambda action, answer: None)
    with pytest.raises(LiveError, match="not a folder of yours alone"):
        send(["pause"])


def test_a_link_to_a_folder_is_not_used(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    control_folder().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LiveError, match="not a folder of yours alone"):
        send(["pause"])


def test_a_program_that_cannot_listen_goes_on_without(caplog):
    control_folder().touch()
    with reachable("listen", lambda action, answer: None):
        pass
    assert "does not reach this program" in caplog.text


def raw(program, message):
    """Send bytes; return what comes back, None where the connection is closed."""
    with Client(program.address) as client:
        client.send_bytes(message)
        try:
            return json.loads(client.recv_bytes())
        except (EOFError, ConnectionResetError):
            return None


@pytest.mark.parametrize(
    "message",
    [b"", b"\xff\xfe", b"mark", b'"mark"', b'{"words": ["mark"]}', b'["mark", 1]', b"[" * 4000, b"null", b"\x80\x04."],
)
def test_garbage_is_answered_and_harms_nobody(message):
    with started() as program:
        assert "no action" in raw(program, message)["refusal"]
        assert send(["pause"]).refusal is None
    assert program.taken == [Pause()]


def test_an_action_that_is_none_is_answered_by_the_program_too():
    with started() as program:
        assert "nearest is `pause`" in raw(program, b'["pauze"]')["refusal"]


def test_too_long_a_message_ends_the_connection():
    with started() as program:
        assert raw(program, b" " * (MAX_BYTES + 1)) is None
        assert send(["pause"]).refusal is None


def test_a_client_that_hangs_keeps_nobody_else_waiting():
    with started() as program, Client(program.address), closing(socket.socket(socket.AF_UNIX)) as half:
        half.connect(program.address)
        half.send(b"\x00")  # the first byte of four that say how long the message is
        assert send(["pause"]).refusal is None


def test_a_client_that_says_nothing_is_sent_away(monkeypatch):
    monkeypatch.setattr(control, "REQUEST_S", 0.01)
    with started() as program, Client(program.address) as silent:
        assert silent.poll(20)
        with pytest.raises(EOFError):
            silent.recv_bytes()


def test_too_many_clients_are_sent_away_until_one_has_gone():
    with started() as program:
        hanging = [socket.socket(socket.AF_UNIX) for _ in range(MAX_CLIENTS)]
        for each in hanging:
            each.connect(program.address)
            each.send(b"\x00")
        assert raw(program, b'["pause"]') is None
        for each in hanging:
            each.close()


def test_a_program_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(control, "ANSWER_S", 0.05)
    with started(answers=False):
        assert "has not come to it" in send(["pause"]).refusal


def test_a_stopped_program_is_named(monkeypatch):
    monkeypatch.setattr(control, "ANSWER_S", 0.01)
    monkeypatch.setattr(control, "REQUEST_S", 0.01)
    control_folder().mkdir(mode=0o700)
    with closing(socket.socket(socket.AF_UNIX)) as frozen:
        frozen.bind(str(control_folder() / "listen-1.sock"))
        frozen.listen()
        with pytest.raises(LiveError, match="listen-1 does not answer"):
            send(["pause"])


def test_a_reply_that_is_none_is_an_error():
    control_folder().mkdir(mode=0o700)
    with closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(str(control_folder() / "listen-1.sock"))
        other.listen()

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"\x00\x00\x00\x03abc")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(LiveError, match="has not answered"):
            send(["pause"])
        thread.join()


def test_who_is_served_while_the_program_ends_still_gets_an_answer():
    taken: queue.SimpleQueue = queue.SimpleQueue()
    server = ControlServer("listen-1", lambda action, answer: taken.put(answer))
    replies: queue.SimpleQueue = queue.SimpleQueue()
    sender = threading.Thread(target=lambda: replies.put(send(["stop"])))
    sender.start()
    answer = taken.get(timeout=20)
    server.close()
    answer(None)
    assert replies.get(timeout=20).refusal is None
    sender.join()
