import pytest

from live.errors import CaptureError
from live.sound_systems.base import InputDevice
from ui.cli import main
from ui.commands import doctor

CHECKS = (
    "program", "libraries", "settings", "log", "processor", "graphics",
    "model", "fits", "sound", "microphone", "computer", "screen", "fonts", "network",
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


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"version": "PortAudio V19.7.0-devel, revision unknown"}, "; replays through PortAudio V19.7.0-devel"),
        ({"missing": "PortAudio is missing: install it."}, "; nothing can be replayed: PortAudio is missing: install"),
    ],
)
def test_where_a_sound_server_has_microphones_portaudio_is_only_for_replaying(lines, monkeypatch, facts, words):
    devices = (InputDevice(0, "Yeti", "pulseaudio", 1, 48_000, is_default=True),)
    monkeypatch.setattr("live.devices.input_devices", lambda: devices)
    monkeypatch.setattr(doctor, "_probe", lambda *_args, **_env: {**NO_GPU, "version": "6", "fonts": ["Noto"], **facts})
    is_ok, text = lines()["sound"]

    assert is_ok
    assert text.startswith("microphones: 1, by default 'Yeti' (pulseaudio)" + words)


def test_portaudio_is_asked_in_a_process_of_its_own():
    facts = doctor._probe(doctor._PORTAUDIO, "PortAudio")

    assert any(word in facts.get(key, "") for key, word in (("version", "PortAudio V"), ("missing", "PortAudio")))


def heard_as(monkeypatch, **sound):
    """Has every device heard as given, without one."""
    from live.sound_check import Heard

    usual = {"seconds": 3.0, "loudest_dbfs": -20.0, "noise_dbfs": -60.0, "speech_s": 1.0}
    monkeypatch.setattr("live.sound_check.listen", lambda _source, _detector: Heard(**usual | sound))


@pytest.mark.parametrize(
    ("sound", "is_ok", "words"),
    [
        ({}, True, "-20 dBFS at most, noise -60 dBFS, speech heard in 3 s"),
        ({"speech_s": 0.0, "loudest_dbfs": -100.0}, False, "gives only silence: is it muted, or not allowed"),
        ({"speech_s": 0.0, "loudest_dbfs": -75.0}, False, "hears hardly anything (-75 dBFS at most)"),
        ({"speech_s": 0.0, "loudest_dbfs": -50.0}, True, "nobody spoke in 3 s"),
        ({"speech_s": 0.0}, True, "sound, but no speech in 3 s"),
        ({"seconds": 0.0}, False, "opens but delivers no sound"),
    ],
)
@pytest.mark.usefixtures("no_probes")
def test_what_the_microphone_hears_is_said_in_words(lines, monkeypatch, sound, is_ok, words):
    heard_as(monkeypatch, **sound)
    found = lines()["microphone"]

    assert found[0] is is_ok
    assert words in found[1]


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        ({}, "speech heard in 3 s"),
        ({"speech_s": 0.0}, "no speech in 3 s"),
        ({"speech_s": 0.0, "loudest_dbfs": -100.0}, "silent: nothing plays, it plays on another output"),
    ],
)
@pytest.mark.usefixtures("no_probes")
def test_a_silent_computer_is_no_fault(lines, monkeypatch, sound, words):
    heard_as(monkeypatch, **sound)
    is_ok, text = lines()["computer"]

    assert is_ok
    assert words in text
