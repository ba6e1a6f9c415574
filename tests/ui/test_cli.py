import stat
import subprocess
import sys

import pytest
from fake_sound_system import FakeSystem

from ui import logs
from ui.cli import main
from ui.commands.parser import parse

ALL = ("run", "demo", "file", "listen", "ask", "analyse", "evaluate", "devices", "models", "settings", "doctor", "send")


pytestmark = pytest.mark.usefixtures("own_process")


def fails_in_one_line(capsys, *words):
    """Run a command that is to fail; return what it says."""
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tongchuan: ")
    assert err.count("\n") == 1
    return err


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n    {name} " in text for name in ALL)
    assert "examples:" in text


@pytest.mark.parametrize("words", [*((name,) for name in ALL if name != "evaluate"), ("evaluate", "covost2")])
def test_every_command_explains_itself_and_takes_model_device_and_precision(capsys, words):
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "--model NAME|PATH" in text
    assert "--device auto|cuda|mps|cpu" in text
    assert "--quant auto|none|int8|int4|nf4" in text
    assert "examples:" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_version_is_the_packages_own(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("tongchuan 0.")


@pytest.mark.parametrize("words", [["--help"], ["file", "--help"], ["settings"], ["send", "pause"]])
def test_a_quick_command_loads_no_heavy_library(words):
    code = f"""
import sys
from ui.cli import main
try:
    main({words!r})
except SystemExit:
    pass
heavy = {{"torch", "transformers", "PySide6", "sounddevice", "onnxruntime", "av", "sacrebleu"}}
print("LOADED", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["file"],
        ["--device", "gpu"],
        ["file", "x.wav", "--from", "klingon"],
        ["listen", "--sorce", "both"],
        ["-x"],
    ],
)
def test_wrong_usage_is_status_2(capsys, words):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: tongchuan" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--from", "zh"]])
def test_without_a_command_it_is_run(words):
    assert parse(words).command == "run"


@pytest.mark.parametrize("words", [["settings"], ["models"], ["file", "talk.wav"], ["listen"], ["run"], ["demo"]])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("endpont_ms = 3", "the nearest is 'endpoint_ms'"),
        ('text_size = "big"', "must be a whole number from 14 to 96, not 'big'"),
        ("text_size = ", "is not valid TOML at line 1, column"),
    ],
)
def test_wrong_settings_are_one_line_whatever_the_command(capsys, own_home, words, text, sentence):
    (own_home / "settings.toml").write_text(text + "\n")
    assert sentence in fails_in_one_line(capsys, *words)


def test_an_unknown_model_is_answered_with_the_nearest(capsys):
    assert "did you mean 'embedded'" in fails_in_one_line(capsys, "models", "--model", "embeded")


@pytest.mark.parametrize("command", [("models",), ("listen",)])
def test_a_model_without_a_name_is_asked_for_one(capsys, command):
    assert fails_in_one_line(capsys, *command, "--model", "") == "tongchuan: Give --model a name or a folder.\n"


def test_without_a_screen_one_line_offers_the_terminal(capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "`tongchuan listen`" in fails_in_one_line(capsys, "run", "--model", "fake")


def test_without_a_microphone_listening_ends_in_one_line_and_keeps_an_older_file(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("live.capture.sound_system", FakeSystem)
    older = tmp_path / "talk.srt"
    older.write_text("yesterday's")
    assert main(["listen", "--model", "fake", "--srt", str(older)]) == 1
    assert "No microphone was found" in capsys.readouterr().err
    assert older.read_text() == "yesterday's"


def test_models_marks_the_one_that_is_used_and_says_why(capsys):
    assert main(["models", "--model", "fake"]) == 0
    text = capsys.readouterr().out
    assert "* fake" in text
    assert "  embedded" in text
    assert 'model = "fake", from the command line' in text


def test_settings_are_printed_with_value_and_origin(capsys, own_home):
    (own_home / "settings.toml").write_text("endpoint_ms = 600\n")
    assert main(["settings", "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(own_home / "settings.toml")
    words = {line.split()[0]: line.split() for line in lines[2:]}
    assert words["endpoint_ms"][2:4] == ["600", "file"]
    assert words["device"][2:5] == ['"cpu"', "command", "line"]
    assert words["pair"][2:5] == ['["zh",', '"en"]', "default"]


def test_a_setting_is_written_and_read_back(capsys, own_home):
    assert main(["settings", "set", "pair", "en,zh"]) == 0
    assert main(["settings", "set", "opacity", "0.5"]) == 0
    assert (own_home / "settings.toml").read_text() == 'pair = ["en", "zh"]\nopacity = 0.5\n'
    capsys.readouterr()
    assert "whole number" in fails_in_one_line(capsys, "settings", "set", "text_size", "large")
    assert "nearest is 'text_size'" in fails_in_one_line(capsys, "settings", "set", "textsize", "30")


def test_a_defect_is_one_line_and_its_message_stays_out_of_the_log(capsys, monkeypatch):
    def broken(_arguments):
        raise RuntimeError(" ".join(["what", "the", "speaker", "said"]))

    monkeypatch.setattr("ui.commands.models.load_settings", broken)
    text = fails_in_one_line(capsys, "models")
    assert "RuntimeError" in text
    assert str(logs.log_path()) in text
    logged = logs.log_path().read_text()
    assert "in broken" in logged
    assert "what the speaker" not in logged


def test_the_log_is_for_the_owner_only():
    main(["settings"])
    assert stat.S_IMODE(logs.log_path().stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_stops_nothing(capsys, monkeypatch, tmp_path):
    (tmp_path / "in the way").write_text("")
    monkeypatch.setattr("ui.logs.log_path", lambda: tmp_path / "in the way" / "tongchuan.log")
    assert main(["settings"]) == 0
    assert capsys.readouterr().err == ""


def test_ctrl_c_in_a_command_is_status_130_and_says_nothing(capsys, monkeypatch):
    def interrupted(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("ui.commands.models.load_settings", interrupted)
    assert main(["models"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["listen", "run"])
@pytest.mark.parametrize(
    ("words", "other"),
    [
        (("--output", "HDMI"), "system"),
        (("--source", "microphone", "--output", "HDMI"), "system"),
        (("--source", "system", "--input", "USB"), "microphone"),
    ],
)
def test_a_device_that_is_not_of_the_source_is_refused(capsys, command, words, other):
    err = fails_in_one_line(capsys, command, *words)
    named = words[-2]
    assert f"{named} names what is not listened to: add `--source both`, or `--source {other}` for it alone." in err


def test_a_device_in_the_settings_may_belong_to_a_source_that_is_not_listened_to(capsys):
    assert main(["settings", "set", "output", "HDMI"]) == 0
    assert main(["settings", "set", "source", "microphone"]) == 0
    assert main(["settings"]) == 0
    assert "HDMI" in capsys.readouterr().out


def test_who_leaves_takes_the_processes_of_a_pool_along():
    code = (
        "import concurrent.futures, multiprocessing, os; from ui import cli; "
        "pool = concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn')); "
        "pool.submit(os.getpid).result(); cli.leave(3)"
    )
    # Its output ends when the last process that holds it does.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False)
    assert done.returncode == 3
