"""A session of two lanes on disk: recorded, read, exported, played, and translated later where it was cut off."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import numpy as np
import pysubs2
import pytest
from fakes import CHINESE_HZ, ENGLISH_HZ, FAKE, EnergyDetector, FakeSource, FakeWorker, quiet, tone
from talks import INFO

from live.events import AddMark, CaptionUpdated, Pause, Resume, SetSources, UtteranceClosed
from live.recording import unclosed
from live.recording.export.export import export
from live.recording.journal import Transcript, read
from live.recording.jsonl import EventFile
from live.recording.keeper import SessionKeeper
from live.recording.library import Library
from live.recording.library_playback import Playback
from live.recording.recorder import Recorder
from live.recording.resume import Outcome, resume
from live.recording.sound import RecordedSound
from live.settings import Settings
from models.base import SAMPLE_RATE

SETTINGS = Settings(source="both")


class Meeting:
    """A session of both lanes that is recorded into a folder."""

    def __init__(self, run, root, **options) -> None:
        info = replace(INFO, settings={"pair": ["zh", "en"]})
        self.keeper = SessionKeeper(root / "sessions", info, "flac")
        self.events = root / "events.jsonl"
        failures: list[Exception] = []
        self.recorder = Recorder([self.keeper, EventFile(self.events)], failures.append)
        self.me, self.them = FakeSource("microphone"), FakeSource("system")
        self.made = run(
            self.me,
            self.them,
            sinks=[self.recorder],
            hear=[self.recorder.hear],
            settings=SETTINGS,
            clock=lambda: 0.0,
            **options,
        )
        self.made.listen()
        self.failures = failures

    def talk(self) -> None:
        """I say two seconds of Chinese at once, they two of English after a second of quiet."""
        self.me.say(np.concatenate([tone(2.0, CHINESE_HZ), quiet(2.0)]))
        self.made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed))
        self.them.say(np.concatenate([quiet(1.0), tone(2.0, ENGLISH_HZ), quiet(1.0)]))
        self.made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed), 2)

    def end(self) -> Transcript:
        self.made.stop()
        assert self.recorder.close(20.0)
        assert self.failures == []
        return read(self.keeper.path)


@pytest.fixture
def meeting(run, tmp_path):
    return Meeting(run, tmp_path)


def loudness(transcript: Transcript, lane: str, start_s: float, end_s: float) -> float:
    samples, _ = RecordedSound(transcript).read(lane, round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE))
    return float(np.abs(samples).max())


def test_each_lane_has_a_file_of_its_own_sound_at_its_own_time(meeting):
    meeting.talk()
    transcript = meeting.end()
    assert {began.lane: began.name for began in transcript.lanes} == {
        "microphone": "fake microphone",
        "system": "fake system",
    }
    assert {sound.lane for sound in transcript.sounds} == {"microphone", "system"}
    assert loudness(transcript, "microphone", 0.0, 2.0) > 0.4
    assert loudness(transcript, "system", 0.0, 0.9) < 0.01
    assert loudness(transcript, "system", 1.0, 3.0) > 0.4
    assert loudness(transcript, "microphone", 2.1, 4.0) < 0.01


def test_both_lanes_begin_at_the_same_moment(meeting):
    meeting.talk()
    mine, theirs = sorted(meeting.end().lanes, key=lambda began: began.lane)
    assert mine.began == theirs.began


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_subtitles_are_in_order_of_time_and_say_who_speaks(meeting, tmp_path, form):
    meeting.talk()
    path = tmp_path / f"talk.{form}"
    export(meeting.end(), path)
    cues = pysubs2.load(str(path))
    assert [cue.start // 1000 for cue in cues] == [0, 1]
    assert [cue.text.partition("]")[0] for cue in cues] == ["[Me", "[对方"]


def test_events_and_texts_name_the_lane(meeting, tmp_path):
    meeting.talk()
    export(meeting.end(), tmp_path / "talk.txt")
    text = (tmp_path / "talk.txt").read_text(encoding="utf-8")
    assert "00:00 Me" in text
    assert "00:00 对方" in text or "00:01 对方" in text
    events = meeting.events.read_text(encoding="utf-8")
    assert '"lane": "microphone"' in events
    assert '"lane": "system"' in events


def test_both_lanes_are_played_together(meeting):
    meeting.talk()

    class Output:
        def __init__(self) -> None:
            self.heard: list[np.ndarray] = []

        def write(self, samples) -> None:
            self.heard.append(samples)

        def close(self, *, at_once: bool) -> None:
            pass

    output, shown = Output(), []
    Playback(meeting.end()).run(output, shown.append)
    sound = np.concatenate(output.heard)
    assert np.abs(sound[: SAMPLE_RATE // 2]).max() > 0.4
    assert np.abs(sound[int(2.2 * SAMPLE_RATE) : int(2.8 * SAMPLE_RATE)]).max() > 0.4
    assert [caption.lane for caption in shown] == ["microphone", "system"]


def test_the_library_finds_what_either_lane_said(meeting):
    meeting.talk()
    transcript = meeting.end()
    library = Library(transcript.folder.parent)
    try:
        (session,) = library.sessions()
        assert session.known.n_captions == 2
        lanes = {entry.caption.lane for entry in read(library.find(session.name)).entries}
    finally:
        library.close()
    assert lanes == {"microphone", "system"}


def test_a_pause_a_mark_and_a_lane_that_left_keep_the_record_whole(meeting):
    meeting.talk()
    meeting.made.session.send(AddMark("decision"))
    meeting.made.session.send(Pause())
    meeting.made.recorder.wait_state("paused")
    meeting.made.session.send(SetSources("microphone"))
    meeting.made.session.send(Resume())
    meeting.me.wait_open(2)
    meeting.me.opened_s = 10.0
    meeting.me.say(np.concatenate([tone(1.0), quiet(1.0)]))
    transcript = meeting.end()
    assert [entry.caption.lane for entry in transcript.entries] == ["microphone", "system", "microphone"]
    assert transcript.entries[-1].caption.start == pytest.approx(10 * SAMPLE_RATE, abs=512)
    assert transcript.marks[0].at == 4 * SAMPLE_RATE
    assert loudness(transcript, "microphone", 10.0, 11.0) > 0.4
    assert loudness(transcript, "microphone", 4.5, 9.5) == 0.0


def test_a_session_that_was_cut_off_is_translated_later_on_both_lanes(run, tmp_path, monkeypatch):
    monkeypatch.setattr(unclosed, "make_detector", lambda _: EnergyDetector())
    gate = threading.Semaphore(0)  # the model answers nothing while the program lives
    meeting = Meeting(run, tmp_path, start_worker=partial(FakeWorker, gate=gate))
    meeting.talk()
    meeting.recorder.close(20.0)  # the program dies: what comes later is not written
    folder = meeting.keeper.path
    assert {heard.lane for heard in read(folder).untranslated} == {"microphone", "system"}
    shown: list[object] = []
    assert resume(folder, FAKE, "fake", start_worker=FakeWorker, show=shown.append) == Outcome(n_translated=2)
    entries = read(folder).entries
    assert [(entry.caption.lane, entry.caption.source, entry.by) for entry in entries] == [
        ("microphone", "zh", "resume"),
        ("system", "en", "resume"),
    ]
    assert len([event for event in shown if isinstance(event, CaptionUpdated)]) == 2
    gate.release(1000)
