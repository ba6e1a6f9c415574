import pytest

from live.errors import CaptureError
from ui.cli import main
from ui.commands import doctor

CHECKS = (
    "program", "libraries", "settings", "log", "processor", "graphics",
    "model", "fits", "sound", "microphone", "screen", "fonts", "network",
)  # fmt: skip

NO_GPU = {"build": None, "gpu": None, "memory": 0, "mps": False}


@pytest.fixture
def lines(capsys):
    """Runs doctor; gives its lines by check, as (is ok, text)."""

    def run(*words):
        assert main(["doctor", "--model", "fake", *words]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        parsed = [(line[:6].strip(), *line[8:].split(maxsplit=1)) for line in out.splitlines()]
        assert [name for _, name, _ in parsed] == list(CHECKS)
        return {name: (mark == "ok", text) for mark, name, text in parsed}

    return run


@pytest.fixture
def no_probes(monkeypatch):
    """torch and Qt are not asked."""
    monkeypatch.setattr(doctor, "_probe", lambda *_args, **_env: {**NO_GPU, "version": "6", "fonts": ["Noto Sans CJK"]})


def test_a_healthy_computer_is_asked_for_real(lines):
    found = lines()
    assert found["program"][0]
    assert found["libraries"][1].startswith("torch ")
    assert found["model"][0]
    assert "loads in" in found["model"][1]
    assert "cpu (nothing to compute)" in found["model"][1]
    assert found["processor"][0]
    assert found["graphics"][1]
    assert found["fits"][1].startswith("embedded")
    assert found["network"] == (True, "used only to fetch a model that you ask for, from https://huggingface.co")


@pytest.mark.usefixtures("no_probes")
def test_whatever_is_broken_every_check_is_reported(lines, monkeypatch, own_home):
    def refuse(*_args, **_options):
        raise CaptureError("The sound library PortAudio is missing: install it.")

    def crash(*_args, **_options):
        raise OSError("something nobody thought of")

    (own_home / "settings.toml").write_text("text_size = 'big'")
    monkeypatch.setattr("live.sound_systems.portaudio.portaudio", refuse)
    monkeypatch.setattr("ui.screen.screen_problem", crash)
    monkeypatch.setattr("importlib.metadata.version", crash)
    found = lines()
    assert found["settings"] == found["model"]
    assert "must be a whole number" in found["settings"][1]
    assert found["sound"] == (False, "The sound library PortAudio is missing: install it.")
    assert found["screen"][1].startswith("the check itself failed (OSError: something nobody thought of)")
    assert found["fits"] == found["settings"]
    assert [name for name, (is_ok, _) in found.items() if is_ok] == ["log", "processor", "graphics", "fonts", "network"]


@pytest.mark.usefixtures("no_probes")
def test_a_driver_beside_a_torch_without_cuda_comes_with_the_remedy(lines, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"C:\\Windows\\{name}.exe")
    is_ok, text = lines()["graphics"]
    assert not is_ok
    assert "built for the processor alone" in text
    assert "pip install --force-reinstall torch" in text


def test_no_chinese_font_comes_with_the_remedy(lines, monkeypatch):
    monkeypatch.setattr(doctor, "_probe", lambda *_args, **_env: {**NO_GPU, "version": "6", "fonts": []})
    is_ok, text = lines()["fonts"]
    assert not is_ok
    assert "fonts-noto-cjk" in text


def test_a_library_that_cannot_be_loaded_is_named():
    with pytest.raises(doctor.NotOk, match=r"torch cannot be loaded \(ImportError: broken\)"):
        doctor._probe("raise ImportError('broken')", "torch")
    with pytest.raises(doctor.NotOk, match="exit status -6"):
        doctor._probe("import os; os.abort()", "Qt")


def test_a_missing_model_is_a_finding(lines, monkeypatch):
    monkeypatch.setattr(doctor, "_probe", lambda *_args, **_env: NO_GPU)
    is_ok, text = lines("--model", "embeded")["model"]
    assert not is_ok
    assert "did you mean 'embedded'" in text
