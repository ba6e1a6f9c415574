"""How well echoes are told from speech: scenes whose truth is known, through detector, segmenter and echo filter.

In: what both lanes hear of a scene, and where in it the user speaks. Out: how many repeats came through, and whether
the user's own words were lost. Making the scenes is the business of whoever measures.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from live.audio import BLOCK_S, AudioChunk
from live.echo import EchoFilter
from live.segmenter import Segmenter
from live.vad import Detector
from models.base import SAMPLE_RATE, Samples

OWN_SHARE = 0.3
"""Share of the user's words that an utterance must hold to count as theirs."""
_BLOCK = round(BLOCK_S * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Scene:
    """A few seconds of both lanes, of one length."""

    microphone: Samples
    system: Samples
    own: tuple[int, int] | None
    """Samples between which the user speaks; None: not at all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a scene's utterances."""

    n_repeats: int = 0
    """Utterances in which the user does not speak..."""
    n_let_through: int = 0
    """...and that were shown all the same, if only while they grew."""
    n_own: int = 0
    """1 where an utterance holds the user's words..."""
    n_lost: int = 0
    """...and 1 where none of them was kept."""

    def __add__(self, other: Outcome) -> Outcome:
        """Count two together."""
        return Outcome(
            self.n_repeats + other.n_repeats,
            self.n_let_through + other.n_let_through,
            self.n_own + other.n_own,
            self.n_lost + other.n_lost,
        )


def hear(scene: Scene, detector: Detector) -> Outcome:
    """Listen to a scene as a session does, system first, block by block."""
    detector.reset()
    echo, segmenter = EchoFilter(), Segmenter("microphone", detector, ids=itertools.count(1))
    shown: set[int] = set()
    spans: dict[int, tuple[int, int]] = {}
    for start in range(0, len(scene.microphone), _BLOCK):
        echo.hear(AudioChunk("system", scene.system[start : start + _BLOCK], start))
        chunk = AudioChunk("microphone", scene.microphone[start : start + _BLOCK], start)
        echo.hear(chunk)
        for utterance in (*segmenter.push(chunk), *(segmenter.flush() if chunk.end == len(scene.microphone) else ())):
            if echo.keeps(utterance):
                shown.add(utterance.id)
            if utterance.is_final:
                spans[utterance.id] = (utterance.start, utterance.end)
    own = {number for number, span in spans.items() if _is_own(span, scene.own)}
    repeats = spans.keys() - own
    return Outcome(len(repeats), len(repeats & shown), int(bool(own)), int(bool(own) and not own & shown))


def _is_own(span: tuple[int, int], own: tuple[int, int] | None) -> bool:
    return own is not None and min(span[1], own[1]) - max(span[0], own[0]) >= OWN_SHARE * (own[1] - own[0])
