import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import wave
from pathlib import Path

import pysubs2
import pytest
from example_talk import FAKE, write_talk

from ui import logs

COMMAND = (sys.executable, "-m", "ui.cli")
ROOT = Path(__file__).parents[2]
DISK_FULL = Path("/dev/full")


def tongchuan(*words, **options):
    return subprocess.run(
        [*COMMAND, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False, **options
    )


def start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], cwd=ROOT, stdout=stdout, stderr=stderr, text=True, start_new_session=True
    )


def rest_of(program):
    """What a program has yet to say on both outputs; `communicate` would lose what `readline` has buffered."""
    rest, errors = program.stdout.read(), program.stderr.read()
    program.wait(timeout=60)
    return rest, errors


@pytest.fixture
def talk(tmp_path):
    return write_talk(tmp_path / "talk.wav", 4)


def final_captions(jsonl):
    records = map(json.loads, jsonl.splitlines())
    captions = (record["caption"] for record in records if record["event"] == "CaptionUpdated")
    return [caption for caption in captions if caption["is_final"]]


def test_lines_subtitles_and_events_tell_the_same(talk, tmp_path):
    srt, vtt, events = (tmp_path / f"out.{kind}" for kind in ("srt", "vtt", "jsonl"))
    done = tongchuan("file", talk, *FAKE, "--srt", srt, "--vtt", vtt, "--jsonl", events)
    assert done.returncode == 0, done.stderr
    captions = final_captions(events.read_text(encoding="utf-8"))
    assert [caption["source"] for caption in captions] == ["zh", "en", "zh", "en"]
    translations = ["".join(word["text"] for word in caption["translation"]["settled"]) for caption in captions]
    cues = list(pysubs2.load(str(srt)))
    assert [cue.plaintext.splitlines()[0] for cue in cues] == translations
    assert [cue.start for cue in cues] == [round(caption["start"] / 16) for caption in captions]
    assert all(cue.end >= round(caption["end"] / 16) for cue, caption in zip(cues, captions, strict=True))
    assert [cue.plaintext for cue in pysubs2.load(str(vtt))] == [cue.plaintext for cue in cues]
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all(translation in line for translation, line in zip(translations, lines, strict=True))
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (srt, vtt, events))


def test_words_are_listed_with_their_times_and_the_captions_stay_the_same(talk, tmp_path):
    table, events = tmp_path / "words.tsv", tmp_path / "events.jsonl"
    plain = tongchuan("file", talk, *FAKE)
    done = tongchuan("file", talk, *FAKE, "--words", table, "--jsonl", events)
    assert done.returncode == 0, done.stderr
    assert done.stdout == plain.stdout
    assert f"Written: {events}, {table}" in done.stderr
    head, *rows = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines())
    assert head == ["start_s", "end_s", "lane", "language", "word"]
    captions = final_captions(events.read_text(encoding="utf-8"))
    words = [word for caption in captions for word in caption["transcript"]["settled"]]
    assert [row[4] for row in rows] == [word["text"].strip() for word in words]
    assert [row[0] for row in rows] == [f"{word['start'] / 16_000:.3f}" for word in words]
    assert {row[2] for row in rows} == {"file"}


def test_words_of_a_model_without_times_are_one_line_and_cost_no_older_table(talk, tmp_path):
    table = tmp_path / "words.tsv"
    table.write_text("yesterday's")
    done = tongchuan("file", talk, "--detector", "webrtc", "--model", "embedded", "--words", table)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "embedded does not say when words were spoken" in done.stderr
    assert table.read_text() == "yesterday's"


def test_what_was_said_is_not_in_the_log(talk):
    done = tongchuan("file", talk, *FAKE)
    logged = logs.log_path().read_text(encoding="utf-8")
    assert "model: fake" in logged
    texts = [line.split("zh ")[-1].split("en ")[-1].split(" | ")[0] for line in done.stdout.splitlines()]
    assert texts
    assert not any(text in logged for text in texts)
    assert talk.name not in logged


def test_events_on_standard_output_are_all_that_is_there(talk):
    done = tongchuan("file", talk, *FAKE, "--jsonl", "-")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert done.stderr == ""
    assert records[0] == {"event": "StateChanged", "at_s": 0.0, "state": "loading", "detail": "fake"}
    assert records[-1]["event"] == "SessionStopped"


def test_as_live_makes_changing_captions_and_the_same_utterances_and_here_the_same_text(talk):
    """The fake changes nothing that it said; of a real model settled text stays as a live reader has seen it."""
    plain = tongchuan("file", talk, *FAKE, "--jsonl", "-").stdout
    as_live = tongchuan("file", talk, *FAKE, "--jsonl", "-", "--as-live").stdout
    assert final_captions(as_live) == final_captions(plain)
    assert as_live.count('"CaptionUpdated"') > plain.count('"CaptionUpdated"') == 4


def test_a_direction_is_kept_to(talk):
    done = tongchuan("file", talk, *FAKE, "--from", "zh", "--to", "en", "--jsonl", "-")
    assert {(caption["source"], caption["target"]) for caption in final_captions(done.stdout)} == {("zh", "en")}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.wav", None, "no file"),
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"not sound at all" * 99, "text.wav"),
    ],
)
def test_a_file_that_is_no_recording_is_one_line_and_costs_no_older_subtitles(tmp_path, name, content, sentence):
    path, srt = tmp_path / name, tmp_path / "out.srt"
    srt.write_text("yesterday's")
    if content is not None:
        path.write_bytes(content)
    done = tongchuan("file", path, *FAKE, "--srt", srt)
    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert srt.read_text() == "yesterday's"


def test_a_recording_is_never_written_over(talk):
    before = talk.read_bytes()
    done = tongchuan("file", talk, *FAKE, "--srt", talk)
    assert done.returncode == 1
    assert "name another file" in done.stderr
    assert talk.read_bytes() == before


def test_two_outputs_cannot_be_one_file(talk, tmp_path):
    done = tongchuan("file", talk, *FAKE, "--srt", tmp_path / "out", "--jsonl", tmp_path / "x" / ".." / "out")
    assert done.returncode == 1
    assert "Two outputs" in done.stderr


def test_two_outputs_cannot_be_two_names_of_one_file(talk, tmp_path):
    (tmp_path / "one").write_text("")
    (tmp_path / "other").hardlink_to(tmp_path / "one")
    done = tongchuan("file", talk, *FAKE, "--srt", tmp_path / "one", "--vtt", tmp_path / "other")
    assert done.returncode == 1
    assert "Two outputs" in done.stderr


def test_a_file_without_speech_is_said_and_no_failure(tmp_path):
    quiet = tmp_path / "quiet.wav"
    with wave.open(str(quiet), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 320))
    for words in ((), ("--jsonl", "-")):
        done = tongchuan("file", quiet, *FAKE, *words)
        assert done.returncode == 0
        assert done.stderr == "tongchuan: No speech was heard in quiet.wav.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_file_s_name_is_shown_as_it_is(talk, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    named = talk.rename(talk.with_name("[red]b.wav"))
    master, slave = os.openpty()
    with start("file", named, *FAKE, stderr=slave) as program:
        os.close(slave)
        drawn = b""
        with contextlib.suppress(OSError):  # how a terminal without a program ends
            while part := os.read(master, 1000):
                drawn += part
        os.close(master)
    assert program.returncode == 0
    assert b"[red]b.wav" in drawn


def test_an_output_that_cannot_be_written_is_named_at_once(talk, tmp_path):
    done = tongchuan("file", talk, *FAKE, "--srt", tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "cannot be written: Is a directory" in done.stderr


@pytest.mark.skipif(not DISK_FULL.exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_full_is_said_once_and_the_captions_go_on(talk):
    done = tongchuan("file", talk, *FAKE, "--srt", DISK_FULL)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4
    assert done.stderr.count("No space left on device") == 1
    assert done.stderr.count("\n") == 1


REFUSED = "tongchuan: Standard output cannot be written: "


@pytest.mark.skipif(not DISK_FULL.exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("is_buffered", [True, False])
@pytest.mark.parametrize("words", [("file", "TALK"), ("file", "TALK", "--jsonl", "-"), ("settings",), ("--version",)])
def test_standard_output_on_a_full_disk_is_one_line(talk, monkeypatch, words, is_buffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if is_buffered else "1")
    words = [talk if word == "TALK" else word for word in words] + (list(FAKE) if "TALK" in words else [])
    with DISK_FULL.open("w") as full, start(*words, stdout=full) as program:
        _, errors = program.communicate(timeout=60)
    assert errors == f"{REFUSED}No space left on device.\n"
    assert program.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes outputs")
@pytest.mark.parametrize("command", ["settings", "--help", "file '{talk}' {fake}", "file '{talk}' {fake} --jsonl -"])
def test_a_closed_standard_output_is_one_line(talk, command):
    line = f"'{sys.executable}' -m ui.cli {command} >&-".format(talk=talk, fake=" ".join(FAKE))
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == f"{REFUSED}Bad file descriptor.\n"
    assert done.returncode == 1


def test_a_cut_recording_is_translated_as_far_as_it_goes_and_said(talk, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(talk.read_bytes()[:150_000])
    done = tongchuan("file", cut, *FAKE)
    assert done.returncode == 0
    assert 2 <= len(done.stdout.splitlines()) <= 3
    assert "cut short" in done.stderr


def test_ctrl_c_keeps_the_captions_so_far_and_is_status_130(tmp_path):
    talk = write_talk(tmp_path / "long.wav", 400)
    srt = tmp_path / "out.srt"
    with start("file", talk, *FAKE, "--srt", srt) as program:
        assert program.stdout.readline()
        program.send_signal(signal.SIGINT)
        rest, errors = rest_of(program)
    cues = list(pysubs2.load(str(srt)))
    assert program.returncode == 130
    assert 1 <= len(cues) == 1 + len(rest.splitlines()) < 400
    assert "Traceback" not in errors
    assert f"Captions so far are in {srt}" in errors


def test_ctrl_c_while_the_model_is_loading_is_status_130_and_promises_no_file(talk, tmp_path):
    older = tmp_path / "older.srt"
    older.write_text("yesterday's")
    files = ("--srt", older, "--vtt", tmp_path / "new.vtt")
    with start("file", talk, *FAKE, "--jsonl", "-", *files) as program:
        assert "loading" in program.stdout.readline()
        program.send_signal(signal.SIGINT)
        rest, errors = rest_of(program)
    assert program.returncode == 130
    assert json.loads(rest.splitlines()[-1])["event"] == "SessionStopped"
    assert errors == "tongchuan: Stopping; Ctrl-C again leaves at once.\n"
    assert older.read_text() == "yesterday's"
    assert not (tmp_path / "new.vtt").exists()


def test_a_killed_program_leaves_the_captions_so_far(tmp_path):
    talk = write_talk(tmp_path / "long.wav", 400)
    srt = tmp_path / "out.srt"
    with start("file", talk, *FAKE, "--srt", srt) as program:
        for _ in range(3):
            assert program.stdout.readline()
        program.kill()
        program.communicate(timeout=60)
    assert 2 <= len(pysubs2.load(str(srt))) < 400


def test_a_reader_that_has_enough_ends_the_command_quietly(tmp_path):
    talk = write_talk(tmp_path / "long.wav", 400)
    read, write = os.pipe()
    with start("file", talk, *FAKE, stdout=write) as program:
        os.close(write)
        assert os.read(read, 1)
        os.close(read)
        _, errors = program.communicate(timeout=60)
    assert program.returncode == 0
    assert errors == ""


def test_two_programs_at_once_both_run(talk, tmp_path):
    names = ("one.srt", "other.srt")
    programs = [start("file", talk, *FAKE, "--srt", tmp_path / name) for name in names]
    for program in programs:
        program.communicate(timeout=60)
    assert [program.returncode for program in programs] == [0, 0]
    one, other = ((tmp_path / name).read_text() for name in names)
    assert one == other != ""
