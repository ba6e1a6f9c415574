"""`tongchuan models`, fetching, and what a command says and asks when its model is not here."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from audio_clips import to_pcm, tone, write_audio
from hub_server import Hub, point_at, serving, use_cache
from huggingface_hub.utils import close_session

from live.errors import LiveError
from models import choice
from models.catalogue import NotHereError
from models.memory import Gpu, Processor
from ui import state
from ui.cli import main
from ui.commands import fetching
from ui.commands.options import load_settings, resolve_model
from ui.commands.parser import parse

NOTICE = "Tongyi Qianwen is licensed under the Tongyi Qianwen LICENSE AGREEMENT"


@pytest.fixture(autouse=True)
def own_process(monkeypatch):
    """Ctrl-C goes back to what it was, and a command that ends leaves the tests running."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("ui.cli.leave", lambda status: status)
    monkeypatch.setattr("ui.logs.configure", lambda: Path("the log"))
    monkeypatch.setattr(choice, "processor", lambda: Processor(80_000_000_000))
    yield
    signal.signal(signal.SIGINT, before)
    close_session()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    use_cache(tmp_path / "hub", monkeypatch)
    with serving(Hub()) as served:
        point_at(served.address, monkeypatch)
        yield served


@pytest.fixture
def terminal(monkeypatch):
    """Somebody sits there and types this."""

    def types(text):
        monkeypatch.setattr(fetching, "is_conversation", lambda: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return types


@pytest.fixture
def large_gpu(monkeypatch):
    monkeypatch.setattr(choice, "find_gpu", lambda _device: Gpu("NVIDIA H100", 80_000_000_000))


def asked_for(*words):
    """The model that a command would use."""
    return resolve_model(load_settings(parse(["listen", *words]))[0])


def test_the_list_says_of_each_model_what_it_takes_and_whether_it_is_here(capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    blocks = {block.split()[0]: block for block in out.replace("* ", "  ").split("\n  ") if block[:1].isalpha()}
    assert "here; fits any computer" in out
    assert "synthetic voices, meeting phrases" in out
    for fact in (
        "not here; does not fit: it needs 7.1 GB to 18.3 GB of a GPU",
        "memory on a GPU: bf16 18.3 GB, int8 11.8 GB, int4 8.8 GB, nf4 7.1 GB (computed, not measured)",
        "en-zh 41.5, zh-en 15.7",
        "files: 16.8 GB",
        "licence: Tongyi Qianwen LICENSE AGREEMENT",
        "Chinese, German",
    ):
        assert fact in out
    assert {"qwen-audio", "qwen-audio-chat", "qwen2-audio", "qwen2-audio-instruct"} <= set(blocks)
    assert out.splitlines()[-2].startswith("* is used. The embedded model: ")
    assert out.splitlines()[-1] == "Weights as they are stored."


@pytest.mark.usefixtures("hub")
def test_the_list_says_in_which_precisions_a_model_would_fit_and_which_is_taken(capsys, monkeypatch):
    card = Gpu("NVIDIA RTX 4080", 15_700_000_000)
    monkeypatch.setattr("models.memory.find_gpu", lambda _device: card)
    monkeypatch.setattr(choice, "find_gpu", lambda _device: card)
    monkeypatch.setattr(choice, "missing", lambda _quant, _device: "")
    assert main(["models", "--model", "qwen-audio"]) == 0
    out = capsys.readouterr().out
    assert "not here; fits: int8 needs 11.8 GB, int4 needs 8.8 GB, nf4 needs 7.1 GB; NVIDIA RTX 4080 has 15.7" in out
    assert out.splitlines()[-1].startswith(
        "Weights as int8: int8 needs 11.8 GB, NVIDIA RTX 4080 has 15.7 GB free; bf16"
    )


@pytest.mark.usefixtures("hub")
def test_the_list_says_where_there_is_no_room_for_what_was_asked_for(capsys, monkeypatch):
    monkeypatch.setattr(choice, "processor", lambda: Processor(1_000_000_000))
    assert main(["models", "--model", "qwen-audio"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("There is no room for qwen-audio: ")


@pytest.mark.usefixtures("hub")
def test_the_list_names_a_model_asked_for_that_is_not_here(capsys):
    assert main(["models", "--model", "qwen-audio"]) == 0
    out = capsys.readouterr().out
    assert "* qwen-audio\n" in out
    assert 'is used once it is fetched. model = "qwen-audio", from the command line' in out


def test_a_model_is_fetched_listed_as_here_and_found_again(capsys, hub):
    assert main(["models", "fetch", "qwen-audio"]) == 0
    out, err = capsys.readouterr()
    assert "qwen-audio is here now: " in out
    assert "Use it with --model qwen-audio" in out
    assert err.startswith(f"tongchuan: {NOTICE}")
    assert "qwen-audio: 0 MB of 0 MB" in err
    n_asked = len(hub.asked)
    assert main(["models", "fetch", "qwen-audio"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("qwen-audio is here: ")
    assert err == ""
    assert main(["models"]) == 0
    assert "      here; does not fit" in capsys.readouterr().out
    assert len(hub.asked) == n_asked


def test_a_repository_may_be_fetched_by_its_own_name(capsys, hub):
    hub.repository = "someone/tuned-audio"
    assert main(["models", "fetch", "someone/tuned-audio"]) == 0
    assert "Use it with --model someone/tuned-audio" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["embedded", "fake"])
def test_what_comes_with_the_program_is_not_fetched(capsys, name):
    assert main(["models", "fetch", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name} is here: ")


def test_a_fetch_that_fails_is_one_line(capsys, hub):
    hub.status = 503
    assert main(["models", "fetch", "qwen2-audio"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "127.0.0.1 is out of order (status 503): try again later." in err


def test_a_misspelt_model_to_fetch_is_answered_with_the_nearest(capsys):
    assert main(["models", "fetch", "qwen-adio"]) == 1
    assert "did you mean 'qwen-audio'" in capsys.readouterr().err


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("words", [["listen"], ["file", "CLIP"], ["ask", "CLIP", "what?"], ["demo", "--terminal"]])
def test_without_a_terminal_a_model_that_is_not_here_is_refused_with_the_command_that_brings_it(
    capsys, words, tmp_path
):
    clip = write_audio(tmp_path / "clip.wav", to_pcm(tone(1.0)))
    assert main([*(str(clip) if word == "CLIP" else word for word in words), "--model", "qwen-audio"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "tongchuan: The model qwen-audio is not on this computer: run `tongchuan models fetch qwen-audio`.\n"
    )


@pytest.mark.parametrize("words", [["file"], ["ask", "what?"], ["analyse"]])
def test_a_recording_that_is_not_there_is_said_before_anything_is_asked_or_fetched(capsys, hub, terminal, words):
    terminal("y\n")
    assert main([words[0], "nothing.wav", *words[1:], "--model", "qwen-audio"]) == 1
    assert capsys.readouterr().err.startswith("tongchuan: There is no file nothing.wav")
    assert hub.asked == []


def test_on_a_terminal_it_is_asked_once_and_fetched_after_a_yes(capsys, hub, terminal):
    terminal("y\n")
    entry = asked_for("--model", "qwen-audio")
    assert entry.is_here
    err = capsys.readouterr().err
    host = hub.address.removeprefix("http://")
    assert err.startswith(
        "tongchuan: The model qwen-audio is not on this computer. It does not fit: it needs 7.1 GB to 18.3 GB of a "
        "GPU, and "
    )
    assert f"Fetch 16.8 GB from {host}? [y/N] " in err
    assert err.count("[y/N]") == 1
    assert err.count(NOTICE) == 1


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "what?\n"])
def test_anything_but_a_yes_fetches_nothing(hub, terminal, answer):
    terminal(answer)
    with pytest.raises(NotHereError, match="`tongchuan models fetch qwen-audio`"):
        asked_for("--model", "qwen-audio")
    assert hub.asked == []


def test_what_a_licence_asks_for_is_said_once_on_this_computer(capsys, hub, terminal):
    terminal("y\n")
    asked_for("--model", "qwen-audio")
    assert NOTICE in capsys.readouterr().err
    asked_for("--model", "qwen-audio")
    assert capsys.readouterr().err == ""


def test_what_the_embedded_model_is_is_said_once(capsys):
    asked_for("--model", "embedded")
    assert capsys.readouterr().err == (
        "tongchuan: embedded: A demonstration model: synthetic voices, meeting phrases; "
        "nothing is claimed for human speech.\n"
    )
    asked_for()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("large_gpu")
def test_a_gpu_that_would_hold_a_larger_model_is_a_question_and_a_no_is_remembered(capsys, hub, terminal):
    terminal("n\n")
    assert asked_for().name == "embedded"
    err = capsys.readouterr().err
    assert "would hold qwen2-audio" in err
    assert "Fetch 16.8 GB from" in err
    assert "`tongchuan models fetch qwen2-audio` brings it at any time" in err
    terminal("y\n")
    assert asked_for().name == "embedded"
    assert "[y/N]" not in capsys.readouterr().err
    assert hub.asked == []


@pytest.mark.usefixtures("large_gpu")
def test_a_yes_brings_the_larger_model_and_auto_uses_it_from_then_on(capsys, hub, terminal):
    hub.repository = "Qwen/Qwen2-Audio-7B"
    terminal("yes\n")
    assert asked_for().name == "qwen2-audio"
    terminal("")
    entry = asked_for()
    assert entry.name == "qwen2-audio"
    assert "its published BLEU is best (34.8)" in entry.reason
    assert capsys.readouterr().err.count("[y/N]") == 1


@pytest.mark.usefixtures("large_gpu", "hub")
def test_without_a_terminal_auto_asks_nothing_and_says_what_there_would_be(capsys):
    entry = asked_for()
    assert entry.name == "embedded"
    assert "`tongchuan models fetch qwen2-audio` brings it" in entry.reason
    assert "[y/N]" not in capsys.readouterr().err


@pytest.mark.usefixtures("large_gpu", "hub")
def test_doctor_and_the_list_ask_nothing(capsys, terminal):
    terminal("y\n")
    resolve_model(load_settings(parse(["doctor"]))[0], may_ask=False)
    with pytest.raises(NotHereError):
        resolve_model(load_settings(parse(["doctor", "--model", "qwen-audio"]))[0], may_ask=False)
    assert main(["models"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("large_gpu", "hub")
def test_the_demo_begins_with_what_is_here(capsys, terminal, monkeypatch):
    def stop() -> None:
        raise LiveError("That far and no further.")

    monkeypatch.setattr("live.demo.load_script", stop)
    terminal("y\n")
    assert main(["demo", "--terminal"]) == 1
    err = capsys.readouterr().err
    assert "That far" in err
    assert "[y/N]" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal as a Unix terminal does")
def test_ctrl_c_ends_a_fetch_with_a_line_and_the_next_one_goes_on(tmp_path):
    hub = Hub()
    name = "model-00002-of-00003.safetensors"
    with serving(hub) as served:
        served.stalls[name] = 20_000
        environment = os.environ | {
            "HF_ENDPOINT": served.address,
            "HF_HUB_CACHE": str(tmp_path / "hub"),
            "HF_HUB_OFFLINE": "0",
            "TRANSFORMERS_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-m", "ui.cli", "models", "fetch", "qwen-audio"]
        running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert served.stalled.wait(60)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        assert running.returncode == 130
        assert out == ""
        assert err.splitlines()[-1] == (
            "tongchuan: Stopped. What was fetched is kept: `tongchuan models fetch qwen-audio` goes on from there."
        )
        served.stalls.clear()
        served.asked.clear()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert hub.ranges("model-00001-of-00003.safetensors") == []
    assert "qwen-audio is here now" in done.stdout


def test_what_was_said_once_is_kept_for_its_owner_alone():
    state.note("a thing")
    state.note("another")
    assert state.is_noted("a thing")
    assert not state.is_noted("a third")
    assert json.loads(state.noted_path().read_text()) == ["a thing", "another"]
    if sys.platform != "win32":
        assert stat.S_IMODE(state.noted_path().stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "3", "null"])
def test_a_broken_memory_of_what_was_said_is_as_none(content, caplog):
    state.noted_path().parent.mkdir(parents=True, exist_ok=True)
    state.noted_path().write_text(content)
    assert not state.is_noted("a thing")
    assert str(state.noted_path()) in caplog.text
    state.note("a thing")
    assert state.is_noted("a thing")
