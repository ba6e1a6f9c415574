"""Where the time of a translator's answers goes: `python -m models.qwen_audio.profile FOLDER SOUND --language en`.

In: a checkpoint, and a recording in one of its languages. Out: a Markdown table of milliseconds by stage. What a
sound costs beside what the computer allows is models.bench's business; here the sound is real, and so are the drafts.

An update is what a growing utterance costs: what was said of it 0.4 s ago is checked and gone on from. A final is what
it costs with nothing known of it, not even the language.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Literal, get_args

import av
import numpy as np

from models.base import SAMPLE_RATE, UNKNOWN, Branch, Cost, ModelError, Piece, Request, Samples
from models.qwen_audio.translator import QwenAudioTranslator

SECONDS = (2.0, 4.0, 8.0, 20.0)
STEP_S = 0.4
"""From one update to the next."""
PLACES = 5
"""Stretches of the recording that each length is measured on."""
REPEATS = 5
"""The quickest counts: what a busy computer adds is not the translator's."""
Kind = Literal["update", "final"]


@dataclass(frozen=True, slots=True)
class Line:
    """What answers cost on average."""

    seconds: float
    kind: Kind
    costs: tuple[Cost, ...]
    """Of each place, the quickest."""


def measure(translator: QwenAudioTranslator, sound: Samples, language: str, seconds: float, repeats: int) -> list[Line]:
    """Answer about stretches of a recording as a session would.

    Args:
        translator: loaded.
        sound: (n,) float32, 16 kHz, no shorter than `seconds`.
        language: that of the recording.
        seconds: length of each stretch.
        repeats: of each answer.
    """
    length, step = round(seconds * SAMPLE_RATE), round(STEP_S * SAMPLE_RATE)
    lines: dict[Kind, list[Cost]] = {kind: [] for kind in get_args(Kind)}
    for start in np.linspace(0, len(sound) - length, PLACES).astype(int):
        heard = sound[start : start + length]
        before = translator.translate(_request(heard[:-step], language, language), _never)
        requests: dict[Kind, Request] = {
            "update": _request(heard, language, language, *(outcome.pieces for outcome in before.outcomes)),
            "final": _request(heard, language, None),
        }
        for kind, request in requests.items():
            costs = [translator.translate(request, _never).cost for _ in range(repeats)]
            lines[kind].append(min(costs, key=lambda cost: cost.total_s))
    return [Line(seconds, kind, tuple(costs)) for kind, costs in lines.items()]


def _request(
    sound: Samples, language: str, source: str | None, translated: Sequence[Piece] = (), heard: Sequence[Piece] = ()
) -> Request:
    return Request(
        utterance_id=0,
        start=0,
        samples=sound,
        source=source,
        targets={language: "en" if language != "en" else "zh"},
        branches=(Branch("translate", draft=tuple(translated)), Branch("transcribe", draft=tuple(heard))),
        priors={UNKNOWN: 0.0},
    )


def _never() -> bool:
    return False


def table(lines: Sequence[Line]) -> list[str]:
    """The figures as Markdown, milliseconds on average over the places."""
    rows = ["| sound | answer | ms | encode | prefill | decode | tokens | steps |", "|---|---|---|---|---|---|---|---|"]
    for line in lines:
        stages = (
            1000 * mean(seconds)
            for seconds in (
                [cost.total_s for cost in line.costs],
                [cost.encode_s for cost in line.costs],
                [cost.prefill_s for cost in line.costs],
                [cost.decode_s for cost in line.costs],
            )
        )
        counts = mean(cost.decoded_tokens for cost in line.costs), mean(cost.decode_steps for cost in line.costs)
        cells = [f"{figure:.1f}" for figure in (*stages, *counts)]
        rows.append(f"| {line.seconds:g} s | {line.kind} | {' | '.join(cells)} |")
    return rows


def read_sound(path: Path) -> Samples:
    """A recording as a translator takes sound.

    Raises:
        ModelError: FFmpeg cannot read it.
    """
    try:
        with av.open(str(path)) as container:
            resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
            blocks = [block for decoded in container.decode(audio=0) for block in resampler.resample(decoded)]
            blocks += resampler.resample(None)
    except (av.FFmpegError, OSError, IndexError) as e:  # the last: there is no sound in it
        raise ModelError(f"{path} cannot be read as sound; name a recording.") from e
    return np.concatenate([block.to_ndarray()[0] for block in blocks])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.qwen_audio.profile", description=__doc__)
    parser.add_argument("folder", help="a checkpoint with its vocabulary")
    parser.add_argument("sound", type=Path, help="a recording of speech")
    parser.add_argument("--language", default="en", help="what is spoken in it (en)")
    parser.add_argument("--device", default="cpu", help="where to compute (cpu)")
    parser.add_argument("--seconds", type=float, nargs="+", default=SECONDS, help="lengths to measure")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of each answer, of which the quickest counts")
    parsed = parser.parse_args(arguments)
    try:
        sound = read_sound(parsed.sound)
        translator = QwenAudioTranslator(parsed.folder, parsed.device)
        translator.load(lambda _: None)
        lengths = [length for length in parsed.seconds if STEP_S < length <= len(sound) / SAMPLE_RATE]
        lines = [line for s in lengths for line in measure(translator, sound, parsed.language, s, parsed.repeats)]
    except ModelError as e:
        print(e, file=sys.stderr)
        return 1
    print("\n".join(table(lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
