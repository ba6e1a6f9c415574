"""What a session does when it is told something."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fakes import CHINESE_HZ, WAIT_S, FakeFile, FakeSource, blocks_of, conversation, quiet, tone

from live.audio import AudioBlock
from live.errors import CaptureError
from live.events import (
    AddMark,
    AddTerm,
    CaptionUpdated,
    DeviceChanged,
    LevelChanged,
    MarkAdded,
    Pause,
    Resume,
    SessionStopped,
    SetDirection,
    SetMode,
    SetModel,
    SetSources,
    StateChanged,
    UtteranceClosed,
)
from live.settings import Settings
from models.base import SAMPLE_RATE

# Commands


def test_a_paused_microphone_is_closed_and_what_was_heard_is_translated(run):
    made = run(FakeSource()).listen()
    made.source.say(tone(2.0))
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    assert not made.source.is_open
    made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated) and event.caption.is_final)
    assert made.session.state == "paused"


def test_the_clock_goes_on_through_a_pause(run):
    made = run(FakeSource()).listen()
    made.source.opened_s = 100.0
    made.source.say(tone(2.0))
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    made.source.opened_s = 130.0
    made.session.send(Resume())
    made.source.wait_open(2)
    made.source.say(np.concatenate([quiet(1.0), tone(2.0)]))
    made.stop()
    first, second = made.recorder.finals
    assert made.session.started_s == pytest.approx(100.0)
    assert first.end == 2.0 * SAMPLE_RATE
    assert second.end == 33.0 * SAMPLE_RATE
    assert (first.id, second.id) == (1, 2)


def test_a_paused_file_stays_where_it_is(run):
    made = run(FakeSource("file")).listen()
    made.source.say(conversation(1))
    made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed))
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    assert made.source.is_open
    reader = threading.Thread(target=made.source.say, args=(conversation(2),))
    reader.start()
    assert not made.recorder.comes(lambda event: isinstance(event, UtteranceClosed), 2, within_s=0.3)
    made.session.send(Resume())
    reader.join(WAIT_S)
    made.source.end()
    made.end()
    assert [event.id for event in made.recorder.of(UtteranceClosed)] == [1, 2, 3]
    assert [event.state for event in made.recorder.of(StateChanged)][1:4] == ["listening", "paused", "listening"]


def test_a_paused_file_s_reader_waits_with_it_and_brings_no_burst_afterwards(run):
    made = run(FakeSource("file")).listen()
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    blocks = [AudioBlock("file", samples, 0, 0.0) for samples in blocks_of(quiet(1.0))]
    n_taken = sum(made.source.queue.put(block, lambda: True) for block in blocks)
    assert n_taken <= 2  # one the segmenter was waiting for, one in the queue
    made.session.send(Resume())
    made.recorder.wait_state("listening", 2)
    assert made.source.queue.put(blocks[0], lambda: True)
    made.stop()


def test_a_session_paused_while_it_loads_listens_only_when_told(run):
    made = run(FakeSource())
    made.session.send(Pause())
    made.session.start()
    made.recorder.wait_state("paused")
    assert made.source.n_opened == 0
    made.session.send(Resume())
    made.source.wait_open()
    made.stop()


def test_a_paused_session_stops_at_once(run):
    made = run(FakeSource()).listen()
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    made.stop()
    assert made.recorder.stopped == SessionStopped(None)


def test_a_microphone_that_cannot_be_opened_again_leaves_the_session_paused(run):
    made = run(FakeSource()).listen()
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    made.source.refuses = CaptureError("The microphone 'fake' is in use.")
    made.session.send(Resume())
    assert made.recorder.wait_state("paused", 2).detail == "The microphone 'fake' is in use."
    made.source.refuses = None
    made.session.send(Resume())
    made.recorder.wait_state("listening", 2)
    made.stop()
    assert made.recorder.stopped == SessionStopped(None)


def test_a_new_direction_applies_from_the_next_utterance(run):
    made = run(FakeSource()).listen()
    made.source.say(np.concatenate([tone(2.0, CHINESE_HZ), quiet(1.0)]))
    made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated) and event.caption.is_final)
    made.session.send(SetDirection("en", None))
    made.recorder.wait_for(lambda event: isinstance(event, StateChanged) and "en to zh" in event.detail)
    made.source.say(np.concatenate([tone(2.0, CHINESE_HZ), quiet(1.0)]))
    made.stop()
    assert [caption.source for caption in made.recorder.finals] == ["zh", "en"]


def test_a_direction_in_the_settings_is_kept_to(run):
    made = run(FakeFile(conversation(2)), settings=Settings(from_language="en", to_language="zh"))
    made.session.start()
    made.end()
    assert {(caption.source, caption.target) for caption in made.recorder.finals} == {("en", "zh")}


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (SetDirection("en", "en"), "choose two languages"),
        (SetDirection("de", None), "does not translate de"),
        (SetModel("other"), "cannot be changed while listening"),
        (AddTerm("a", "b"), "not taken yet"),
        (SetSources("file"), "in a session of its own"),
    ],
)
def test_what_cannot_be_done_is_answered_in_a_sentence(run, command, answer):
    made = run(FakeSource()).listen()
    made.session.send(command)
    event = made.recorder.wait_for(lambda event: isinstance(event, StateChanged) and answer in event.detail)
    assert event.state == "listening"


def test_a_file_keeps_its_source(run):
    made = run(FakeFile(conversation(30), is_live=True))
    made.session.send(SetSources("microphone"))
    made.session.start()
    event = made.recorder.wait_for(lambda event: isinstance(event, StateChanged) and "A file is being" in event.detail)
    assert event.state == "loading"


def test_another_microphone_takes_over_on_the_same_clock(run):
    second = FakeSource()
    second.name = "headset"
    asked = []

    def open_source(*which: str) -> FakeSource:
        asked.append(which)
        return second

    made = run(FakeSource(), open_source=open_source).listen()
    made.source.say(tone(2.0))
    made.session.send(SetSources("microphone", "head"))
    second.wait_open()
    assert not made.source.is_open
    second.opened_s = 3.0
    second.say(np.concatenate([quiet(1.0), tone(1.0)]))
    made.stop()
    assert asked == [("microphone", "head")]
    assert [event.name for event in made.recorder.of(DeviceChanged)] == ["fake microphone", "headset"]
    assert [caption.end for caption in made.recorder.finals] == [2 * SAMPLE_RATE, 5 * SAMPLE_RATE]


def test_a_mark_has_the_time_that_was_heard_last(run):
    made = run(FakeSource()).listen()
    made.source.say(quiet(2.0))
    made.recorder.wait_for(lambda event: isinstance(event, LevelChanged), 25)
    made.session.send(AddMark("here"))
    mark = made.recorder.wait_for(lambda event: isinstance(event, MarkAdded))
    assert mark.label == "here"
    assert 1.5 * SAMPLE_RATE < mark.at <= 2.0 * SAMPLE_RATE


def test_the_mode_is_kept_for_who_asks(run):
    made = run(FakeSource()).listen()
    assert made.session.mode == "balanced"
    made.session.send(SetMode("reading"))
    made.recorder.wait_for(lambda event: isinstance(event, StateChanged) and "reading" in event.detail)
    assert made.session.mode == "reading"
