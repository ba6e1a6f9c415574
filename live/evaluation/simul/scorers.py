"""The field's own scorers, called in an environment of their own (`make eval-env`).

In: playbacks of one target language. Out: what OmniSTEval (BLEU, chrF, LongYAAL) and simulstream with mweralign
(StreamLAAL, normalized erasure) say of them. Nothing here computes a figure.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from live.errors import LiveError
from live.evaluation.simul.logs import (
    OMNISTEVAL,
    REFERENCES,
    SEGMENTS,
    SIMULSTREAM,
    SIMULSTREAM_CONFIG,
    is_char_level,
    write_logs,
)
from live.evaluation.simul.record import Playback
from live.events import Mode

ENVIRONMENT_VARIABLE = "TONGCHUAN_EVAL_ENV"
"""Names the environment's folder where it is not `.venv-eval` beside the project's packages."""
_TIMEOUT_S = 1800
Command = list[str | Path]
_NUMBER = r"(-?[\d.]+(?:e-?\d+)?|nan)"
_LAAL = re.compile(rf"ideal_latency={_NUMBER}.*computational_aware_latency={_NUMBER}")


class ScorerError(LiveError):
    """A scorer is missing or failed."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What the scorers say of one policy, display mode and target language. NaN where a scorer has no figure."""

    bleu: float
    chrf: float
    longyaal_s: float
    """Delay of the text behind the sound heard, as if computing took no time."""
    longyaal_ca_s: float
    """The same by the clock, waiting and computing included."""
    streamlaal_s: float
    streamlaal_ca_s: float
    """With each update's own computing alone: simulstream knows no waiting."""
    erasure: float
    """Units taken back for each unit of the last text."""


def environment() -> Path | None:
    """The scorers' environment; None where it was not made."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    folder = Path(named) if named else Path(__file__).parents[3] / ".venv-eval"
    return folder if any(_programs(folder).glob("omnisteval*")) else None


def score(playbacks: Sequence[Playback], mode: Mode, folder: Path) -> Scores:
    """Write the logs of some talks and have them scored.

    Args:
        playbacks: of different talks, into one language.
        mode: which text counts: what this mode displays; "reading" is settled text alone.
        folder: takes logs and the scorers' own files.

    Raises:
        ScorerError: the environment is missing, or a scorer failed; the sentence says what to do.
        OSError: the logs cannot be written.
    """
    programs = environment()
    if programs is None:
        raise ScorerError("The scorers are not installed: `make eval-env` installs them.")
    write_logs(playbacks, mode, folder)
    language = playbacks[0].talk.target
    unit = "char" if is_char_level(language) else "word"
    omnisteval = _omnisteval(_programs(programs), folder, language, unit)
    simulstream = _simulstream(_programs(programs), folder, unit)
    return Scores(**omnisteval, **simulstream)


def _omnisteval(programs: Path, folder: Path, language: str, unit: str) -> dict[str, float]:
    tokenizer = {"zh": "zh", "zh_tr": "zh", "ja": "char", "ko": "char"}.get(language, "13a")
    out = folder / "omnisteval"
    segments: Command = ["--speech_segmentation", folder / SEGMENTS, "--ref_sentences_file", folder / REFERENCES]
    hypothesis: Command = ["--hypothesis_file", folder / OMNISTEVAL, "--hypothesis_format", "jsonl"]
    how: Command = [f"--{unit}_level", "--bleu_tokenizer", tokenizer, "--output_folder", out]
    _run([programs / "omnisteval", "longform", *segments, *hypothesis, *how])
    with (out / "scores.tsv").open(encoding="utf-8", newline="") as file:
        values = {row["metric"]: row["value"] for row in csv.DictReader(file, delimiter="\t")}
    return {
        "bleu": float(values["BLEU"]),
        "chrf": float(values["chrF"]),
        "longyaal_s": float(values["LongYAAL (CU)"]) / 1000,
        "longyaal_ca_s": float(values["LongYAAL (CA)"]) / 1000,
    }


def _simulstream(programs: Path, folder: Path, unit: str) -> dict[str, float]:
    log: Command = ["--eval-config", folder / SIMULSTREAM_CONFIG, "--log-file", folder / SIMULSTREAM]
    log += ["--latency-unit", unit]
    sentences: Command = ["--reference", folder / REFERENCES, "--audio-definition", folder / SEGMENTS]
    said = _run([programs / "simulstream_score_latency", "--scorer", "stream_laal", *log, *sentences])
    delays = _LAAL.search(said)
    if delays is None:
        raise ScorerError(
            "simulstream gave no StreamLAAL; its version may have changed: `make eval-env` installs the right one."
        )
    stats = json.loads(_run([programs / "simulstream_stats", *log]).removeprefix("Stats: "))
    return {
        "streamlaal_s": float(delays[1]),
        "streamlaal_ca_s": float(delays[2]),
        "erasure": float(stats["normalized_erasure"]["value"]),
    }


def _run(command: Command) -> str:
    """What a scorer prints; raises ScorerError where it fails."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise ScorerError(
            f"The scorer {name} failed ({last}); `make eval-env` installs the versions that are known to work."
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScorerError(
            f"The scorer {name} could not be run ({type(error).__name__}); `make eval-env` installs it anew."
        ) from error
    return done.stdout


def _programs(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin")
