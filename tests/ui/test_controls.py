"""Keys and `tongchuan send`, as they reach a session in the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable

import pytest
from builders import update
from rich.console import Console

from live.actions import Answer
from live.control import control_folder, send
from live.errors import LiveError
from live.events import (
    AddMark,
    Command,
    Event,
    Pause,
    Resume,
    SessionStopped,
    SetDirection,
    SetMode,
    StateChanged,
    Stop,
)
from live.settings import Settings
from ui.cli import main
from ui.commands import controls
from ui.commands.controls import controlled, help_line
from ui.commands.outputs import TerminalDisplay


class FakeSession:
    """Takes commands, and refuses directions."""

    def __init__(self) -> None:
        self.sent: list[Command] = []

    def start(self) -> None: ...

    def send(self, command: Command, answer: Answer = lambda _refusal: None) -> None:
        self.sent.append(command)
        answer("It does not translate that." if isinstance(command, SetDirection) else None)

    def join(self, timeout_s: float) -> bool:
        return True


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> TerminalDisplay:
    out = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False, legacy_windows=False)
    monkeypatch.setattr("ui.console.OutputConsole", lambda: out)
    return TerminalDisplay(Settings(), help_line="m mark")


def drawn(display: TerminalDisplay) -> str:
    assert isinstance(display._view.console.file, io.StringIO)
    return display._view.console.file.getvalue()


def test_send_reaches_a_session_in_the_terminal(display: TerminalDisplay) -> None:
    session = FakeSession()
    with controlled(session, display, "listen"):
        assert send(["mark", "Budget"]).refusal is None
        assert send(["mode", "reading"]).refusal is None
        assert send(["direction", "en-zh"]).refusal == "It does not translate that."
        assert send(["stop"]).refusal is None
    assert session.sent == [AddMark("Budget"), SetMode("reading"), SetDirection("en", "zh"), Stop()]
    assert display._view._model.mode == "reading"
    assert display._view._aside == "中文 ⇄ English"  # it was refused


def test_what_is_copied_goes_to_the_terminal(display: TerminalDisplay) -> None:
    with controlled(FakeSession(), display, "listen"):
        assert send(["copy"]).refusal == "Nothing was said yet that could be copied."
        display.apply(update(1, "Good morning.", transcript="早上好。"))
        assert send(["copy", "1"]).refusal is None
    assert "\x1b]52;c;MDA6MDEKR29vZCBtb3JuaW5nLgrml6nkuIrlpb3jgII=\x07" in drawn(display)


def test_without_a_terminal_nothing_can_be_copied() -> None:
    with controlled(FakeSession(), None, "listen"):
        assert "no clipboard" in (send(["copy"]).refusal or "")


def test_keys_do_what_they_say(display: TerminalDisplay, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def keys(handle: Callable[[str], None]):
        for key in "mz ":
            handle(key)
        display.apply(StateChanged("paused"))
        handle(" ")
        handle("q")
        yield

    monkeypatch.setattr(controls, "has_keys", lambda: True)
    monkeypatch.setattr(controls, "keys", keys)
    session = FakeSession()
    with controlled(session, display, "listen"):
        pass
    assert session.sent == [AddMark(), Pause(), Resume(), Stop()]
    assert help_line() == "m mark · r replay · c copy · space pause · q quit"


def test_without_somebody_who_types_there_are_no_keys() -> None:
    assert help_line() == ""


def test_after_the_session_nobody_is_reached(display: TerminalDisplay) -> None:
    with controlled(FakeSession(), display, "listen"):
        pass
    with pytest.raises(LiveError, match="No Tongchuan is running"):
        send(["pause"])


@pytest.mark.usefixtures("own_process")
class TestCommand:
    def test_done_is_a_line_and_status_0(self, capsys: pytest.CaptureFixture[str]) -> None:
        session = FakeSession()
        with controlled(session, None, "listen"):
            assert main(["send", "mark", "Budget", "agreed", "--session", "listen"]) == 0
        assert capsys.readouterr() == ("done\n", "")
        assert session.sent == [AddMark("Budget agreed")]

    def test_of_two_programs_the_one_that_took_it_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        with controlled(FakeSession(), None, "listen"), controlled(FakeSession(), None, "run"):
            os.utime(control_folder() / f"listen-{os.getpid()}.sock", (1, 1))
            assert main(["send", "pause"]) == 0
        out, err = capsys.readouterr()
        assert out == "done\n"
        assert "run-" in err
        assert "--session reaches listen-" in err

    @pytest.mark.parametrize(
        ("words", "answer"),
        [
            (["direction", "en-zh"], "It does not translate that."),
            (["marc"], "the nearest is `mark [LABEL]`"),
            (["pause", "--session", "demo"], "No running program is named 'demo'"),
        ],
    )
    def test_why_not_is_a_line_and_status_1(
        self, capsys: pytest.CaptureFixture[str], words: list[str], answer: str
    ) -> None:
        with controlled(FakeSession(), None, "listen"):
            assert main(["send", *words]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert answer in err
        assert err.count("\n") == 1

    @pytest.mark.parametrize("words", [["listen"], ["listen", "--jsonl", "-"]])
    def test_listening_programs_are_reached(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
    ) -> None:
        refusals: list[str | None] = []

        class Session(FakeSession):
            """Is told to stop by another program once it has started."""

            def __init__(self, emit: Callable[[Event], None], _hear: object) -> None:
                super().__init__()
                self._emit = emit
                self._other = threading.Thread(target=lambda: refusals.append(send(["stop"], "listen").refusal))

            def start(self) -> None:
                self._other.start()

            def send(self, command: Command, answer: Answer = lambda _refusal: None) -> None:
                super().send(command, answer)
                self._emit(SessionStopped())

            def join(self, timeout_s: float) -> bool:
                self._other.join(timeout_s)
                return True

        monkeypatch.setattr("ui.commands.listen.session_maker", lambda *_arguments: Session)
        assert main([*words, "--model", "embedded", "--no-keep"]) == 0
        assert refusals == [None]
        assert "Traceback" not in capsys.readouterr().err

    def test_without_a_program_a_line_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["send", "pause"]) == 1
        assert "No Tongchuan is running" in capsys.readouterr().err
