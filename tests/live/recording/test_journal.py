"""A session's journal read back: whole, damaged, foreign and newer."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from talks import BEGAN, INFO, caption, closed

from live.errors import RecordingError
from live.events import (
    AudioDropped,
    MarkAdded,
    SessionStopped,
    UtteranceFailed,
    UtteranceSilent,
    UtteranceSkipped,
)
from live.recording.journal import JOURNAL_NAME, Untranslated, read
from live.recording.records import CaptionSettled, LaneBegan, SoundBegan, encode
from live.recording.session_info import FILE_NAME, VERSION, read_info, rename, write_info


@pytest.fixture
def folder(tmp_path):
    """A session that holds nothing yet."""
    write_info(tmp_path, INFO)
    return tmp_path


def keep(folder, *records, tail: bytes = b"") -> None:
    (folder / JOURNAL_NAME).write_bytes(b"".join(map(encode, records)) + tail)


def test_every_kind_of_record_comes_back_as_it_went(folder):
    lane = LaneBegan("microphone", "USB", BEGAN)
    sound = SoundBegan("microphone", "microphone-001.opus", 0)
    gap = AudioDropped("microphone", 500, 320, "the disk was full")
    mark = MarkAdded(700, "decision")
    settled = CaptionSettled(caption(1, 100), model="fake")
    keep(folder, lane, sound, closed(1, 100), settled, gap, mark, SessionStopped())
    transcript = read(folder)
    assert transcript.info.title == "Budget"
    assert transcript.info.began == BEGAN == transcript.began("microphone")
    assert [entry.caption for entry in transcript.entries] == [caption(1, 100)]
    assert transcript.entries[0].model == "fake"
    assert (transcript.lanes, transcript.sounds) == ((lane,), (sound,))
    assert (transcript.gaps, transcript.marks) == ((gap,), (mark,))
    assert transcript.has_ended
    assert transcript.untranslated == transcript.warnings == ()


def test_a_later_caption_of_the_same_id_wins_and_the_first_is_kept(folder):
    edits = [CaptionSettled(caption(1, 100, text), by="edit") for text in ("Hello", "Hello!")]
    keep(folder, CaptionSettled(caption(1, 100)), *edits)
    (entry,) = read(folder).entries
    assert entry.caption.translation.text == "Hello!"
    assert entry.by == "edit"
    assert entry.original == caption(1, 100)


def test_what_a_failing_disk_was_given_twice_counts_once(folder):
    records = [CaptionSettled(caption(1, 100)), MarkAdded(5), AudioDropped("file", 1, 2, "slow")]
    keep(folder, *records, *records)
    transcript = read(folder)
    assert [entry.original for entry in transcript.entries] == [None]
    assert (len(transcript.marks), len(transcript.gaps)) == (1, 1)


def test_captions_stand_in_the_order_of_their_times_whatever_the_order_they_settled_in(folder):
    keep(folder, *(CaptionSettled(caption(number, start)) for number, start in ((3, 900), (1, 500), (2, 500))))
    assert [entry.caption.id for entry in read(folder).entries] == [1, 2, 3]


def test_what_was_heard_and_has_no_caption_is_pending_until_it_has_failed_twice(folder):
    failed = UtteranceFailed("microphone", 4, 4000, 5000, "no answer")
    keep(
        folder,
        *(closed(number, 1000 * number) for number in range(1, 6)),
        CaptionSettled(caption(1, 1000)),
        UtteranceSilent("microphone", 2, 2000, 3000),
        UtteranceSkipped("microphone", 3, 3000, 4000),
        failed,
        failed,
    )
    transcript = read(folder)
    assert [heard.id for heard in transcript.untranslated] == [3, 4, 5]
    assert transcript.untranslated[1] == Untranslated("microphone", 4, 4000, 5000, 2, "no answer")
    assert [heard.id for heard in transcript.pending] == [3, 5]
    assert transcript.highest_id == 5
    assert transcript.end == 6000


def test_a_last_line_cut_anywhere_leaves_every_line_before_it(folder):
    first, last = CaptionSettled(caption(1, 100)), encode(CaptionSettled(caption(2, 900)))
    for length in range(1, len(last) - 1):
        keep(folder, first, tail=last[:length])
        transcript = read(folder)
        assert [entry.caption.id for entry in transcript.entries] == [1]
        assert transcript.warnings == (f"The last line of {folder / JOURNAL_NAME} was cut off and is left out.",)


@pytest.mark.parametrize(
    "foreign",
    [
        b"\x00\x00\x00\x00\n",
        b"\xff\xfe\x80\n",
        b"not json\n",
        b"[1, 2]\n",
        b"[" * 100_000 + b"\n",
        b'{"kind": "mark", "at": -1}\n',
        b'{"kind": "mark", "at": 1e999}\n',
        b'{"kind": "mark", "at": NaN}\n',
        b'{"kind": "mark", "at": ' + b"9" * 5000 + b"}\n",
        b'{"kind": "mark", "at": true}\n',
        b'{"kind": "mark"}\n',
        b'{"kind": ["mark"], "at": 1}\n',
        b'{"kind": "closed", "lane": ["file"], "start": 1, "end": 2, "id": 1}\n',
        b'{"kind": "closed", "lane": "file", "start": 2, "end": 1, "id": 1}\n',
        b'{"kind": "lane", "lane": "file", "name": "x", "began": "2026-11-22T10:30:05"}\n',
        b'{"kind": "hologram", "at": 1}\n',
        b'{"kind": "caption", "caption": {"id": 9}}\n',
        b"x" * (5 * 1024 * 1024) + b"\n",
    ],
)
def test_a_line_that_is_none_is_left_out_and_said(folder, foreign):
    (folder / JOURNAL_NAME).write_bytes(foreign + encode(CaptionSettled(caption(1, 100))))
    transcript = read(folder)
    assert [entry.caption.id for entry in transcript.entries] == [1]
    assert transcript.marks == transcript.untranslated == transcript.lanes == ()
    assert transcript.warnings == (f"1 line of {folder / JOURNAL_NAME} cannot be read and is left out.",)


def test_text_comes_without_what_a_screen_would_obey(folder):
    line = {"kind": "mark", "at": 1, "label": "a\x1b[2Jb\nc\ud800"}
    (folder / JOURNAL_NAME).write_bytes(json.dumps(line).encode() + b"\n")
    assert read(folder).marks == (MarkAdded(1, "a[2Jb c?"),)


def test_a_translator_as_unsure_as_can_be_comes_back_so(folder):
    line = encode(CaptionSettled(caption(1, 100))).replace(b"-0.25", b"null")
    (folder / JOURNAL_NAME).write_bytes(line)
    assert read(folder).entries[0].caption.logprob == float("-inf")


def test_a_newer_version_is_read_as_far_as_it_is_known_and_said_once(folder):
    data = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    (folder / FILE_NAME).write_text(json.dumps({**data, "version": VERSION + 1, "mood": "good"}), encoding="utf-8")
    keep(folder, CaptionSettled(caption(1, 100)))
    transcript = read(folder)
    assert len(transcript.entries) == 1
    (warning,) = transcript.warnings
    assert "newer version" in warning


def test_a_new_title_keeps_what_a_newer_version_wrote(folder):
    data = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    (folder / FILE_NAME).write_text(json.dumps({**data, "mood": "good"}), encoding="utf-8")
    rename(folder, "预算")
    assert json.loads((folder / FILE_NAME).read_text(encoding="utf-8")) == {**data, "mood": "good", "title": "预算"}
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00", b"[" * 100_000])
def test_a_damaged_description_leaves_the_captions_and_the_date_in_the_name(tmp_path, content):
    folder = tmp_path / "2026-11-22 10.30.05 2"
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(content)
    keep(folder, CaptionSettled(caption(1, 100)))
    transcript = read(folder)
    assert len(transcript.entries) == 1
    assert transcript.info.began.replace(tzinfo=None) == datetime(2026, 11, 22, 10, 30, 5)
    assert transcript.warnings == (f"{folder / FILE_NAME} is damaged: title, model and settings are not known.",)


def test_a_description_of_wrong_types_is_read_as_far_as_it_goes(tmp_path):
    wrong = {"version": "x", "title": 3, "began": "yesterday", "model": None, "versions": [], "settings": "all"}
    (tmp_path / FILE_NAME).write_text(json.dumps(wrong), encoding="utf-8")
    info, warnings = read_info(tmp_path)
    assert (info.title, info.model, info.versions, info.settings, warnings) == ("", "", {}, {}, [])


def test_each_of_the_two_files_may_be_missing_but_not_both(folder, tmp_path):
    assert "nothing of what was said" in read(folder).warnings[0]
    keep(folder, CaptionSettled(caption(1, 100)))
    (folder / FILE_NAME).unlink()
    assert len(read(folder).entries) == 1
    with pytest.raises(RecordingError, match="is no session"):
        read(tmp_path / "elsewhere")
