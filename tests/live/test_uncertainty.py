"""Where a model's uncertainty begins, found from clips with their right texts."""

from __future__ import annotations

import pytest
from audio_clips import silence, to_pcm, tone, write_audio

from live.errors import LiveError
from live.evaluation.uncertainty import LEAST_RIGHT, TABLE, Clip, Heard, find, hear, read_clips
from live.policy import Direction
from models.fake import FakeTranslator, pieces_of

LOUD, FAINT = tone(0.8, hz=2000), tone(0.8, hz=2000, level=0.02)
HEADING = "path\tlanguage\ttranscript\ttranslation\n"


def said(sound, language: str) -> str:
    return "".join(piece.text for piece in pieces_of(sound, language))


@pytest.fixture
def folder(tmp_path):
    for name, sound in (("loud", LOUD), ("faint", FAINT), ("silent", silence(0.8))):
        write_audio(tmp_path / f"{name}.wav", to_pcm(sound))
    rows = f"loud.wav\ten\t{said(LOUD, 'en')}\t{said(LOUD, 'zh')}\nfaint.wav\n\nsilent.wav\t\t\t\n"
    (tmp_path / TABLE).write_text(HEADING + rows, "utf-8")
    return tmp_path


def heard_of(clips, source=None):
    fake = FakeTranslator()
    can = fake.load(lambda _: None)
    return list(hear(fake, can, Direction.between(source, None, ("zh", "en")), clips))


def one(confidence: float | None, text: str = "x", *, is_right: bool = False) -> Heard:
    return Heard(Clip(None, "en", text, text), confidence, is_right)


def test_a_table_names_clips_and_what_is_said_in_them(folder):
    loud, faint, silent = read_clips(folder)
    assert (loud.file, loud.language, loud.transcript) == (folder / "loud.wav", "en", said(LOUD, "en"))
    assert [clip.is_foreign for clip in (loud, faint, silent)] == [False, True, True]


def test_a_clip_goes_the_way_of_a_sessions_finals(folder):
    loud, faint, silent = heard_of(read_clips(folder))
    assert loud.is_right
    assert not faint.is_right
    assert loud.confidence > faint.confidence
    assert silent.confidence is None


@pytest.mark.parametrize(
    ("language", "transcript", "translation", "is_right"),
    [
        ("en", said(LOUD, "en"), "", True),
        ("", "", said(LOUD, "zh"), True),
        ("zh", said(LOUD, "en"), said(LOUD, "zh"), False),
        ("en", "Something else was said.", said(LOUD, "zh"), False),
        ("en", said(LOUD, "en"), "另外一句", False),
    ],
)
def test_a_caption_is_right_where_all_that_is_known_of_it_is(folder, language, transcript, translation, is_right):
    (heard,) = heard_of([Clip(folder / "loud.wav", language, transcript, translation)])
    assert heard.is_right is is_right


def test_the_threshold_is_read_from_right_captions_and_tried_on_the_others():
    right = [one(-0.01 * i, is_right=True) for i in range(100)]
    others = [one(-0.5), one(-2.0), one(-3.0, ""), one(None, "")]
    found = find([*right, *others])
    assert found.below == pytest.approx(-0.97)
    assert (found.n_right, found.right_marked) == (100, 2)
    assert (found.n_wrong, found.wrong_marked) == (2, 50)
    assert (found.n_foreign, found.foreign_marked, found.n_silent) == (1, 100, 1)


def test_too_few_right_captions_are_refused():
    with pytest.raises(
        LiveError, match=f"Only 49 of 50 captions are right, and a threshold is read from {LEAST_RIGHT}"
    ):
        find([one(-0.1, is_right=True)] * 49 + [one(-0.1)])


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(LiveError, match=f"has no {TABLE}"):
        read_clips(tmp_path)


@pytest.mark.parametrize(
    "text", ["", HEADING, "path\tlanguage\nx.wav\ten\n", "path,language,transcript,translation\nx\n"]
)
def test_a_table_without_its_columns_or_lines_is_refused(tmp_path, text):
    (tmp_path / TABLE).write_text(text, "utf-8")
    with pytest.raises(LiveError, match="should have a heading"):
        read_clips(tmp_path)


def test_a_table_of_another_encoding_is_refused(tmp_path):
    (tmp_path / TABLE).write_bytes((HEADING + "x.wav\tzh\t早上好\tx\n").encode("gb18030"))
    with pytest.raises(LiveError, match="UTF-8"):
        read_clips(tmp_path)


def test_a_clip_that_is_not_there_is_named(folder):
    (folder / "faint.wav").unlink()
    with pytest.raises(LiveError, match=r"faint\.wav"):
        read_clips(folder)


def test_a_name_that_no_file_can_have_is_not_there_either(folder):
    table = folder / "clips.tsv"
    table.write_text(table.read_text("utf-8").replace("faint.wav", "x" * 300), "utf-8")
    with pytest.raises(LiveError, match="is not there"):
        read_clips(folder)
