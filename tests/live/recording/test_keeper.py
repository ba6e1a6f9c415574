"""A session kept as it happens, through the recorder thread, whatever the disk does."""

from __future__ import annotations

import errno
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from disks import TroubledDisk
from talks import INFO, caption, chunks, closed, sweep

from live.events import (
    AudioDropped,
    CaptionUpdated,
    DeviceChanged,
    LagChanged,
    MarkAdded,
    RecordingChanged,
    SessionStopped,
    StateChanged,
    UtteranceSilent,
)
from live.recording.journal import read
from live.recording.keeper import RETRY_S, SessionKeeper
from live.recording.recorder import TOO_SLOW, Recorder
from live.recording.sound import RecordedSound

SECOND = 16_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Kept:
    """A keeper driven by the test, without a thread."""

    def __init__(self, root, sound=None) -> None:
        self.root, self.disk, self.clock, self.told = root, TroubledDisk(), Clock(), []
        self.keeper = SessionKeeper(root, INFO, sound, disk=self.disk, clock=self.clock)
        self.keeper.tell = self.told.append

    def take(self, *events):
        for event in events:
            self.keeper.take(event, self.clock.now_s)

    def hear(self, heard):
        for chunk in heard:
            self.clock.now_s += len(chunk.samples) / SECOND
            self.keeper.hear(chunk, self.clock.now_s)

    def end(self):
        self.take(SessionStopped())
        self.keeper.close()
        return read(self.keeper.path)


def final(number: int) -> CaptionUpdated:
    return CaptionUpdated(caption(number, 1000 * number))


def test_everything_that_is_to_be_kept_is_in_the_session_and_nothing_else(tmp_path):
    kept = Kept(tmp_path)
    partial = replace(caption(1, 1000), is_final=False)
    kept.take(StateChanged("listening"), DeviceChanged("microphone", "USB"))
    kept.hear(chunks(sweep(SECOND)))
    kept.take(closed(1, 1000), CaptionUpdated(partial), final(1), LagChanged(0, 0, 0))
    kept.take(closed(2, 2000), UtteranceSilent("microphone", 2, 2000, 3000), closed(3, 3000))
    kept.take(MarkAdded(500, "decision"), AudioDropped("microphone", 700, 20, "the device delivered nothing"))
    kept.take(DeviceChanged("microphone", None, "unplugged"), DeviceChanged("microphone", "built in"))
    transcript = kept.end()
    assert [entry.caption for entry in transcript.entries] == [caption(1, 1000)]
    assert transcript.entries[0].model == "fake"
    assert [heard.id for heard in transcript.untranslated] == [3]
    assert transcript.marks == (MarkAdded(500, "decision"),)
    assert len(transcript.gaps) == 1
    assert [lane.name for lane in transcript.lanes] == ["USB", "built in"]
    assert transcript.lanes[0].began == transcript.lanes[1].began
    assert transcript.has_ended
    assert transcript.sounds == ()
    assert kept.told == []
    assert RecordedSound(transcript).has("microphone") is False


def test_a_session_in_which_nobody_spoke_leaves_nothing(tmp_path):
    kept = Kept(tmp_path)
    kept.take(StateChanged("listening"), DeviceChanged("microphone", "USB"))
    kept.hear(chunks(np.zeros(SECOND, np.float32)))
    kept.take(SessionStopped())
    kept.keeper.close()
    assert list(tmp_path.iterdir()) == []


def test_sound_is_kept_when_asked_for_and_that_is_visible_from_the_first_moment(tmp_path):
    kept = Kept(tmp_path, "flac")
    kept.take(StateChanged("loading"))
    assert kept.told == [RecordingChanged(has_sound=True)]
    heard = sweep(2 * SECOND)
    kept.hear(chunks(heard) + chunks(heard, lane="system"))
    transcript = kept.end()
    assert [sound.name for sound in transcript.sounds] == ["microphone-001.flac", "system-001.flac"]
    for lane in ("microphone", "system"):
        samples, n_recorded = RecordedSound(transcript).read(lane, 0, 2 * SECOND)
        assert n_recorded == 2 * SECOND
        assert np.allclose(samples, heard, atol=1e-4)
    assert kept.told == [RecordingChanged(has_sound=True)]


def test_a_lane_s_beginning_is_when_its_first_sample_was_heard(tmp_path):
    kept = Kept(tmp_path, "flac")
    (late,) = chunks(sweep(SECOND), size=SECOND)
    kept.clock.now_s += 7
    kept.keeper.hear(late, kept.clock.now_s - 2)  # it waited two seconds for the recorder
    expected = datetime.now().astimezone() - timedelta(seconds=3)
    assert abs((kept.end().began("microphone") - expected).total_seconds()) < 2


def test_a_disk_that_fails_is_said_once_and_gets_everything_when_it_is_back(tmp_path):
    kept = Kept(tmp_path)
    kept.take(closed(1, 1000), final(1))
    kept.disk.refuses = errno.ENOSPC
    kept.take(*(final(number) for number in range(2, 6)))
    kept.clock.now_s += RETRY_S + 1
    kept.take(final(6))
    (said,) = kept.told
    assert said.problem.endswith("No space left on device. Captions wait in memory until it can.")
    assert len(read(kept.keeper.path).entries) == 1
    kept.disk.refuses = None
    kept.take(final(7))  # too early to try again
    assert len(read(kept.keeper.path).entries) == 1
    kept.clock.now_s += RETRY_S + 1
    kept.take(LagChanged(0, 0, 0))
    assert kept.told[1:] == [RecordingChanged(has_sound=False)]
    assert [entry.caption.id for entry in read(kept.keeper.path).entries] == list(range(1, 8))
    assert kept.end().warnings == ()


def test_a_folder_that_cannot_be_made_at_the_start_is_made_later_with_all_that_was_said(tmp_path):
    kept = Kept(tmp_path / "sessions", "opus")
    kept.disk.refuses = errno.EACCES
    heard = sweep(12 * SECOND)
    kept.hear(chunks(heard[: 4 * SECOND]))
    kept.take(closed(1, 1000), final(1))
    assert [event.problem is None for event in kept.told] == [False]
    assert "sessions: Permission denied" in kept.told[0].problem
    kept.disk.refuses = None
    kept.hear(chunks(heard[4 * SECOND :], 4 * SECOND))
    assert kept.told[-1] == RecordingChanged(has_sound=True)
    transcript = kept.end()
    assert [entry.caption.id for entry in transcript.entries] == [1]
    (gap,) = transcript.gaps
    assert gap.start == 0
    assert transcript.sounds[0].start == gap.n_samples


def test_what_a_disk_never_took_is_said_at_the_end_by_the_recorder(tmp_path):
    disk, failures, told = TroubledDisk(), [], []
    disk.refuses = errno.EROFS
    recorder = Recorder([SessionKeeper(tmp_path / "sessions", INFO, "opus", disk=disk)], failures.append)
    recorder.tell_to(told.append)
    recorder.hear(chunks(sweep(SECOND), size=SECOND)[0])
    recorder(final(1))
    recorder(SessionStopped())
    assert recorder.close(10)
    assert len(told) == 1
    (failure,) = failures
    assert "Read-only file system" in str(failure)


def test_sound_that_finds_no_room_is_told_as_one_gap_and_its_time_is_silence(tmp_path):
    gate, passed, told = threading.Event(), threading.Event(), []

    class Slow:
        def take(self, event, at_s):
            gate.wait(20)
            if event == closed(1, 100):
                passed.set()

        def close(self):
            pass

    keeper = SessionKeeper(tmp_path, INFO, "flac")
    recorder = Recorder([Slow(), keeper], print, capacity_sound=SECOND)
    recorder.tell_to(told.append)
    heard = sweep(3 * SECOND)
    recorder(StateChanged("listening"))  # holds the thread up
    for chunk in chunks(heard[: 2 * SECOND]):
        recorder.hear(chunk)
    gate.set()
    recorder(closed(1, 100))
    assert passed.wait(20)
    for chunk in chunks(heard[2 * SECOND :], 2 * SECOND):
        recorder.hear(chunk)
    recorder(SessionStopped())
    assert recorder.close(20)
    transcript = read(keeper.path)
    (gap,) = transcript.gaps
    assert gap == AudioDropped("microphone", SECOND, SECOND, TOO_SLOW)
    assert gap in told
    samples, _ = RecordedSound(transcript).read("microphone", 0, 3 * SECOND)
    assert not samples[SECOND : 2 * SECOND].any()
    for start in (0, 2 * SECOND):
        assert np.allclose(samples[start : start + SECOND], heard[start : start + SECOND], atol=1e-4)


def test_a_file_read_fast_waits_for_the_disk_and_loses_nothing(tmp_path):
    keeper = SessionKeeper(tmp_path, INFO, "flac")
    recorder = Recorder([keeper], print, waits=True, capacity=2, capacity_sound=640)
    heard = sweep(2 * SECOND)
    for number, chunk in enumerate(chunks(heard)):
        recorder.hear(chunk)
        recorder(final(number))
    assert recorder.close(20)
    transcript = read(keeper.path)
    assert len(transcript.entries) == 100
    assert np.allclose(RecordedSound(transcript).read("microphone", 0, 2 * SECOND)[0], heard, atol=1e-4)
