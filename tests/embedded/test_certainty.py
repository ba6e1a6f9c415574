"""What is certain of a translation after part of a sentence: against sampled sentences and hand-written cases."""

import random
from collections import defaultdict

import pytest

from models.embedded.recipe.certainty import Certainty
from models.embedded.recipe.grammar import PATTERNS, fill, sample_pattern
from models.embedded.recipe.grammar_types import FINAL_PUNCTUATION
from models.embedded.recipe.slots import SLOTS

DIRECTIONS = [("en", "zh"), ("zh", "en")]


@pytest.fixture(scope="module")
def certainty():
    return Certainty()


@pytest.fixture(scope="module")
def sentences():
    rng = random.Random(8)
    return [sample_pattern(rng, rng.choice(PATTERNS)) for _ in range(12_000)]


def sentence(pattern, **keys):
    slots = {name.replace("__", "."): key for name, key in keys.items()}
    fillers = {
        name: next(one for one in SLOTS[name.partition(".")[0]] if one.key == key) for name, key in slots.items()
    }
    return fill(next(one for one in PATTERNS if one.name == pattern), fillers)


def said_after(certainty, one, source, heard):
    """The certain translation once `heard`, the beginning of the source text, was heard."""
    target = "zh" if source == "en" else "en"
    side = one.side(source)
    n = next(n for n in range(len(side.tokens) + 1) if side.prefix(n) == heard)
    return one.side(target).prefix(certainty.certain(one, source, n))


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_what_is_certain_holds_for_every_sentence_that_begins_the_same(certainty, sentences, source, target):
    by_beginning = defaultdict(list)
    for one in sentences:
        heard = ""
        for n, token in enumerate(one.side(source).tokens, start=1):
            heard += f" {token.heard}"
            by_beginning[heard].append((one, n))
    checked = 0
    for group in by_beginning.values():
        one, n = group[0]
        certain = one.side(target).prefix(certainty.certain(one, source, n))
        for other, _ in group[1:]:
            assert other.side(target).written.startswith(certain), (one.side(source).prefix(n), certain)
            checked += 1
    assert checked > 20_000


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_certainty_only_grows_and_never_has_final_punctuation(certainty, sentences, source, target):
    for one in sentences[:2000]:
        counts = [certainty.certain(one, source, n) for n in range(len(one.side(source).tokens) + 1)]
        assert counts == sorted(counts)
        assert counts[0] == 0
        assert not one.side(target).prefix(counts[-1]).endswith(tuple(FINAL_PUNCTUATION))


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_sentence_heard_to_its_end_is_nearly_always_certain(certainty, sentences, source, target):
    whole = [
        certainty.certain(one, source, len(one.side(source).tokens)) == len(one.side(target).tokens)
        for one in sentences[:2000]
    ]
    assert sum(whole) >= 0.9 * len(whole)


def test_mandarin_waits_for_the_time_that_english_says_last(certainty):
    one = sentence("meet_day_at", day="tomorrow", clock_half="3:30 PM")
    assert one.en.written == "Let's meet tomorrow at 3:30 PM."
    assert said_after(certainty, one, "en", "Let's meet") == "我们"
    assert said_after(certainty, one, "en", "Let's meet tomorrow") == "我们明天"
    assert said_after(certainty, one, "en", "Let's meet tomorrow at 3:30 PM") == "我们明天下午3:30见面吧"


def test_english_waits_for_the_verb_that_mandarin_says_last(certainty):
    one = sentence("expect_rise", metric="profit", percent="15.5%", period="next year")
    assert one.zh.written.startswith("我们预计明年利润将上升15.5%")
    assert said_after(certainty, one, "zh", "我们预计明年") == "We expect"
    assert said_after(certainty, one, "zh", "我们预计明年利润") == "We expect profit to rise by"
    assert (
        said_after(certainty, one, "zh", "我们预计明年利润将上升15.5%") == "We expect profit to rise by 15.5% next year"
    )


def test_a_number_that_may_go_on_is_not_certain(certainty):
    """After 三十五 it may still be 三十五万."""
    one = sentence("team_size", team="sales team", headcount="20 people")
    assert said_after(certainty, one, "zh", "销售团队有20") == "The sales team has"
    assert said_after(certainty, one, "zh", "销售团队有20个人") == "The sales team has 20 people"
    one = sentence("price_is", money="$200")
    assert said_after(certainty, one, "zh", "价格是200") == "The price is"
    one = sentence("turn_to_page", page="20")
    assert said_after(certainty, one, "en", "Please turn to page 20") == "请翻到第"


def test_a_name_counts_when_it_is_complete(certainty):
    one = sentence("comes_from", person="Li Ming", city="Sydney")
    assert said_after(certainty, one, "zh", "李明来自悉") == "Li Ming comes from"
    assert said_after(certainty, one, "zh", "李明来自悉尼") == "Li Ming comes from Sydney"


def test_a_beginning_that_no_pattern_has_is_refused(certainty):
    one = sentence("comes_from", person="Li Ming", city="Sydney")
    backwards = type(one)(one.pattern, one.fillers, type(one.en)(one.en.tokens[::-1], "en"), one.zh)
    with pytest.raises(ValueError, match="no pattern begins"):
        certainty.certain(backwards, "en", 3)
