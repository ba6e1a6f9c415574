"""The grammar's vocabulary: wide enough, and all of it from the lists that the byte-pair vocabulary was made of."""

import re

import pytest

from models.embedded.recipe import bpe
from models.embedded.recipe.grammar import PATTERNS
from models.embedded.recipe.grammar_types import Token
from models.embedded.recipe.slots import SLOTS

WORDS = re.compile(r"[a-z]+")
HANZI = re.compile(r"[\u4e00-\u9fff]")
_ENDINGS = {"s", "m", "p"}
"""What an apostrophe or "3 PM" leaves: no words."""


def tokens_in_use(language):
    """All tokens of all templates and of all fillers that a pattern can be filled with: no sampling."""
    kinds = {name.partition(".")[0] for one in PATTERNS for name in one.slots}
    templates = {item for one in PATTERNS for item in one.template(language) if isinstance(item, Token)}
    return templates | {token for kind in kinds for one in SLOTS[kind] for token in one.tokens(language)}


@pytest.fixture(scope="module")
def words():
    """English words as they are said, numbers spelt out."""
    found = {word for token in tokens_in_use("en") for word in WORDS.findall(token.spoken.lower())}
    return found - _ENDINGS


@pytest.fixture(scope="module")
def hanzi():
    return {character for token in tokens_in_use("zh") for character in HANZI.findall(token.spoken)}


def test_the_grammar_uses_a_thousand_english_words(words):
    assert len(words) >= 1000


def test_the_grammar_uses_a_thousand_hanzi(hanzi):
    assert len(hanzi) >= 1000


def test_every_written_english_word_is_listed():
    listed = set(bpe.english_words())
    used = {word for token in tokens_in_use("en") for word in re.findall(r"[^\W\d_]+", token.written)}
    assert used - listed == set()


def test_every_hanzi_is_listed(hanzi):
    assert hanzi - set(bpe.hanzi()) == set()
