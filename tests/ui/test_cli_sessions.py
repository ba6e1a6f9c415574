"""`tongchuan sessions`: everything that can be done with past sessions, from the terminal and from scripts."""

import io
import json
import sys

import numpy as np
import pytest
from session_folders import caption, mark, record, session_folder

from live.events import UtteranceClosed
from live.recording.journal import read
from live.settings import set_value
from models.base import SAMPLE_RATE
from ui.cli import main
from ui.commands import fetching

pytestmark = pytest.mark.usefixtures("own_process")

KICK_OFF = "2026-11-22 10.30.05"
CAFE = "2026-11-23 10.30.05"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "sessions"
    set_value(None, "sessions_folder", str(root))
    session_folder(
        root,
        caption(1, 1, 3, "The budget is fifteen percent.", "预算是百分之十五。"),
        caption(2, 5, 7, "好，我们开始吧。", "Good, let us start.", direction=("en", "zh"), is_uncertain=True),
        mark(6, "Decision"),
        UtteranceClosed("microphone", 8 * SAMPLE_RATE, 9 * SAMPLE_RATE, 3),
        title="Kick-off",
    )
    session_folder(root, caption(1, 2, 3, "The Café closes at 8.", "咖啡馆八点关门。"), days=1)
    return root


@pytest.fixture
def sessions(root, capsys):
    def run(*words, status=0):
        assert main(["sessions", *words]) == status
        return capsys.readouterr()

    return run


@pytest.mark.parametrize("words", [[], ["list"]])
def test_the_list_has_a_line_with_tabs_for_each_session(sessions, words):
    rows = [line.split("\t") for line in sessions(*words).out.splitlines()]
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        (CAFE, "00:03", "1 caption", ""),
        (KICK_OFF, "00:09", "2 captions", "Kick-off (1 not translated)"),
    ]
    assert rows[0][3] == "1 kB"


def test_on_a_terminal_columns_are_aligned(sessions, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    lines = sessions("search", "八").out.splitlines()
    assert lines == [f"{CAFE}  1  00:02  The Café closes at 8. | 咖啡馆八点关门。"]


def test_a_session_is_shown_with_the_numbers_of_its_captions_and_what_is_missing(sessions):
    lines = sessions("show", "kick").out.splitlines()
    assert lines[0] == "Kick-off"
    assert "   1  00:01  The budget is fifteen percent. | 预算是百分之十五。" in lines
    assert "   2  00:05 [?]  好，我们开始吧。 | Good, let us start." in lines
    assert "      00:06  ⚑ Decision" in lines
    assert lines[-1] == "   3  00:08  -- not translated"
    assert "预算" not in sessions("show", KICK_OFF, "--lines", "translation").out


def test_captions_are_found_in_both_languages(sessions):
    assert (
        sessions("search", "预算").out == f"{KICK_OFF}\t1\t00:01\tThe budget is fifteen percent. | 预算是百分之十五。\n"
    )
    assert sessions("search", "cafe", "closes").out.startswith(CAFE)
    assert sessions("search", "Kick-off").out == f"{KICK_OFF}\t\ttitle\tKick-off\n"
    answer = sessions("search", "nothing of the kind")
    assert (answer.out, answer.err) == ("", "tongchuan: Nothing was found.\n")
    assert "newest 1; --most N shows more" in sessions("search", "--most", "1", "八").err
    assert "nothing to search for" in sessions("search", "，", status=1).err


@pytest.mark.parametrize("word", ["0", "-1", "two"])
def test_a_number_of_results_that_is_none_is_said_in_words(root, capsys, word):
    with pytest.raises(SystemExit):
        main(["sessions", "search", f"--most={word}", "x"])
    assert f"'{word}' is not a number from 1 on" in capsys.readouterr().err


def test_a_session_is_exported_by_the_ending_by_its_title_or_to_standard_output(sessions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sessions("export", "kick", "talk.vtt").err == "tongchuan: Written: talk.vtt\n"
    assert (tmp_path / "talk.vtt").read_text(encoding="utf-8").startswith("WEBVTT")
    sessions("export", "kick", "--as", "md", "--lines", "transcript")
    assert (tmp_path / "Kick-off.md").is_file()
    assert "does not say in which form" in sessions("export", "kick", "talk.doc", status=1).err
    assert "There is no folder" in sessions("export", "kick", "no/talk.srt", status=1).err


def test_an_export_to_standard_output_holds_nothing_else(root, capfdbinary):
    assert main(["sessions", "export", "kick", "-", "--as", "json"]) == 0
    out, err = capfdbinary.readouterr()
    assert len(json.loads(out)["captions"]) == 2
    assert err == b""


def test_a_caption_is_edited_and_found_as_it_is_now(sessions, root):
    assert sessions("edit", "kick", "1", "--translation", "It is 15%.").out == "It is 15%. | 预算是百分之十五。\n"
    assert sessions("search", "15%").out.startswith(KICK_OFF)
    assert read(root / KICK_OFF).entries[0].original.translation.text == "The budget is fifteen percent."
    assert "Say what to correct" in sessions("edit", "kick", "1", status=1).err
    assert "has no caption 9" in sessions("edit", "kick", "9", "--transcript", "x", status=1).err


def test_a_session_is_renamed_with_a_slash_too(sessions):
    assert "is called 'Q3 / plan' now" in sessions("rename", "kick", "Q3 / plan").err
    assert "Q3 / plan" in sessions("list").out
    assert "Its title is gone" in sessions("rename", "Q3", "").err


def test_nothing_is_deleted_without_a_yes(sessions, root, monkeypatch):
    assert "would be deleted for good: add --yes" in sessions("delete", "kick", status=1).err
    monkeypatch.setattr(fetching, "is_conversation", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    answer = sessions("delete", "kick").err
    assert f"Delete {KICK_OFF}  00:09  2 captions" in answer
    assert answer.endswith("Nothing was deleted.\n")
    assert (root / KICK_OFF).is_dir()
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert sessions("delete", "kick").err.endswith("is deleted.\n")
    assert not (root / KICK_OFF).exists()
    sessions("delete", "last", "--yes")
    assert list(root.glob("2026*")) == []


def test_an_unknown_session_is_answered_with_the_nearest(sessions):
    assert "the nearest is 'Kick-off'" in sessions("show", "kickof", status=1).err


def test_without_any_session_the_list_says_how_they_come(tmp_path, capsys):
    set_value(None, "sessions_folder", str(tmp_path / "none"))
    assert main(["sessions"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "There are no sessions yet" in err


def test_what_is_wrong_with_a_session_is_said_once_on_standard_error(sessions, root):
    with (root / CAFE / "captions.jsonl").open("ab") as file:
        file.write(b'{"kind": "cap')
    answer = sessions("show", "last")
    assert "Café" in answer.out
    assert answer.err.count("was cut off and is left out") == 1
    assert CAFE in sessions("list").err


def tone(seconds):
    return (0.2 * np.sin(np.arange(round(seconds * SAMPLE_RATE)) / 10)).astype(np.float32)


class Silent:
    """A loudspeaker nobody hears."""

    n = 0

    def write(self, samples):
        Silent.n += len(samples)

    def close(self, *, at_once):
        pass


def test_a_session_is_played_from_a_caption_on_with_its_text(sessions, root, monkeypatch):
    record(root / KICK_OFF, tone(9))
    monkeypatch.setattr("live.loudspeaker.Loudspeaker", Silent)
    monkeypatch.setattr(Silent, "n", 0)
    assert sessions("play", "kick", "--from", "2").out == "00:05 en→zh ? 好，我们开始吧。 | Good, let us start.\n"
    assert Silent.n == 4 * SAMPLE_RATE
    assert len(sessions("play", "kick").out.splitlines()) == 2
    assert "has no caption 7" in sessions("play", "kick", "--from", "7", status=1).err
    assert "has no sound" in sessions("play", CAFE, status=1).err


def test_what_was_left_is_translated_and_everything_again_when_asked(sessions, root):
    assert "cannot be translated: its sound was not recorded" in sessions("resume", "kick", status=1).err
    assert "has no sound" in sessions("retranslate", "kick", status=1).err
    record(root / KICK_OFF, tone(9))
    answer = sessions("resume", "kick", "--model", "fake")
    assert "1 translated" in answer.err
    assert answer.out.startswith("00:08 ")
    assert [entry.by for entry in read(root / KICK_OFF).entries] == ["session", "session", "resume"]
    assert "Nothing is left to translate in" in sessions("resume", "kick").err
    sessions("edit", "kick", "2", "--transcript", "Let us start.")
    assert "2 translated" in sessions("--model", "fake", "retranslate", "kick").err
    entries = read(root / KICK_OFF).entries
    assert [entry.by for entry in entries[:2]] == ["retranslation", "edit"]
    assert entries[0].original.translation.text == "The budget is fifteen percent."
    assert "Nothing is left to translate." in sessions("resume").err
