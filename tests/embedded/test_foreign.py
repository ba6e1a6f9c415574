"""The sentences that the embedded model must say it does not know."""

from __future__ import annotations

import random
import re
from functools import cache

import pytest

from models.embedded.recipe import foreign
from models.embedded.recipe.foreign import KINDS, sentences
from models.embedded.recipe.grammar import PATTERNS, sample_pattern
from models.embedded.recipe.grammar_types import Token
from models.embedded.recipe.score import items
from models.embedded.recipe.slots import SLOTS

LANGUAGES = ("en", "zh")
PURPOSES = {"score": 200, "calibration": 60}


def plain(text: str) -> str:
    """What is left of a text without case, blanks and marks."""
    return "".join(char for char in text.lower() if char.isalnum())


@cache
def fillers(kind: str, language: str) -> str:
    texts = {plain("".join(token.written for token in filler.tokens(language))) for filler in SLOTS[kind]}
    return "|".join(sorted(texts, key=len, reverse=True))


def regex(pattern, language: str, *, is_loose: bool) -> str:
    def part(item) -> str:
        if isinstance(item, Token):
            return plain(item.written)
        return ("(?:.+)" if is_loose else f"(?:{fillers(item.kind, language)})") + plain(item.suffix)

    return "".join(part(item) for item in pattern.template(language))


LOOSE = [
    (pattern, language, re.compile(regex(pattern, language, is_loose=True)))
    for pattern in PATTERNS
    for language in LANGUAGES
]


def makers(text: str, language: str) -> list[str]:
    """Names of the patterns that can make a sentence."""
    said = plain(text)
    fitting = [pattern for pattern, known, loose in LOOSE if known == language and loose.fullmatch(said)]
    return [each.name for each in fitting if re.fullmatch(regex(each, language, is_loose=False), said)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_there_are_as_many_of_each_kind_and_none_is_said_twice(purpose, language):
    found = sentences(purpose, language)
    assert len({plain(each.sentence.side(language).written) for each in found}) == PURPOSES[purpose]
    assert [each.kind for each in found] == sorted((each.kind for each in found), key=KINDS.index)
    for kind in KINDS:
        assert sum(each.kind == kind for each in found) == PURPOSES[purpose] / len(KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_pattern_makes_one_of_them(language):
    told = [each.sentence.side(language).written for purpose in PURPOSES for each in sentences(purpose, language)]
    assert {text: names for text in told if (names := makers(text, language))} == {}


def test_what_a_pattern_makes_is_found_out():
    rng = random.Random(5)
    for pattern in rng.sample(PATTERNS, 40):
        sentence = sample_pattern(rng, pattern)
        for language in LANGUAGES:
            assert pattern.name in makers(sentence.side(language).written, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_calibration_and_scores_have_no_sentence_in_common(language):
    score, calibration = ({plain(e.sentence.side(language).written) for e in sentences(p, language)} for p in PURPOSES)
    assert not score & calibration


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_synthesiser_has_to_read_digits_or_another_script(language):
    for purpose in PURPOSES:
        for each in sentences(purpose, language):
            text = each.sentence.side(language).written
            assert not any(char.isdigit() for char in text)
            assert text.isascii() == (language == "en")


def test_each_is_spoken_by_a_voice_of_its_purpose_and_is_the_same_wherever_a_batch_begins():
    variants = foreign.CALIBRATION_VARIANTS[:1]
    (kind, sound), _ = items.foreign_clips("calibration", "en", variants, first=12, n=2)
    ((again, other),) = items.foreign_clips("calibration", "en", variants, first=12, n=1)
    assert kind == again == "news"
    assert abs(len(sound) - len(other)) <= 0.02 * len(sound)  # a voice flutters
