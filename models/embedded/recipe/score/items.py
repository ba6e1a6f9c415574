"""What a checkpoint is scored on: sentences, voices and sounds that training never hears, always the same ones.

In: a row of the table, a language, the number of a batch. Out: clips with what should be written for them. A batch is
drawn by a seed of its own, so that processes can share a row. What a model answers is not this module's business.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.base import SAMPLE_RATE, Samples, Task
from models.embedded.recipe import augment, foreign, segments, speech
from models.embedded.recipe.augment import Conditions
from models.embedded.recipe.grammar import Language, Sentence, Split, sample

SEED = 20261122
BATCH = 250
"""Items that a process makes and answers; a new one is begun for the next, for espeak-ng remembers what it said."""
LANGUAGES: tuple[Language, ...] = ("zh", "en")
LONGEST_S = 20.0
"""Of a clip with several sentences."""
QUIET_KINDS = ("silence", "noise")
"""Sounds of augment.NON_SPEECH for which nothing may be written at all; hums are among the noises."""
BUSY_KINDS = tuple(kind for kind in augment.NON_SPEECH if kind not in QUIET_KINDS)
SOUND_S = (0.5, 8.0)

Draw = Callable[[np.random.Generator], Conditions]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of held-out item."""

    name: str
    split: Split = "sentence"
    variants: Sequence[str] = speech.VARIANTS
    n_sentences: tuple[int, ...] = (1,)
    conditions: Draw = augment.draw_conditions
    languages: tuple[Language, ...] = LANGUAGES


@dataclass(frozen=True, slots=True)
class Case:
    """One clip and what should be written for it."""

    samples: Samples
    language: str
    transcript: str
    translation: str


def _clean(_: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6)


def _noisy(rng: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6, snr_db=10, noise=str(rng.choice(list(augment.NOISES))))


def _telephone(_: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6, snr_db=30, band_hz=augment.TELEPHONE_BAND_HZ)


def _room(_: np.random.Generator) -> Conditions:
    return Conditions(gain_db=-6, snr_db=35, room_s=0.4)


SENTENCES = Row("held-out sentences")
PAIRS = Row("held-out pairs", split="pair")
VOICES = Row("held-out voices", variants=speech.HELD_VARIANTS)
PATTERNS = Row("held-out patterns", split="pattern")
SECOND = Row(
    "the second synthesiser's held-out voice", variants=speech.FLITE_HELD_VARIANTS, conditions=_clean, languages=("en",)
)
NOISE = Row("noise, 10 dB", conditions=_noisy)
TELEPHONE = Row("telephone band", conditions=_telephone)
ROOM = Row("room", conditions=_room)
SEVERAL = Row("two or three sentences", n_sentences=(2, 3))
GROWING = Row("growing prefixes", variants=speech.HELD_VARIANTS)
CALIBRATION = Row("calibration, sentences", variants=foreign.CALIBRATION_VARIANTS)
CALIBRATION_PAIRS = Row("calibration, pairs", split="pair", variants=foreign.CALIBRATION_VARIANTS)
TABLE = (SENTENCES, PAIRS, VOICES, PATTERNS, SECOND, NOISE, TELEPHONE, ROOM, SEVERAL)
ROWS = {row.name: row for row in (*TABLE, GROWING, CALIBRATION, CALIBRATION_PAIRS)}


def cases(row: Row, language: str, n: int, batch: int = 0) -> Iterator[Case]:
    """The first items of a row's batch in one language: always the same ones."""
    rng = random.Random(f"{SEED}/{row.name}/{language}/{batch}")
    sounds = np.random.default_rng(rng.getrandbits(64))
    for _ in range(n):
        clip = _draw_clip(rng, row, language)
        example = segments.whole(clip, row.conditions(sounds), sounds, _nothing_is_cut)
        yield Case(example.samples, language, example.transcript, example.translation)


def _draw_clip(rng: random.Random, row: Row, language: str) -> segments.Clip:
    while True:
        sentences = [sample(rng, row.split) for _ in range(rng.choice(row.n_sentences))]
        clip = _spoken(rng, sentences, language, row.variants)
        if len(clip.samples) <= LONGEST_S * SAMPLE_RATE:
            return clip


def _spoken(rng: random.Random, sentences: Sequence[Sentence], language: str, variants: Sequence[str]) -> segments.Clip:
    voice = speech.draw_voice(rng, language, variants)
    shape = segments.draw_shape(rng, len(sentences), 0)
    shape = replace(shape, lead_s=0.3, tail_s=rng.uniform(0.3, 0.6))
    return segments.compose(sentences, language, voice, shape)


def foreign_clips(
    purpose: foreign.Purpose, language: Language, variants: Sequence[str], first: int, n: int
) -> Iterator[tuple[str, Samples]]:
    """Sentences that no pattern makes, each with its kind, from the first-th on, as a microphone hears them."""
    for number, said in enumerate(foreign.sentences(purpose, language)[first : first + n], start=first):
        rng = random.Random(f"{SEED}/{purpose}/{language}/{number}")
        sounds = np.random.default_rng(rng.getrandbits(64))
        clip = _spoken(rng, [said.sentence], language, variants)
        yield said.kind, augment.record(clip.samples, augment.draw_conditions(sounds), sounds)


def sounds_without_speech(kinds: Sequence[str], n: int, batch: int = 0) -> Iterator[Samples]:
    """Clips in which nobody speaks, each kind in its turn."""
    rng = random.Random(f"{SEED}/{'/'.join(kinds)}/{batch}")
    sounds = np.random.default_rng(rng.getrandbits(64))
    for number in range(n):
        yield augment.non_speech(kinds[number % len(kinds)], round(rng.uniform(*SOUND_S) * SAMPLE_RATE), sounds)


def reference_clips() -> list[tuple[Samples, str, Task]]:
    """What expected.safetensors is made of: one sentence of each language, two of them, and less than a second."""
    single = Row("reference", variants=speech.HELD_VARIANTS, conditions=_clean)
    (zh,), (en,) = (list(cases(single, language, 1)) for language in LANGUAGES)
    (pair,) = cases(replace(single, name="reference pair", n_sentences=(2,)), "en", 1)
    begun = zh.samples[: int(0.8 * SAMPLE_RATE)]
    return [
        (zh.samples, "zh", "translate"),
        (en.samples, "en", "transcribe"),
        (pair.samples, "en", "translate"),
        (begun, "zh", "transcribe"),
    ]


def _nothing_is_cut(*_: object) -> int:
    raise AssertionError("a whole clip asks for no certain tokens")
