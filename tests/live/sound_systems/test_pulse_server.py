import sys
import threading
from types import SimpleNamespace

import pytest

from live.errors import CaptureError
from live.sound_systems.pulse_server import NoServerError, Server


class PulseError(Exception):
    pass


class PulseDisconnected(Exception):  # noqa: N818 - pulsectl's name
    pass


class FakePulsectl:
    """Stands in for the module `pulsectl`: a server that is there, not there, or does not answer."""

    PulseError, PulseDisconnected = PulseError, PulseDisconnected

    def __init__(self):
        self.is_here = True
        self.connections = []
        self.answers = threading.Event()
        self.answers.set()

    def Pulse(self, name, *, connect):  # noqa: N802
        assert not connect
        self.connections.append(FakePulse(self))
        return self.connections[-1]


class FakePulse:
    def __init__(self, module):
        self._module = module
        self.is_closed = False
        self.is_broken = False

    def connect(self):
        if not self._module.is_here:
            raise PulseError("Failed to connect")

    def close(self):
        self.is_closed = True

    def server_info(self):
        self._module.answers.wait()
        if self.is_broken or not self._module.is_here:
            raise PulseError("the connection broke")
        return SimpleNamespace(server_name="fake")


@pytest.fixture
def pulsectl(monkeypatch):
    fake = FakePulsectl()
    monkeypatch.setitem(sys.modules, "pulsectl", fake)
    yield fake
    fake.answers.set()


def name(pulse):
    return pulse.server_info().server_name


def test_a_question_is_answered_over_one_connection(pulsectl):
    server = Server()
    assert not server.has_answered
    assert [server.ask(name), server.ask(name)] == ["fake", "fake"]
    assert server.has_answered
    assert len(pulsectl.connections) == 1


def test_without_a_server_that_is_said_and_the_next_question_finds_one(pulsectl):
    server = Server()
    pulsectl.is_here = False
    with pytest.raises(NoServerError, match="The sound server has ended"):
        server.ask(name)
    assert pulsectl.connections[-1].is_closed
    pulsectl.is_here = True
    assert server.ask(name) == "fake"


def test_a_server_that_was_started_again_answers_at_once(pulsectl):
    server = Server()
    server.ask(name)
    pulsectl.connections[-1].is_broken = True
    assert server.ask(name) == "fake"
    assert [connection.is_closed for connection in pulsectl.connections] == [True, False]


def test_a_server_that_hangs_is_said_to_and_asked_nothing_more_until_it_answers(pulsectl):
    server, asked = Server(), []
    pulsectl.answers.clear()
    for _ in range(3):
        with pytest.raises(CaptureError, match="does not answer: restart it"):
            server.ask(lambda pulse: asked.append(name(pulse)), within_s=0.01)
    pulsectl.answers.set()
    assert server._last.exception(10.0) is None
    assert server.ask(name) == "fake"
    assert asked == ["fake"]


def test_an_error_of_the_question_is_the_askers(pulsectl):
    with pytest.raises(KeyError):
        Server().ask(lambda _pulse: {}["nothing"])
