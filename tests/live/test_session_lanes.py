"""Two lanes at once: what each hears, on one clock, whatever happens to their devices."""

from __future__ import annotations

import itertools
import threading
from functools import partial

import numpy as np
import pytest
from fakes import BLOCK, CHINESE_HZ, ENGLISH_HZ, FakeSource, quiet, tone

from live import lane as lane_module
from live.audio import LANE_NAMES, AudioBlock
from live.errors import CaptureError
from live.events import (
    AddMark,
    AudioDropped,
    CaptionUpdated,
    DeviceChanged,
    LevelChanged,
    MarkAdded,
    Pause,
    Resume,
    SessionStopped,
    SetSources,
    StateChanged,
    UtteranceClosed,
)
from live.queues import AudioQueue
from live.settings import Settings
from models.base import SAMPLE_RATE

GONE = "The microphone 'fake' is gone."


def is_final(event) -> bool:
    return isinstance(event, CaptionUpdated) and event.caption.is_final


def is_long(lane: str, event) -> bool:
    return isinstance(event, CaptionUpdated) and event.caption.lane == lane and event.caption.end > 14 * SAMPLE_RATE


def test_each_lane_has_its_own_captions_and_both_have_one_time(both):
    made, me, them = both()
    me.opened_s, them.opened_s = 100.0, 100.5
    made.listen()
    me.say(np.concatenate([quiet(1.0), tone(2.0, CHINESE_HZ), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    them.say(np.concatenate([quiet(1.0), tone(2.0, ENGLISH_HZ), quiet(1.0)]))
    made.recorder.wait_for(is_final, 2)
    made.stop()
    mine, theirs = made.recorder.finals
    assert (mine.lane, mine.source) == ("microphone", "zh")
    assert (theirs.lane, theirs.source) == ("system", "en")
    assert theirs.start - mine.start == pytest.approx(0.5 * SAMPLE_RATE, abs=512)
    assert mine.id != theirs.id


def test_speech_at_the_same_time_is_never_mixed(both):
    made, me, them = both()
    made.listen()
    talks = [threading.Thread(target=source.say, args=(tone(3.0, hz),)) for source, hz in ((me, 200.0), (them, 1500.0))]
    for talk in talks:
        talk.start()
    for talk in talks:
        talk.join()
    made.stop()
    assert {(caption.lane, caption.source) for caption in made.recorder.finals} == {
        ("microphone", "zh"),
        ("system", "en"),
    }


def test_what_a_lane_heard_before_the_session_s_first_sample_is_left_out(both):
    made, me, them = both()
    me.opened_s, them.opened_s = 100.0, 99.0
    made.listen()
    me.say(quiet(1.0))
    made.recorder.wait_for(lambda event: isinstance(event, LevelChanged), 10)
    them.say(np.concatenate([tone(1.5), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    made.stop()
    (caption,) = made.recorder.finals
    assert caption.start == 0
    assert caption.end == pytest.approx(0.5 * SAMPLE_RATE, abs=4000)


def test_a_lost_device_is_said_waited_for_and_goes_on_in_the_same_time(both):
    made, me, them = both()
    made.listen()
    me.say(tone(2.0))
    me.refuses = CaptureError("There is no microphone.")
    me.lose(GONE)
    made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, "There is no microphone."))
    them.say(np.concatenate([tone(2.0), quiet(1.0)]))
    made.recorder.wait_for(lambda event: is_final(event) and event.caption.lane == "system")
    me.opened_s = 10.0
    me.refuses = None
    me.wait_open(2)
    me.say(np.concatenate([quiet(1.0), tone(1.0)]))
    made.stop()
    mine = [caption for caption in made.recorder.finals if caption.lane == "microphone"]
    assert [caption.end for caption in mine] == [2 * SAMPLE_RATE, 12 * SAMPLE_RATE]
    changes = [(each.name, each.detail) for each in made.recorder.of(DeviceChanged) if each.lane == "microphone"]
    assert changes == [
        ("fake microphone", ""),
        (None, GONE),
        (None, "There is no microphone."),
        ("fake microphone", ""),
    ]
    away = [(event.lane, event.start, event.n_samples) for event in made.recorder.of(AudioDropped)]
    assert away == [("microphone", 2 * SAMPLE_RATE, 8 * SAMPLE_RATE)]
    assert them.n_opened == 1
    assert made.recorder.stopped == SessionStopped(None)


def test_sound_that_a_device_delivers_a_second_time_counts_once(both):
    made, me, _ = both()
    made.listen()
    me.say(tone(2.0))
    me.lose(GONE)
    me.wait_open(2)
    me.opened_s = 1.0
    me.say(np.concatenate([tone(1.0), quiet(0.5), tone(1.0)]))
    made.stop()
    assert [caption.end for caption in made.recorder.finals] == [2 * SAMPLE_RATE, 3.5 * SAMPLE_RATE]
    assert sum(caption.end - caption.start for caption in made.recorder.finals) <= 3.5 * SAMPLE_RATE


@pytest.mark.parametrize("missing", ["microphone", "system"])
def test_a_device_that_is_not_there_at_the_start_is_waited_for_while_the_other_is_heard(both, missing):
    absent = FakeSource(missing, refuses=CaptureError(f"No {LANE_NAMES[missing]} was found."))
    made, me, them = both(**{"me" if missing == "microphone" else "them": absent})
    made.listen()
    made.recorder.wait_for(lambda event: isinstance(event, DeviceChanged) and event.name is None)
    other = them if missing == "microphone" else me
    other.say(np.concatenate([tone(1.0), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    absent.opened_s = 5.0
    absent.refuses = None
    absent.wait_open()
    absent.say(np.concatenate([tone(1.0), quiet(1.0)]))
    made.recorder.wait_for(is_final, 2)
    made.stop()
    assert [round(caption.start / SAMPLE_RATE) for caption in made.recorder.finals] == [0, 5]
    assert made.recorder.of(AudioDropped) == []


def test_two_devices_of_which_neither_can_be_opened_end_the_session(both):
    refuse = CaptureError("No microphone was found.")
    made, *_ = both(FakeSource(refuses=refuse), FakeSource("system", refuses=CaptureError("Nothing plays.")))
    made.session.start()
    made.end()
    assert made.recorder.stopped.error == "No microphone was found."


def test_a_session_that_waits_for_a_device_can_be_paused_resumed_and_stopped(both):
    made, me, them = both()
    made.listen()
    me.refuses = CaptureError("There is no microphone.")
    me.lose(GONE)
    made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, GONE))
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    assert not them.is_open
    made.session.send(Resume())
    made.recorder.wait_state("listening", 2)
    assert them.is_open
    made.stop()
    assert not me.is_open
    assert made.recorder.stopped == SessionStopped(None)


def test_a_pause_closes_both_devices_and_both_go_on_in_the_same_time(both):
    made, me, them = both()
    made.listen()
    for source in (me, them):
        source.say(quiet(1.0))
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    assert not me.is_open
    assert not them.is_open
    me.opened_s = them.opened_s = 20.0
    made.session.send(Resume())
    for source in (me, them):
        source.wait_open(2)
        source.say(np.concatenate([tone(1.0), quiet(1.0)]))
    made.stop()
    assert [caption.end for caption in made.recorder.finals] == [pytest.approx(21 * SAMPLE_RATE, abs=4000)] * 2
    assert made.recorder.of(AudioDropped) == []


def test_a_mark_has_the_time_of_the_lane_that_is_further(both):
    made, me, them = both()
    made.listen()
    me.say(quiet(1.0))
    them.say(quiet(3.0))
    made.recorder.wait_for(lambda event: isinstance(event, LevelChanged) and event.lane == "system", 30)
    made.session.send(AddMark())
    mark = made.recorder.wait_for(lambda event: isinstance(event, MarkAdded))
    assert mark.at > 2 * SAMPLE_RATE


# Other sources, live


def test_a_second_source_joins_and_leaves_while_the_first_goes_on(run):
    them = FakeSource("system")
    made = run(FakeSource(), clock=lambda: 0.0, open_source=lambda *_: them).listen()
    made.source.say(tone(1.0))
    made.session.send(SetSources("both"))
    them.wait_open()
    them.say(np.concatenate([tone(1.0), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    made.session.send(SetSources("microphone"))
    them.wait_closed()
    made.source.say(tone(1.0))
    made.stop()
    assert made.source.n_opened == 1
    assert [caption.lane for caption in made.recorder.finals] == ["system", "microphone"]
    assert made.recorder.finals[1].end == 2 * SAMPLE_RATE
    assert made.recorder.of(DeviceChanged) == [
        DeviceChanged("microphone", "fake microphone"),
        DeviceChanged("system", "fake system"),
        DeviceChanged("system", None, is_wanted=False),
    ]


def test_the_computer_s_sound_can_take_the_microphone_s_place(run):
    them = FakeSource("system")
    made = run(FakeSource(), clock=lambda: 0.0, open_source=lambda *_: them).listen()
    made.session.send(SetSources("system"))
    them.wait_open()
    assert not made.source.is_open
    them.say(tone(1.0))
    made.stop()
    assert [caption.lane for caption in made.recorder.finals] == ["system"]


def test_devices_are_asked_for_by_the_names_chosen_and_only_where_they_change(run):
    asked = []

    def open_source(kind: str, name: str) -> FakeSource:
        asked.append((kind, name))
        return FakeSource(kind)

    made = run(FakeSource(), clock=lambda: 0.0, open_source=open_source, settings=Settings(input="USB")).listen()
    for n, wish in enumerate(
        (
            SetSources("both", "USB"),
            SetSources("both", "USB", "HDMI"),
            SetSources("both", "USB", "HDMI"),
            SetSources("microphone"),
            SetSources("microphone", "headset"),
            SetSources("microphone", ""),
        ),
        start=2,
    ):
        made.session.send(wish)
        made.recorder.wait_state("listening", n)
    made.stop()
    assert asked == [("system", ""), ("system", "HDMI"), ("microphone", "headset"), ("microphone", "")]


def test_sources_chosen_in_a_pause_are_opened_after_it(run):
    them = FakeSource("system")
    made = run(FakeSource(), clock=lambda: 0.0, open_source=lambda *_: them).listen()
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    made.session.send(SetSources("both"))
    made.recorder.wait_for(lambda event: isinstance(event, StateChanged) and event.detail.startswith("Next: "))
    assert not them.is_open
    made.session.send(Resume())
    them.wait_open()
    made.source.wait_open(2)


# Time without blocks, and cuts


def test_computer_sound_that_stops_coming_is_silence_that_ends_what_was_said(run):
    ticks = itertools.count()
    them = FakeSource("system")
    made = run(them, clock=lambda: next(ticks) * 0.05, settings=Settings(source="system")).listen()
    them.say(tone(1.0))
    made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed))
    caption = made.recorder.wait_for(is_final).caption
    assert caption.end == pytest.approx(1.2 * SAMPLE_RATE, abs=512)
    assert made.recorder.of(AudioDropped) == []


def test_computer_sound_that_came_while_the_program_stood_still_is_heard_in_its_time(run, monkeypatch):
    now_s, is_said = [0.0], threading.Event()
    them = FakeSource("system")

    class HeldUp(AudioQueue):
        """Once all was taken, the program stands still for three seconds; then all comes at once."""

        def get(self, timeout_s: float) -> AudioBlock | None:
            block = super().get(0.0)
            if block is None and is_said.is_set() and not now_s[0]:
                now_s[0] = 4.0
                for first in range(SAMPLE_RATE, 4 * SAMPLE_RATE, BLOCK):
                    self.offer(AudioBlock("system", tone(BLOCK / SAMPLE_RATE)[:, None], first, 4.0))
            return block

    monkeypatch.setattr(lane_module, "AudioQueue", HeldUp)
    made = run(them, clock=lambda: now_s[0], settings=Settings(source="system")).listen()
    them.say(tone(1.0))
    is_said.set()
    made.recorder.wait_for(lambda event: isinstance(event, LevelChanged), 50)
    made.stop()
    assert sum(caption.end - caption.start for caption in made.recorder.finals) == 4 * SAMPLE_RATE
    assert made.recorder.of(AudioDropped) == []


def test_a_cut_that_is_asked_for_is_made_on_its_own_lane_alone(both):
    made, me, them = both()
    made.listen()
    for source in (me, them):
        source.say(tone(15.0))
    for source in (me, them):
        made.recorder.wait_for(partial(is_long, source.lane))
    ids = {event.caption.lane: event.caption.id for event in made.recorder.of(CaptionUpdated)}
    made.session._lanes.cut("system", ids["system"], 10 * SAMPLE_RATE)
    for source in (me, them):
        source.say(tone(1.0))
    made.stop()
    ends = {(caption.lane, caption.start, caption.end) for caption in made.recorder.finals}
    assert ends == {
        ("microphone", 0, 16 * SAMPLE_RATE),
        ("system", 0, 10 * SAMPLE_RATE),
        ("system", 10 * SAMPLE_RATE, 16 * SAMPLE_RATE),
    }
