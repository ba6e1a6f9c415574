"""The bilingual grammar: one meaning a sentence in both languages, clean text, held-out splits that stay."""

import random
import re
from collections import Counter

import pytest

from models.embedded.recipe import bpe, script
from models.embedded.recipe.grammar import PATTERNS, fill, is_held_out, sample, sample_pattern, split_of
from models.embedded.recipe.grammar_types import Side, SlotRef, Token, en_tokens, zh_tokens
from models.embedded.recipe.slots import SLOTS


@pytest.fixture(scope="module")
def sentences():
    """50,000, every pattern equally often."""
    rng = random.Random(2)
    return [sample_pattern(rng, rng.choice(PATTERNS)) for _ in range(50_000)]


def filler(kind, key):
    return next(one for one in SLOTS[kind] if one.key == key)


def pattern(name):
    return next(one for one in PATTERNS if one.name == name)


def test_no_text_has_two_translations_in_either_direction(sentences):
    for source, target in (("en", "zh"), ("zh", "en")):
        translations = {}
        for sentence in sentences:
            text = sentence.side(source).written
            other = sentence.side(target).written
            assert translations.setdefault(text, other) == other, text


def test_no_sound_has_two_transcripts(sentences):
    for language in ("en", "zh"):
        transcripts = {}
        for sentence in sentences:
            side = sentence.side(language)
            assert transcripts.setdefault(side.spoken.lower(), side.written) == side.written


def test_there_are_at_least_150_patterns_with_names_of_their_own():
    assert len(PATTERNS) >= 150
    assert max(Counter(one.name for one in PATTERNS).values()) == 1


def test_both_templates_of_a_pattern_have_the_same_slots():
    for one in PATTERNS:
        zh_slots = [item.name for item in one.zh if isinstance(item, SlotRef)]
        assert sorted(zh_slots) == sorted(one.slots), one.name
        assert len(set(one.slots)) == len(one.slots), one.name


def test_every_slot_is_used_and_defined():
    assert {name.partition(".")[0] for one in PATTERNS for name in one.slots} == set(SLOTS)


def test_no_slot_says_the_same_twice():
    for kind, fillers in SLOTS.items():
        assert len({one.key for one in fillers}) == len(fillers), kind
        for language in ("en", "zh"):
            for form in ("written", "spoken"):
                texts = [getattr(Side(one.tokens(language), language), form) for one in fillers]
                assert len(set(texts)) == len(texts), (kind, language, form)


def test_english_is_written_cleanly(sentences):
    for sentence in sentences:
        text = sentence.en.written
        assert text[0].isupper() or text[0].isdigit() or text[0] in "$€", text
        assert re.fullmatch(r"[^.?!].*[^.?!,][.?]", text), text
        assert "  " not in text
        assert text.isascii() or "€" in text


def test_mandarin_is_written_cleanly(sentences):
    for sentence in sentences:
        text = sentence.zh.written
        assert re.fullmatch(r".*[\u4e00-\u9fff0-9%][\u3002\uff1f]", text), text
        assert not re.search(r"[,;?!\s]", text), text


def test_spoken_forms_hold_no_digits_and_no_signs(sentences):
    for sentence in sentences:
        assert re.fullmatch(r"[A-Za-z',.?\- ]+", sentence.en.spoken), sentence.en.spoken
        assert re.fullmatch(r"[\u4e00-\u9fff\uff0c\u3002\uff1f]+", sentence.zh.spoken), sentence.zh.spoken


def test_english_articles_and_plurals_agree(sentences):
    for sentence in sentences:
        text = sentence.en.written
        assert not re.search(r"\ba [aeiou]", text), text
        assert not re.search(r"\ban [^aeiouh]", text), text
        assert not re.search(r"(?<![.,\d])\b(one|1) [a-z]+s\b", text), text


def test_two_things_are_liang_in_mandarin(sentences):
    classifiers = "份张本段封把台部辆支块件个瓶盏名位项次条"
    for sentence in sentences:
        assert not re.search(rf"(?<![十百千零第])二[{classifiers}]", sentence.zh.spoken), sentence.zh.spoken


def test_a_sentence_carries_both_forms_of_its_numbers():
    fillers = {"percent": filler("percent", "15%"), "metric": filler("metric", "profit")}
    sentence = fill(pattern("rose_percent"), fillers | {"past_period": filler("past_period", "last year")})
    assert sentence.en.written == "Profit rose by 15% last year."
    assert sentence.en.spoken == "Profit rose by fifteen percent last year."
    assert sentence.zh.written == "去年利润上升了15%\u3002"
    assert sentence.zh.spoken == "去年利润上升了百分之十五\u3002"
    assert Token("15%", "fifteen percent") in sentence.en.tokens
    assert sentence.fillers == (("metric", "profit"), ("percent", "15%"), ("past_period", "last year"))


@pytest.mark.parametrize(
    ("kind", "key", "en", "zh"),
    [
        ("money", "$2 million", ("$2 million", "two million dollars"), ("200万美元", "两百万美元")),
        ("money", "350,000 yuan", ("350,000 yuan", "three hundred and fifty thousand yuan"), ("35万元", "三十五万元")),
        ("clock_half", "3:30 PM", ("3:30 PM", "three thirty P M"), ("下午3:30", "下午三点半")),
        ("clock_half", "9 AM", ("9 AM", "nine A M"), ("上午9点", "上午九点")),
        ("clock_half", "8 PM", ("8 PM", "eight P M"), ("晚上8点", "晚上八点")),
        ("date", "March 5", ("March 5", "March fifth"), ("3月5号", "三月五号")),
        ("past_year", "2008", ("2008", "two thousand and eight"), ("2008年", "二零零八年")),
        ("goods", "two chairs", ("two chairs", "two chairs"), ("两把椅子", "两把椅子")),
        ("goods", "12 trucks", ("12 trucks", "twelve trucks"), ("12辆卡车", "十二辆卡车")),
        ("floor", "third", ("third", "third"), ("三楼", "三楼")),
        ("floor", "12th", ("12th", "twelfth"), ("12楼", "十二楼")),
        ("when", "on Monday morning", ("on Monday morning", "on Monday morning"), ("周一上午", "周一上午")),
    ],
)
def test_a_filler_is_written_and_said(kind, key, en, zh):
    one = filler(kind, key)
    for tokens, language, expected in ((one.en, "en", en), (one.zh, "zh", zh)):
        side = Side(tokens, language)
        assert (side.written, side.spoken) == expected


def test_punctuation_belongs_to_the_token_before_it():
    assert [token.written for token in zh_tokens("好的,走吧。")] == ["好", "的\uff0c", "走", "吧\u3002"]
    assert en_tokens("Mr. Wang, hello.")[0] == Token("Mr.", "Mister")


def test_a_prefix_never_ends_the_sentence():
    side = Side(en_tokens("Thank you, Mr. Wang."), "en")
    assert [side.prefix(n) for n in range(5)] == ["", "Thank", "Thank you,", "Thank you, Mr.", "Thank you, Mr. Wang"]


def test_what_is_heard_has_neither_case_nor_punctuation():
    assert Token("15%,", "Fifteen percent,").heard == "fifteen percent"


def test_two_slots_of_a_kind_never_hold_the_same():
    rng = random.Random(4)
    for _ in range(500):
        (_, first), (_, second) = sample_pattern(rng, pattern("moved_weekday")).fillers
        assert first != second


@pytest.mark.parametrize("split", ["train", "sentence", "pair"])
def test_a_split_yields_only_its_own_sentences(split):
    rng = random.Random(5)
    assert {split_of(sample(rng, split)) for _ in range(200)} == {split}


def test_the_same_generator_draws_the_same_sentences():
    assert [sample(random.Random(6), "train") for _ in range(3)] == [
        sample(random.Random(6), "train") for _ in range(3)
    ]


def test_splits_are_fixed_by_text_pattern_and_filler():
    """These hashes stand for good: a sentence once held out must never slip into training."""
    person = {one.key: fill(pattern("where_person"), {"person": one}) for one in SLOTS["person"]}
    held = sorted((key, split_of(sentence)) for key, sentence in person.items() if split_of(sentence) != "train")
    assert held == HELD_WHERE_PERSON


HELD_WHERE_PERSON = [("Mr. Smith", "sentence"), ("Ms. Chen", "sentence")]


def test_fixed_phrases_are_always_trained_on():
    assert split_of(fill(pattern("no_problem"), {})) == "train"


def test_held_out_pairs_come_before_held_out_sentences(sentences):
    """So the sentence split holds only pairs that training has seen."""
    shares = Counter(split_of(sentence) for sentence in sentences)
    assert 0.04 < shares["sentence"] / len(sentences) < 0.07
    assert 0.03 < shares["pair"] / len(sentences) < 0.07


def test_every_word_is_trained_on_somewhere():
    """A word held out of every place it could stand in could not be learnt. (Numbers are read piece by piece.)"""
    for language in ("en", "zh"):
        trained = {item.heard for one in PATTERNS for item in one.template(language) if isinstance(item, Token)}
        everywhere = set(trained)
        places = [(one.name, name) for one in PATTERNS for name in one.slots]
        for pattern_name, name in places:
            for each in SLOTS[name.partition(".")[0]]:
                heard = {token.heard for token in each.tokens(language) if not re.search(r"\d", token.written)}
                everywhere |= heard
                if not is_held_out(pattern_name, name, each.key):
                    trained |= heard
        assert everywhere == trained


def test_the_word_lists_cover_the_grammar_and_reach_beyond():
    words, hanzi = set(bpe.english_words()), set(bpe.hanzi())
    assert len({word.lower() for word in words}) >= 1000
    assert len(hanzi) >= 1000
    for language, known, letters in (("en", words, r"[^\W\d_]+"), ("zh", hanzi, r"[\u4e00-\u9fff]")):
        tokens = {item for one in PATTERNS for item in one.template(language) if isinstance(item, Token)}
        tokens |= {token for fillers in SLOTS.values() for one in fillers for token in one.tokens(language)}
        for token in tokens:
            assert set(re.findall(letters, token.written)) <= known, token


def test_no_sentence_of_the_demo_is_in_training():
    turns = script.draw(script.DEMO_SEED)
    assert {split_of(sentence) for turn in turns for sentence in turn.sentences} == {"sentence", "pair"}


def test_the_demo_is_a_meeting_in_both_languages():
    turns = script.draw(script.DEMO_SEED)
    assert 20 <= len(turns) <= 24
    assert sum(len(turn.sentences) == 2 for turn in turns) >= len(turns) / 4
    assert {turn.language for turn in turns} == {"en", "zh"}
    assert len({turn.speaker for turn in turns}) == 3
    assert len({(turn.speaker, turn.voice) for turn in turns}) == 3
    said = [sentence for turn in turns for sentence in turn.sentences]
    assert len(set(said)) == len(said)
    for turn in turns:
        *between, after = turn.pauses_s
        assert len(turn.pauses_s) == len(turn.sentences)
        assert all(0.15 <= pause <= 0.35 for pause in between)
        assert 0.9 <= after <= 1.3


def test_the_demo_is_drawn_by_its_seed_alone():
    assert script.draw(7) == script.draw(7)
    assert script.draw(7) != script.draw(8)
