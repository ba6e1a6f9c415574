import signal
import threading

import pytest

from live.errors import LiveError, RecordingError
from live.events import RecordingChanged, SessionStopped, StateChanged, Stop
from ui.captions import WRITTEN_AGAIN
from ui.commands.follow import follow
from ui.exits import ENDINGS


class FakeSession:
    """Says what it is told to when it starts, and stops when it is told to."""

    def __init__(self, emit, on_start, error=None):
        self._emit, self._on_start, self._error = emit, on_start, error
        self.sent = []

    def start(self):
        self._on_start(self._emit)

    def send(self, command):
        self.sent.append(command)
        self._emit(StateChanged("stopping"))
        self._emit(SessionStopped(self._error))

    def join(self, timeout_s):
        return True


class FakeDisplay:
    def __init__(self):
        self.events, self.said = [], []

    def apply(self, event):
        self.events.append(event)

    def tick(self):
        pass

    def say(self, sentence):
        self.said.append(sentence)


class FakeSink:
    def __init__(self, fails=False):
        self.events, self.is_closed, self._fails = [], False, fails

    def take(self, event, at_s):
        if self._fails:
            raise RecordingError("The disk is full.")
        self.events.append(event)

    def close(self):
        self.is_closed = True


def sessions(on_start, **options):
    made = []

    def make(emit, _hear):
        made.append(FakeSession(emit, on_start, **options))
        return made[0]

    return made, make


def test_events_reach_the_display_and_the_files_in_order_until_the_last():
    def talk(emit):
        emit(StateChanged("listening"))
        emit(SessionStopped())

    display, sink = FakeDisplay(), FakeSink()
    ending = follow(sessions(talk)[1], display, [sink])
    assert display.events == sink.events == [StateChanged("listening"), SessionStopped()]
    assert sink.is_closed
    assert ending.status == 0


def test_a_session_that_fails_is_a_live_error_once_its_files_are_closed():
    sink = FakeSink()
    with pytest.raises(LiveError, match="The microphone is gone"):
        follow(sessions(lambda emit: emit(SessionStopped("The microphone is gone.")))[1], FakeDisplay(), [sink])
    assert sink.is_closed


def test_ctrl_c_stops_the_session_in_order_and_is_status_130():
    made, make = sessions(lambda _emit: signal.raise_signal(signal.SIGINT))
    display, sink = FakeDisplay(), FakeSink()
    ending = follow(make, display, [sink])
    assert made[0].sent == [Stop()]
    assert ending.status == 130
    assert display.events[-1] == SessionStopped()
    assert sink.is_closed
    assert display.said == ["Stopping; Ctrl-C again leaves at once."]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_polite_end_of_the_program_finishes_the_files(ending, request):
    before = signal.signal(ending, signal.default_int_handler)  # nohup has SIGHUP ignored, and that is respected
    request.addfinalizer(lambda: signal.signal(ending, before))
    made, make = sessions(lambda _emit: signal.raise_signal(ending))
    sink = FakeSink()
    assert follow(make, FakeDisplay(), [sink]).status == 130
    assert made[0].sent == [Stop()]
    assert sink.is_closed


def test_what_fails_while_stopping_on_ctrl_c_is_no_news():
    _, make = sessions(lambda _emit: signal.raise_signal(signal.SIGINT), error="cut off")
    assert follow(make, FakeDisplay()).status == 130


def test_a_second_ctrl_c_leaves_at_once_with_the_files_closed():
    class Deaf(FakeSession):
        def send(self, command):
            signal.raise_signal(signal.SIGINT)

    sink = FakeSink()
    with pytest.raises(KeyboardInterrupt):
        follow(lambda emit, _hear: Deaf(emit, lambda _emit: signal.raise_signal(signal.SIGINT)), FakeDisplay(), [sink])
    assert sink.is_closed


def test_ctrl_c_is_python_s_own_again_afterwards():
    before = signal.getsignal(signal.SIGINT)
    follow(sessions(lambda emit: emit(SessionStopped()))[1], FakeDisplay())
    assert signal.getsignal(signal.SIGINT) is before


def test_a_file_that_fails_is_said_once_and_makes_the_status_1():
    def talk(emit):
        for _ in range(3):
            emit(StateChanged("listening"))
        emit(SessionStopped())

    display = FakeDisplay()
    ending = follow(sessions(talk)[1], display, [FakeSink(fails=True)])
    assert display.said == ["The disk is full."]
    assert ending.status == 1
    assert len(display.events) == 4


def test_what_keeps_a_session_from_being_written_is_said_and_when_it_is_over():
    class Telling(FakeSink):
        tell = None

        def take(self, event, at_s):
            self.tell(RecordingChanged(has_sound=False, problem="The disk is full."))
            self.tell(RecordingChanged(has_sound=False))
            told.set()

    told = threading.Event()

    def talk(emit):
        emit(StateChanged("listening"))
        assert told.wait(20)
        emit(SessionStopped())

    display = FakeDisplay()
    assert follow(sessions(talk)[1], display, [Telling()]).status == 0
    assert display.said == ["The disk is full.", f"{WRITTEN_AGAIN}."]


def test_a_session_that_cannot_be_made_closes_the_files():
    def broken(_emit, _hear):
        raise LiveError("There is no such thing.")

    sink = FakeSink()
    with pytest.raises(LiveError):
        follow(broken, FakeDisplay(), [sink])
    assert sink.is_closed
