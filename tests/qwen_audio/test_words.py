"""Text between time stamps, as the published evaluation of word times reads it."""

from __future__ import annotations

import pytest

from models.qwen_audio.prompts import PAUSE, stamp_tags
from models.qwen_audio.tokenizer import Tokenizer
from models.qwen_audio.words import WordBuilder

START = 32_000
SECOND = 16_000


@pytest.fixture(scope="module")
def stamped() -> Tokenizer:
    tags = ("<|endoftext|>", PAUSE, *stamp_tags())
    return Tokenizer({bytes([i]): i for i in range(256)}, {tag: 256 + i for i, tag in enumerate(tags)})


@pytest.fixture(scope="module")
def read(stamped):
    """Pieces of a text written with its tags, or of its ids; committed ids come before it."""
    stamps = {stamped.tags[tag]: number for number, tag in enumerate(stamp_tags())}

    def pieces(text: str | list[int], committed: list[int] | None = None, n_samples: int = 10 * SECOND):
        builder = WordBuilder(stamped.spelling, stamps, START, n_samples, committed or [])
        for token in stamped.encode_tagged(text) if isinstance(text, str) else text:
            builder.add(token, -0.5)
        return builder.pieces

    return pieces


def timed(pieces) -> list[tuple[str, float, float | None]]:
    return [(p.text, (p.at - START) / SECOND, p.end and (p.end - START) / SECOND) for p in pieces]


def test_each_word_lies_between_two_stamps_and_pauses_are_no_words(read):
    pieces = read("<|sil|><|0.54|>面<|0.86|>条<|1.17|><|sil|><|1.50|>好<|1.75|>")
    assert timed(pieces) == [("面", 0.54, 0.86), ("条", 0.86, 1.17), ("好", 1.5, 1.75)]
    assert {piece.logprob for piece in pieces} == {-0.5}


def test_words_of_languages_with_spaces_are_joined_by_them_however_they_were_written(read):
    for text in (
        "hello<|0.30|>there<|0.60|>,<|0.70|>Bob<|0.90|>",
        " hello <|0.30|> there<|0.60|>,<|0.70|> Bob<|0.90|>",
    ):
        assert "".join(p.text for p in read(text)) == "hello there, Bob"
    assert "".join(p.text for p in read("用<|0.10|>GPU<|0.50|>算<|0.60|>")) == "用GPU算"


def test_the_ids_of_all_pieces_are_the_text_as_it_was_written(read, stamped):
    text = "<|sil|><|0.54|>面<|0.86|><|sil|><|1.00|>条<|1.17|><|sil|><|1.50|>"
    assert [i for piece in read(text) for i in piece.ids] == stamped.encode_tagged(text)


def test_wherever_the_committed_text_ends_the_rest_is_the_same(read, stamped):
    text = "<|sil|><|0.20|>we<|0.54|>all<|0.86|><|sil|><|1.00|>agree<|1.17|>面<|1.50|>"
    whole = read(text)
    ids = stamped.encode_tagged(text)
    for n in range(len(whole)):
        before = [i for piece in whole[:n] for i in piece.ids]
        assert read(ids[len(before) :], committed=before) == whole[n:]


def test_a_word_that_no_stamp_ends_has_no_end_yet(read):
    assert timed(read("面<|0.86|>条")) == [("面", 0.0, 0.86), ("条", 0.86, None)]


def test_half_a_character_is_not_shown(read, stamped):
    builder = WordBuilder(stamped.spelling, {}, 0, SECOND)
    for token in stamped.encode("好的")[:-1]:
        builder.add(token, 0.0)
    assert [piece.text for piece in builder.pieces] == ["好"]


def test_times_never_run_backwards_nor_past_the_sound(read):
    pieces = read("a<|2.00|>b<|1.00|>c<|3.00|>d<|29.00|>", n_samples=4 * SECOND)
    assert timed(pieces) == [("a", 0, 2.0), (" b", 2.0, 2.0), (" c", 2.0, 3.0), (" d", 3.0, 4.0)]


def test_nothing_but_pauses_is_no_piece(read):
    assert read("<|sil|><|2.00|><|3.00|>") == ()
    assert read("") == ()
