"""Long talks for simultaneous evaluation: who speaks, how long without a pause, in what noise; always the same ones.

In: a number of minutes. Out: SpokenTalks, each in one language, with the exact time of every sentence. Voices and
sentences are never trained on. SEED was fixed before the first score and stays as it is, whatever the scores. Keeping
talks, playing them and scoring them is not this module's business.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from models.base import SAMPLE_RATE
from models.embedded.recipe import augment, segments, speech, workers
from models.embedded.recipe.augment import Conditions, Sound
from models.embedded.recipe.grammar import PATTERNS, Language, Sentence, sample, sample_pattern, split_of

SEED = 20_261_122
VERSION = 1
"""Raised when what a talk is made of changes in any other way than by the grammar."""
TALK_S = 240.0
"""One talk's length: it ends with the stretch that reaches it."""
LEAD_S = 1.0
TAIL_S = 8.0
"""Quiet at the end of a talk, so that its last utterance ends as all others do."""
N_SPEAKERS = 3
"""Of a talk with several."""
STRETCH_S = (8.0, 15.0)
"""A long stretch of speech, without a pause over STRETCH_PAUSE_S[1], ends with the sentence that reaches a length drawn
between these: it is 8 to 20 s long."""
LONG_SHARE = 0.6
"""Stretches that are long; the others hold SHORT_SENTENCES."""
SHORT_SENTENCES = (1, 2)
STRETCH_PAUSE_S = (0.1, 0.4)
"""Between the sentences of a stretch."""
GAP_S = (0.6, 3.0)
"""Between stretches."""
SHORT_GAP_S = (0.3, 0.6)
"""Between some short stretches: whether it ends an utterance is open."""
SHORT_GAP_SHARE = 0.2
SOUND_PART_S = 10.0
"""One example's length, in a long sound without speech."""
NOISE_SNR_DB = 15.0
ROOM_SNR_DB = 40.0
"""Where no noise is meant to be: a quiet room."""
RATES, PITCHES, SPREADS = (140, 200), (30, 70), (35, 65)
"""Of speakers: words a minute, espeak's pitch and its intonation range."""
_NUMBER_TOPICS = ("percentages", "money", "large_numbers", "quantities")
_NUMBERS = tuple(pattern for pattern in PATTERNS if pattern.topic in _NUMBER_TOPICS)
_NUMBERS_SHARE = 0.7
"""Sentences about numbers, in the talks on numbers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of talk it is."""

    kind: str
    is_monologue: bool = False
    """One speaker, and no pause over STRETCH_PAUSE_S[1] anywhere."""
    snr_db: float = ROOM_SNR_DB
    has_numbers: bool = False


PLANS = (
    Plan("meeting"),
    Plan("monologue", is_monologue=True),
    Plan("noise", snr_db=NOISE_SNR_DB),
    Plan("numbers", has_numbers=True),
)
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class SpokenSentence:
    """One sentence of a talk, in samples of the talk."""

    start: int
    end: int
    source: str
    translation: str


@dataclass(frozen=True, slots=True)
class SpokenTalk:
    """A long recording in one language."""

    name: str
    language: Language
    samples: Sound
    """(n,) float32 in [-1, 1], 16 kHz mono."""
    sentences: tuple[SpokenSentence, ...]


def n_talks(minutes: float) -> int:
    """Talks that make up at least so many minutes, both languages alike."""
    rounds = -(-round(minutes * 60) // round(TALK_S * len(LANGUAGES)))
    return len(LANGUAGES) * max(1, rounds)


def fingerprint() -> str:
    """Changes with whatever the talks are made of."""
    made_of = (
        *(
            VERSION,
            SEED,
            TALK_S,
            LEAD_S,
            TAIL_S,
            N_SPEAKERS,
            STRETCH_S,
            LONG_SHARE,
            SHORT_SENTENCES,
            STRETCH_PAUSE_S,
            GAP_S,
        ),
        *(SHORT_GAP_S, SHORT_GAP_SHARE, RATES, PITCHES, SPREADS, _NUMBERS_SHARE, PLANS, speech.HELD_VARIANTS),
        *(sample(random.Random(number), "sentence") for number in range(200)),
    )
    return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]


def make_talks(minutes: float, n_processes: int, show: Callable[[str], None]) -> Iterator[SpokenTalk]:
    """Speak the talks, each in a process of its own, which makes it the same every time; they come as they are done.

    Args:
        minutes: what they should last together, at least.
        n_processes: at once.
        show: takes a line where a process died and its talk is made again.
    """
    job = partial(_make, TALK_S)
    yield from workers.each(job, range(n_talks(minutes)), n_processes, show, is_fresh=True)


def _make(seconds: float, number: int, change: int) -> SpokenTalk:
    speech.seed(SEED + number)
    return make_talk(number, change, seconds)


def make_talk(number: int, change: int = 0, seconds: float = TALK_S) -> SpokenTalk:
    """Speak one talk.

    Args:
        number: from 0 on; says language and kind.
        change: other than 0 where the talk as it should be ends the synthesiser's process.
        seconds: how long it is, at least.
    """
    language = LANGUAGES[number % len(LANGUAGES)]
    turn, place = divmod(number // len(LANGUAGES), len(PLANS))
    plan = PLANS[place]
    rng = random.Random(f"{SEED}/{number}/{change}")
    talk = _Talk(rng, language, plan)
    while talk.length_s < seconds:
        talk.add_stretch(seconds)
    talk.be_quiet(TAIL_S)
    sound = augment.record(
        np.concatenate(talk.parts),
        Conditions(gain_db=-6, snr_db=plan.snr_db, noise="pink"),
        np.random.default_rng([SEED, number]),
    )
    return SpokenTalk(f"{language}-{plan.kind}-{turn + 1}", language, sound, tuple(talk.sentences))


def make_sound(kind: str, seconds: float) -> Sound:
    """A long sound in which nobody speaks: of one kind, another example of it every few seconds.

    Args:
        kind: of augment.NON_SPEECH.
        seconds: how long it is.
    """
    rng = np.random.default_rng([SEED, *kind.encode()])
    n_parts = max(1, round(seconds / SOUND_PART_S))
    parts = [augment.non_speech(kind, round(SOUND_PART_S * SAMPLE_RATE), rng) for _ in range(n_parts)]
    return np.concatenate(parts)


class _Talk:
    """A talk as it grows, stretch by stretch."""

    def __init__(self, rng: random.Random, language: Language, plan: Plan) -> None:
        self.parts: list[Sound] = [np.zeros(round(LEAD_S * SAMPLE_RATE), np.float32)]
        self.sentences: list[SpokenSentence] = []
        self._n = len(self.parts[0])
        self._rng = rng
        self._plan = plan
        self._language: Language = language
        variants = rng.sample(speech.HELD_VARIANTS, 1 if plan.is_monologue else N_SPEAKERS)
        self._voices = [self._draw_voice(variant) for variant in variants]
        self._drawn: set[Sentence] = set()

    @property
    def length_s(self) -> float:
        """Seconds so far."""
        return self._n / SAMPLE_RATE

    def add_stretch(self, until_s: float) -> None:
        """One speaker's next stretch, and the gap after it; a monologue's stretch is all of the talk."""
        rng = self._rng
        is_long = self._plan.is_monologue or rng.random() < LONG_SHARE
        voice, n_least = self._next_voice(), 1 if is_long else rng.randint(*SHORT_SENTENCES)
        least_s = until_s if self._plan.is_monologue else rng.uniform(*STRETCH_S) if is_long else 0.0
        began_s, n_said = self.length_s, 0
        while n_said < n_least or self.length_s - began_s < least_s:
            if n_said:
                self.be_quiet(rng.uniform(*STRETCH_PAUSE_S))
            self._say(segments.compose([self._draw()], self._language, voice, segments.Shape(0.0, (), 0.0)))
            n_said += 1
        is_short_gap = not is_long and rng.random() < SHORT_GAP_SHARE
        self.be_quiet(rng.uniform(*(SHORT_GAP_S if is_short_gap else GAP_S)))

    def _next_voice(self) -> speech.Voice:
        """Another speaker than the last one, where there are several; first in the list is who spoke last."""
        place = self._rng.randrange(1, len(self._voices)) if len(self._voices) > 1 else 0
        self._voices.insert(0, self._voices.pop(place))
        return self._voices[0]

    def _say(self, clip: segments.Clip) -> None:
        (spoken,) = clip.spoken
        side = spoken.sentence.side(self._language)
        translation = spoken.sentence.side(segments.OTHER[self._language])
        end = self._n + len(clip.samples)
        self.sentences.append(SpokenSentence(self._n, end, side.written, translation.written))
        self._add(clip.samples)

    def be_quiet(self, seconds: float) -> None:
        """Nobody speaks."""
        self._add(np.zeros(round(seconds * SAMPLE_RATE), np.float32))

    def _add(self, sound: Sound) -> None:
        self.parts.append(sound)
        self._n += len(sound)

    def _draw(self) -> Sentence:
        """A held-out sentence that the talk has not had."""
        is_number = self._plan.has_numbers and self._rng.random() < _NUMBERS_SHARE
        while True:
            if is_number:
                sentence = sample_pattern(self._rng, self._rng.choice(_NUMBERS))
            else:
                sentence = sample(self._rng, "sentence")
            if split_of(sentence) == "sentence" and sentence not in self._drawn:
                self._drawn.add(sentence)
                return sentence

    def _draw_voice(self, variant: str) -> speech.Voice:
        rng = self._rng
        accent = speech.MANDARIN if self._language == "zh" else rng.choice(speech.ENGLISH_ACCENTS)
        rate, pitch, spread = (rng.randint(*limits) for limits in (RATES, PITCHES, SPREADS))
        return speech.Voice(self._language, accent, variant, rate=rate, pitch=pitch, spread=spread)
