"""Audio in, typed events out: sessions from start to SessionStopped."""

from __future__ import annotations

import random
import re
import threading
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes import (
    CHINESE_HZ,
    ENGLISH_HZ,
    FAKE,
    WAIT_S,
    EnergyDetector,
    FakeFile,
    FakeSource,
    FakeWorker,
    Recorder,
    conversation,
    quiet,
    tone,
)

from live import session as session_module
from live.audio_file import FileSource
from live.errors import CaptureError
from live.events import (
    AddMark,
    AddTerm,
    AudioDropped,
    CaptionUpdated,
    DeviceChanged,
    LagChanged,
    LevelChanged,
    MarkAdded,
    ModelLoading,
    ModelRestarted,
    Pause,
    Resume,
    SessionStopped,
    SetDirection,
    SetMode,
    SetModel,
    SetSources,
    StateChanged,
    Stop,
    UtteranceClosed,
    UtteranceFailed,
)
from live.session import Session
from live.settings import Settings
from models.base import SAMPLE_RATE, ModelLoadError, TranslatorFactory
from models.worker import ModelWorker

SAID = "a sentence that somebody said"


class Run:
    """A session with all it stands on."""

    def __init__(self, source, *, start_worker: Callable = FakeWorker, sinks=(), settings=None, **options) -> None:
        self.source = source
        self.recorder = Recorder()
        self.workers: list[FakeWorker] = []

        def start(factory: TranslatorFactory) -> FakeWorker:
            self.workers.append(start_worker(factory))
            return self.workers[-1]

        self.session = Session(
            settings or Settings(),
            source,
            FAKE,
            [self.recorder, *sinks],
            model_name="fake",
            start_worker=start,
            **options,
        )

    @property
    def worker(self) -> FakeWorker:
        return self.workers[0]

    def listen(self) -> Run:
        """Start, and wait until the source is open."""
        self.session.start()
        self.recorder.wait_state("listening")
        return self

    def end(self) -> Run:
        """Wait for an end that comes by itself."""
        assert self.session.join(WAIT_S), f"the session did not end: {self.recorder.events}"
        assert self.recorder.stopped
        return self

    def stop(self) -> Run:
        self.session.send(Stop())
        return self.end()


@pytest.fixture(autouse=True)
def tones_are_speech(monkeypatch) -> None:
    monkeypatch.setattr(session_module, "make_detector", lambda _: EnergyDetector())


@pytest.fixture(autouse=True)
def deadlines_are_far(monkeypatch) -> None:
    """An end that waits for a deadline fails its test."""
    monkeypatch.setattr(session_module, "DRAIN_S", 10 * WAIT_S)
    monkeypatch.setattr(session_module, "CLOSE_S", 10 * WAIT_S)


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Makes sessions, and stops them at the end of the test."""
    runs: list[Run] = []

    def make(*args, **options) -> Run:
        runs.append(Run(*args, **options))
        return runs[-1]

    yield make
    for made in runs:
        made.session.send(Stop())
        assert made.session.join(WAIT_S)


def gated(gate: threading.Semaphore, **options) -> Callable:
    return partial(FakeWorker, gate=gate, **options)


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


def test_a_file_played_as_live_ends_with_the_same_captions(run):
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


def test_text_is_tentative_while_speech_goes_on_and_settled_at_its_end(run):
    made = run(FakeSource()).listen()
    made.source.say(tone(3.0))
    made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated))
    made.source.say(quiet(1.0))
    final = made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated) and event.caption.is_final)
    made.stop()
    assert made.recorder.partials
    assert all(not caption.translation.settled and caption.translation.tentative for caption in made.recorder.partials)
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


# A slow or broken model


def test_a_partial_gives_way_to_a_final_and_never_to_a_newer_partial(run):
    gate = threading.Semaphore(0)
    made = run(FakeSource(), start_worker=gated(gate)).listen()
    made.source.say(tone(3.0))
    made.worker.wait_requests(1)
    assert made.worker.cancelled == set()
    made.source.say(quiet(1.0))
    made.worker.wait_cancelled()
    gate.release(100)
    made.stop()
    assert [request.is_final for request in made.worker.requests] == [False, True]
    assert len(made.recorder.finals) == 1


def test_with_a_slow_model_every_final_comes_and_in_order(run):
    gate = threading.Semaphore(0)
    made = run(FakeSource(), start_worker=gated(gate)).listen()
    made.source.say(conversation(8))
    made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed), 8)
    gate.release(1000)
    made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated) and event.caption.is_final, 8)
    made.stop()
    assert [caption.id for caption in made.recorder.finals] == list(range(1, 9))
    assert made.recorder.of(UtteranceFailed) == []


def test_lag_is_split_into_waiting_and_computing(run):
    made = run(FakeFile(conversation(2)))
    made.session.start()
    made.end()
    lags = made.recorder.of(LagChanged)
    assert len(lags) == 2
    assert all(lag.waiting_s >= 0 and lag.compute_s >= 0 and lag.stability_s == 0 for lag in lags)


def test_one_failed_utterance_is_told_and_the_session_goes_on(run):
    made = run(FakeFile(conversation(3)), start_worker=partial(FakeWorker, fail_on=[2]))
    made.session.start()
    made.end()
    assert [caption.id for caption in made.recorder.finals] == [1, 3]
    failed = made.recorder.of(UtteranceFailed)
    assert [(event.id, event.message) for event in failed] == [(2, "The fake worker was told to fail.")]
    assert made.recorder.stopped == SessionStopped(None)


def test_a_failed_partial_is_not_told_because_its_final_follows(run):
    made = run(FakeFile(conversation(1)), as_live=True, start_worker=partial(FakeWorker, fail_on=[1, 2]))
    made.session.start()
    made.end()
    assert made.recorder.of(UtteranceFailed) == []
    assert len(made.recorder.finals) == 1


def test_a_model_that_dies_and_comes_back_loses_no_caption(run):
    made = run(FakeFile(conversation(3)), start_worker=partial(FakeWorker, die_on=[2]))
    made.session.start()
    made.end()
    assert made.recorder.of(ModelRestarted) == [ModelRestarted("it was killed")]
    assert [caption.id for caption in made.recorder.finals] == [1, 2, 3]


def test_a_model_lost_for_good_ends_the_session_and_every_utterance_is_accounted_for(run):
    made = run(FakeFile(conversation(6)), start_worker=partial(FakeWorker, die_for_good_on=3))
    made.session.start()
    made.end()
    assert "cannot be started again" in made.recorder.stopped.error
    captioned = {caption.id for caption in made.recorder.finals}
    failed = {event.id for event in made.recorder.of(UtteranceFailed)}
    assert captioned == {1, 2}
    assert captioned | failed == {event.id for event in made.recorder.of(UtteranceClosed)}


def test_a_model_that_cannot_be_loaded_ends_the_session_before_it_listens(run):
    error = ModelLoadError("There is no checkpoint in FOLDER: name another with --model.")
    made = run(FakeSource(), start_worker=partial(FakeWorker, load_error=error))
    made.session.start()
    made.end()
    assert made.recorder.stopped == SessionStopped(str(error))
    assert made.source.n_opened == 0


def test_an_error_of_the_program_in_one_job_is_told_without_what_was_said(run, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError(SAID)

    monkeypatch.setattr("live.policy.Retranslation.caption", broken)
    made = run(FakeFile(conversation(2)))
    made.session.start()
    made.end()
    assert len(made.recorder.of(UtteranceFailed)) == 2
    assert made.recorder.stopped == SessionStopped(None)
    assert "RuntimeError" in caplog.text
    assert SAID not in caplog.text


def test_a_model_that_hangs_cannot_hold_up_the_end(run, monkeypatch):
    monkeypatch.setattr(session_module, "DRAIN_S", 0.0)
    made = run(FakeSource(), start_worker=gated(threading.Semaphore(0))).listen()
    made.source.say(conversation(3))
    made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed), 3)
    made.stop()
    assert {event.id for event in made.recorder.of(UtteranceFailed)} == {1, 2, 3}
    assert made.recorder.stopped == SessionStopped(None)


# A source that fails


def test_a_source_that_cannot_be_opened_ends_the_session_with_its_sentence(run):
    made = run(FakeSource(refuses=CaptureError("The microphone 'fake' is in use by another program: close that one.")))
    made.session.start()
    made.end()
    assert made.recorder.stopped.error.startswith("The microphone 'fake' is in use")
    assert made.worker.is_closed


def test_what_was_heard_before_a_source_was_lost_is_still_translated(run):
    made = run(FakeSource()).listen()
    made.source.say(tone(2.0))
    made.source.lose("The microphone 'fake' is gone.")
    made.end()
    assert made.recorder.of(DeviceChanged)[-1] == DeviceChanged("microphone", None, "The microphone 'fake' is gone.")
    assert made.recorder.finals[0].end == 2.0 * SAMPLE_RATE
    assert made.recorder.stopped.error == "The microphone 'fake' is gone."


def test_an_error_of_the_program_in_the_segmenter_thread_ends_the_session_in_one_sentence(run, monkeypatch):
    def broken(*_):
        raise RuntimeError("bug")

    monkeypatch.setattr("live.segmenter.Segmenter.push", broken)
    made = run(FakeFile(conversation(2)))
    made.session.start()
    made.end()
    assert made.recorder.stopped.error == (
        "Listening stopped on an error of the program (RuntimeError); the log has the place."
    )


def test_an_error_of_the_program_in_a_source_ends_the_session_in_one_sentence(run, monkeypatch):
    def broken(*_):
        raise RuntimeError("bug")

    made = run(FakeSource()).listen()
    made.source.say(tone(1.0))
    monkeypatch.setattr(made.source, "close", broken)
    made.session.send(Pause())
    made.end()
    assert made.recorder.stopped.error == (
        "The session ended on an error of the program (RuntimeError); the log has the place."
    )
    assert made.worker.is_closed


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
    made.source.say(conversation(2))
    assert not made.recorder.comes(lambda event: isinstance(event, UtteranceClosed), 2, within_s=0.3)
    made.session.send(Resume())
    made.source.end()
    made.end()
    assert [event.id for event in made.recorder.of(UtteranceClosed)] == [1, 2, 3]
    assert [event.state for event in made.recorder.of(StateChanged)][1:4] == ["listening", "paused", "listening"]


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
        (SetSources("system"), "Only microphones"),
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

    def open_microphone(name: str) -> FakeSource:
        asked.append(name)
        return second

    made = run(FakeSource(), open_microphone=open_microphone).listen()
    made.source.say(tone(2.0))
    made.session.send(SetSources("microphone", "head"))
    second.wait_open()
    assert not made.source.is_open
    second.opened_s = 3.0
    second.say(np.concatenate([quiet(1.0), tone(1.0)]))
    made.stop()
    assert asked == ["head"]
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
        open_microphone=lambda _: FakeSource(),
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


def test_a_session_runs_on_a_model_process_of_its_own():
    recorder = Recorder()
    session = Session(
        Settings(),
        FakeFile(conversation(2)),
        FAKE,
        recorder,
        model_name="fake",
        start_worker=ModelWorker,
    )
    session.start()
    assert session.join(60)
    assert [caption.source for caption in recorder.finals] == ["zh", "en"]
    assert recorder.stopped == SessionStopped(None)
