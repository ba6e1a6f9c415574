"""The streaming policy on speech that goes on for over a minute, in both languages, with the model that ships.

What is said is drawn by fixed seeds, from sentences and voices that training never heard; the model mishears some.
"""

from __future__ import annotations

import importlib.resources
import random
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from live.evaluation.simul.costs import Rates
from live.evaluation.simul.measures import erasure
from live.evaluation.simul.player import Played, play
from live.evaluation.simul.record import Sentence, Talk
from live.events import Caption
from live.policy import Direction, Streaming
from live.segmenter import LONG
from live.vad import make_detector
from models.base import SAMPLE_RATE
from models.embedded.recipe import augment, segments, speech
from models.embedded.recipe.augment import Conditions
from models.embedded.recipe.grammar import sample, split_of
from models.qwen_audio.translator import QwenAudioTranslator

SEED = 7
LENGTH_S = 62.0
GAPS_S = (0.05, 0.35)
"""Between sentences: too short to end an utterance, some too short for a lull."""
OTHER = {"zh": "en", "en": "zh"}
AT_THE_EDGE = round(0.04 * SAMPLE_RATE)
"""So little of a word is no sound of it: it is faded in and out."""
INSIDE = 0.1
"""Share of cuts that may be inside a sentence: who pauses at a comma sounds like who has ended."""
FAST = Rates("fast", encode_s=0.005, prefill_s=0.0002, decode_s=0.002)
"""So that what is due does not depend on the machine."""


@dataclass(frozen=True)
class Monologue:
    played: Played

    @property
    def talk(self) -> Talk:
        return self.played.playback.talk

    @property
    def finals(self) -> list[Caption]:
        return [shown.caption for shown in self.played.playback.shown if shown.caption.is_final]

    @property
    def cuts(self) -> list[tuple[Caption, Caption]]:
        return [(before, after) for before, after in pairwise(self.finals) if before.end == after.start]


def spoken(language: str) -> Talk:
    """One held-out voice that never stops for long."""
    speech.seed(SEED)
    rng = random.Random(f"{SEED}/{language}")
    accent = speech.MANDARIN if language == "zh" else rng.choice(speech.ENGLISH_ACCENTS)
    voice = speech.Voice(language, accent, rng.choice(speech.HELD_VARIANTS), rate=rng.randint(140, 200))
    parts, sentences, n = [np.zeros(SAMPLE_RATE // 2, np.float32)], [], SAMPLE_RATE // 2
    while n < LENGTH_S * SAMPLE_RATE:
        drawn = sample(rng, "sentence")
        if split_of(drawn) != "sentence":
            continue
        said = segments.compose([drawn], language, voice, segments.Shape(0.0, (), 0.0)).samples
        source, reference = drawn.side(language).written, drawn.side(OTHER[language]).written
        sentences.append(Sentence(n, n + len(said), source, reference))
        parts += [said, np.zeros(round(rng.uniform(*GAPS_S) * SAMPLE_RATE), np.float32)]
        n += len(parts[-2]) + len(parts[-1])
    sound = np.concatenate([*parts, np.zeros(2 * SAMPLE_RATE, np.float32)])
    room = Conditions(gain_db=-6, snr_db=40, noise="pink")
    heard = augment.record(sound, room, np.random.default_rng(SEED))
    return Talk(f"monologue-{language}", language, OTHER[language], heard, tuple(sentences))


@pytest.fixture(scope="module")
def monologues() -> list[Monologue]:
    translator = QwenAudioTranslator(str(importlib.resources.files("models.embedded")), device="cpu")
    can = translator.load(lambda _: None)
    found = []
    for talk in (spoken("zh"), spoken("en")):
        policy = Streaming(can, Direction(talk.source, {talk.source: talk.target}))
        told = lambda request: translator.translate(request, lambda: False)  # noqa: E731 - shorter than a function
        found.append(Monologue(play(talk, policy, told, costs=FAST, detector=make_detector("silero"), name="ours")))
    return found


def words(caption: Caption) -> list[str]:
    text = re.sub(r"[^\w]+", " ", caption.transcript.text.lower())
    return text.split() if caption.source == "en" else [*text.replace(" ", "")]


def test_no_sound_of_a_monologue_is_left_out_or_used_twice_and_it_is_cut_in_time(monologues):
    for monologue in monologues:
        finals, sentences = monologue.finals, monologue.talk.sentences
        assert sentences[-1].end - sentences[0].start > 60 * SAMPLE_RATE
        assert finals[0].start <= sentences[0].start
        assert finals[-1].end >= sentences[-1].end
        for before, after in pairwise(finals):
            assert before.end <= after.start
            said = [(one.start + AT_THE_EDGE, one.end - AT_THE_EDGE) for one in sentences]
            assert before.end == after.start or not any(start < after.start and before.end < end for start, end in said)
        assert all(final.end - final.start <= LONG for final in finals)


def test_a_monologue_is_cut_between_its_sentences(monologues):
    cuts, inside = 0, 0
    for monologue in monologues:
        cuts += len(monologue.cuts)
        for before, _ in monologue.cuts:
            margins = [min(before.end - one.start, one.end - before.end) for one in monologue.talk.sentences]
            inside += max(margins) > AT_THE_EDGE
    assert cuts >= 2 * LENGTH_S * SAMPLE_RATE / LONG
    assert inside <= INSIDE * cuts


def test_no_word_is_said_twice_across_a_cut(monologues):
    for monologue in monologues:
        assert monologue.cuts
        for before, after in monologue.cuts:
            last, first = words(before), words(after)
            # A single hanzi may well end one sentence and begin the next.
            for n in range(2 if monologue.talk.source == "zh" else 1, 5):
                assert last[-n:] != first[:n]


def test_nothing_that_is_settled_is_rewritten_and_less_is_seen_to_change_where_the_tail_is_hidden(monologues):
    settled: dict[tuple[str, int, str], str] = {}
    for monologue in monologues:
        for shown in monologue.played.playback.shown:
            for name in ("translation", "transcript"):
                text, key = getattr(shown.caption, name).settled_text, (monologue.talk.name, shown.caption.id, name)
                assert text.startswith(settled.get(key, ""))
                settled[key] = text
    playbacks = [monologue.played.playback for monologue in monologues]
    assert erasure(playbacks, "reading") == 0.0
    assert erasure(playbacks, "balanced") < erasure(playbacks, "follow")
