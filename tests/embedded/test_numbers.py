"""Numbers: written and spoken forms, against hand-written examples and against readers written independently."""

import random
import re

import pytest

from models.embedded.recipe import numbers

EN_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
EN_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
EN_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
EN_VALUES = {word: value for value, word in enumerate(EN_UNITS + EN_TEENS)}
EN_VALUES |= {word: 10 * tens for tens, word in enumerate(EN_TENS, start=2)}
ZH_VALUES = {hanzi: value for value, hanzi in enumerate("零一二三四五六七八九")} | {"两": 2}


def read_en(spoken):
    """The value of an English reading, decimals of millions included."""
    total = group = 0
    words = spoken.replace("-", " ").replace(" and ", " ").split()
    if "point" in words:
        point = words.index("point")
        scale = {"million": 10**6, "billion": 10**9}.get(words[-1], 1)
        digits = [EN_VALUES[word] for word in words[point + 1 :] if word in EN_VALUES]
        whole = read_en(" ".join(words[:point]))
        return (whole * 10 ** len(digits) + int("".join(map(str, digits)))) * scale // 10 ** len(digits)
    for word in words:
        if word == "hundred":
            group *= 100
        elif word in ("thousand", "million", "billion"):
            total += group * {"thousand": 10**3, "million": 10**6, "billion": 10**9}[word]
            group = 0
        else:
            group += EN_VALUES[word]
    return total + group


def read_zh(spoken):
    """The value of a Mandarin reading, decimals of 亿 included."""
    if "点" in spoken:
        whole, _, rest = spoken.removesuffix("亿").partition("点")
        digits = "".join(str(ZH_VALUES[hanzi]) for hanzi in rest)
        return (read_zh(whole) * 10 ** len(digits) + int(digits)) * 10**8 // 10 ** len(digits)
    total = group = digit = 0
    for hanzi in spoken:
        if hanzi in ZH_VALUES:
            digit = ZH_VALUES[hanzi]
        elif hanzi in "十百千":
            unit = {"十": 10, "百": 100, "千": 1000}[hanzi]
            group += (digit or 1) * unit
            digit = 0
        else:
            total += (group + digit) * {"万": 10**4, "亿": 10**8}[hanzi]
            group = digit = 0
    return total + group + digit


def value_written_in_english(written):
    number, _, scale = written.partition(" ")
    whole, _, decimals = number.replace(",", "").partition(".")
    return int(whole + decimals) * {"": 1, "million": 10**6, "billion": 10**9}[scale] // 10 ** len(decimals)


def value_written_in_mandarin(written):
    number = written.rstrip("万亿")
    whole, _, decimals = number.partition(".")
    return int(whole + decimals) * {"": 1, "万": 10**4, "亿": 10**8}[written[len(number) :]] // 10 ** len(decimals)


def values():
    """Of all sizes, round and not."""
    rng = random.Random(1)
    drawn = [rng.randrange(10 ** rng.randint(1, 11)) for _ in range(4000)]
    rounded = [value // 10**zeros * 10**zeros for value in drawn for zeros in (2, 4, 6)]
    return [*range(2000), *drawn, *rounded]


@pytest.mark.parametrize(
    ("value", "written", "spoken"),
    [
        (0, "0", "零"),
        (2, "2", "二"),
        (10, "10", "十"),
        (15, "15", "十五"),
        (20, "20", "二十"),
        (105, "105", "一百零五"),
        (110, "110", "一百一十"),
        (200, "200", "两百"),
        (222, "222", "两百二十二"),
        (1001, "1001", "一千零一"),
        (2050, "2050", "两千零五十"),
        (3500, "3500", "三千五百"),
        (10_000, "1万", "一万"),
        (10_010, "10010", "一万零一十"),
        (12_345, "12345", "一万两千三百四十五"),
        (20_000, "2万", "两万"),
        (35_000, "3.5万", "三万五千"),
        (100_000, "10万", "十万"),
        (120_000, "12万", "十二万"),
        (350_000, "35万", "三十五万"),
        (1_000_010, "1000010", "一百万零一十"),
        (2_500_000, "250万", "两百五十万"),
        (10_000_000, "1000万", "一千万"),
        (22_000_000, "2200万", "两千两百万"),
        (100_000_000, "1亿", "一亿"),
        (100_000_001, "100000001", "一亿零一"),
        (100_010_000, "100010000", "一亿零一万"),
        (120_000_000, "1.2亿", "一点二亿"),
        (200_000_000, "2亿", "两亿"),
        (225_000_000, "2.25亿", "二点二五亿"),
        (1_600_000_000, "16亿", "十六亿"),
    ],
)
def test_a_number_is_written_and_said_in_mandarin(value, written, spoken):
    assert numbers.zh_number(value) == (written, spoken)


@pytest.mark.parametrize(
    ("value", "written", "spoken"),
    [
        (0, "0", "zero"),
        (21, "21", "twenty-one"),
        (100, "100", "one hundred"),
        (115, "115", "one hundred and fifteen"),
        (1000, "1,000", "one thousand"),
        (1005, "1,005", "one thousand and five"),
        (1500, "1,500", "one thousand five hundred"),
        (10_010, "10,010", "ten thousand and ten"),
        (350_000, "350,000", "three hundred and fifty thousand"),
        (1_000_000, "1 million", "one million"),
        (2_500_000, "2.5 million", "two point five million"),
        (1_180_000, "1.18 million", "one point one eight million"),
        (1_234_567, "1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"),
        (120_000_000, "120 million", "one hundred and twenty million"),
        (1_200_000_000, "1.2 billion", "one point two billion"),
    ],
)
def test_a_number_is_written_and_said_in_english(value, written, spoken):
    assert numbers.en_number(value) == (written, spoken)


def test_every_english_reading_and_spelling_has_its_value():
    for value in values():
        written, spoken = numbers.en_number(value)
        assert (value_written_in_english(written), read_en(spoken)) == (value, value)
        assert read_en(numbers.en_spoken(value)) == value


def test_every_mandarin_reading_and_spelling_has_its_value():
    for value in values():
        written, spoken = numbers.zh_number(value)
        assert (value_written_in_mandarin(written), read_zh(spoken)) == (value, value)
        assert read_zh(numbers.zh_spoken(value)) == value


def test_mandarin_never_says_two_zeros_nor_ends_in_one():
    for value in values():
        spoken = numbers.zh_spoken(value)
        assert "零零" not in spoken
        assert value == 0 or not spoken.endswith("零")


def test_ten_to_nineteen_lose_their_one_only_at_the_beginning():
    assert [numbers.zh_spoken(value) for value in (14, 140_000, 214, 10_014, 140_014)] == [
        *("十四", "十四万", "两百一十四", "一万零一十四", "十四万零一十四"),
    ]


def test_two_before_a_classifier_is_liang_and_twelve_is_not():
    assert [numbers.zh_count_spoken(value) for value in (2, 12, 22, 200)] == ["两", "十二", "二十二", "两百"]


@pytest.mark.parametrize(
    ("tenths", "en", "zh"),
    [
        (35, ("3.5", "three point five"), ("3.5", "三点五")),
        (201, ("20.1", "twenty point one"), ("20.1", "二十点一")),
        (150, ("15", "fifteen"), ("15", "十五")),
        (22, ("2.2", "two point two"), ("2.2", "二点二")),
    ],
)
def test_a_decimal_is_written_and_said(tenths, en, zh):
    assert numbers.en_decimal(tenths) == en
    assert numbers.zh_decimal(tenths) == zh


def test_hundredths_lose_ending_zeros():
    assert numbers.zh_decimal(120, places=2) == ("1.2", "一点二")
    assert numbers.zh_decimal(105, places=2) == ("1.05", "一点零五")
    assert numbers.en_decimal(105, places=2) == ("1.05", "one point zero five")


@pytest.mark.parametrize(
    ("year", "en", "zh"),
    [
        (1998, "nineteen ninety-eight", "一九九八"),
        (1900, "nineteen hundred", "一九零零"),
        (1905, "nineteen oh five", "一九零五"),
        (2000, "two thousand", "二零零零"),
        (2008, "two thousand and eight", "二零零八"),
        (2010, "twenty ten", "二零一零"),
        (2027, "twenty twenty-seven", "二零二七"),
    ],
)
def test_a_year_is_said(year, en, zh):
    assert numbers.en_year_spoken(year) == en
    assert numbers.zh_digits_spoken(str(year)) == zh


@pytest.mark.parametrize(
    ("time", "en", "zh"),
    [
        ((3, 30), ("3:30", "three thirty"), ("3:30", "三点半")),
        ((9, 0), ("9:00", "nine o'clock"), ("9点", "九点")),
        ((2, 0), ("2:00", "two o'clock"), ("2点", "两点")),
        ((12, 5), ("12:05", "twelve oh five"), ("12:05", "十二点零五分")),
        ((10, 10), ("10:10", "ten ten"), ("10:10", "十点十分")),
        ((2, 45), ("2:45", "two forty-five"), ("2:45", "两点四十五分")),
    ],
)
def test_a_time_is_written_and_said(time, en, zh):
    assert numbers.en_clock(*time) == en
    assert numbers.zh_clock(*time) == zh


def test_ordinals_are_written_and_said():
    forms = {value: (numbers.en_ordinal_written(value), numbers.en_ordinal_spoken(value)) for value in range(1, 100)}
    assert forms[1] == ("1st", "first")
    assert forms[5] == ("5th", "fifth")
    assert forms[11] == ("11th", "eleventh")
    assert forms[12] == ("12th", "twelfth")
    assert forms[20] == ("20th", "twentieth")
    assert forms[22] == ("22nd", "twenty-second")
    assert forms[23] == ("23rd", "twenty-third")
    assert forms[40] == ("40th", "fortieth")
    assert len(set(forms.values())) == 99


def test_digits_are_read_one_by_one():
    assert numbers.en_digits_spoken("3057") == "three zero five seven"
    assert numbers.zh_digits_spoken("3057") == "三零五七"


@pytest.mark.parametrize("value", [-1, 10**12])
def test_a_number_without_a_reading_is_refused(value):
    for form in (numbers.en_number, numbers.zh_number, numbers.en_spoken, numbers.zh_spoken):
        with pytest.raises(ValueError, match=re.escape(str(value))):
            form(value)
