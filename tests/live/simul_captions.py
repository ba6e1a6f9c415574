"""Talks, captions and a scripted translator for tests of simultaneous evaluation."""

from __future__ import annotations

import numpy as np

from live.evaluation.simul.record import Playback, Sentence, Shown, Talk
from live.events import Caption, Line, Word
from models.base import SAMPLE_RATE, Capabilities, Cost, Hypothesis, Outcome, Piece, Request

PIECE_S = 0.25
"""The scripted translator writes a piece for so much sound."""
CAN = Capabilities(
    name="scripted",
    device="cpu",
    directions=frozenset({("en", "zh"), ("zh", "en")}),
    max_samples=30 * SAMPLE_RATE,
    points=True,
)


def at(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def talk(*sentences: tuple[float, float, str], length_s: float = 20.0, target: str = "zh", name: str = "talk") -> Talk:
    """A silent talk with sentences of (start in seconds, end, reference)."""
    source = {"zh": "en", "en": "zh"}[target]
    samples = np.zeros(at(length_s), np.float32)
    said = tuple(Sentence(at(start), at(end), "said", reference) for start, end, reference in sentences)
    return Talk(name, source, target, samples, said)


def caption(
    number: int, settled: str, tentative: str = "", *, start_s: float = 0.0, end_s: float = 1.0, is_final: bool = False
) -> Caption:
    words = (Word(settled),) if settled else ()
    line = Line(words, tentative)
    return Caption(number, "file", "en", "zh", line, Line(), at(start_s), at(end_s), 0.0, False, is_final)


def shown(caption: Caption, heard_s: float, emitted_s: float | None = None) -> Shown:
    return Shown(caption, at(heard_s), heard_s if emitted_s is None else emitted_s, Cost())


def playback(played: Talk, *updates: Shown, policy: str = "policy") -> Playback:
    return Playback(played, policy, updates)


class Scripted:
    """Writes a hanzi for each quarter of a second, the same ones for the same sound; the last two may still change.

    Args:
        cost_s: seconds that every call costs.
    """

    def __init__(self, cost_s: float = 0.0) -> None:
        self.requests: list[Request] = []
        self._cost_s = cost_s

    def translate(self, request: Request) -> Hypothesis:
        self.requests.append(request)
        n = round(len(request.samples) / SAMPLE_RATE / PIECE_S)
        (target,) = request.targets.values()
        texts = [chr(0x4E00 + i) for i in range(n)]
        if not request.is_final:
            texts[-2:] = [chr(0x5E00 + n + i) for i in range(len(texts[-2:]))]
        pieces = [
            Piece((ord(text),), f" {text}" if target == "en" else text, -0.1, at=request.start + at(i * PIECE_S))
            for i, text in enumerate(texts)
        ]
        outcomes = tuple(Outcome(tuple(pieces[len(branch.committed) :]), 0, "end") for branch in request.branches)
        cost = Cost(decode_s=self._cost_s, audio_tokens=round(25 * n * PIECE_S), decoded_tokens=n)
        return Hypothesis(request.utterance_id, request.source or "en", target, {}, outcomes, cost)
