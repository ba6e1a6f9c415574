"""Audio in, typed events out: sessions from start to SessionStopped."""

from __future__ import annotations

import random
import re
import threading
import wave
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes import ENGLISH_HZ, FAKE, WAIT_S, FakeFile, FakeSource, FakeWorker, Recorder, conversation, quiet, tone
from session_run import SAID, Run, gated

from live.audio_file import FileSource
from live.events import (
    AddMark,
    AudioDropped,
    CaptionUpdated,
    DeviceChanged,
    LevelChanged,
    ModelLoading,
    Pause,
    Resume,
    SessionStopped,
    SetDirection,
    SetMode,
    SetSources,
    StateChanged,
    Stop,
    UtteranceClosed,
    UtteranceFailed,
)
from live.session import Session
from live.settings import Settings
from models.base import SAMPLE_RATE
from models.worker import ModelWorker

# A file, from beginning to end


def test_a_file_becomes_one_final_caption_an_utterance(run):
    made = run(FakeFile(conversation(4)))
    made.session.start()
    made.end()
    finals = made.recorder.finals
    assert [caption.id for caption in finals] == [1, 2, 3, 4]
    assert [(caption.source, caption.target) for caption in finals] == [("zh", "en"), ("en", "zh")] * 2
    assert all(caption.translation.settled_text and caption.transcript.settled_text for caption in finals)
    assert made.recorder.stopped == SessionStopped(None)


def test_a_caption_tells_when_it_was_said(run):
    made = run(FakeFile(np.concatenate([quiet(2.0), tone(1.5), quiet(1.0)])))
    made.session.start()
    caption = made.end().recorder.finals[0]
    assert caption.start == pytest.approx(1.7 * SAMPLE_RATE, abs=1024)
    assert caption.end == pytest.approx(3.7 * SAMPLE_RATE, abs=1024)
    closed = made.recorder.of(UtteranceClosed)[0]
    assert (closed.id, closed.start, closed.end) == (caption.id, caption.start, caption.end)


def test_an_utterance_is_closed_before_its_final_caption(run):
    made = run(FakeFile(conversation(3)))
    made.session.start()
    made.end()
    order = [
        event.id if isinstance(event, UtteranceClosed) else event.caption.id
        for event in made.recorder.of(UtteranceClosed, CaptionUpdated)
    ]
    for identity in (1, 2, 3):
        assert order.count(identity) == 2
    assert [event.id for event in made.recorder.of(UtteranceClosed)] == [1, 2, 3]


def test_a_file_read_at_once_makes_no_partials_and_no_levels(run):
    made = run(FakeFile(conversation(3)))
    made.session.start()
    made.end()
    assert made.recorder.partials == []
    assert made.recorder.of(LevelChanged) == []
    assert len(made.worker.requests) == 3


def test_a_file_without_speech_ends_without_captions(run):
    made = run(FakeFile(quiet(5.0)))
    made.session.start()
    assert made.end().recorder.of(CaptionUpdated, UtteranceClosed) == []


def test_a_file_that_ends_in_the_middle_of_speech_loses_nothing_of_it(run):
    made = run(FakeFile(np.concatenate([quiet(0.5), tone(2.0)])))
    made.session.start()
    assert made.end().recorder.finals[0].end == 2.5 * SAMPLE_RATE


def test_sound_of_another_rate_is_heard_to_its_last_sample(run):
    source = FakeSource(rate=48_000)
    made = run(source).listen()
    source.say(np.repeat(tone(2.0), 3))
    made.stop()
    assert made.recorder.finals[0].end == 2.0 * SAMPLE_RATE


def test_a_file_waits_for_a_slow_model_and_drops_nothing(run):
    gate = threading.Semaphore(0)
    sound = conversation(12, turn_s=2.0)
    source = FakeFile(sound)
    made = run(source, start_worker=gated(gate))
    made.listen()
    made.worker.wait_requests(1)
    # One runs, four wait; the rest of the file is in the queue or not read yet.
    made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed), 5)
    assert not made.recorder.comes(lambda event: isinstance(event, UtteranceClosed), 6, within_s=0.3)
    assert not source.queue.is_closed
    gate.release(100)
    made.end()
    assert [caption.id for caption in made.recorder.finals] == list(range(1, 13))
    assert made.recorder.of(AudioDropped) == []


def test_a_file_played_as_live_ends_with_the_same_captions_of_a_model_that_changes_nothing_it_said(run):
    """The utterances are the same where none is cut on request; the text is what a live reader would have seen."""
    sound = conversation(5)
    plain, as_live = run(FakeFile(sound)), run(FakeFile(sound), as_live=True)
    for made in (plain, as_live):
        made.session.start()
        made.end()
    assert as_live.recorder.finals == plain.recorder.finals
    assert len(as_live.recorder.partials) > 10


def test_a_file_played_as_live_shows_the_same_twice(run):
    sound = conversation(3)
    made = [run(FakeFile(sound), as_live=True) for _ in range(2)]
    for one in made:
        one.session.start()
        one.end()
    first, second = ([event.caption for event in one.recorder.of(CaptionUpdated)] for one in made)
    assert first == second


def test_a_file_played_as_live_translates_every_update_of_it(run):
    made = run(FakeFile(conversation(3)), as_live=True)
    made.session.start()
    made.end()
    assert made.worker.cancelled == set()
    growing = [caption.end - caption.start for caption in made.recorder.partials if caption.id == 1]
    assert growing == sorted(set(growing))
    assert np.diff(growing).max() < 0.45 * SAMPLE_RATE


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells memory by /proc")
def test_an_hour_of_sound_takes_no_more_memory_than_ten_minutes(run, tmp_path):
    ten_minutes = np.concatenate([conversation(60, turn_s=1.0), quiet(600.0)])[: 600 * SAMPLE_RATE].tobytes()
    path = tmp_path / "hour.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for _ in range(6):
            file.writeframesraw(ten_minutes)
    marks: dict[int, float] = {}

    def weigh(event) -> None:
        if isinstance(event, CaptionUpdated):
            marks.setdefault(event.caption.end // (600 * SAMPLE_RATE), _resident_mb())

    made = run(FileSource(path), sinks=[weigh])
    made.session.start()
    made.end()
    assert len(made.recorder.finals) == 6 * len({caption.id for caption in made.recorder.finals if caption.end < 9.6e6})
    assert sorted(marks) == list(range(6))
    assert marks[5] - marks[1] < 20


# Live


def test_text_settles_while_speech_goes_on_and_all_of_it_at_its_end(run):
    made = run(FakeSource()).listen()
    made.source.say(tone(3.0))
    made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated))
    made.source.say(quiet(1.0))
    final = made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated) and event.caption.is_final)
    made.stop()
    assert made.recorder.partials
    assert not made.recorder.partials[0].translation.settled
    assert any(caption.translation.tentative for caption in made.recorder.partials)
    assert any(caption.translation.settled for caption in made.recorder.partials)
    assert not final.caption.translation.tentative


def test_speech_that_goes_on_at_the_end_of_the_session_still_gets_its_final(run):
    made = run(FakeSource()).listen()
    made.source.say(tone(2.0))
    made.stop()
    assert [caption.is_final for caption in made.recorder.finals] == [True]
    assert made.recorder.finals[0].end == 2.0 * SAMPLE_RATE


def test_a_session_starts_with_the_model_and_ends_with_session_stopped(run):
    made = run(FakeSource())
    made.listen()
    made.stop()
    kinds = [type(event) for event in made.recorder.of(StateChanged, ModelLoading, DeviceChanged, SessionStopped)]
    assert kinds[:2] == [StateChanged, ModelLoading]
    assert kinds[-1] is SessionStopped
    states = [event.state for event in made.recorder.of(StateChanged)]
    assert states == ["loading", "listening", "stopping", "stopped"]
    shares = [event.share for event in made.recorder.of(ModelLoading)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert made.worker.is_closed
    assert not made.source.is_open


def test_what_the_model_computes_on_and_why_is_logged(run, caplog):
    caplog.set_level("INFO")
    run(FakeSource()).listen().stop()
    assert "fake on cpu (nothing to compute)" in caplog.text


def test_the_microphone_is_opened_only_once_the_model_is_loaded(run):
    made = run(FakeSource(), start_worker=partial(FakeWorker, loads=False))
    made.session.start()
    made.recorder.wait_for(lambda event: isinstance(event, ModelLoading))
    made.stop()
    assert made.source.n_opened == 0


def test_the_level_of_a_live_lane_is_told_a_few_times_a_second(run):
    made = run(FakeSource()).listen()
    made.source.say(np.concatenate([quiet(1.0), tone(1.0, level=0.5)]))
    made.stop()
    levels = made.recorder.of(LevelChanged)
    assert 20 <= len(levels) <= 30
    assert levels[0].level_dbfs == -100.0
    assert levels[0].speech == 0.0
    assert levels[-1].level_dbfs == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.1)
    assert levels[-1].speech == 1.0


def test_sound_that_never_came_is_told_with_its_time_and_the_clock_goes_on(run):
    made = run(FakeSource()).listen()
    made.source.say(quiet(1.0))
    made.source.skip(SAMPLE_RATE // 2)
    made.source.say(tone(1.0))
    made.stop()
    dropped = made.recorder.of(AudioDropped)
    assert [(event.start, event.n_samples) for event in dropped] == [(SAMPLE_RATE, SAMPLE_RATE // 2)]
    assert made.recorder.finals[0].end == 2.5 * SAMPLE_RATE


def test_a_device_that_delivers_more_than_fits_is_told_of_too(run):
    entered, leave = threading.Event(), threading.Event()

    def block_on_level(event) -> None:
        if isinstance(event, LevelChanged) and not entered.is_set():
            entered.set()
            assert leave.wait(WAIT_S)

    made = run(FakeSource(), sinks=[block_on_level]).listen()
    made.source.say(quiet(0.2))
    assert entered.wait(WAIT_S)
    made.source.say(quiet(12.0), offered=True)
    leave.set()
    made.stop()
    assert sum(event.n_samples for event in made.recorder.of(AudioDropped)) >= 1.8 * SAMPLE_RATE
    assert {event.reason for event in made.recorder.of(AudioDropped)} == {"the program could not keep up"}


# Starting and stopping


def test_a_session_may_be_stopped_before_and_after_its_life(run):
    made = run(FakeSource())
    assert made.session.join(0)
    made.session.send(Stop())
    made.session.start()
    made.end()
    made.session.send(Pause())
    assert made.session.state == "stopped"


@pytest.mark.parametrize("seed", range(40))
def test_a_session_stops_at_any_moment_whatever_was_asked_of_it(run, seed):
    rng = random.Random(seed)
    gate = threading.Semaphore(rng.choice([0, 3, 1000]))
    source = rng.choice([FakeSource(), FakeFile(conversation(6)), FakeFile(conversation(6), is_live=True)])
    loads = rng.random() > 0.1
    made = run(
        source,
        start_worker=gated(gate, loads=loads, die_on=[2], fail_on=[3]),
        as_live=rng.random() > 0.5,
        open_source=lambda *_: FakeSource(),
    )
    wishes = [Pause(), Resume(), SetDirection("zh", None), AddMark(), SetMode("follow"), SetSources("microphone")]
    early = rng.randrange(3)
    for _ in range(early):
        made.session.send(rng.choice(wishes))
    made.session.start()
    for _ in range(rng.randrange(6)):
        made.session.send(rng.choice(wishes))
        if source.lane != "file":
            source.say(rng.choice([tone(0.7, ENGLISH_HZ), quiet(0.8)]), offered=True)
        if rng.random() > 0.7:
            made.session.join(rng.random() * 0.02)
    made.session.send(Stop())
    gate.release(10_000)
    made.end()
    assert not source.is_open
    answered = {caption.id for caption in made.recorder.finals} | {e.id for e in made.recorder.of(UtteranceFailed)}
    assert answered == {event.id for event in made.recorder.of(UtteranceClosed)}
    assert made.recorder.stopped.error is None


# Who listens


def test_a_receiver_that_fails_is_left_out_and_the_others_hear_everything(run, caplog):
    heard = []

    def broken(event) -> None:
        heard.append(event)
        raise RuntimeError(SAID)

    made = run(FakeFile(conversation(2)), sinks=[broken])
    made.session.start()
    made.end()
    assert len(heard) == 1
    assert len(made.recorder.finals) == 2
    assert "RuntimeError" in caplog.text
    assert SAID not in caplog.text


def test_a_receiver_may_send_commands(run):
    made: list[Run] = []

    def stop_at_first_caption(event) -> None:
        if isinstance(event, CaptionUpdated):
            made[0].session.send(Stop())

    made.append(run(FakeSource(), sinks=[stop_at_first_caption]))
    made[0].listen()
    made[0].source.say(conversation(1))
    made[0].end()
    assert made[0].recorder.stopped == SessionStopped(None)


# The real worker


@pytest.mark.usefixtures("tones_are_speech")
def test_a_session_runs_on_a_model_process_of_its_own():
    recorder = Recorder()
    session = Session(
        Settings(),
        [FakeFile(conversation(2))],
        FAKE,
        recorder,
        model_name="fake",
        start_worker=ModelWorker,
    )
    session.start()
    assert session.join(60)
    assert [caption.source for caption in recorder.finals] == ["zh", "en"]
    assert recorder.stopped == SessionStopped(None)
