"""Sentences that the benches listen to: synthesised, by voices the embedded model never heard, with exact times.

In: a seed. Out: sentences at 16 kHz and when in them somebody speaks. Noise and rooms are the benches' business.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from live.errors import LiveError
from models.base import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from models.embedded.recipe.speech import Speech

LANGUAGES = ("en", "zh")
PAUSE_S = 0.15
"""A shorter silence within a sentence counts as speech: stops are silent, too."""
LEVEL = 0.06
"""Root mean square of a sentence (-24 dBFS)."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence."""

    samples: Samples
    """(n,) float32, 16 kHz mono."""
    spans: tuple[tuple[int, int], ...]
    """Samples between which there is speech, in order."""


def sentences(n: int, seed: int) -> list[Said]:
    """Sentences of both languages by turns, the same each time.

    Raises:
        LiveError: the recipe's synthesiser is not installed, or does not work.
    """
    try:
        from models.embedded.recipe import speech
        from models.embedded.recipe.grammar import sample
        from models.embedded.recipe.segments import spoken_forms
    except ImportError as error:
        raise LiveError(
            f"The sentences are spoken by the recipe's voices, and {error.name} is not installed: "
            "`pip install 'tongchuan[recipe]'`."
        ) from error
    chance = random.Random(seed)
    try:
        speech.seed(seed)
        said = []
        for number in range(n):
            language = LANGUAGES[number % 2]
            voice = speech.draw_voice(chance, language, speech.HELD_VARIANTS)
            tokens = spoken_forms(sample(chance, "train").side(language))
            said.append(_at_16k(speech.synthesise(tokens, voice)))
    except speech.SpeechError as error:
        raise LiveError(f"{error}.") from error
    return said


def _at_16k(spoken: Speech) -> Said:
    from models.embedded.recipe.augment import to_16k

    samples = to_16k(spoken.samples, spoken.rate)
    samples = samples * np.float32(LEVEL / np.sqrt(np.mean(np.square(samples)) + 1e-12))
    starts = [phone.start_s for phone in spoken.phones] + [spoken.end_s]
    spans: list[tuple[int, int]] = []
    for phone, start_s, end_s in zip(spoken.phones, starts, starts[1:], strict=False):
        begin, end = round(start_s * SAMPLE_RATE), min(round(end_s * SAMPLE_RATE), len(samples))
        if phone.unit and spans and begin - spans[-1][1] <= PAUSE_S * SAMPLE_RATE:
            spans[-1] = (spans[-1][0], end)
        elif phone.unit:
            spans.append((begin, end))
    return Said(samples, tuple(spans))
