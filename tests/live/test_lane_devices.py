"""What a session of two lanes does about devices that hang, are lost again, and are opened after others."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from fakes import BLOCK, WAIT_S, FakeSource, quiet, tone

from live import lane as lane_module
from live.audio import AudioChunk
from live.errors import CaptureError
from live.events import CaptionUpdated, DeviceChanged, Pause, Resume, SessionStopped, SetSources, Stop
from models.base import SAMPLE_RATE

GONE = "The microphone 'fake' is gone."


def is_final(event) -> bool:
    return isinstance(event, CaptionUpdated) and event.caption.is_final


class Hanging(FakeSource):
    """Opened for the second time, it hangs until it `goes_on`."""

    def __init__(self) -> None:
        super().__init__("microphone")
        self.hangs, self.goes_on = threading.Event(), threading.Event()

    def opened(self) -> None:
        if self.n_opened > 1:
            self.hangs.set()
            assert self.goes_on.wait(WAIT_S)


@pytest.fixture
def hanging(both, monkeypatch) -> Callable:
    """Makes sessions whose microphone hangs in being opened again, and which do not wait for it."""
    monkeypatch.setattr(lane_module, "CLOSE_S", 0.01)

    def make():
        made, me, them = both(Hanging())
        made.listen()
        me.lose(GONE)
        assert me.hangs.wait(WAIT_S)
        return made, me, them

    return make


def test_a_device_that_hangs_while_it_is_opened_again_holds_up_neither_the_other_lane_nor_the_end(hanging):
    made, me, them = hanging()
    them.say(np.concatenate([tone(1.0), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    made.session.send(Stop())
    them.wait_closed()  # the microphone was given up before
    me.goes_on.set()
    made.end()
    assert not me.is_open
    assert made.recorder.stopped == SessionStopped(None)


def test_of_a_device_that_nobody_waits_for_any_more_nothing_is_said(hanging):
    made, me, _ = hanging()
    made.session.send(SetSources("system"))
    nobody = DeviceChanged("microphone", None, is_wanted=False)
    made.recorder.wait_for(lambda event: event == nobody)
    me.goes_on.set()
    made.stop()
    assert [event for event in made.recorder.of(DeviceChanged) if event.lane == "microphone"][-1] == nobody


def test_a_device_that_is_lost_again_for_the_same_reason_is_said_to_be_lost_again(both):
    made, me, _ = both()
    made.listen()
    for n in (1, 2):
        me.lose(GONE)
        made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, GONE), n)
        me.wait_open(n + 1)
    made.stop()


def test_what_is_opened_after_a_pause_waits_for_what_was_heard_before_it(both):
    is_behind, goes_on = threading.Event(), threading.Event()
    mine: list[AudioChunk] = []

    def hear(chunk: AudioChunk) -> None:
        if chunk.lane == "microphone":
            mine.append(chunk)
            if chunk.end == SAMPLE_RATE:
                is_behind.set()
                assert goes_on.wait(WAIT_S)

    made, me, _ = both(hear=[hear])
    made.listen()
    me.say(tone(2.0))
    assert is_behind.wait(WAIT_S)
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    me.opened_s = 1.5
    made.session.send(Resume())
    me.wait_open(2)
    me.say(tone(1.0))
    goes_on.set()
    made.stop()
    assert [chunk.start for chunk in mine] == list(range(0, round(2.5 * SAMPLE_RATE), BLOCK))


def test_why_a_device_cannot_be_opened_again_is_said_when_the_reason_changes(both):
    made, me, _ = both()
    made.listen()
    me.refuses = CaptureError("It is not there.")
    me.lose(GONE)
    made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, GONE))
    made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, "It is not there."))
    assert not made.recorder.comes(lambda event: event == DeviceChanged("microphone", None, "It is not there."), 2, 0.1)
    me.refuses = CaptureError("It is in use.")
    made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, "It is in use."))
    made.stop()
