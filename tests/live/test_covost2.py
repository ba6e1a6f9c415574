"""CoVoST 2's tables and clips, as they are published, and as they may be broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from live.evaluation.covost2 import DataError, read

HEAD = "path\tsentence\ttranslation\tclient_id\n"
ROWS = 'a.mp3\tGood morning.\t早上好。\tx\nb.mp3\tSay \\"no\\".\t说"不"。\ty\n'
COMBINED = "path\ttranslation\tsplit\nt.mp3\t甲\ttrain\nu.mp3\t乙\ttrain_covost\nd.mp3\t丙\tdev\ns.mp3\t丁\ttest\n"


def put(folder: Path, name: str, text: str) -> Path:
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_table_of_one_split_is_read_in_its_order(tmp_path):
    data = read(put(tmp_path, "covost_v2.en_zh-CN.test.tsv", HEAD + ROWS), "en", "zh", "test")
    assert [(clip.name, clip.file, clip.translation) for clip in data.clips] == [
        ("a.mp3", tmp_path / "clips" / "a.mp3", "早上好。"),
        ("b.mp3", tmp_path / "clips" / "b.mp3", '说"不"。'),
    ]


def test_the_mark_that_some_editors_put_before_a_text_is_none_of_it(tmp_path):
    data = read(put(tmp_path, "covost_v2.en_zh-CN.test.tsv", "\ufeff" + HEAD + ROWS), "en", "zh", "test")
    assert [clip.name for clip in data.clips] == ["a.mp3", "b.mp3"]


@pytest.mark.parametrize(("split", "names"), [("test", "s"), ("dev", "d"), ("train", "tu")])
def test_of_the_published_table_the_split_is_taken(tmp_path, split, names):
    data = read(put(tmp_path, "covost_v2.en_zh-CN.tsv", COMBINED), "en", "zh", split)
    assert [clip.name for clip in data.clips] == [f"{name}.mp3" for name in names]


def test_the_table_of_the_split_goes_before_the_published_one(tmp_path):
    put(tmp_path, "covost_v2.en_zh-CN.tsv", COMBINED)
    data = read(put(tmp_path, "covost_v2.en_zh-CN.test.tsv", HEAD + ROWS), "en", "zh", "test")
    assert len(data.clips) == 2


@pytest.mark.parametrize(
    ("folder", "table"), [(".", "covost_v2.zh_en"), ("zh-CN", "covost_v2.zh-CN_en"), ("zh", "covost_v2.zh-CN_en")]
)
def test_a_folder_for_each_language_and_both_names_of_mandarin_are_found(tmp_path, folder, table):
    put(tmp_path / folder, f"{table}.test.tsv", HEAD + ROWS)
    assert read(tmp_path, "zh", "en", "test").clips[0].file == tmp_path / folder / "clips" / "a.mp3"


def test_a_clip_is_never_looked_for_outside_its_folder(tmp_path):
    data = read(put(tmp_path, "covost_v2.de_en.test.tsv", HEAD + "../../etc/a.mp3\tx\ty\tz\n"), "de", "en", "test")
    assert data.clips[0].file == tmp_path / "clips" / "a.mp3"


def test_the_digest_tells_other_translations_apart(tmp_path):
    one = read(put(tmp_path / "one", "covost_v2.de_en.test.tsv", HEAD + ROWS), "de", "en", "test")
    same = read(put(tmp_path / "same", "covost_v2.de_en.test.tsv", HEAD + ROWS), "de", "en", "test")
    other = read(
        put(tmp_path / "other", "covost_v2.de_en.test.tsv", HEAD + ROWS.replace("早", "晚")), "de", "en", "test"
    )
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD, "has no clips of the split 'test'"),
        ("", "has no column path, translation"),
        ("path\tsentence\n", "has no column translation"),
        (HEAD + "a.mp3\tonly two\n", "Line 2 of .* has 2 fields, not 4"),
        (HEAD + ROWS + ROWS, "names a clip twice"),
        (HEAD + "a.mp3\tx\t\udcff\tz\n", "is no UTF-8 text"),
    ],
)
def test_a_broken_table_is_one_sentence(tmp_path, text, sentence):
    put(tmp_path, "covost_v2.de_en.test.tsv", "")
    (tmp_path / "covost_v2.de_en.test.tsv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, "de", "en", "test")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        read(tmp_path / "nowhere", "en", "zh", "test")
    with pytest.raises(
        DataError, match=r"has no covost_v2\.en_zh-CN\.test\.tsv and no covost_v2\.en_zh-CN\.tsv: fetch"
    ):
        read(tmp_path, "en", "zh", "test")
    (tmp_path / "covost_v2.de_en.test.tsv").write_text(HEAD + ROWS, encoding="utf-8")
    with pytest.raises(DataError, match="has no folder clips"):
        read(tmp_path, "de", "en", "test")
