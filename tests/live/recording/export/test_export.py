"""Exports: every form holds every caption, opens in other people's readers, and is written whole or not at all."""

import itertools
import json
import os
import stat
import string
import sys

import av
import docx
import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_folders import caption, mark, transcript

from live.errors import RecordingError
from live.recording.export.export import export, file_name, form_of, rendered
from live.recording.export.forms import FORMS
from live.recording.export.subtitles import ASS_END_MS

RECORDS = (
    caption(1, 1, 3, "It is fifteen {percent}.", "这是预算的15%。"),
    mark(2, "Decision"),
    caption(2, 4, 6, r"R&D: C:\N <b>\{x}</b> *no*.", "是的，没错。", lane="system", is_uncertain=True),
    caption(3, 3605, 3607, "好。", "Good.", direction=("en", "zh")),
)


@pytest.fixture
def talk(tmp_path):
    return transcript(tmp_path / "sessions", RECORDS, title="Budget / plan")


@pytest.fixture
def exported(talk, tmp_path):
    def write(name, **options):
        path = tmp_path / name
        export(talk, path, **options)
        return path

    return write


@pytest.mark.parametrize("form", FORMS)
def test_every_form_keeps_captions_marks_and_doubts_and_belongs_to_its_owner(exported, form):
    path = exported(f"talk.{form}")
    if form == "docx":
        document = docx.Document(str(path))
        text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    else:
        text = path.read_text(encoding="utf-8")
    for said in ("这是预算的15%", "是的，没错", "好", "Good.", "Decision"):
        assert said in text
    assert ("[?]" in text) or (r"\[?\]" in text) or ('"is_uncertain": true' in text)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("lines", "there", "not_there"), [("translation", "fifteen", "预算"), ("transcript", "预算", "fifteen")]
)
def test_one_language_alone_can_be_exported(exported, form, lines, there, not_there):
    path = exported(f"talk.{form}", lines=lines)
    document = docx.Document(str(path)) if form == "docx" else None
    text = "\n".join(p.text for p in document.paragraphs) if document else path.read_text(encoding="utf-8")
    assert there in text
    assert not_there not in text


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_subtitles_open_in_ffmpeg_with_their_times(exported, form):
    with av.open(str(exported(f"talk.{form}"))) as file:
        stream = file.streams.subtitles[0]
        packets = [packet for packet in file.demux(stream) if packet.size]
    starts = [round(float(packet.pts * packet.time_base), 2) for packet in packets]
    assert starts == [1.0, 4.0, 3605.0]
    assert [round(float(packet.duration * packet.time_base), 2) for packet in packets] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_subtitles_open_in_pysubs2_with_the_translation_on_top(exported, form):
    cues = pysubs2.load(str(exported(f"talk.{form}")))
    top, below = cues[0].plaintext.split("\n") if form != "ass" else cues[0].text.split(r"\N")
    assert top.startswith("⚑ Decision [Me] It is fifteen")
    assert below.endswith("这是预算的15%")


def test_ass_has_a_large_style_on_top_and_a_smaller_one_below(exported):
    file = pysubs2.load(str(exported("talk.ass")))
    assert file.styles["Translation"].fontsize > file.styles["Transcript"].fontsize
    assert file[0].style == "Translation"
    assert r"\N{\rTranscript}" in file[0].text
    assert r"fifteen \{percent\}" in file[0].text
    assert [event.style for event in pysubs2.load(str(exported("one.ass", lines="transcript")))] == ["Transcript"] * 3


def test_a_session_too_long_for_ass_is_refused_with_what_to_do(tmp_path):
    hours = ASS_END_MS / 1000
    talk = transcript(tmp_path / "sessions", [caption(1, hours, hours + 1, "Late.")])
    with pytest.raises(RecordingError, match="export this session as SRT or WebVTT"):
        export(talk, tmp_path / "talk.ass")
    export(talk, tmp_path / "talk.srt")
    assert "10:00:0" in (tmp_path / "talk.srt").read_text()


def test_json_says_times_and_directions(exported):
    data = json.loads(exported("talk.json").read_text(encoding="utf-8"))
    first = data["captions"][0]
    assert (first["start_s"], first["end_s"], first["source"], first["target"]) == (1.0, 3.0, "zh", "en")
    assert first["translation"]["text"] == "It is fifteen {percent}."
    assert data["marks"] == [{"at_s": 2.0, "label": "Decision"}]
    assert data["title"] == "Budget / plan"


def test_texts_name_time_lane_and_doubt(exported):
    lines = exported("talk.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "Budget / plan"
    assert "00:01 Me  It is fifteen {percent}." in lines
    assert "00:02  ⚑ Decision" in lines
    assert r"00:04 Them [?]  R&D: C:\N <b>\{x}</b> *no*." in lines
    assert "1:00:05 我  好。" in lines


def test_markdown_shows_what_would_be_markup(exported):
    text = exported("talk.md").read_text(encoding="utf-8")
    assert r"R\&D: C:\\N \<b\>\\\{x\}\</b\> \*no\*." in text
    assert "\n> 这是预算的15%。\n" in text


def test_a_word_document_reads_back_as_it_was_said(exported):
    document = docx.Document(str(exported("talk.docx")))
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    assert paragraphs[0] == "Budget / plan"
    assert "00:01 Me  It is fifteen {percent}.\n这是预算的15%。" in paragraphs
    assert document.core_properties.title == "Budget / plan"


def test_an_older_file_is_replaced_whole_and_an_unwritable_place_is_named(exported, tmp_path):
    path = exported("talk.srt")
    assert exported("talk.srt") == path
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(RecordingError, match=r"cannot be exported to .*talk\.srt: Permission denied"):
        exported("locked/talk.srt")


def test_a_disk_that_refuses_leaves_the_older_export_as_it_was(exported, monkeypatch):
    path = exported("talk.txt")
    before = path.read_bytes()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("live.files.os.fsync", refuse)
    with pytest.raises(RecordingError, match=r"cannot be exported to .*talk\.txt: Permission denied\. Choose another"):
        exported("talk.txt", lines="translation")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.is_file()] == ["talk.txt"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Budget 3/4.srt", "There is no folder .*Budget 3: make it first.*a name holds no slash"),
        ("talk.doc", r"'talk\.doc' does not say in which form to export: end it in srt, vtt"),
        ("talk", "end it in srt, vtt, ass, txt, md, docx, json"),
        ("folder.srt", "is a folder: name a file in it"),
        ("nul\0.srt", "its name cannot be used"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_line(exported, tmp_path, name, message):
    (tmp_path / "folder.srt").mkdir()
    with pytest.raises(RecordingError, match=message):
        exported(name)


def test_a_title_becomes_a_name_without_slashes(talk, tmp_path):
    assert file_name(talk, "srt") == "Budget - plan.srt"
    assert file_name(transcript(tmp_path / "one", [], "../..:*"), "md") == "2026-11-22 10.30.05.md"
    assert len(file_name(transcript(tmp_path / "two", [], "预" * 300), "md").encode()) < 255
    assert file_name(transcript(tmp_path / "three", []), "txt") == "2026-11-22 10-30.txt"


def test_the_name_tells_the_form_in_any_case(tmp_path):
    assert form_of(tmp_path / "TALK.SRT") == "srt"


ANY = st.text(st.characters(blacklist_categories=("Cs",)), max_size=80) | st.text(string.printable, max_size=80)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.tuples(ANY, ANY), max_size=4), label=ANY)
def test_whatever_was_said_every_form_can_be_written_and_read(tmp_path_factory, texts, label):
    root = tmp_path_factory.mktemp("fuzzed")
    captions = [caption(n, 2 * n, 2 * n + 1, one, other) for n, (one, other) in enumerate(texts, 1)]
    talk = transcript(root, [*captions, mark(3, label)], title=label)
    files = {form: rendered(talk, form) for form in FORMS}
    data = json.loads(files["json"])
    assert len(data["captions"]) == len(texts)
    (root / "talk.docx").write_bytes(files["docx"])
    docx.Document(str(root / "talk.docx"))
    for form in ("srt", "vtt", "ass"):
        stamps = [(cue.start, cue.end) for cue in pysubs2.SSAFile.from_string(files[form].decode(), form)]
        assert all(before[1] < after[0] for before, after in itertools.pairwise(stamps))
        assert all(start < end for start, end in stamps)
