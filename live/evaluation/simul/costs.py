"""What a call costs on the simulated clock: as measured, or as another model on another machine would take.

In: a Hypothesis. Out: seconds. When calls are made is the player's business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from live.errors import LiveError
from models.base import Hypothesis

AUDIO_TOKENS_PER_S = 25
"""Of every checkpoint of the family."""

NEAREST_S = 8.0
"""Seconds of sound of a usual call, half an utterance."""


class CostModel(Protocol):
    """Seconds that a call takes."""

    @property
    def name(self) -> str:
        """As it stands in tables."""
        ...

    def seconds(self, hypothesis: Hypothesis) -> float:
        """What the call that gave this answer took."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What each call took here; `factor` slows the model down."""

    name: str = "measured"
    factor: float = 1.0

    def seconds(self, hypothesis: Hypothesis) -> float:
        """The call's own measured time."""
        return hypothesis.cost.total_s * self.factor


@dataclass(frozen=True, slots=True)
class Rates:
    """A machine that takes so long for each second of sound, each token read and each step of writing.

    The texts of one call are written side by side, so what counts is the longest of them.
    """

    name: str
    encode_s: float
    """For a second of sound."""
    prefill_s: float
    """For a token."""
    decode_s: float
    """For a step."""

    def seconds(self, hypothesis: Hypothesis) -> float:
        """The call's work at these rates."""
        cost = hypothesis.cost
        return (
            self.encode_s * cost.audio_tokens / AUDIO_TOKENS_PER_S
            + self.prefill_s * cost.prefilled_tokens
            + self.decode_s * decode_steps(hypothesis)
        )


def decode_steps(hypothesis: Hypothesis) -> int:
    """Steps of writing: the first token behind what was read costs none, the end tag costs one."""
    written = [sum(len(piece.ids) for piece in outcome.pieces[outcome.n_agreed :]) for outcome in hypothesis.outcomes]
    return min(max(written, default=0), hypothesis.cost.decoded_tokens)


LARGE = Rates("8.4 B, estimated for an RTX 4090 in bf16", encode_s=0.0008, prefill_s=0.0002, decode_s=0.017)
"""Qwen2-Audio-7B by arithmetic, not measured: 2 TFLOP for 30 s of sound, 4.2 TFLOP for 257 tokens, both together 75 ms,
and 15.5 GB of weights read for each step.

Source: specs/streaming.md 4.5.
"""


def read_rates(path: Path) -> Rates:
    """Rates that `tongchuan bench model --json` measured, of the clip nearest to NEAREST_S.

    Raises:
        LiveError: the file cannot be read, or holds something else.
    """
    try:
        given = json.loads(path.read_text("utf-8"))
        clip = min(given["clips"], key=lambda each: abs(float(each["seconds"]) - NEAREST_S))
        seconds, stages = float(clip["seconds"]), clip["ours"]
        rates = Rates(
            f"{given['size']} ({given['quant']}) measured on {given['device']}",
            encode_s=float(stages["encoder_s"]) / seconds,
            prefill_s=float(stages["prefill_s"]) / (seconds * AUDIO_TOKENS_PER_S),
            decode_s=float(stages["token_s"]),
        )
    except OSError as error:
        raise LiveError(f"The rates cannot be read from {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise LiveError(f"{path} holds no rates: `tongchuan bench model --json {path.name}` writes them.") from error
    if min(rates.encode_s, rates.prefill_s, rates.decode_s) < 0:
        raise LiveError(f"{path} gives a stage less than no time: measure anew with `tongchuan bench model --json`.")
    return rates
