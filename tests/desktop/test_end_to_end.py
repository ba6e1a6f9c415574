"""The whole program on real parts: the demonstration meeting is played into a microphone and read off the screen."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pysubs2
import pytest
from pulse import MICROPHONE, PulseServer, missing
from xvfb import XScreen, missing_programs, wait_until, x_screen

from live.demo import load_script, meeting_sound
from live.evaluation.score import score
from live.events import Caption, Line, Word
from models.base import SAMPLE_RATE

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "test-results"
BLEU = 85.0
"""What the Spine promises of the demonstration, in each direction."""

_LACKING = [*missing(), *missing_programs()]
pytestmark = [
    pytest.mark.desktop,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(_LACKING), reason=f"not installed: {', '.join(_LACKING)}"),
]


def events(path: Path) -> list[dict]:
    """The events written so far; a line that is being written is left out."""
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.splitlines()]


def is_listening(path: Path) -> bool:
    return any(event["event"] == "StateChanged" and event["state"] == "listening" for event in events(path))


def n_finals(path: Path) -> int:
    return sum(event["event"] == "CaptionUpdated" and event["caption"]["is_final"] for event in events(path))


def captions(finals: list[dict], begins_s: float) -> list[Caption]:
    """Final captions of a log, on the clock of a script that begins at `begins_s` of the session's."""
    offset = round(begins_s * SAMPLE_RATE)
    return [
        Caption(
            id=final["id"],
            lane=final["lane"],
            source=final["source"],
            target=final["target"],
            translation=Line(settled=(Word(text_of(final)),)),
            transcript=Line(),
            start=final["start"] - offset,
            end=final["end"] - offset,
            logprob=0.0,
            is_uncertain=False,
            is_final=True,
        )
        for final in finals
    ]


def text_of(final: dict) -> str:
    return "".join(word["text"] for word in final["translation"]["settled"]).strip()


def letters(text: str) -> str:
    """What a subtitle keeps of a text, whatever becomes of its breaks and marks."""
    return "".join(character for character in text if character.isalnum())


def test_the_meeting_played_into_the_microphone_is_read_on_the_overlay(tmp_path: Path) -> None:
    script = load_script()
    srt, log = tmp_path / "meeting.srt", tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "ui.cli", "run", "--input", MICROPHONE, "--srt", str(srt), "--jsonl", str(log)]
    command += ["--lines", "translation"]
    with PulseServer() as server, x_screen() as screen, meeting_sound() as meeting:
        sound = {key: value for key, value in server.env.items() if key.startswith(("PULSE", "ALSA"))}
        environment = screen.environment | sound | {"PYTHONPATH": str(ROOT)}
        program = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: is_listening(log), "listening to the microphone")
            before = screen.screenshot(SHOTS / "overlay_listening.png")
            player = subprocess.Popen(["paplay", "--device=vmic", str(meeting)], env=server.env)
            seen = pictures(screen, log, player)
            program.send_signal(signal.SIGINT)
            program.wait(60)
        finally:
            program.kill()
            errors = program.communicate()[1]
    assert "Traceback" not in errors
    assert seen, "no caption came while the meeting was played"
    assert all(picture != before for picture in seen), "the overlay shows no caption"
    updates = [event["caption"] for event in events(log) if event["event"] == "CaptionUpdated"]
    finals = [caption for caption in updates if caption["is_final"]]
    subtitles = "".join(cue.plaintext for cue in pysubs2.load(str(srt), encoding="utf-8"))
    assert letters(subtitles) == letters("".join(map(text_of, finals)))
    first = min(caption["start"] for caption in updates) / SAMPLE_RATE
    scores = score(script, captions(finals, first - script.turns[0].start_s + 0.3))
    figures = [f"{source} to {target}: BLEU {result.bleu:.1f}" for (source, target), result in scores.items()]
    (SHOTS / "end_to_end.txt").write_text("\n".join(figures))
    assert all(result.bleu >= BLEU for result in scores.values()), scores


def pictures(screen: XScreen, log: Path, player: subprocess.Popen) -> list[bytes]:
    """What the screen shows after some of the captions, while the meeting is played to its end."""
    seen: list[bytes] = []
    for wanted in (2, 6, 10):
        wait_until(lambda wanted=wanted: n_finals(log) >= wanted or player.poll() is not None, f"caption {wanted}", 60)
        if player.poll() is not None:
            break
        path = SHOTS / f"overlay_caption_{wanted}.png"
        screen.run("import", "-window", "root", "-depth", "8", str(path))
        seen.append(screen.pixels(path))
    assert player.wait(150) == 0
    return seen
