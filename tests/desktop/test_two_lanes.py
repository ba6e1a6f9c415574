"""The program on both lanes of a real sound server: one person in the microphone, the other out of the computer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pysubs2
import pytest
from audio_clips import write_audio
from pulse import PulseServer, missing
from xvfb import wait_until

from live.demo import load_script, meeting_sound
from models.base import SAMPLE_RATE

ROOT = Path(__file__).parents[2]
LENGTH_S = 25.0
"""Of the demonstration meeting, as much as is played."""
pytestmark = [
    pytest.mark.desktop,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]


def events(path: Path) -> list[dict]:
    """The events written so far; a line that is being written is left out."""
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.splitlines()]


def is_listening(path: Path) -> bool:
    return any(event["event"] == "StateChanged" and event["state"] == "listening" for event in events(path))


def sides(folder: Path) -> dict[str, Path]:
    """The meeting's turns by language, each in its time in a file of its own."""
    with meeting_sound() as meeting, av.open(str(meeting)) as source:
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        parts = [part.to_ndarray()[0] for block in source.decode(audio=0) for part in resampler.resample(block)]
    sound = np.concatenate(parts)[: round(LENGTH_S * SAMPLE_RATE)]
    files = {}
    for language in ("en", "zh"):
        side = np.zeros_like(sound)
        for turn in load_script().turns:
            if turn.language == language:
                said = slice(round(turn.start_s * SAMPLE_RATE), round(turn.end_s * SAMPLE_RATE))
                side[said] = sound[said]
        files[language] = write_audio(folder / f"{language}.wav", side[:, np.newaxis])
    return files


def test_both_sides_of_a_meeting_are_captioned_each_on_its_lane_and_in_its_time(tmp_path: Path) -> None:
    srt, log = tmp_path / "meeting.srt", tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "ui.cli", "listen", "--model", "embedded", "--source", "both", "--no-keep"]
    files = sides(tmp_path)
    with PulseServer() as server:
        server.plug_output("speakers")
        server.control("set-default-sink", "speakers")
        environment = os.environ | server.env | {"PYTHONPATH": str(ROOT)}
        program = subprocess.Popen([*command, "--srt", str(srt), "--jsonl", str(log)], env=environment, cwd=tmp_path)
        try:
            wait_until(lambda: is_listening(log), "listening to both", 60)
            players = [
                subprocess.Popen(["paplay", f"--device={sink}", str(files[language])], env=environment)
                for sink, language in (("vmic", "en"), ("speakers", "zh"))
            ]
            assert [player.wait(60) for player in players] == [0, 0]
            program.send_signal(signal.SIGINT)
            assert program.wait(60) == 130
        finally:
            program.kill()
    captions = [event["caption"] for event in events(log) if event["event"] == "CaptionUpdated"]
    finals = sorted((caption for caption in captions if caption["is_final"]), key=lambda caption: caption["start"])
    assert {(final["lane"], final["source"]) for final in finals} == {("microphone", "en"), ("system", "zh")}
    turns = [turn for turn in load_script().turns if turn.end_s < LENGTH_S - 1.0]
    begins_s = finals[0]["start"] / SAMPLE_RATE - turns[0].start_s
    for turn in turns:
        starts_s = [final["start"] / SAMPLE_RATE for final in finals if final["source"] == turn.language]
        assert min(abs(start_s - begins_s - turn.start_s) for start_s in starts_s) < 1.0
    texts = [cue.plaintext for cue in pysubs2.load(str(srt), encoding="utf-8")]
    assert any(text.startswith("[我] ") for text in texts)
    assert any(text.startswith("[Them] ") for text in texts)
