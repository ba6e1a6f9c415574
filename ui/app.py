"""The overlay program: a session, the windows that show it, and an orderly end.

In: how to make a session, and the settings. Out: an exit code. Everything a user does becomes a Command; everything a
session says arrives through the Bridge. Sound, models and what is on screen are not its business.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Protocol

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication

from live.actions import Action, Answer, CopyLines, Handle
from live.devices import input_devices
from live.errors import LiveError
from live.events import Command, Event, SessionStopped, SetDirection, SetMode, SetSources, StateChanged, Stop
from live.recording.folder import sessions_root
from live.settings import AUTO, Settings
from live.sound_systems.base import DeviceKind
from models.base import ModelError
from ui import look
from ui.application import application
from ui.bridge import Bridge
from ui.captions import CaptionModel, direction_text, reading_s
from ui.copying import NOTHING_TO_COPY, LastLines, copied_words
from ui.exits import DONE, FAILED, INTERRUPTED, endings_to
from ui.layout import families
from ui.library_window import LibraryWindow
from ui.logs import native_noise_logged
from ui.menu import Choices, Menu
from ui.overlay import Overlay
from ui.screen import check_screen
from ui.tray import Tray
from ui.writer import Job, Writer

log = logging.getLogger(__name__)

JOIN_S = 10.0
"""How long the threads of a session that has said its last may take to end, and what was chosen to be written."""
SIGNAL_POLL_MS = 200
"""How often Python runs while Qt waits, so that it notices Ctrl-C."""

Emit = Callable[[Event], None]


class Session(Protocol):
    """What is used of live.session.Session."""

    def start(self) -> None:
        """Load the model, open the source; returns at once or soon."""
        ...

    def send(self, command: Command, answer: Answer = ...) -> None:
        """Take a command, and tell what came of it; any thread."""
        ...

    def join(self, timeout_s: float) -> bool:
        """Wait for the threads to end."""
        ...


class OverlayApp(QObject):
    """One session and its windows. Lives on the GUI thread."""

    _asked = Signal(object, object)
    _answered = Signal(object, object, object)

    def __init__(
        self,
        settings: Settings,
        *,
        until_stopped: bool,
        remember: Callable[[str, object], None],
        write: Callable[[Job], object],
    ) -> None:
        """Build the windows, hidden.

        Args:
            settings: What is chosen at the start.
            until_stopped: Whether the program ends with its session, as the demo does; else an ended session's
                captions, or its error, stay until the user closes the window.
            remember: Keeps a setting for the next time; may raise SettingsError.
            write: Runs what waits for a disk, somewhere else.
        """
        super().__init__()
        self.exit_code = DONE
        self.is_impatient = False
        """Whether the user asked twice for the end, and the session has not come to it."""
        self._pair, self._until_stopped = settings.pair, until_stopped
        self._remember, self._write = remember, write
        self._text_px = settings.text_size
        direction = SetDirection(_code(settings.from_language), _code(settings.to_language))
        sources = SetSources(settings.source, settings.input, settings.output)
        choices = Choices(settings.mode, direction, settings.pair, sources)
        self.model = CaptionModel(settings.mode)
        self.menu = Menu(choices, None if until_stopped else _device_names)
        self.overlay = Overlay(self.model, self.menu, text_px=settings.text_size, opacity=settings.opacity, write=write)
        self.overlay.set_aside(direction_text(direction.source, direction.target, settings.pair))
        self.tray = Tray(self.menu)
        self.bridge = Bridge(self._deliver)
        self._sessions = sessions_root(settings.sessions_folder)
        self._library: LibraryWindow | None = None
        self._lines = LastLines()
        self._session: Session | None = None
        self._is_over = self._is_stopping = False
        self._reading = QTimer(self, singleShot=True)
        """Leaves the last caption up until it is read."""
        self._reading.timeout.connect(lambda: QApplication.exit(self.exit_code))
        self.menu.commanded.connect(self._command)
        self.menu.copy_asked.connect(self._copy)
        self.menu.resized.connect(self._resize)
        self.menu.sessions_asked.connect(self._show_sessions)
        self.menu.quit_asked.connect(self.quit)
        self.overlay.quit_asked.connect(self.quit)
        self.tray.clicked.connect(self.overlay.settle)
        self._asked.connect(self._on_asked)
        self._answered.connect(self._on_answered)

    def run(self, session: Session) -> None:
        """Show the windows and run the session; returns once it has said its last, or was not waited for."""
        if self._is_stopping:  # Ctrl-C came before there was a session to stop
            return
        self._session = session
        self.overlay.show()
        # Once the loop runs: what it raises is then shown like any other end.
        QTimer.singleShot(0, self, self._start)
        QApplication.exec()
        self._reading.stop()
        self.overlay.hide()
        self.tray.hide()
        if self._library is not None:
            self._library.close()

    def interrupt(self) -> None:
        """End as Ctrl-C asks."""
        self.exit_code = INTERRUPTED
        self.quit()

    def quit(self) -> None:
        """End the session, then the program; asked a second time, the program at once."""
        self.is_impatient = self._is_stopping and not self._is_over
        self._is_stopping = True
        if self.is_impatient or self._is_over:
            QApplication.exit(self.exit_code)
        else:
            self._send(Stop())

    def ask(self, action: Action, answer: Answer) -> None:
        """Carry out what another program asks for, and tell what came of it. Any thread; returns at once."""
        self._asked.emit(action, answer)

    def _on_asked(self, action: Action, answer: Answer) -> None:
        if isinstance(action, CopyLines):
            answer(self._copy(action.n))
        elif self._session is None or self._is_over or self._is_stopping:
            answer("The session has ended.")
        elif isinstance(action, Stop):
            self.quit()
            answer(None)
        else:
            self._session.send(action, lambda refusal: self._answered.emit(action, answer, refusal))

    def _on_answered(self, command: Command, answer: Answer, refusal: str | None) -> None:
        if refusal is None:
            self._adopt(command)
            self.menu.show_choice(command)
        answer(refusal)

    def _copy(self, n: int) -> str | None:
        """Put the newest lines on the clipboard; returns why not, where there are none."""
        text, n_lines = self._lines.text(n)
        if n_lines:
            QGuiApplication.clipboard().setText(text)
        self.model.note(copied_words(n_lines) if n_lines else NOTHING_TO_COPY)
        self.overlay.wake()
        return None if n_lines else NOTHING_TO_COPY

    def _show_sessions(self) -> None:
        """Open the library's window, or bring the open one to the front."""
        if self._library is None or not self._library.isVisible():
            self._library = LibraryWindow(self._sessions)
        self._library.show()
        self._library.raise_()
        self._library.activateWindow()

    def _start(self) -> None:
        assert self._session is not None
        try:
            self._session.start()
        except (LiveError, ModelError) as error:
            self._deliver(SessionStopped(str(error)))

    def _deliver(self, event: Event) -> None:
        self.overlay.apply(event)
        self._lines.apply(event)
        if isinstance(event, StateChanged | SessionStopped):
            self.menu.show_state(self.model.state)
            self.tray.set_status(self.model.view().status.text)
        if isinstance(event, SessionStopped):
            self._finish(event.error)

    def _finish(self, error: str | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        if error is not None and self.exit_code != INTERRUPTED:  # what fails while Ctrl-C is obeyed is no news
            self.exit_code = FAILED
            print(f"tongchuan: {error}", file=sys.stderr, flush=True)
        captions = self.model.view().captions
        if self._is_stopping or (self._until_stopped and (error is not None or not captions)):
            QApplication.exit(self.exit_code)
        elif self._until_stopped:
            self._reading.start(round(reading_s(captions[-1].translation.text) * 1000))

    def _send(self, command: Command) -> None:
        if self._session is not None and not self._is_over:
            self._session.send(command)

    def _command(self, command: Command) -> None:
        self._send(command)
        self._adopt(command)

    def _adopt(self, command: Command) -> None:
        """Show and keep what the session has been told."""
        match command:
            case SetMode(mode):
                self.model.mode = mode
                self.overlay.wake()
                self._keep("mode", mode)
            case SetDirection(source, target):
                self.overlay.set_aside(direction_text(source, target, self._pair))
                # The file may never name one language twice, not even between two writes.
                self._keep("to_language", AUTO)
                self._keep("from_language", source or AUTO)
                self._keep("to_language", target or AUTO)
            case SetSources(source, input_name, output_name):
                self._keep("source", source)
                for key, name in (("input", input_name), ("output", output_name)):
                    if name is not None:
                        self._keep(key, name)

    def _resize(self, steps: int) -> None:
        wanted = round(self._text_px * look.SIZE_STEP**steps)
        self._text_px = min(max(wanted, look.SMALLEST_PX), look.LARGEST_PX)
        self.overlay.set_text_px(self._text_px)
        self._keep("text_size", self._text_px)

    def _keep(self, key: str, value: object) -> None:
        self._write(functools.partial(self._remember, key, value))


def run_overlay(
    make_session: Callable[[Emit], Session],
    settings: Settings,
    *,
    on_event: Sequence[Emit] = (),
    show_to: Callable[[Emit], None] = lambda _show: None,
    until_stopped: bool = False,
    remember: Callable[[str, object], None] = lambda _key, _value: None,
    controls: Callable[[Handle], AbstractContextManager[None]] = lambda _handle: nullcontext(),
) -> int:
    """Run a session under the overlay until it has ended and the window is closed.

    Args:
        make_session: Builds the session, not yet started; what it says goes to the function it is given.
        settings: What is chosen at the start.
        on_event: Others who take the events, called in the session's own threads.
        show_to: Takes, before the session is built, the function that shows an event of somebody else's.
        until_stopped: Whether the program ends with its session, as the demo does.
        remember: Keeps a setting for the next time (key, value).
        controls: Lets other programs reach this one while it runs, through the function it is given.

    Returns:
        0; 1 after an error, which was shown and printed in one line to standard error; 130 after Ctrl-C.

    Raises:
        LiveError: no window can be opened here.
        LiveError, ModelError: whatever `make_session` raises.
        KeyboardInterrupt: the user asked a second time for the end; the session may still run.
    """
    check_screen()
    with _qt_messages_logged(), native_noise_logged(), _writer() as write:
        application()
        _check_fonts()
        app = OverlayApp(settings, until_stopped=until_stopped, remember=remember, write=write)

        def emit(event: Event) -> None:
            for sink in on_event:
                sink(event)
            app.bridge.post(event)

        with _interrupts_to(app.interrupt), controls(app.ask):
            show_to(app.bridge.post)
            session = make_session(emit)
            app.run(session)
        # Ctrl-C is the command's own again: it waits for nothing.
        if app.is_impatient:
            raise KeyboardInterrupt
        if not session.join(JOIN_S):
            log.warning("The session's threads did not end within %.0f s.", JOIN_S)
        return app.exit_code


def _code(language: str) -> str | None:
    return None if language == AUTO else language


def _device_names(kind: DeviceKind) -> list[str]:
    return [device.name for device in input_devices(kind)]


def _check_fonts() -> None:
    has_han = bool(set(families("zh")) & set(look.HAN_FAMILIES))
    if not has_han and not QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese):
        log.warning("No Chinese font is installed, hanzi will show as boxes: sudo apt install fonts-noto-cjk")


@contextmanager
def _qt_messages_logged() -> Iterator[None]:
    """Send what Qt prints to the log: the terminal is the user's."""
    levels = {QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO}

    def handle(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        logging.getLogger("qt").log(levels.get(kind, logging.WARNING), "%s", message)

    before = qInstallMessageHandler(handle)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


@contextmanager
def _writer() -> Iterator[Writer]:
    """A writer, and time for what waits in it."""
    writer = Writer()
    try:
        yield writer
    finally:
        if not writer.close(JOIN_S):
            log.warning("What was chosen last was not written within %.0f s.", JOIN_S)


@contextmanager
def _interrupts_to(handle: Callable[[], None]) -> Iterator[None]:
    """Call a function on Ctrl-C and its like, from the Qt loop."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        handle()

    timer = QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(SIGNAL_POLL_MS)
    try:
        with endings_to(on_signal):
            yield
    finally:
        timer.stop()
