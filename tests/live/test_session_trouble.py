"""Sessions whose model is slow or broken, or whose source fails: what is told, and what still comes."""

from __future__ import annotations

import threading
from functools import partial

from fakes import FakeFile, FakeSource, FakeWorker, conversation, quiet, tone
from session_run import SAID, gated

from live import session as session_module
from live.errors import CaptureError
from live.events import (
    CaptionUpdated,
    DeviceChanged,
    LagChanged,
    ModelRestarted,
    Pause,
    SessionStopped,
    UtteranceClosed,
    UtteranceFailed,
)
from models.base import SAMPLE_RATE, ModelLoadError

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

    monkeypatch.setattr("live.policy.Streaming.caption", broken)
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


def test_what_was_heard_before_a_device_was_lost_is_still_translated(run):
    made = run(FakeSource()).listen()
    made.source.say(tone(2.0))
    made.source.lose("The microphone 'fake' is gone.")
    made.recorder.wait_for(lambda event: event == DeviceChanged("microphone", None, "The microphone 'fake' is gone."))
    made.recorder.wait_for(lambda event: isinstance(event, CaptionUpdated) and event.caption.is_final)
    assert made.recorder.finals[0].end == 2.0 * SAMPLE_RATE
    assert made.session.state == "listening"


def test_a_file_that_is_lost_ends_the_session_with_its_sentence(run):
    made = run(FakeSource("file")).listen()
    made.source.say(tone(2.0))
    made.source.lose("The file 'fake' is damaged.")
    made.end()
    assert made.recorder.finals[0].end == 2.0 * SAMPLE_RATE
    assert made.recorder.stopped.error == "The file 'fake' is damaged."


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
