import stat
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from example_captions import caption

from live.errors import RecordingError
from live.events import CaptionUpdated, DeviceChanged, MarkAdded, SessionStopped, StateChanged
from live.recording.recorder import Recorder
from live.recording.srt import SubtitleFile
from models.base import SAMPLE_RATE

DISK_FULL = Path("/dev/full")
needs_dev_full = pytest.mark.skipif(not DISK_FULL.exists(), reason="no /dev/full on this system")


def final(*arguments, **options):
    return CaptionUpdated(caption(*arguments, **options))


def test_final_captions_become_cues_with_the_translation_on_top(tmp_path):
    path = tmp_path / "talk.srt"
    file = SubtitleFile(path)
    file.take(StateChanged("listening"), 0.0)
    file.take(final(0.25, 1.5, "It is", "这是", is_final=False), 0.5)
    file.take(final(0.25, 2.0, "It is fifteen {percent}.", "这是15%。"), 1.0)
    file.take(final(3601.5, 3602.0015, "Good.", "好。"), 2.0)
    file.close()
    assert path.read_text(encoding="utf-8") == (
        "1\n00:00:00,250 --> 00:00:02,000\nIt is fifteen {percent}.\n这是15%\n\n"
        "2\n01:00:01,500 --> 01:00:02,333\nGood.\n好\n\n"
    )
    assert [(cue.start, cue.end) for cue in pysubs2.load(str(path))] == [(250, 2000), (3601500, 3602333)]


def test_who_speaks_stands_before_the_text_where_two_lanes_are_heard(tmp_path):
    file = SubtitleFile(tmp_path / "talk.srt")
    for lane in ("microphone", "system"):
        file.take(DeviceChanged(lane, "a device"), 0.0)
    file.take(final(0, 1, "Hello.", "你好。", lane="system"), 0.0)
    file.take(final(2, 3, "好。", "Good.", lane="microphone", direction=("en", "zh")), 0.0)
    file.take(DeviceChanged("system", None, is_wanted=False), 0.0)
    file.take(final(4, 5, "Yes.", "是。", lane="microphone"), 0.0)
    file.close()
    texts = [cue.plaintext for cue in pysubs2.load(str(tmp_path / "talk.srt"))]
    assert texts == ["[Them] Hello.\n你好", "[我] 好\nGood.", "Yes.\n是"]


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_who_began_first_stands_first_in_the_end_though_translated_later(tmp_path, form):
    path = tmp_path / f"talk.{form}"
    file = SubtitleFile(path, form=form)
    file.take(StateChanged("listening"), 0.0)
    file.take(final(10, 12, "They spoke second.", "二。", lane="system"), 0.0)
    file.take(MarkAdded(9 * SAMPLE_RATE, "between"), 0.0)
    file.take(final(1, 8, "I spoke first.", "一。", lane="microphone"), 0.0)
    growing = [cue.start for cue in pysubs2.load(str(path))]
    file.close()
    cues = pysubs2.load(str(path))
    assert growing == [10_000, 12_080]
    assert [(cue.start, cue.end) for cue in cues][::2] == [(1000, 8000), (10_000, 12_000)]
    assert [cue.plaintext for cue in cues] == ["[Me] I spoke first.\n一", "⚑ between", "[Them] They spoke second.\n二"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("lines", "text"), [("translation", "Hello."), ("transcript", "你好")])
def test_a_single_language_can_be_chosen(tmp_path, lines, text):
    file = SubtitleFile(tmp_path / "talk.srt", lines)
    file.take(final(0, 1, "Hello.", "你好。"), 0.0)
    file.close()
    assert [cue.plaintext for cue in pysubs2.load(str(tmp_path / "talk.srt"))] == [text]


def test_a_caption_without_text_makes_no_cue_and_a_line_break_does_not_end_one(tmp_path):
    file = SubtitleFile(tmp_path / "talk.srt")
    file.take(final(0, 1, "", " "), 0.0)
    file.take(final(1, 2, "One\n\ntwo.", ""), 0.0)
    file.close()
    assert (tmp_path / "talk.srt").read_text() == "1\n00:00:01,000 --> 00:00:02,000\nOne two.\n\n"


@pytest.mark.parametrize("form", ["srt", "vtt"])
@pytest.mark.parametrize("lines", ["both", "translation", "transcript"])
def test_an_uncertain_caption_is_marked_once(tmp_path, form, lines):
    file = SubtitleFile(tmp_path / "talk", lines, form)
    for start_s, is_uncertain in ((0, True), (2, False)):
        said = caption(start_s, start_s + 1.5, "Hello.", "你好。")
        file.take(CaptionUpdated(replace(said, is_uncertain=is_uncertain)), 0.0)
    file.close()
    unsure, sure = (cue.plaintext for cue in pysubs2.load(str(tmp_path / "talk"), format_=form))
    assert unsure.count("?") == 1
    assert "?" not in sure


def test_a_mark_waits_for_the_caption_of_its_moment_or_the_end(tmp_path):
    file = SubtitleFile(tmp_path / "talk.srt")
    for at_s, label in ((1.5, "Decision"), (9, "Last")):
        file.take(MarkAdded(round(at_s * SAMPLE_RATE), label), 0.0)
    file.take(final(1, 3, "We agree.", "我们同意。"), 0.0)
    file.take(final(4, 5, "Good.", ""), 0.0)
    file.close()
    cues = [(cue.start, cue.plaintext) for cue in pysubs2.load(str(tmp_path / "talk.srt"))]
    assert cues == [(1000, "⚑ Decision We agree.\n我们同意"), (4000, "Good."), (9000, "⚑ Last")]


def test_a_long_caption_becomes_several_cues_that_do_not_overlap_the_next(tmp_path):
    file = SubtitleFile(tmp_path / "talk.srt")
    file.take(final(0, 12, "We have to look at the budget, and then we decide what to do with the offices. " * 2), 0.0)
    file.take(final(12.1, 13, "Good."), 0.0)
    file.close()
    cues = list(pysubs2.load(str(tmp_path / "talk.srt")))
    assert len(cues) > 2
    assert all(len(line) <= 42 for cue in cues for line in cue.plaintext.split("\n"))
    assert all(before.end < after.start for before, after in pairwise(cues))


def test_webvtt_has_its_header_and_escapes_what_would_be_markup(tmp_path):
    path = tmp_path / "talk.vtt"
    file = SubtitleFile(path, form="vtt")
    file.take(StateChanged("listening"), 0.0)
    file.take(final(0, 1.5, "R&D --> <b>", ""), 0.0)
    file.close()
    assert path.read_text() == "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\nR&amp;D --&gt; &lt;b&gt;\n\n"


def test_a_caption_is_in_the_file_before_the_session_ends(tmp_path):
    path = tmp_path / "talk.srt"
    file = SubtitleFile(path)
    file.take(final(0, 1, "Kept."), 0.0)
    assert "Kept." in path.read_text()
    file.close()


def test_subtitles_are_for_the_owner_only_even_over_an_older_file(tmp_path):
    path = tmp_path / "made" / "talk.srt"
    path.parent.mkdir()
    path.write_text("an older and much longer file\n" * 100)
    path.chmod(0o644)
    file = SubtitleFile(path)
    file.take(final(0, 1, "New."), 0.0)
    file.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "older" not in path.read_text()


def test_an_older_file_is_kept_until_the_input_is_open(tmp_path):
    path = tmp_path / "talk.srt"
    path.write_text("yesterday's")
    file = SubtitleFile(path)
    file.take(StateChanged("loading"), 0.0)
    file.take(SessionStopped("There is no such file."), 1.0)
    file.close()
    assert path.read_text() == "yesterday's"

    file = SubtitleFile(path)
    file.take(StateChanged("listening"), 0.0)
    file.close()
    assert path.read_text() == ""


def test_a_session_that_never_listened_leaves_no_new_file(tmp_path):
    file = SubtitleFile(tmp_path / "talk.srt")
    file.take(SessionStopped("There is no microphone."), 0.0)
    file.close()
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "folder.srt").mkdir()
    with pytest.raises(RecordingError, match=r"subtitles in .*folder\.srt cannot be written: Is a directory"):
        SubtitleFile(tmp_path / "folder.srt")


@needs_dev_full
def test_a_full_disk_is_a_recording_error():
    file = SubtitleFile(DISK_FULL)
    with pytest.raises(RecordingError, match="complete only up to here: No space left on device"):
        file.take(final(0, 1, "Lost."), 0.0)


class SmallDisk:
    """A raw file on a disk with little room: writes stop half way, as the system's do, then fail."""

    def __init__(self, inner, room):
        self._inner = inner
        self._room = room

    def write(self, data):
        if not self._room:
            raise OSError(28, "No space left on device")
        n = self._inner.write(data[: self._room])
        self._room -= n
        return n

    def __getattr__(self, name):
        return getattr(self._inner, name)


def test_a_disk_that_fills_in_the_middle_of_a_cue_leaves_whole_cues_only(tmp_path, monkeypatch):
    from live import files

    monkeypatch.setattr("live.recording.growing.open_private", lambda path: SmallDisk(files.open_private(path), 70))
    path = tmp_path / "talk.srt"
    file = SubtitleFile(path)
    file.take(final(0, 1, "The first one fits."), 0.0)
    with pytest.raises(RecordingError, match="No space left"):
        file.take(final(1, 2, "The second one does not."), 0.0)
    file.close()
    assert [cue.plaintext for cue in pysubs2.load(str(path))] == ["The first one fits."]


@needs_dev_full
def test_a_full_disk_is_said_once_and_the_other_files_go_on(tmp_path):
    said = []
    recorder = Recorder([SubtitleFile(DISK_FULL), SubtitleFile(tmp_path / "good.srt")], said.append)
    for number in range(3):
        recorder(final(number, number + 1, f"Number {number}."))
    recorder(SessionStopped())
    assert recorder.close(10)
    assert [str(error) for error in said] == [
        "The subtitles in /dev/full are complete only up to here: No space left on device."
    ]
    assert len(pysubs2.load(str(tmp_path / "good.srt"))) == 3


class SlowSink:
    def __init__(self):
        self.may_go_on = threading.Event()
        self.began = threading.Event()
        self.taken = []

    def take(self, event, at_s):
        self.began.set()
        self.may_go_on.wait()
        self.taken.append((event, at_s))

    def close(self):
        pass


def test_a_slow_disk_holds_up_nobody_and_what_is_lost_is_said():
    sink, said = SlowSink(), []
    recorder = Recorder([sink], said.append, capacity=2)
    recorder(final(0, 1, "In hand."))
    sink.began.wait()
    for number in range(1, 6):
        recorder(final(number, number + 1, "Waiting or lost."))
    assert recorder.close(0) is False
    sink.may_go_on.set()
    assert recorder.close(10)
    assert len(sink.taken) == 3
    assert [str(error) for error in said] == ["The disk was too slow: 3 events are missing from the files."]


def test_a_sink_that_breaks_is_given_up_and_said():
    class Broken(SlowSink):
        def take(self, event, at_s):
            raise ValueError("a defect")

    said = []
    recorder = Recorder([Broken()], said.append)
    recorder(final(0, 1, "One."))
    recorder(final(1, 2, "Two."))
    assert recorder.close(10)
    assert [str(error) for error in said] == ["A file of the session failed (ValueError); see the log."]


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    with pytest.raises(RecordingError, match="cannot be written"):
        SubtitleFile(tmp_path / ("x" * 300 + ".srt"))
