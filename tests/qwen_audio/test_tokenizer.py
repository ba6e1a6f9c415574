"""Ids of the published vocabulary, and what is shown of a text while it grows."""

from __future__ import annotations

import base64
import json
import random
import re
import unicodedata
from pathlib import Path

import pytest
from transformers.convert_slow_tokenizer import bytes_to_unicode

from models.base import ModelLoadError
from models.qwen_audio.tokenizer import SPLIT_PATTERN, Tokenizer
from models.qwen_audio.vocabulary import read_ranks, read_v1, v1_tags

GOLDEN = json.loads((Path(__file__).parents[1] / "assets" / "qwen_audio_golden.json").read_text())
SPAN = "<audio>" + "[[[AUDIO:modality]]]" * 3 + "</audio>"
TEXTS = (
    "Well, it's 3:30 on the twenty-first; I don't know.",
    "会议在3:30开始，花了1.2亿元，增长15%。GPT4模型用Wi-Fi连接。",
    "“$5.50” and €20 - 1,000 people, 10-15%… e\u0301 👩‍💻\n龘𠮷野家のラーメン 안녕하세요",
)


def texts_of(tokenizer: Tokenizer, text: str) -> list[str]:
    ids = tokenizer.encode(text)
    return [piece.text for piece in tokenizer.pieces(ids, [0.0] * len(ids))]


def write_ranks(path: Path, spellings: list[bytes]) -> None:
    path.write_bytes(b"".join(base64.b64encode(s) + b" %d\n" % i for i, s in enumerate(spellings)))


@pytest.mark.parametrize("tag", GOLDEN["special"])
def test_a_published_tag_has_its_published_id(v1_tokenizer, tag):
    assert v1_tokenizer.tags[tag] == GOLDEN["special"][tag]


def test_the_published_vocabulary_has_its_size(v1_tokenizer):
    assert v1_tokenizer.n_vocab == GOLDEN["n_vocab"]
    assert v1_tokenizer.n_text == GOLDEN["special"]["<|endoftext|>"] == v1_tokenizer.end


def test_the_original_computes_3314_tags_for_audio_in_a_known_order():
    tags = v1_tags()
    assert len(tags) == len(set(tags)) == 208 + 3314
    assert {tag: 151_643 + tags.index(tag) for tag in GOLDEN["special"]} == GOLDEN["special"]


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("chat_")])
def test_a_chat_has_the_ids_of_the_original(v1_tokenizer, name):
    prompt = re.sub("<audio>.*?</audio>", SPAN, GOLDEN[name]["raw"])
    assert v1_tokenizer.encode_tagged(prompt) == GOLDEN[name]["ids_span5"]


@pytest.fixture(params=["toy_tokenizer", "v1_tokenizer"])
def any_tokenizer(request) -> Tokenizer:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_comes_back_composed(any_tokenizer, text):
    assert any_tokenizer.decode(any_tokenizer.encode(text)) == unicodedata.normalize("NFC", text)


def test_a_tag_in_a_text_is_spelt_out_and_in_a_prompt_it_is_one_id(toy_tokenizer):
    assert toy_tokenizer.encode("<|zh|>") == list(b"<|zh|>")
    assert toy_tokenizer.encode_tagged("<|zh|>") == [toy_tokenizer.tags["<|zh|>"]]


def test_tags_and_unused_rows_spell_nothing(toy_tokenizer):
    ids = [toy_tokenizer.tags["<|zh|>"], *b"hi", toy_tokenizer.n_vocab + 7]
    assert toy_tokenizer.decode(ids) == "hi"


def test_digits_stand_singly_even_where_a_merge_would_join_them():
    spellings = [bytes([i]) for i in range(256)] + [b"12"]
    tokenizer = Tokenizer({s: i for i, s in enumerate(spellings)}, {"<|endoftext|>": 257})
    assert tokenizer.encode("12") == [ord("1"), ord("2")]
    assert r"\p{N}+" not in SPLIT_PATTERN


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("We know, don't we?", ["We", " know", ",", " don't", " we", "?"]),
        ("你好，世界。", ["你", "好", "，", "世", "界", "。"]),
        ("at 3:30 or 1,000.5 now", ["at", " 3:30", " or", " 1,000.5", " now"]),
        ("增长15%到1.2亿元", ["增", "长", "15%", "到", "1.2亿", "元"]),
        ("3万亿是多少万", ["3万亿", "是", "多", "少", "万"]),
        ("1.2億元，5萬人", ["1.2億", "元", "，", "5萬", "人"]),
        ("用GPT4和Wi-Fi的twenty-one", ["用", "GPT4", "和", "Wi-Fi", "的", "twenty-one"]),
        ("$5.50 – €20, +3 and -4", ["$5.50", " –", " €20,", " +3", " and", " -4"]),
        ("a - b “c”", ["a", " -", " b", " “", "c", "”"]),
        ("カナ 안녕 여러", ["カ", "ナ", " 안녕", " 여러"]),
        ("x\u0302 in 2024年5月", ["x\u0302", " in", " 2024", "年", "5", "月"]),
        ("  two  spaces", ["  two", "  spaces"]),
    ],
)
def test_pieces_are_words_hanzi_and_whole_numbers(toy_tokenizer, text, pieces):
    assert texts_of(toy_tokenizer, text) == pieces


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_of_a_growing_text_never_change_but_for_the_last(any_tokenizer, text):
    _assert_stable(any_tokenizer, any_tokenizer.encode(text))


def test_pieces_of_any_bytes_whatever_never_change_but_for_the_last(toy_tokenizer):
    draw = random.Random(7)
    alphabet = [*"，。 .,:%$-'a7你亿é😀".encode(), 0xFF, 0x80, 0xE4, 0xF0, toy_tokenizer.end]
    for _ in range(200):
        _assert_stable(toy_tokenizer, draw.choices(alphabet, k=30))


def _assert_stable(tokenizer: Tokenizer, ids: list[int]) -> None:
    whole = tokenizer.pieces(ids, [0.0] * len(ids))
    assert "".join(piece.text for piece in whole) == tokenizer.decode(ids)
    joined = [i for piece in whole for i in piece.ids]
    assert joined == ids[: len(joined)]
    for n in range(len(ids)):
        part = tokenizer.pieces(ids[:n], [0.0] * n)
        assert part[:-1] == whole[: len(part) - 1 if part else 0]


def test_half_a_character_is_never_shown(toy_tokenizer):
    ids = toy_tokenizer.encode("好的")
    for n in range(len(ids) + 1):
        text = "".join(piece.text for piece in toy_tokenizer.pieces(ids[:n], [0.0] * n))
        assert text == "好的"[: n // 3]
        assert toy_tokenizer.decode(ids[:n]) == text


def test_bytes_that_can_never_be_a_character_are_left_out(toy_tokenizer):
    ids = [0xE5, 0xA5, *b"go", 0xFF]
    pieces = toy_tokenizer.pieces(ids, [0.0] * len(ids))
    assert [piece.text for piece in pieces] == ["go"]
    assert [i for piece in pieces for i in piece.ids] == ids


def test_a_pieces_logprob_is_the_lowest_of_its_ids(toy_tokenizer):
    pieces = toy_tokenizer.pieces(list(b"hi yo"), [-0.1, -0.5, -0.2, -0.3, -0.1])
    assert [piece.logprob for piece in pieces] == [-0.5, -0.3]


def test_the_folder_of_an_embedded_checkpoint_is_read(tmp_path):
    write_ranks(tmp_path / "tokenizer.tiktoken", [bytes([i]) for i in range(256)] + [b"ab"])
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"special_tokens": {"<|endoftext|>": 300}}))
    tokenizer = Tokenizer.from_folder(tmp_path)
    assert (tokenizer.encode("ab"), tokenizer.end, tokenizer.n_text, tokenizer.n_vocab) == ([256], 300, 257, 301)


def test_the_folder_of_a_published_checkpoint_is_read(tmp_path):
    write_ranks(tmp_path / "qwen.tiktoken", [bytes([i]) for i in range(256)])
    tokenizer = Tokenizer.from_folder(tmp_path)
    assert (tokenizer.end, tokenizer.tags["</audio>"]) == (256, 256 + 3522 - 1)


def library_vocabulary(**changes: object) -> str:
    """A tokenizer.json as the library writes it, without a merge."""
    vocab = {char: i for i, char in enumerate(sorted(bytes_to_unicode().values()))}
    raw = {"added_tokens": [{"id": 256, "content": "<|endoftext|>"}], "model": {"type": "BPE", "vocab": vocab}}
    return json.dumps(raw | changes)


def test_the_folder_of_a_library_checkpoint_is_read(tmp_path):
    (tmp_path / "tokenizer.json").write_text(library_vocabulary(), "utf-8")
    tokenizer = Tokenizer.from_folder(tmp_path)
    assert {tokenizer.spelling(i) for i in range(256)} == {bytes([i]) for i in range(256)}
    assert tokenizer.decode(tokenizer.encode("\x00é好 \n")) == "\x00é好 \n"
    assert (tokenizer.end, tokenizer.n_text, tokenizer.n_vocab) == (256, 256, 257)


def test_the_older_files_of_the_library_are_read_as_its_newer_one(qwen2_audio, tmp_path):
    library = qwen2_audio.processor.tokenizer
    added = library.get_added_vocab()
    vocab = {word: i for word, i in library.get_vocab().items() if word not in added}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    decoder = {str(i): {"content": tag, "special": True} for tag, i in added.items()}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": decoder}))
    older, newer = Tokenizer.from_folder(tmp_path), Tokenizer.from_folder(qwen2_audio.folder)
    assert dict(older.tags) == dict(newer.tags)
    assert older.encode(TEXTS[0]) == newer.encode(TEXTS[0]) == library.encode(TEXTS[0], add_special_tokens=False)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": {"x": {}}}))
    with pytest.raises(ModelLoadError, match="which ids its added_tokens_decoder have"):
        Tokenizer.from_folder(tmp_path)


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        "{}",
        library_vocabulary(added_tokens=[{"id": "x", "content": "<|endoftext|>"}]),
        library_vocabulary(added_tokens=[{"id": 256, "content": "<|zh|>"}]),
        library_vocabulary(added_tokens=[{"id": float("inf"), "content": "<|endoftext|>"}]),
        library_vocabulary(model={"type": "BPE", "vocab": {"a": float("inf")}}),
        library_vocabulary(model={"type": "Unigram", "vocab": [["a", 0.0]]}),
        library_vocabulary(model={"type": "BPE", "vocab": {"▁a": 0}}),
        library_vocabulary(model={"type": "BPE", "vocab": {"a": 0, "b": 1}}),
        library_vocabulary(model={"type": "BPE", "vocab": {"a": 0, "b": 2}}),
    ],
)
def test_a_broken_vocabulary_of_the_library_is_one_clear_error(tmp_path, broken):
    (tmp_path / "tokenizer.json").write_text(broken, "utf-8")
    with pytest.raises(ModelLoadError, match=r"tokenizer\.json"):
        Tokenizer.from_folder(tmp_path)


@pytest.mark.parametrize("number", [-1, 255, 257, 2**31, 2**64, True])
def test_tags_whose_ids_are_no_ids_of_their_own_are_one_clear_error(tmp_path, number):
    write_ranks(tmp_path / "tokenizer.tiktoken", [bytes([i]) for i in range(256)])
    tags = {"<|endoftext|>": 256, "<|zh|>": 257, "<|en|>": number}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"special_tokens": tags}))
    with pytest.raises(ModelLoadError, match="ids"):
        Tokenizer.from_folder(tmp_path)


def test_a_missing_or_broken_vocabulary_is_one_clear_error(tmp_path):
    with pytest.raises(ModelLoadError, match=r"has no vocabulary: no qwen\.tiktoken"):
        Tokenizer.from_folder(tmp_path)
    with pytest.raises(ModelLoadError, match=r"qwen\.tiktoken cannot be read"):
        read_v1(tmp_path / "qwen.tiktoken")
    ranks = tmp_path / "tokenizer.tiktoken"
    for broken in (b"!!!! 0\n", b"YQ==\n", b"YQ== x\n", b"YQ== 0\nYg== 2\n", b"YQ== 0\nYQ== 1\n"):
        ranks.write_bytes(broken)
        with pytest.raises(ModelLoadError, match=r"tokenizer\.tiktoken"):
            read_ranks(ranks)
    write_ranks(ranks, [bytes([i]) for i in range(256)])
    for broken in ("{", "[]", "{}", '{"special_tokens": {"<|zh|>": 1}}', '{"special_tokens": {"<|endoftext|>": "1"}}'):
        (tmp_path / "tokenizer_config.json").write_text(broken)
        with pytest.raises(ModelLoadError, match=r"special_tokens|tokenizer_config\.json"):
            Tokenizer.from_folder(tmp_path)
