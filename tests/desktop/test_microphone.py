import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from audio_clips import silence, speech, to_pcm, write_audio
from pulse import MICROPHONE, PulseServer, missing

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]


@pytest.fixture
def server():
    with PulseServer() as running:
        yield running


@contextmanager
def listening(server, path, name=MICROPHONE):
    """The listening program, once it has heard its first block; told to stop and waited for at the end."""
    program = Path(__file__).with_name("listen_program.py")
    process = subprocess.Popen(
        [sys.executable, str(program), name, str(path)],
        env=server.env | {"PYTHONPATH": str(program.parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.stdin.close()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def likeness(heard, played):
    """The highest correlation of `played` with any stretch of `heard` of its length."""
    heard, played = heard.astype(np.float64), played.astype(np.float64)
    products = np.correlate(heard, played)
    energy = np.concatenate([[0.0], np.cumsum(np.square(heard))])
    levels = np.sqrt(energy[len(played) :] - energy[: -len(played)])
    return (products / np.maximum(levels * np.linalg.norm(played), 1e-3)).max()


def sentence():
    return speech(["the", "meeting", "begins", "at", "ten"], "en")


def written(path, sound):
    """The sound as a file, with enough silence after it that its end is heard before playing is over."""
    return write_audio(path, to_pcm(np.concatenate([sound, silence(0.5)])))


def test_the_microphone_hears_what_is_played(server, tmp_path):
    played = np.concatenate([sentence(), silence(0.3), speech(["会议", "十点", "开始"], "zh")])
    wav = written(tmp_path / "played.wav", played)
    with listening(server, tmp_path / "heard.npy") as program:
        assert program.stdout.readline().split()[:2] == ["ready", f"Microphone-{MICROPHONE}"]
        server.play(wav)
    heard = np.load(tmp_path / "heard.npy")

    assert likeness(heard, played) > 0.98


def test_the_default_microphone_hears_too(server, tmp_path):
    played = sentence()
    wav = written(tmp_path / "played.wav", played)
    with listening(server, tmp_path / "heard.npy", name="") as program:
        assert program.stdout.readline().startswith("ready")
        server.play(wav)

    assert likeness(np.load(tmp_path / "heard.npy"), played) > 0.98


def test_a_server_that_ends_takes_the_microphone_with_it_and_that_is_said(server, tmp_path):
    with listening(server, tmp_path / "heard.npy") as program:
        assert program.stdout.readline().startswith("ready")
        server.kill()
        assert program.stdout.readline() == f"lost The microphone 'Microphone-{MICROPHONE}' is gone.\n"


def test_a_server_that_hangs_is_noticed(server, tmp_path):
    with listening(server, tmp_path / "heard.npy") as program:
        assert program.stdout.readline().startswith("ready")
        server.stall()
        said = program.stdout.readline()
        assert said.startswith(
            f"lost The microphone 'Microphone-{MICROPHONE}' is silent: the sound server does not answer"
        )


def test_two_programs_hear_the_same_microphone(server, tmp_path):
    played = sentence()
    wav = written(tmp_path / "played.wav", played)
    with listening(server, tmp_path / "one.npy") as one, listening(server, tmp_path / "two.npy") as two:
        assert one.stdout.readline().startswith("ready")
        assert two.stdout.readline().startswith("ready")
        server.play(wav)

    assert min(likeness(np.load(tmp_path / f"{name}.npy"), played) for name in ("one", "two")) > 0.98
