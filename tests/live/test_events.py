"""Events and commands are two closed unions of frozen values, and one order of events reaches every sink."""

from __future__ import annotations

import dataclasses
import threading
import typing

import pytest

from live import events
from live.errors import CaptureError, LiveError, RecordingError, SettingsError, unworded
from live.events import Line, MarkAdded, SessionStopped, Word
from live.sinks import Sinks

PARTS = {events.Word, events.Line, events.Caption}
"""Dataclasses of the module that are neither events nor commands, but parts of them."""


def test_everything_said_or_told_is_in_one_of_the_unions_and_frozen():
    declared = {kind for kind in vars(events).values() if dataclasses.is_dataclass(kind)}
    said, told = set(typing.get_args(events.Event)), set(typing.get_args(events.Command))
    assert said | told | PARTS == declared
    assert not said & told
    assert all(kind.__dataclass_params__.frozen and hasattr(kind, "__slots__") for kind in declared)


def test_a_line_reads_settled_words_first():
    line = Line((Word("Two"), Word(" of"), Word(" 3")), " thou")
    assert line.settled_text == "Two of 3"
    assert line.text == "Two of 3 thou"


def test_the_words_of_an_error_are_for_people_and_not_for_the_log():
    assert all(issubclass(kind, LiveError) for kind in (SettingsError, CaptureError, RecordingError))
    said = "a sentence"
    try:
        raise ValueError(said)
    except ValueError as error:
        text = unworded(error)
    assert "ValueError" in text
    assert "test_events.py" in text
    assert said not in text


def test_events_of_two_threads_reach_a_sink_one_at_a_time():
    entered, leave, second_entered = threading.Event(), threading.Event(), threading.Event()
    heard: list[events.Event] = []

    def slow(event: events.Event) -> None:
        if event == MarkAdded(1):
            entered.set()
            assert leave.wait(10)
        else:
            second_entered.set()

    emit = Sinks([slow, heard.append])
    first = threading.Thread(target=emit, args=[MarkAdded(1)])
    second = threading.Thread(target=emit, args=[MarkAdded(2)])
    first.start()
    assert entered.wait(10)
    second.start()
    assert not second_entered.wait(0.2)
    leave.set()
    first.join(10)
    second.join(10)
    assert heard == [MarkAdded(1), MarkAdded(2)]


def test_nothing_is_delivered_after_session_stopped():
    heard: list[events.Event] = []
    emit = Sinks([heard.append])
    emit(SessionStopped("why"))
    emit(MarkAdded(0))
    emit(SessionStopped())
    assert heard == [SessionStopped("why")]


@pytest.mark.parametrize("error", [RecordingError("The disk is full: make room."), ValueError("else")])
def test_a_sink_that_raises_is_left_out(error, caplog):
    heard: list[events.Event] = []
    n_calls = []

    def broken(_) -> None:
        n_calls.append(1)
        raise error

    emit = Sinks([broken, heard.append])
    emit(MarkAdded(0))
    emit(MarkAdded(1))
    assert len(n_calls) == 1
    assert len(heard) == 2
    assert ("The disk is full" in caplog.text) == isinstance(error, LiveError)
