"""Where texts are broken: by the rules of subtitles, in both languages."""

import pytest

from live.recording.export.breaking import Text
from live.recording.export.phrases import line_width, phrases, plain, reading_ms, width

EN = (
    "The budget of the third quarter grew by 3.5% and reached 120 million yuan, which is more than we had expected "
    "at the start of the year when we met Dr. Smith."
)
ZH = (
    "我们来看一下第三季度的预算，增长了3.5%，达到1.2亿元，比年初开会的时候大家预计的要多很多。"
    "请问Qwen-Audio能不能翻译成English呢？“好的，”他说。"
)


@pytest.mark.parametrize(
    ("text", "language", "room"),
    [
        ("Budget 2026", "en", 11),
        ("预算", "zh", 2),
        ("预算Q3，", "zh", 4),
        ("the 预算", "en", 8),
        ("“好”", "zh", 3),
        ("예산", "ko", 2),
    ],
)
def test_a_latin_letter_or_digit_takes_half_of_a_hanzi(text, language, room):
    assert width(text, language) == room


def test_reading_takes_20_latin_or_9_full_width_characters_a_second():
    assert reading_ms("x" * 40, "en") == 2000
    assert reading_ms("预" * 18, "zh") == 2000


@pytest.mark.parametrize(
    ("text", "language"), [(EN, "en"), (ZH, "zh"), ("x" * 100, "en"), ("预" * 50, "zh"), (EN, "zh")]
)
def test_phrases_join_to_the_text_and_fit_on_a_line(text, language):
    found = phrases(text, language)
    assert "".join(phrase.text for phrase in found) == text
    assert all(phrase.width_at_end <= line_width(language) for phrase in found)


def test_latin_words_and_numbers_stay_whole_in_chinese_and_marks_stay_behind_their_phrase():
    found = [phrase.text for phrase in phrases(ZH, "zh")]
    for whole in ("Qwen-Audio", "3.5%", "1.2", "English"):
        assert any(whole in phrase for phrase in found)
    assert not any(phrase[0] in "，。？”" or phrase[-1] == "“" for phrase in found)


def test_english_breaks_behind_marks_and_before_conjunctions_and_prepositions():
    text = Text.of(EN, "en")
    lines = [line for part in text.parts(text.n_parts(2), 2) for line in part.lines(2)]
    assert lines == [
        "The budget of the third",
        "quarter grew by 3.5%",
        "and reached 120 million yuan,",
        "which is more than we had expected",
        "at the start of the year",
        "when we met Dr. Smith.",
    ]


@pytest.mark.parametrize("n_lines", [1, 2])
def test_lines_are_short_enough_and_say_everything(n_lines):
    for text, language, limit in ((EN, "en", 42), (ZH, "zh", 16)):
        parts = [part.lines(n_lines) for part in Text.of(text, language).parts(1, n_lines)]
        assert all(1 <= len(lines) <= n_lines for lines in parts)
        assert all(width(line, language) <= limit for lines in parts for line in lines)


def test_chinese_lines_end_without_comma_or_full_stop_but_keep_questions():
    lines = Text.of("你说今年的预算够吗？我看不够，还差一点。", "zh").parts(1, 2)[0].lines(2)
    assert lines[0].endswith("？")
    assert lines[-1] == "我看不够，还差一点"


def test_what_no_file_takes_is_left_out():
    assert plain("a\x00b\ud800c\n\n d\u2028e\x1b[31m\ufffe") == "abc d e[31m"
