"""Asking about recordings, and analysing them, by commands."""

import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audio_clips import noise, silence, to_pcm, tone, write_audio

from models import catalogue
from models.base import AnswererFactory
from ui.cli import main

ROOT = Path(__file__).parents[2]
FAKE = ("--model", "fake")

pytestmark = pytest.mark.usefixtures("own_process")


@pytest.fixture
def clip(tmp_path):
    return write_audio(tmp_path / "clip.wav", to_pcm(tone(2.0)))


@pytest.fixture
def long(tmp_path):
    """40 s, quiet in the middle."""
    sound = np.concatenate([noise(19.95), silence(0.3), noise(19.75)])
    return write_audio(tmp_path / "long.wav", to_pcm(sound))


@pytest.fixture
def fake_of(monkeypatch):
    """Has the model "fake" be one with other arguments."""

    def change(**arguments):
        other = replace(catalogue.find("fake"), answerer=AnswererFactory(catalogue.FAKE_ANSWERER, arguments))
        monkeypatch.setattr(catalogue, "find", lambda *_args, **_options: other)

    return change


def said(capsys, *words, status=0):
    """Run a command; return what it says on both outputs."""
    assert main([*map(str, words)]) == status
    return capsys.readouterr()


def test_an_answer_is_all_there_is_on_standard_output(capsys, clip):
    out, err = said(capsys, "ask", clip, "what?", *FAKE)
    assert out == "Question 1, sounds 2.0 s: what?\n"
    assert err == ""


def test_several_recordings_go_with_one_question_in_order(capsys, clip, tmp_path):
    other = write_audio(tmp_path / "other.wav", to_pcm(tone(1.0, rate=8000)), 8000)
    assert said(capsys, "ask", other, clip, "same?", *FAKE).out == "Question 1, sounds 1.0 s, 2.0 s: same?\n"


def test_a_long_recording_is_several_sounds_and_says_so(capsys, long):
    out, err = said(capsys, "ask", long, "what?", *FAKE)
    assert out == "Question 1, sounds 20.0 s, 20.0 s: what?\n"
    assert err == (
        "tongchuan: long.wav lasts 00:40; it is cut where it is quiet into parts of at most 30 s: "
        "00:00-00:20, 00:20-00:40.\n"
    )


def test_each_part_of_a_long_recording_is_analysed_on_a_line_with_its_time(capsys, long):
    out, err = said(capsys, "analyse", long, "--task", "scene", *FAKE)
    assert out == "00:00-00:20  scene of 20.0 s: sound\n00:20-00:40  scene of 20.0 s: sound\n"
    assert "parts of at most 30 s" in err


def test_a_recording_that_fits_is_analysed_on_one_line(capsys, clip):
    assert said(capsys, "analyse", clip, *FAKE).out == "caption of 2.0 s: sound\n"


def test_a_task_the_model_has_not_is_answered_with_those_it_has(capsys, clip):
    out, err = said(capsys, "analyse", clip, "--task", "emotion", *FAKE, status=1)
    assert out == ""
    assert err == "tongchuan: The model fake cannot tell the emotion of a sound, only: caption, event, scene.\n"


@pytest.mark.parametrize("words", [("ask", "CLIP", "what?"), ("analyse", "CLIP")])
def test_a_model_that_only_translates_is_answered_with_those_that_do_more(capsys, clip, words):
    words = [clip if word == "CLIP" else word for word in words]
    out, err = said(capsys, *words, "--model", "embedded", status=1)
    assert out == ""
    assert f"The model embedded only translates: `tongchuan {words[0]}` takes one that answers about sound" in err
    assert "qwen-audio" in err.lower()
    assert err.count("\n") == 1


def test_a_model_that_takes_one_sound_refuses_two(capsys, clip, fake_of):
    fake_of(converses=False)
    _, err = said(capsys, "ask", clip, clip, "same?", *FAKE, status=1)
    assert "takes one sound of at most 30 s a question, and these are 2" in err
    assert said(capsys, "ask", clip, "what?", *FAKE).out == "Question 1, sounds 2.0 s: what?\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ask", "CLIP", "  "), "The question is empty"),
        (("ask", "CLIP", "CLIP"), "is a file: give the question in quotes"),
        (("ask", "CLIP", "please fail"), "told to fail on this question"),
        (("ask", "nothing.wav", "what?"), "There is no file nothing.wav"),
        (("analyse", "EMPTY"), "is empty"),
        (("analyse", "TEXT"), "is not a sound or video file"),
        (("analyse", "."), "is a folder"),
        (("ask", "SIX", "what?"), "At most 5 minutes of sound are taken at once"),
        (("ask", "THREE", "THREE", "what?"), "last 6.0 minutes together, and a conversation holds 5"),
        (("analyse", "FORTY"), "At most 30 minutes of sound are taken at once"),
    ],
)
def test_bad_input_is_one_line(capsys, clip, tmp_path, words, sentence):
    minutes = {"THREE": 3.0, "SIX": 6.0, "FORTY": 40.0}
    made = {"CLIP": clip, "EMPTY": tmp_path / "empty.wav", "TEXT": tmp_path / "text.wav"}
    made["EMPTY"].write_bytes(b"")
    made["TEXT"].write_bytes(b"no sound at all" * 99)
    for word in set(words) & set(minutes):
        made[word] = write_audio(tmp_path / f"{word}.wav", to_pcm(silence(minutes[word] * 60, 8000)), 8000)
    out, err = said(capsys, *(made.get(word, word) for word in words), *FAKE, status=1)
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_a_question_may_be_longer_than_any_name_of_a_file_and_such_a_name_is_no_recording(capsys, clip):
    long = "为什么" * 100
    assert said(capsys, "ask", clip, long, *FAKE).out == f"Question 1, sounds 2.0 s: {long}\n"
    for words in (("file", long), ("analyse", long)):
        err = said(capsys, *words, *FAKE, status=1).err
        assert "defect" not in err
        assert err.count("\n") == 1


def test_without_a_question_it_is_wrong_usage(capsys, clip):
    with pytest.raises(SystemExit) as end:
        main(["ask", str(clip)])
    assert end.value.code == 2
    assert "QUESTION" in capsys.readouterr().err


def test_what_a_screen_would_obey_is_not_printed(capsys, clip):
    assert said(capsys, "ask", clip, "\x1b[31m red\nblue", *FAKE).out == "Question 1, sounds 2.0 s: [31m red\nblue\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("is_redirected", [False, True])
def test_on_a_terminal_the_conversation_goes_on_until_ctrl_d(clip, monkeypatch, is_redirected):
    monkeypatch.setenv("TERM", "dumb")
    master, slave = os.openpty()
    words = [sys.executable, "-m", "ui.cli", "ask", str(clip), "what?", *FAKE]
    output = subprocess.PIPE if is_redirected else slave
    typed = [b"why \xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88?\n", b"\n", b"please fail\n", b"and then?\n", b"\x04"]
    drawn = b""
    with subprocess.Popen(words, cwd=ROOT, stdin=slave, stdout=output, stderr=slave) as program:
        os.close(slave)
        try:
            with contextlib.suppress(OSError):  # how a terminal without a program ends
                while part := os.read(master, 1000):
                    drawn += part
                    # A prompt is answered once: what is typed ahead of it may be lost as the terminal changes its mode.
                    if drawn.endswith(b"? ") and typed:
                        os.write(master, typed.pop(0))
        finally:
            os.close(master)
            program.terminate()
        if is_redirected:
            drawn += program.stdout.read()
    text = drawn.decode().replace("\r\n", "\n")
    assert program.returncode == 0
    assert "Ask on, one question a line; Ctrl-D ends." in text
    assert "Question 2, sounds 2.0 s: why 为什么?\n" in text
    assert "tongchuan: The fake model was told to fail on this question" in text
    assert "Question 3, sounds 2.0 s: and then?\n" in text


def test_what_was_asked_and_answered_is_not_in_the_log(capsys, clip):
    from ui import logs

    said(capsys, "ask", clip, "whose secret?", *FAKE)
    assert "secret" not in logs.log_path().read_text(encoding="utf-8")
    assert clip.name not in logs.log_path().read_text(encoding="utf-8")
