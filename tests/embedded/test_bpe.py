"""The vocabulary: any text goes through it, known words are whole, the files are what the word list yields."""

import base64
import json
import random

import pytest
import tiktoken

from models.embedded.recipe import bpe
from models.embedded.recipe.grammar import sample


@pytest.fixture(scope="module")
def trained():
    return bpe.train()


@pytest.fixture(scope="module")
def encoding():
    """The committed files, as tiktoken reads them."""
    lines = (bpe.CHECKPOINT / "tokenizer.tiktoken").read_text("ascii").splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
    tags = json.loads((bpe.CHECKPOINT / "tokenizer_config.json").read_text("utf-8"))["special_tokens"]
    return tiktoken.Encoding(
        "embedded",
        pat_str=bpe.SPLIT_PATTERN,
        mergeable_ranks=ranks,
        special_tokens=tags,
        explicit_n_vocab=bpe.VOCABULARY_SIZE,
    )


def texts():
    """Sentences of the grammar, and anything at all."""
    rng = random.Random(3)
    sides = [sample(rng, "train").side(language).written for language in ("en", "zh") for _ in range(2000)]
    letters = "abcdefth nisABC 会议开,.\n\r\t'%$\u20ac\U0001f600\u0301\u0663\u00f1\u3002 12"
    return sides + ["".join(rng.choice(letters) for _ in range(24)) for _ in range(2000)]


def test_the_committed_files_are_what_the_word_list_yields(tmp_path):
    bpe.write(tmp_path)
    for name in ("tokenizer.tiktoken", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (bpe.CHECKPOINT / name).read_bytes()


def test_tiktoken_encodes_as_the_trained_tokenizer_does(encoding, trained):
    for text in texts():
        assert encoding.encode(text) == trained.encode(text).ids


def test_any_text_comes_back(encoding):
    for text in texts():
        assert encoding.decode(encoding.encode(text)) == text


def test_every_byte_has_an_id(encoding):
    assert len({encoding.encode_single_token(bytes([byte])) for byte in range(256)}) == 256


def test_there_are_4096_ids_and_the_tags_are_the_last(encoding):
    assert encoding.n_vocab == 4096
    assert [encoding.encode_single_token(tag) for tag in bpe.TAGS] == list(range(4096 - 25, 4096))
    assert encoding.encode("<|zh|>", allowed_special="all") == [4071 + bpe.TAGS.index("<|zh|>")]


def test_every_hanzi_of_the_list_is_one_token(encoding):
    assert [hanzi for hanzi in bpe.hanzi() if len(encoding.encode(hanzi)) != 1] == []


def test_no_token_joins_two_hanzi(encoding):
    tokens = [token.decode("utf-8", "ignore") for token in encoding.token_byte_values()]
    assert not [token for token in tokens if sum("\u4e00" <= letter <= "\u9fff" for letter in token) > 1]


def test_every_word_of_the_list_is_one_token_within_a_sentence(encoding):
    assert [word for word in bpe.english_words() if len(encoding.encode(f" {word}")) != 1] == []


def test_nearly_every_sentence_begins_with_one_token(encoding):
    capitalized = [word for word in bpe.english_words() if word[0].isupper()]
    split = [word for word in capitalized if len(encoding.encode(word)) != 1]
    assert len(split) <= 0.02 * len(capitalized), split


def test_digits_are_single_tokens(encoding):
    assert [encoding.decode([token]) for token in encoding.encode("350,000")] == ["3", "5", "0", ",", "0", "0", "0"]


def test_a_word_list_too_short_for_the_vocabulary_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(bpe, "english_words", lambda: ["meeting"])
    with pytest.raises(ValueError, match="add words"):
        bpe.write(tmp_path)
