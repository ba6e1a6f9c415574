"""Sentences in, training clips out: what is heard, and what should be written for it.

In: sentences of the grammar, a voice, generators. Out: Clip (one to three sentences with pauses, in time) and Example
(samples as recorded, phone labels, transcript, translation), whole or cut off. Files are dataset's business.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.base import SAMPLE_RATE, UNKNOWN
from models.embedded.recipe import augment, speech
from models.embedded.recipe.augment import Sound
from models.embedded.recipe.grammar import Sentence, Side

Certain = Callable[[Sentence, str, int], int]
"""Target tokens that are certain once so many source tokens were heard; Certainty.certain."""

OTHER = {"zh": "en", "en": "zh"}
JOINT = {"zh": "", "en": " "}

HEARD_MARGIN_S = 0.06
"""A word counts as heard once its end is this far back."""
COMPLETE_MARGIN_S = 0.05
"""A sentence counts as complete, its final mark included, once it ended this long ago."""
NAMED_AFTER_S = 0.2
"""Speech that it takes to name a language."""
LABEL_RATE = 50
"""Phone labels a second: the encoder's positions before pooling."""
MAX_CLIP_S = 20.0
PAUSE_S = (0.1, 0.45)
"""Silence between sentences that stay in one segment, as the live segmenter leaves it."""
LONG_PAUSE_S = 0.55
LONG_PAUSE_SHARE = 0.2
"""Pauses that may be as long as LONG_PAUSE_S."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence of a clip, in clip time."""

    sentence: Sentence
    skipped: int
    """Source tokens before the clip begins: it starts in the middle of this sentence."""
    token_starts_s: tuple[float, ...]
    """Of the tokens from `skipped` on."""
    end_s: float

    def heard(self, until_s: float) -> int:
        """Tokens (after the skipped ones) whose end was heard; the last one only with the whole sentence."""
        ends = (*self.token_starts_s[1:], self.end_s)
        if self.is_complete(until_s):
            return len(ends)
        return min(sum(end <= until_s - HEARD_MARGIN_S for end in ends), len(ends) - 1)

    def is_complete(self, until_s: float) -> bool:
        return until_s >= self.end_s + COMPLETE_MARGIN_S


@dataclass(frozen=True, slots=True)
class Clip:
    """Clean speech of one voice, its lead, pauses and tail included."""

    samples: Sound
    language: str
    spoken: tuple[Spoken, ...]
    phones: tuple[tuple[float, str], ...]
    """(start in seconds, unit), the unit "" in pauses."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Silences of a clip, and where it starts."""

    lead_s: float = 0.3
    pauses_s: tuple[float, ...] = ()
    tail_s: float = 0.5
    speed: float = 1.0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """One training item, before its spectrogram."""

    samples: Sound
    labels: tuple[tuple[float, str], ...]
    language: str
    """"zh", "en" or UNKNOWN."""
    transcript: str
    translation: str


def draw_shape(rng: random.Random, n_sentences: int, first_tokens: int, mid_share: float = 0.08) -> Shape:
    """Silences as the live segmenter leaves them; now and then the clip begins in mid-sentence.

    A clip of a single sentence never begins in its middle: nothing could be translated then.
    """
    is_mid = n_sentences > 1 and first_tokens > 2 and rng.random() < mid_share
    return Shape(
        lead_s=rng.uniform(0.02, 0.5) if rng.random() < 0.6 else rng.uniform(0.25, 0.36),
        pauses_s=tuple(_draw_pause(rng) for _ in range(n_sentences - 1)),
        tail_s=rng.uniform(0.05, 0.7),
        speed=rng.uniform(0.92, 1.09),
        skipped=rng.randrange(1, first_tokens - 1) if is_mid else 0,
    )


def _draw_pause(rng: random.Random) -> float:
    shortest, longest = PAUSE_S
    return rng.uniform(shortest, LONG_PAUSE_S if rng.random() < LONG_PAUSE_SHARE else longest)


def spoken_forms(side: Side) -> list[str]:
    """What the synthesiser reads of each token."""
    return [token.spoken for token in side.tokens]


def compose(sentences: Sequence[Sentence], language: str, voice: speech.Voice, shape: Shape) -> Clip:
    """Speak sentences one after the other, each synthesised by itself.

    Args:
        sentences: at least one.
        language: the language spoken.
        voice: of that language.
        shape: with len(sentences) - 1 pauses.
    """
    parts: list[Sound] = [np.zeros(round(shape.lead_s * SAMPLE_RATE), np.float32)]
    spoken: list[Spoken] = []
    phones: list[tuple[float, str]] = [(0.0, "")]
    at = len(parts[0])
    for index, sentence in enumerate(sentences):
        said = speech.synthesise(spoken_forms(sentence.side(language)), voice)
        sound = augment.to_16k(said.samples, said.rate, shape.speed)
        skipped = shape.skipped if index == 0 else 0
        from_s = said.token_starts_s[skipped] / shape.speed
        sound = sound[round(from_s * SAMPLE_RATE) :]
        shift = at / SAMPLE_RATE - from_s
        starts = tuple(max(start / shape.speed + shift, 0.0) for start in said.token_starts_s[skipped:])
        heard = [p for p in said.phones if p.start_s / shape.speed >= from_s - 0.01]
        phones += [(phone.start_s / shape.speed + shift, phone.unit) for phone in heard]
        parts.append(sound)
        at += len(sound)
        spoken.append(Spoken(sentence, skipped, starts, at / SAMPLE_RATE))
        phones.append((at / SAMPLE_RATE, ""))
        quiet_s = shape.pauses_s[index] if index < len(shape.pauses_s) else shape.tail_s
        parts.append(np.zeros(round(quiet_s * SAMPLE_RATE), np.float32))
        at += len(parts[-1])
    return Clip(np.concatenate(parts), language, tuple(spoken), tuple(phones))


def transcript_of(clip: Clip, until_s: float) -> str:
    """The words heard by a time, as they are written."""
    texts = []
    for spoken in clip.spoken:
        side = spoken.sentence.side(clip.language)
        n = spoken.heard(until_s)
        if n == 0:
            break
        tokens = Side(side.tokens[spoken.skipped :], side.language)
        texts.append(tokens.written if spoken.is_complete(until_s) else tokens.prefix(n))
        if not spoken.is_complete(until_s):
            break
    return JOINT[clip.language].join(texts)


def translation_of(clip: Clip, until_s: float, certain: Certain) -> str:
    """What can be said for sure in the other language by a time.

    A sentence whose beginning was not heard is not translated at all: only the whole ones after it are.
    """
    target = OTHER[clip.language]
    texts = []
    for spoken in clip.spoken:
        side = spoken.sentence.side(target)
        if spoken.is_complete(until_s):
            if not spoken.skipped:
                texts.append(side.written)
            continue
        n_heard = spoken.heard(until_s)
        if n_heard and not spoken.skipped:
            n_certain = certain(spoken.sentence, clip.language, n_heard)
            if n_certain:
                texts.append(side.prefix(n_certain))
        break
    return JOINT[target].join(texts)


def whole(clip: Clip, conditions: augment.Conditions, rng: np.random.Generator, certain: Certain) -> Example:
    """The clip to its end."""
    return cut(clip, len(clip.samples) / SAMPLE_RATE, conditions, rng, certain)


def cut(
    clip: Clip, until_s: float, conditions: augment.Conditions, rng: np.random.Generator, certain: Certain
) -> Example:
    """The clip up to a time, with the texts that match what was heard."""
    end_s = len(clip.samples) / SAMPLE_RATE
    n = round(until_s * SAMPLE_RATE)
    complete_s = end_s + 1.0 if until_s >= end_s else until_s
    samples = augment.record(clip.samples[:n], conditions, rng)
    starts_s = clip.spoken[0].token_starts_s[0]
    if until_s < starts_s + NAMED_AFTER_S:
        return Example(samples, clip.phones, UNKNOWN, "", "")
    return Example(
        samples,
        clip.phones,
        clip.language,
        transcript_of(clip, complete_s),
        translation_of(clip, complete_s, certain),
    )


def draw_cut(rng: random.Random, clip: Clip) -> float:
    """A time in the middle of the speech."""
    begin, end = clip.spoken[0].token_starts_s[0], clip.spoken[-1].end_s
    return rng.uniform(begin + 0.05, end)


def labels_of(phones: Sequence[tuple[float, str]], units: dict[str, int], n: int) -> NDArray[np.uint8]:
    """The phone at the middle of each encoder position. (n,) uint8; unknown units count as a pause, 0."""
    starts = np.array([start for start, _ in phones])
    ids = np.array([units.get(unit, 0) for _, unit in phones], np.uint8)
    middles = (np.arange(n) + 0.5) / LABEL_RATE
    return ids[np.maximum(np.searchsorted(starts, middles, side="right") - 1, 0)]
