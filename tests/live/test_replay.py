"""The last sentence played again, and what the microphone hears of it."""

from __future__ import annotations

import queue
import threading

import numpy as np
import pytest
from fakes import CHINESE_HZ, ENGLISH_HZ, WAIT_S, FakeSource, quiet, tone

from live.audio import AudioChunk
from live.errors import LiveError, PlaybackError
from live.events import CaptionUpdated, Pause, Replay, StateChanged, UtteranceClosed, UtteranceSilent
from live.replay import SLACK_S, TAIL_S, Replayer
from models.base import SAMPLE_RATE


class FakeOutput:
    """Plays at once, or as far as it is let."""

    def __init__(self, *, waits: bool = False) -> None:
        self.written: list[np.ndarray] = []
        self.opened, self.go = threading.Event(), threading.Event()
        self.closings: queue.SimpleQueue[bool] = queue.SimpleQueue()
        if not waits:
            self.go.set()

    def __call__(self) -> FakeOutput:
        self.opened.set()
        return self

    def write(self, samples):
        assert self.go.wait(WAIT_S)
        self.written.append(samples)

    def close(self, *, at_once):
        self.closings.put(at_once)

    def wait_closed(self) -> bool:
        """Wait for the end; whether it came at once."""
        return self.closings.get(timeout=WAIT_S)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def heard(replayer: Replayer, seconds: float = 2.0, lane="microphone", start: int = 0) -> np.ndarray:
    samples = np.linspace(-1, 1, round(seconds * SAMPLE_RATE), dtype=np.float32)
    replayer.hear(AudioChunk(lane, samples, start))
    replayer(UtteranceClosed(lane, start, start + len(samples), 1))
    return samples


def ended(replayer: Replayer) -> None:
    assert replayer._thread is not None
    replayer._thread.join(WAIT_S)
    assert not replayer._thread.is_alive()


def test_the_last_sentence_is_played_whole():
    output = FakeOutput()
    replayer = Replayer(output)
    samples = heard(replayer)
    assert replayer.start(None) == 2.0
    assert output.wait_closed() is False
    np.testing.assert_array_equal(np.concatenate(output.written), samples)


def test_of_two_lanes_it_is_the_one_that_spoke_last_or_the_one_that_is_named():
    output = FakeOutput()
    replayer = Replayer(output)
    heard(replayer, 1.0, "microphone")
    heard(replayer, 3.0, "system")
    assert replayer.start(None) == 3.0
    ended(replayer)
    assert replayer.start("microphone") == 1.0
    ended(replayer)


def test_where_nothing_was_said_a_sentence_says_so():
    replayer = Replayer(FakeOutput())
    with pytest.raises(PlaybackError, match="There is nothing to replay"):
        replayer.start(None)
    heard(replayer)
    with pytest.raises(PlaybackError, match="no sentence has ended on the computer sound"):
        replayer.start("system")


def test_what_held_no_words_is_no_sentence():
    replayer = Replayer(FakeOutput())
    heard(replayer, 1.0)
    replayer(UtteranceClosed("microphone", 0, 8_000, 2))
    replayer(UtteranceSilent("microphone", 2, 0, 8_000))
    assert replayer.start(None) == 1.0
    ended(replayer)


def test_a_sentence_of_more_than_a_minute_ago_is_gone():
    replayer = Replayer(FakeOutput())
    heard(replayer)
    replayer.hear(AudioChunk("microphone", np.zeros(60 * SAMPLE_RATE, np.float32), 2 * SAMPLE_RATE))
    with pytest.raises(PlaybackError, match="in the last minute"):
        replayer.start(None)


@pytest.mark.parametrize("error", [PlaybackError("There is no loudspeaker."), RuntimeError("a secret")])
def test_an_output_that_cannot_be_opened_is_an_error_and_the_next_try_is_a_new_one(error):
    tries = []

    def open_output() -> FakeOutput:
        tries.append(1)
        if len(tries) == 1:
            raise error
        return FakeOutput()

    replayer = Replayer(open_output)
    heard(replayer)
    with pytest.raises(LiveError) as refusal:
        replayer.start(None)
    assert "secret" not in str(refusal.value)
    ended(replayer)
    assert not replayer.is_heard(0.0)
    assert replayer.start(None) == 2.0
    ended(replayer)


def test_an_output_that_hangs_while_it_opens_is_given_up(monkeypatch):
    monkeypatch.setattr("live.replay.START_S", 0.05)
    go = threading.Event()
    output = FakeOutput()

    def open_late() -> FakeOutput:
        assert go.wait(WAIT_S)
        return output

    replayer = Replayer(open_late)
    heard(replayer)
    with pytest.raises(PlaybackError, match="does not answer"):
        replayer.start(None)
    go.set()
    assert output.wait_closed() is True
    assert output.written == []
    ended(replayer)


def test_one_is_played_at_a_time_and_closing_ends_it():
    output = FakeOutput(waits=True)
    replayer = Replayer(output)
    heard(replayer)
    replayer.start(None)
    with pytest.raises(PlaybackError, match="already"):
        replayer.start(None)
    replayer._stop.set()
    output.go.set()
    replayer.close()
    assert output.wait_closed() is True
    assert len(output.written) == 1


def test_it_counts_as_heard_from_its_beginning_until_a_moment_after_its_end():
    output, clock = FakeOutput(waits=True), Clock()
    replayer = Replayer(output, clock)
    heard(replayer)
    replayer.start(None)
    assert not replayer.is_heard(99.9)
    assert replayer.is_heard(100.0)
    assert replayer.is_heard(102.0)
    clock.now_s = 102.1
    output.go.set()
    ended(replayer)
    assert replayer.is_heard(102.1 + TAIL_S - 0.01)
    assert not replayer.is_heard(102.1 + TAIL_S)


def test_an_output_that_hangs_makes_nobody_deaf_for_good():
    output = FakeOutput(waits=True)
    replayer = Replayer(output, Clock())
    heard(replayer)
    replayer.start(None)
    assert not replayer.is_heard(100.0 + 2.0 + SLACK_S)
    output.go.set()
    ended(replayer)


# In a session


def is_closed(event):
    return isinstance(event, UtteranceClosed)


def is_final(event):
    return isinstance(event, CaptionUpdated) and event.caption.is_final


def says(text):
    return lambda event: isinstance(event, StateChanged) and text in event.detail


def test_a_microphone_takes_the_replay_for_silence_and_its_sound_is_kept(run):
    output, clock, kept = FakeOutput(waits=True), Clock(), []
    made = run(FakeSource(), replayer=Replayer(output, clock), hear=[kept.append]).listen()
    made.source.say(np.concatenate([tone(2.0, CHINESE_HZ), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    made.session.send(Replay(), answers.put)
    assert answers.get(timeout=WAIT_S) is None
    made.recorder.wait_for(says("not listening meanwhile"))
    made.source.opened_s = 100.0 - 3.0  # the block after three seconds arrives as the replay begins
    made.source.say(tone(2.0, ENGLISH_HZ))  # of which the microphone hears all
    clock.now_s = 102.0
    output.go.set()
    output.wait_closed()
    ended(made.session._replayer)
    made.source.say(np.concatenate([quiet(1.0), tone(2.0, ENGLISH_HZ), quiet(1.0)]))
    made.stop()
    first, second = made.recorder.of(UtteranceClosed)
    assert second.start > 5.5 * SAMPLE_RATE
    assert [caption.source for caption in made.recorder.finals] == ["zh", "en"]
    sound = np.concatenate([chunk.samples for chunk in kept])
    assert np.abs(sound[3 * SAMPLE_RATE : 5 * SAMPLE_RATE]).max() > 0.4
    assert first.end < 3 * SAMPLE_RATE


def test_a_file_is_heard_on_while_a_sentence_of_it_is_played(run):
    output, clock = FakeOutput(waits=True), Clock()
    made = run(FakeSource("file"), replayer=Replayer(output, clock)).listen()
    made.source.say(np.concatenate([tone(2.0), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    made.session.send(Replay())
    made.recorder.wait_for(says("Playing"))
    made.source.opened_s = 97.0
    made.source.say(np.concatenate([tone(2.0), quiet(1.0)]))
    made.recorder.wait_for(is_closed, 2)
    output.go.set()
    made.stop()


def test_while_paused_the_last_sentence_can_be_played(run):
    output = FakeOutput()
    made = run(FakeSource(), replayer=Replayer(output)).listen()
    made.source.say(np.concatenate([tone(2.0), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    made.session.send(Pause())
    made.recorder.wait_state("paused")
    made.session.send(Replay())
    assert output.wait_closed() is False
    assert made.recorder.wait_for(says("Playing")).state == "paused"


def test_what_cannot_be_played_is_said_to_all_and_to_who_asked(run):
    made = run(FakeSource(), replayer=Replayer(FakeOutput())).listen()
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    made.session.send(Replay(), answers.put)
    refusal = answers.get(timeout=WAIT_S)
    assert "nothing to replay" in refusal
    assert made.recorder.wait_for(says("nothing to replay")).state == "listening"
    made.stop()


def test_the_end_of_a_session_ends_its_replay(run):
    output = FakeOutput(waits=True)
    made = run(FakeSource(), replayer=Replayer(output)).listen()
    made.source.say(np.concatenate([tone(2.0), quiet(1.0)]))
    made.recorder.wait_for(is_final)
    made.session.send(Replay())
    made.recorder.wait_for(says("Playing"))
    made.session._replayer._stop.set()
    output.go.set()
    made.stop()
    assert output.wait_closed() is True
