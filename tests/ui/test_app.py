"""The overlay program: how it starts, obeys and ends."""

from __future__ import annotations

import functools
import operator
import os
import signal
import threading
from collections.abc import Callable

import pytest
from builders import update
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from live.actions import Action, Answer, CopyLines
from live.control import reachable, send
from live.errors import CaptureError, LiveError
from live.events import (
    AddMark,
    Command,
    Event,
    LevelChanged,
    Pause,
    SessionStopped,
    SetDirection,
    SetMode,
    SetSources,
    StateChanged,
    Stop,
)
from live.settings import Settings
from ui.app import OverlayApp, run_overlay
from ui.exits import DONE, FAILED, INTERRUPTED
from ui.overlay import Overlay
from ui.state import state_path

pytestmark = pytest.mark.usefixtures("qapp")
ERROR = "The microphone is gone: connect it again."


class FakeSession:
    """Says what its script tells it to, from a thread of its own."""

    def __init__(self, *script: Event, obeys_stop: bool = True, fails: Exception | None = None) -> None:
        self.commands: list[Command] = []
        self.joined_s: list[float] = []
        self.refusals: dict[type, str] = {}
        self._script, self._obeys_stop, self._fails = script, obeys_stop, fails
        self._thread: threading.Thread | None = None
        self.emit: Callable[[Event], None] = lambda _event: None

    def __call__(self, emit: Callable[[Event], None]) -> FakeSession:
        self.emit = emit
        return self

    def start(self) -> None:
        if self._fails is not None:
            raise self._fails
        self._thread = threading.Thread(target=lambda: [self.emit(event) for event in self._script])
        self._thread.start()

    def send(self, command: Command, answer: Answer = lambda _refusal: None) -> None:
        self.commands.append(command)
        threading.Thread(target=answer, args=(self.refusals.get(type(command)),)).start()
        if isinstance(command, Stop) and self._obeys_stop:
            threading.Thread(target=self.emit, args=(SessionStopped(None),)).start()

    def join(self, timeout_s: float) -> bool:
        self.joined_s.append(timeout_s)
        if self._thread is not None:
            self._thread.join(timeout_s)
        return True


def later(do: Callable[[], object], after_ms: int = 50) -> None:
    QTimer.singleShot(after_ms, do)


def test_the_demo_ends_with_its_session() -> None:
    session = FakeSession(StateChanged("listening"), update(1, "Good morning."), SessionStopped(None))
    assert run_overlay(session, Settings(), until_stopped=True) == DONE
    assert len(session.joined_s) == 1
    assert not [w for w in QApplication.topLevelWidgets() if w.isVisible()]


def test_the_demo_s_last_caption_stays_long_enough_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []

    class Timer(QTimer):
        def start(self, after_ms: int) -> None:  # type: ignore[override]
            waits.append(after_ms)
            super().start(0)

    monkeypatch.setattr("ui.app.QTimer", Timer)
    text = "a" * 60
    assert run_overlay(FakeSession(update(1, text), SessionStopped(None)), Settings(), until_stopped=True) == DONE
    assert 3000 in waits


def test_an_error_ends_the_demo_with_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_overlay(FakeSession(SessionStopped(ERROR)), Settings(), until_stopped=True) == FAILED
    assert capsys.readouterr().err == f"tongchuan: {ERROR}\n"


def test_an_error_stays_on_the_overlay_until_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def read() -> None:
        (window,) = [w for w in QApplication.topLevelWidgets() if w.windowTitle() == "Tongchuan" and w.isVisible()]
        window.refresh()
        seen.append(window.picture.words[0].line.text)
        window.quit_asked.emit()

    session = FakeSession(SessionStopped(ERROR))
    later(read, 200)
    assert run_overlay(session, Settings()) == FAILED
    assert seen == [ERROR]
    assert session.commands == []


def test_what_start_raises_is_shown_like_any_other_end(capsys: pytest.CaptureFixture[str]) -> None:
    session = FakeSession(fails=CaptureError(ERROR))
    assert run_overlay(session, Settings(), until_stopped=True) == FAILED
    assert ERROR in capsys.readouterr().err


def test_what_make_session_raises_is_the_caller_s() -> None:
    def make(_emit: object) -> FakeSession:
        raise CaptureError(ERROR)

    with pytest.raises(CaptureError, match="connect it again"):
        run_overlay(make, Settings())


def test_others_hear_every_event_in_order_in_the_session_s_thread() -> None:
    script = (StateChanged("listening"), LevelChanged("microphone", -9, 0.1), LevelChanged("microphone", -8, 0.1))
    heard: list[Event] = []
    threads: set[threading.Thread] = set()
    session = FakeSession(*script, SessionStopped(None))
    sinks = [heard.append, lambda _event: threads.add(threading.current_thread())]
    run_overlay(session, Settings(), on_event=sinks, until_stopped=True)
    assert heard == [*script, SessionStopped(None)]
    assert threading.main_thread() not in threads


def test_ctrl_c_stops_the_session_and_then_the_program() -> None:
    session = FakeSession(StateChanged("listening"))
    before = signal.getsignal(signal.SIGINT)
    later(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run_overlay(session, Settings()) == INTERRUPTED
    assert session.commands == [Stop()]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_before_the_session_is_made_starts_nothing() -> None:
    session = FakeSession(fails=AssertionError("it was started"))

    def make(emit: Callable[[Event], None]) -> FakeSession:
        os.kill(os.getpid(), signal.SIGINT)
        return session(emit)

    assert run_overlay(make, Settings()) == INTERRUPTED
    assert session.commands == []


def test_what_fails_while_ctrl_c_is_obeyed_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(FakeSession):
        def send(self, command: Command, answer: Answer = lambda _refusal: None) -> None:
            threading.Thread(target=self.emit, args=(SessionStopped(ERROR),)).start()

    later(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run_overlay(Failing(StateChanged("listening")), Settings()) == INTERRUPTED
    assert capsys.readouterr().err == ""


def test_ctrl_c_twice_ends_the_program_without_a_wait_for_the_session() -> None:
    session = FakeSession(StateChanged("listening"), obeys_stop=False)
    later(lambda: os.kill(os.getpid(), signal.SIGINT))
    later(lambda: os.kill(os.getpid(), signal.SIGINT), 400)
    with pytest.raises(KeyboardInterrupt):
        run_overlay(session, Settings())
    assert session.commands == [Stop()]
    assert session.joined_s == []


def test_ctrl_c_while_the_session_s_threads_end_is_the_command_s_own() -> None:
    own = signal.getsignal(signal.SIGINT)

    class Slow(FakeSession):
        def join(self, timeout_s: float) -> bool:
            assert signal.getsignal(signal.SIGINT) is own
            return super().join(timeout_s)

    session = Slow(StateChanged("listening"))
    later(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run_overlay(session, Settings()) == INTERRUPTED
    assert len(session.joined_s) == 1


@pytest.fixture
def kept() -> list[tuple[str, object]]:
    return []


@pytest.fixture
def program(qapp: QApplication, kept: list[tuple[str, object]]) -> OverlayApp:
    made = OverlayApp(
        Settings(), until_stopped=False, remember=lambda key, value: kept.append((key, value)), write=operator.call
    )
    made._session = FakeSession()
    return made


def commands(program: OverlayApp) -> list[Command]:
    assert isinstance(program._session, FakeSession)
    return program._session.commands


def test_a_mode_is_sent_shown_and_kept(program: OverlayApp, kept: list[tuple[str, object]]) -> None:
    program.menu.commanded.emit(SetMode("reading"))
    assert commands(program) == [SetMode("reading")]
    assert program.model.mode == "reading"
    assert kept == [("mode", "reading")]


def test_a_direction_is_sent_shown_and_kept_without_a_moment_of_two_equal_languages(
    program: OverlayApp, kept: list[tuple[str, object]]
) -> None:
    program.menu.commanded.emit(SetDirection("en", "zh"))
    program.overlay.refresh()
    assert commands(program) == [SetDirection("en", "zh")]
    assert program.overlay.picture.small[-1].line.text == "English → 中文"
    assert kept == [("to_language", "auto"), ("from_language", "en"), ("to_language", "zh")]


def test_a_source_is_sent_and_kept(program: OverlayApp, kept: list[tuple[str, object]]) -> None:
    program.menu.commanded.emit(SetSources("both", "USB", "HDMI"))
    program.menu.commanded.emit(SetSources("system"))
    assert kept == [("source", "both"), ("input", "USB"), ("output", "HDMI"), ("source", "system")]


def test_sizes_go_up_and_down_within_their_limits_and_are_kept(
    program: OverlayApp, kept: list[tuple[str, object]]
) -> None:
    program.menu.resized.emit(1)
    assert program.overlay.box.text_px == 32
    program.menu.resized.emit(-1)
    assert program.overlay.box.text_px == 28
    for _ in range(40):
        program.menu.resized.emit(1)
    assert program.overlay.box.text_px == 96
    assert kept[:2] == [("text_size", 32), ("text_size", 28)]
    assert commands(program) == []


def test_what_waits_for_a_disk_is_done_elsewhere(qapp: QApplication, kept: list[tuple[str, object]]) -> None:
    jobs: list[Callable[[], object]] = []
    program = OverlayApp(
        Settings(), until_stopped=False, remember=lambda key, value: kept.append((key, value)), write=jobs.append
    )
    program.menu.commanded.emit(SetMode("follow"))
    program.overlay._remember()
    assert program.model.mode == "follow"
    assert (kept, state_path().exists()) == ([], False)
    for job in jobs:
        job()
    assert (kept, state_path().exists()) == ([("mode", "follow")], True)


def test_what_was_chosen_is_kept_by_the_end_of_the_program() -> None:
    threads: list[str] = []

    def choose() -> None:
        (window,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, Overlay) and w.isVisible()]
        window._menu.commanded.emit(SetMode("follow"))  # type: ignore[attr-defined]
        window.quit_asked.emit()

    later(choose)
    session = FakeSession(StateChanged("listening"))
    assert run_overlay(session, Settings(), remember=lambda *_: threads.append(threading.current_thread().name)) == DONE
    assert threads == ["choices writer"]


# Asked for by other programs


def ask(program: OverlayApp, action: Action, qtbot: QtBot) -> str | None:
    """Ask from a thread, as the control channel does; return the answer."""
    answers: list[str | None] = []
    thread = threading.Thread(target=program.ask, args=(action, answers.append))
    thread.start()
    qtbot.waitUntil(lambda: bool(answers))
    thread.join()
    return answers[0]


def test_what_another_program_asks_for_is_sent_shown_ticked_and_kept(
    program: OverlayApp, kept: list[tuple[str, object]], qtbot: QtBot
) -> None:
    assert ask(program, SetMode("reading"), qtbot) is None
    assert ask(program, AddMark("Budget"), qtbot) is None
    assert commands(program) == [SetMode("reading"), AddMark("Budget")]
    assert program.model.mode == "reading"
    assert kept == [("mode", "reading")]


def test_what_the_session_refuses_is_neither_shown_nor_kept(
    program: OverlayApp, kept: list[tuple[str, object]], qtbot: QtBot
) -> None:
    assert isinstance(program._session, FakeSession)
    program._session.refusals[SetDirection] = "It does not translate de."
    assert ask(program, SetDirection("de", "en"), qtbot) == "It does not translate de."
    program.overlay.refresh()
    assert program.overlay.picture.small[-1].line.text == "中文 ⇄ English"
    assert kept == []


def test_lines_are_copied_to_the_clipboard(program: OverlayApp, qtbot: QtBot) -> None:
    assert ask(program, CopyLines(2), qtbot) == "Nothing was said yet that could be copied."
    for number in range(1, 4):
        program.bridge.post(update(number, f"Sentence {number}."))
    assert ask(program, CopyLines(2), qtbot) is None
    assert QApplication.clipboard().text() == "00:02\nSentence 2.\n00:03\nSentence 3."
    program.menu.copy_asked.emit(1)
    assert QApplication.clipboard().text() == "00:03\nSentence 3."


def test_stop_ends_the_program_as_the_menu_does(program: OverlayApp, qtbot: QtBot) -> None:
    assert ask(program, Stop(), qtbot) is None
    assert commands(program) == [Stop()]
    assert ask(program, Stop(), qtbot) == "The session has ended."
    assert not program.is_impatient


def test_other_programs_reach_it_while_it_runs() -> None:
    session = FakeSession(StateChanged("listening"))
    refusals: list[str | None] = []

    def tell() -> None:
        refusals.append(send(["stop"], "run").refusal)

    sender = threading.Thread(target=tell)
    later(sender.start)
    assert run_overlay(session, Settings(), controls=functools.partial(reachable, "run")) == DONE
    sender.join()
    assert session.commands == [Stop()]
    assert refusals == [None]


def test_keys_work_where_the_window_has_the_keyboard(program: OverlayApp, qtbot: QtBot) -> None:
    program._deliver(StateChanged("listening"))
    program.overlay.show()
    program.overlay.activateWindow()
    qtbot.waitUntil(program.overlay.isActiveWindow)
    qtbot.keyClick(program.overlay, Qt.Key.Key_M)
    qtbot.keyClick(program.overlay, Qt.Key.Key_Space)
    assert commands(program) == [AddMark(), Pause()]
    program.overlay.hide()


def test_past_sessions_open_in_one_window_and_again_once_it_was_closed(program: OverlayApp, qtbot: QtBot) -> None:
    def shown() -> list[QWidget]:
        return [widget for widget in QApplication.topLevelWidgets() if widget.windowTitle() == "Tongchuan: sessions"]

    program.menu.sessions_asked.emit()
    program.menu.sessions_asked.emit()
    (window,) = [widget for widget in shown() if widget.isVisible()]
    qtbot.waitUntil(lambda: "There are no sessions yet." in [label.text() for label in window.findChildren(QLabel)])
    window.close()
    program.menu.sessions_asked.emit()
    (again,) = [widget for widget in shown() if widget.isVisible()]
    again.close()


def test_quitting_sends_stop_once(program: OverlayApp) -> None:
    program.overlay.quit_asked.emit()
    assert commands(program) == [Stop()]


def test_without_a_screen_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(LiveError, match="no screen here"):
        run_overlay(FakeSession(), Settings())
