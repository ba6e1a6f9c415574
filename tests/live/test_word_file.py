"""The table of words with their times."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from live.errors import RecordingError
from live.events import Caption, CaptionUpdated, Line, StateChanged, Word
from live.recording.words import WordFile


def update(*words: Word, final: bool = True) -> CaptionUpdated:
    line = Line(words) if final else Line((), "grows")
    return CaptionUpdated(Caption(1, "file", "zh", "en", Line((Word("Hi"),)), line, 0, 16_000, -0.1, False, final))


def written(path: Path, *events) -> str:
    file = WordFile(path)
    for event in events:
        file.take(event, 0.0)
    file.close()
    return path.read_text(encoding="utf-8")


def test_final_words_are_listed_with_what_is_known_of_their_times_and_marks_are_not(tmp_path):
    said = update(Word("面\t条 ", 800, 17_600), Word("，"), Word(" Wi-Fi", 20_000, 36_000), Word(" um"))
    path = tmp_path / "words.tsv"
    assert written(path, StateChanged("listening"), update(final=False), said) == (
        "start_s\tend_s\tlane\tlanguage\tword\n"
        "0.050\t1.100\tfile\tzh\t面 条\n1.250\t2.250\tfile\tzh\tWi-Fi\n\t\tfile\tzh\tum\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_older_table_stays_where_the_session_never_listened(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("yesterday's")
    assert written(path, StateChanged("loading")) == "yesterday's"


def test_a_folder_in_its_place_is_said(tmp_path):
    with pytest.raises(RecordingError, match=r"The words in .* cannot be written"):
        WordFile(tmp_path)
