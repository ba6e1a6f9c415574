"""Renders the demonstration meeting: the drawn script in, live/demo's script.json and meeting.flac out.

In: script.draw's turns. Out: 16 kHz mono FLAC and the time of every sentence. Speakers differ in level, the room is
quiet. The files are made once, before training, and are not made anew for a better score.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from models.base import SAMPLE_RATE
from models.embedded.recipe import augment, speech
from models.embedded.recipe.augment import Sound
from models.embedded.recipe.script import DEMO_SEED, Turn, draw
from models.embedded.recipe.segments import OTHER, spoken_forms

FOLDER = Path(__file__).resolve().parents[3] / "live" / "demo"
LEAD_S = 1.0
NOISE_DB = -55.0
"""Level of the room when nobody speaks."""


@dataclass(frozen=True, slots=True)
class Seat:
    """How a speaker sounds."""

    peak_db: float
    rate: int
    pitch: int


SEATS = {"Emma": Seat(-5, 165, 50), "Li Ming": Seat(-9, 160, 45), "Wang Fang": Seat(-7, 170, 55)}


def render(show: Callable[[str], None], folder: Path = FOLDER, seed: int = DEMO_SEED) -> None:
    """Write both files of the demonstration into a folder."""
    samples, turns = perform(draw(seed))
    (folder / "script.json").write_text(
        json.dumps({"seed": seed, "turns": turns}, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
    write_flac(folder / "meeting.flac", samples)
    show(f"demo: {len(turns)} turns, {len(samples) / SAMPLE_RATE:.1f} s, written to {folder}")


def perform(turns: list[Turn]) -> tuple[Sound, list[dict[str, object]]]:
    """The meeting's sound and, for the script, its turns with times."""
    parts = [np.zeros(round(LEAD_S * SAMPLE_RATE), np.float32)]
    at = len(parts[0])
    told = []
    for turn in turns:
        sentences = []
        for sentence, pause_s in zip(turn.sentences, turn.pauses_s, strict=True):
            side = sentence.side(turn.language)
            sound = _say(spoken_forms(side), turn)
            sentences.append(
                {
                    "start_s": round(at / SAMPLE_RATE, 3),
                    "end_s": round((at + len(sound)) / SAMPLE_RATE, 3),
                    "text": side.written,
                    "translation": sentence.side(OTHER[turn.language]).written,
                }
            )
            parts += [sound, np.zeros(round(pause_s * SAMPLE_RATE), np.float32)]
            at += len(sound) + len(parts[-1])
        told.append(
            {
                "speaker": turn.speaker,
                "language": turn.language,
                "start_s": sentences[0]["start_s"],
                "end_s": sentences[-1]["end_s"],
                "sentences": sentences,
            }
        )
    meeting = np.concatenate(parts)
    room = augment.NOISES["pink"](len(meeting), np.random.default_rng(DEMO_SEED))
    return meeting + room * np.float32(10 ** (NOISE_DB / 20)), told


def _say(tokens: list[str], turn: Turn) -> Sound:
    """One sentence at its speaker's level."""
    accent, _, variant = turn.voice.partition("+")
    seat = SEATS[turn.speaker]
    voice = speech.Voice(turn.language, accent, variant, rate=seat.rate, pitch=seat.pitch)
    said = speech.synthesise(tokens, voice)
    sound = augment.to_16k(said.samples, said.rate)
    return sound * np.float32(10 ** (seat.peak_db / 20) / np.abs(sound).max())


def write_flac(path: Path, samples: Sound) -> None:
    """Write 16-bit mono FLAC at 16 kHz."""
    coded = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE)
        stream.layout = "mono"
        block = av.AudioFrame.from_ndarray(coded[None], format="s16", layout="mono")
        block.sample_rate = SAMPLE_RATE
        for packet in (*stream.encode(block), *stream.encode(None)):
            container.mux(packet)
