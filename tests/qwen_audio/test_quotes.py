"""Answers as chat models wrap them, and texts that only look like it."""

from __future__ import annotations

import pytest

from models.qwen_audio.quotes import QuoteBuilder


@pytest.fixture
def read(toy_tokenizer):
    def pieces(ids: list[int], committed: list[int] = ()):
        builder = QuoteBuilder(toy_tokenizer, committed)
        for token in ids:
            builder.add(token, -0.5)
        return builder.pieces

    return pieces


@pytest.fixture
def shown(read, toy_tokenizer):
    return lambda text: "".join(piece.text for piece in read(toy_tokenizer.encode(text)))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('The person says in Chinese: "你好，世界。"', "你好，世界。"),
        (
            'The speech is of a man speaking, in a Spanish, saying, "Bueno, también podemos considerarlo.".',
            "Bueno, también podemos considerarlo.",
        ),
        ('The speech is of a man speaking, in a Southwestern Mandarin, saying, "对了我还想提议".', "对了我还想提议"),
        ("The translation is: 'It's late.'", "It's late."),
        ("The translation of the speech into German is: “Guten Tag”.", "Guten Tag"),
        ("The original content of this audio is: 'we agree'", "we agree"),
        ("In English, the speaker said in English: \"Yes, 'now', please\"", "Yes, 'now', please"),
        ("Sure! Here is the translation: 我们明天见。", "我们明天见。"),
        ("The translation is:\n「はい」", "はい"),
        ('The speech in German is "Der sagte: „Ja“"', "Der sagte: „Ja“"),
        ('The translation is: "one" and "two"', 'one" and "two'),
    ],
)
def test_what_was_said_is_taken_out_of_its_quotes(shown, answer, text):
    assert shown(answer) == text


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "你好，世界。",
        'He says: "Yes"',
        'The man said: "I am going home."',
        '"To be or not to be" is the question.',
        "The meeting is at ten: please be on time.",
        "The sound was loud.",
        'She is reading "War and Peace" in the garden.',
        "It's late.",
    ],
)
def test_an_answer_that_is_not_wrapped_stays_as_it_is(shown, answer):
    assert shown(answer) == answer


def test_while_the_quotes_are_open_the_text_grows_inside_them(shown):
    assert shown('The person says in Chinese: "你好，世') == "你好，世"
    assert shown('The person says in Chinese: "') == ""


def test_the_ids_of_all_pieces_are_the_answer_as_it_was_written(read, toy_tokenizer):
    ids = toy_tokenizer.encode('The translation is: "we all agree".')
    pieces = read(ids)
    assert [piece.text for piece in pieces] == ["we", " all", " agree"]
    assert [i for piece in pieces for i in piece.ids] == ids
    assert read(toy_tokenizer.encode("The translation is: ''")) == ()


@pytest.mark.parametrize("answer", ['The translation is: "we all agree".', "we all agree."])
def test_wherever_the_committed_text_ends_the_rest_is_the_same(read, toy_tokenizer, answer):
    ids = toy_tokenizer.encode(answer)
    whole = read(ids)
    for n in range(len(whole)):
        before = [i for piece in whole[:n] for i in piece.ids]
        assert read(ids[len(before) :], before) == whole[n:]
