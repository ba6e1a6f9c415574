"""The bilingual meeting grammar: draws sentences, and says which of them are never trained on.

In: a random generator and the name of a split. Out: Sentence, written and spoken in both languages.
Sound, models and training targets are not this module's business.
"""

import itertools
import random
import zlib
from collections.abc import Iterable
from typing import Literal

from models.embedded.recipe import (
    patterns_business,
    patterns_numbers,
    patterns_opening,
    patterns_people,
    patterns_talk,
    patterns_time,
    patterns_work,
)
from models.embedded.recipe.grammar_types import (
    Filler,
    Language,
    Pattern,
    Sentence,
    Side,
    Token,
    en_template,
    realize,
    zh_template,
)
from models.embedded.recipe.slots import SLOTS

__all__ = [
    "HELD_PATTERNS",
    "PATTERNS",
    "Language",
    "Sentence",
    "Side",
    "Split",
    "Token",
    "fill",
    "is_held_out",
    "sample",
    "sample_pattern",
    "split_of",
]

Split = Literal["train", "sentence", "pair", "pattern"]

HELD_PATTERNS = frozenset(
    (
        *("please_call", "date_and_clock", "need_more", "can_we_move"),
        *("two_are_at", "give_paper", "received_orders", "will_send_doc"),
    )
)
"""Whole patterns that are never trained on, for good; their words are trained on elsewhere."""

SENTENCE_HOLDOUT = 16
"""One sentence in so many, by the CRC of its written text, is never trained on."""
PAIR_HOLDOUT = 29
"""One filler in so many is never trained on in a given slot of a given pattern."""

_SLOT_FREE_WEIGHT = 0.4
"""A fixed phrase is learnt from few examples, and no held-out split contains one."""
_MANY_SLOTS_WEIGHT = 1.4


def _parse(module_patterns: dict[str, tuple[tuple[str, str, str], ...]]) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(name, topic, en_template(en), zh_template(zh))
        for topic, rows in module_patterns.items()
        for name, en, zh in rows
    )


PATTERNS: tuple[Pattern, ...] = tuple(
    itertools.chain.from_iterable(
        _parse(module.PATTERNS)
        for module in (
            *(patterns_opening, patterns_time, patterns_numbers, patterns_work),
            *(patterns_people, patterns_business, patterns_talk),
        )
    )
)


def _weighted(patterns: Iterable[Pattern]) -> tuple[tuple[Pattern, ...], tuple[float, ...]]:
    """Patterns and the cumulative weights they are drawn with."""
    drawn = tuple(patterns)
    weights = ((_SLOT_FREE_WEIGHT, 1.0, _MANY_SLOTS_WEIGHT)[min(len(pattern.slots), 2)] for pattern in drawn)
    return drawn, tuple(itertools.accumulate(weights))


_HELD = _weighted(pattern for pattern in PATTERNS if pattern.name in HELD_PATTERNS)
_OPEN = _weighted(pattern for pattern in PATTERNS if pattern.name not in HELD_PATTERNS)


def fill(pattern: Pattern, fillers: dict[str, Filler]) -> Sentence:
    """The sentence a pattern makes of the given fillers, keyed by slot name."""
    return Sentence(
        pattern.name,
        tuple((name, fillers[name].key) for name in pattern.slots),
        Side(realize(pattern.en, fillers, "en"), "en"),
        Side(realize(pattern.zh, fillers, "zh"), "zh"),
    )


def split_of(sentence: Sentence) -> Split:
    """Where a sentence belongs. Slot-free sentences are always "train"; pairs go before sentences.

    A sentence of the "sentence" split is new only as a whole: every pair in it has been trained on. All that held
    patterns say is of the "pattern" split.
    """
    if sentence.pattern in HELD_PATTERNS:
        return "pattern"
    if not sentence.fillers:
        return "train"
    if any(is_held_out(sentence.pattern, slot, filler) for slot, filler in sentence.fillers):
        return "pair"
    whole = zlib.crc32((sentence.en.written + sentence.zh.written).encode())
    return "sentence" if whole % SENTENCE_HOLDOUT == 0 else "train"


def is_held_out(pattern: str, slot: str, filler: str) -> bool:
    """Whether a filler is never trained on in this slot of this pattern."""
    return zlib.crc32(f"{pattern}|{slot}|{filler}".encode()) % PAIR_HOLDOUT == 0


def sample(rng: random.Random, split: Split) -> Sentence:
    """Draws a sentence of the split."""
    patterns, cumulative = _HELD if split == "pattern" else _OPEN
    while True:
        (pattern,) = rng.choices(patterns, cum_weights=cumulative)
        sentence = sample_pattern(rng, pattern)
        if split_of(sentence) == split:
            return sentence


def sample_pattern(rng: random.Random, pattern: Pattern) -> Sentence:
    """Draws a sentence of one pattern, of any split. Two slots of one kind never have the same filler."""
    fillers: dict[str, Filler] = {}
    for name in pattern.slots:
        kind = SLOTS[name.partition(".")[0]]
        while True:
            filler = rng.choice(kind)
            if filler not in fillers.values():
                break
        fillers[name] = filler
    return fill(pattern, fillers)
