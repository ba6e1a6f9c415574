"""A replay on a sound server whose microphone hears all that is played."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from audio_clips import silence, speech, to_pcm, write_audio
from pulse import PulseServer, missing
from test_microphone import likeness

from models.base import SAMPLE_RATE

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]
HERE = Path(__file__).parent


@contextmanager
def session(server, path):
    process = subprocess.Popen(
        [sys.executable, str(HERE / "replay_program.py"), str(path)],
        env=server.env | {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE.parent / "live")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process, word):
    for line in process.stdout:
        if line.split()[0] == word:
            return line.split()[1:]
    raise AssertionError(f"the program ended before it said {word!r}")


def test_a_replay_is_heard_and_not_taken_for_speech(tmp_path):
    first = speech(["the", "meeting", "begins", "at", "ten"], "en")
    second = speech(["会议", "十点", "开始"], "zh")
    one, two = (
        write_audio(tmp_path / f"{number}.wav", to_pcm(np.concatenate([sound, silence(0.5)])))
        for number, sound in enumerate((first, second))
    )
    with PulseServer() as server, session(server, tmp_path / "heard.npy") as program:
        wait_for(program, "ready")
        server.play(one)
        end = int(wait_for(program, "closed")[1])
        program.stdin.write("replay\n")
        program.stdin.flush()
        assert wait_for(program, "played") == ["None"]
        server.play(two)
        start = int(wait_for(program, "closed")[0])
        rest, _ = program.communicate()
    assert "closed" not in rest
    heard = np.load(tmp_path / "heard.npy")
    assert start > end + len(first)
    assert likeness(heard[end : end + 4 * SAMPLE_RATE], first[SAMPLE_RATE // 2 : -SAMPLE_RATE // 2]) > 0.9
