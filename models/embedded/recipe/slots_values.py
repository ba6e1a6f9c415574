"""Fillers made of numbers: counts, dates, times, percentages, money, large numbers, numbers read out.

In: numbers.py's two forms of every value. Out: VALUE_SLOTS, kind -> fillers. Which value stands in which sentence is
not this module's business. Value lists are fixed (a seeded draw where the range is large): grammar is a finite set.
"""

import calendar
import random
from collections.abc import Iterable

from models.embedded.recipe.grammar_types import Filler, Token, en_tokens, zh_tokens
from models.embedded.recipe.numbers import (
    ZH_DIGITS,
    en_clock,
    en_decimal,
    en_digits_spoken,
    en_number,
    en_ordinal_spoken,
    en_ordinal_written,
    en_spoken,
    en_year_spoken,
    zh_clock,
    zh_count_spoken,
    zh_decimal,
    zh_digits_spoken,
    zh_number,
    zh_spoken,
)
from models.embedded.recipe.slots_words import (
    DOCUMENTS,
    FAULTS,
    GOODS,
    GUESTS,
    ITEMS,
    PERSONS,
    STAFF,
    TASKS,
    Thing,
    table,
    words,
)

_SEED = 20_261_122
_SPELLED_BELOW = 10
"""Counts below ten are written in words and hanzi, from ten on in digits."""


def value(en: tuple[str, str], zh: tuple[str, str], *, en_after: str = "", zh_after: str = "") -> Filler:
    """A filler of one number token in each language, with words after it."""
    en_all = (Token(*en), *en_tokens(en_after))
    return Filler(" ".join(token.written for token in en_all), en_all, (Token(*zh), *zh_tokens(zh_after)))


def count_forms(n: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """Both languages' (written, spoken) of a count before a noun."""
    en, zh = en_spoken(n), zh_count_spoken(n)
    return ((en, en), (zh, zh)) if n < _SPELLED_BELOW else (en_number(n), (zh_number(n)[0], zh))


_COUNTS = (*range(2, 31), 32, 35, 36, 40, 42, 45, 48, 50, 55, 60, 65, 70, 72, 75, 80, 85, 90, 95, 99)
_COUNTS_LARGE = (100, 105, 110, 120, 125, 150, 180, 200, 240, 250, 300, 320, 360, 400, 500, 600, 750, 800, 1000, 1200)


def _quantities(things: tuple[Thing, ...], counts: tuple[int, ...]) -> tuple[Filler, ...]:
    return tuple(
        value(*count_forms(n), en_after=thing.ens, zh_after=thing.classifier + thing.zh)
        for thing in things
        for n in counts
    )


def _months() -> tuple[Filler, ...]:
    return tuple(
        Filler(name, en_tokens(name), (Token(f"{number}月", f"{zh_spoken(number)}月"),))
        for number, name in enumerate(calendar.month_name)
        if number
    )


def _dates() -> tuple[Filler, ...]:
    """March 5, said "March fifth"; 3月5号, said 三月五号."""
    fillers = []
    for month in range(1, 13):
        name = calendar.month_name[month]
        for day in range(1, calendar.monthrange(2028, month)[1] + 1):
            en = (Token(name, name), Token(str(day), en_ordinal_spoken(day)))
            zh = (Token(f"{month}月", f"{zh_spoken(month)}月"), Token(f"{day}号", f"{zh_spoken(day)}号"))
            fillers.append(Filler(f"{name} {day}", en, zh))
    return tuple(fillers)


_WEEKDAYS_EN = calendar.day_name
_WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_DAYS = tuple(zip(_WEEKDAYS_EN, _WEEKDAYS_ZH, strict=True))

DAY = (
    *table("today = 今天 | tomorrow = 明天 | the day after tomorrow = 后天"),
    *(words(f"on {en}", zh) for en, zh in _DAYS),
    *(words(f"next {en}", f"下{zh}") for en, zh in _DAYS),
)
WEEKDAY = tuple(words(en, zh) for en, zh in _DAYS)
WHEN = (
    *DAY,
    *table("tomorrow morning = 明天上午 | tomorrow afternoon = 明天下午 | this afternoon = 今天下午"),
    *table("tomorrow evening = 明天晚上 | this evening = 今天晚上"),
    *(words(f"on {en} morning", f"{zh}上午") for en, zh in _DAYS),
    *(words(f"on {en} afternoon", f"{zh}下午") for en, zh in _DAYS),
)
PERIOD = table("""
this month = 这个月 | next month = 下个月 | this quarter = 这个季度
next quarter = 下个季度 | this year = 今年 | next year = 明年
""")
PAST_PERIOD = table("""
yesterday = 昨天 | last week = 上周 | last month = 上个月 | last quarter = 上个季度 | last year = 去年
""")
PAST = (
    *table(
        "yesterday = 昨天 | last week = 上周 | last month = 上个月 | last year = 去年 | yesterday afternoon = 昨天下午"
    ),
    *table(
        """yesterday morning = 昨天上午 | the day before yesterday = 前天
        last night = 昨天晚上"""
    ),
    *(words(f"last {en}", f"上{zh}") for en, zh in _DAYS),
)


def _clock_half(hour: int, minute: int) -> Filler:
    """With the part of the day: 3:30 PM, 下午3:30. Hours at which Mandarin has one word for it."""
    part, half = ("上午", "AM") if hour < 12 else ("下午", "PM") if hour < 18 else ("晚上", "PM")
    hour = hour if hour <= 12 else hour - 12
    written, spoken = en_clock(hour, minute)
    en = Token(f"{written.removesuffix(':00')} {half}", f"{spoken.removesuffix(chr(32) + _O_CLOCK)} {' '.join(half)}")
    zh_written, zh_said = zh_clock(hour, minute)
    return Filler(en.written, (en,), (Token(part + zh_written, part + zh_said),))


_O_CLOCK = "o'clock"
_MINUTES = (0, 10, 15, 20, 30, 40, 45, 50)
CLOCK = tuple(value(en_clock(hour, minute), zh_clock(hour, minute)) for hour in range(1, 13) for minute in _MINUTES)
CLOCK_HALF = tuple(
    _clock_half(hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16, 17, 19, 20, 21) for minute in _MINUTES
)


_MINUTE_COUNTS = (*range(2, 10), 10, 15, 20, 25, 30, 35, 40, 45, 50, 90)


def _spans(en: str, zh: str, counts: tuple[int, ...]) -> tuple[Filler, ...]:
    return tuple(value(*count_forms(n), en_after=en, zh_after=zh) for n in counts)


MINUTES = _spans("minutes", "分钟", _MINUTE_COUNTS)
HOURS = (
    *table("half an hour = 半个小时 | an hour = 一个小时 | an hour and a half = 一个半小时"),
    *_spans("hours", "个小时", (*range(2, 11), 12)),
)
DAYS = (
    *table("one day = 一天 | one week = 一周"),
    *_spans("days", "天", (*range(2, 16), 20, 25, 30, 45, 60, 90)),
    *_spans("weeks", "周", (*range(2, 11), 12)),
)
YEARS = (*table("one year = 一年"), *_spans("years", "年", (*range(2, 13), 15, 20, 25)))
SPAN = (*MINUTES, *HOURS, *DAYS, *table("one month = 一个月"), *_spans("months", "个月", (*range(2, 11), 12, 18)))


def _clock_ranges() -> tuple[Filler, ...]:
    """From 2:00 to 3:30, 从2点到3:30: half an hour to three hours long."""
    times = [(hour, minute) for hour in range(1, 13) for minute in (0, 15, 30, 45)]
    fillers = []
    for start, first in enumerate(times):
        for last in (times[start + quarters] for quarters in (2, 4, 6, 8, 12) if start + quarters < len(times)):
            en = (Token(*en_clock(*first)), *en_tokens("to"), Token(*en_clock(*last)))
            zh = (*zh_tokens("从"), Token(*zh_clock(*first)), *zh_tokens("到"), Token(*zh_clock(*last)))
            fillers.append(Filler(" ".join(token.written for token in en), en, zh))
    return tuple(fillers)


def _percents(tenths: Iterable[int]) -> tuple[Filler, ...]:
    fillers = []
    for n in sorted(set(tenths)):
        en_written, en_said = en_decimal(n)
        zh_written, zh_said = zh_decimal(n)
        fillers.append(value((f"{en_written}%", f"{en_said} percent"), (f"{zh_written}%", f"百分之{zh_said}")))
    return tuple(fillers)


def _spread(low: int, high: int, steps: tuple[int, ...], count: int) -> list[int]:
    """Values spread evenly over the orders of magnitude, rounded as people round: most to one or two figures."""
    rng = random.Random(_SEED + low + high)
    values: set[int] = set()
    while len(values) < count:
        raw = low * (high / low) ** rng.random()
        step = 10 ** (len(str(int(raw))) - rng.choice(steps))
        values.add(max(low, round(raw / step) * step) if step >= 1 else int(raw))
    return sorted(values)


_MID = _spread(1_001, 3_000_000, (1, 2, 2, 3), 500)
_LARGE = _spread(10_000, 5_000_000_000, (1, 2, 2, 3), 700)
_FULL = _spread(1_001, 99_999, (3, 4, 5), 900)
_MONEY = _spread(50, 9_000_000_000, (1, 2, 2, 3), 700)
_PRICES = _spread(50, 20_000, (1, 2, 2), 120)
"""What people pay at a counter, for a ticket or for rent."""
_CURRENCIES = (("dollars", "$", "美元"), ("euros", "€", "欧元"), ("yuan", "", "元"))


def _money(values: Iterable[int]) -> tuple[Filler, ...]:
    fillers = []
    for n in values:
        written, spoken = en_number(n)
        for name, sign, zh_name in _CURRENCIES:
            zh = (Token(*zh_number(n)), *zh_tokens(zh_name))
            if sign:
                en: tuple[Token, ...] = (Token(sign + written, f"{spoken} {name}"),)
            else:
                en = (Token(written, spoken), Token(name, name))
            fillers.append(Filler(" ".join(token.written for token in en), en, zh))
    return tuple(fillers)


def _digit_strings(count: int, lengths: tuple[int, ...]) -> tuple[Filler, ...]:
    rng = random.Random(_SEED + sum(lengths))
    strings: set[str] = set()
    while len(strings) < count:
        length = rng.choice(lengths)
        strings.add(str(rng.randrange(10 ** (length - 1), 10**length)))
    return tuple(value((text, en_digits_spoken(text)), (text, zh_digits_spoken(text))) for text in sorted(strings))


def _year(year: int) -> Filler:
    return value((str(year), en_year_spoken(year)), (f"{year}年", f"{zh_digits_spoken(str(year))}年"))


def _floor(n: int) -> Filler:
    """On the third floor, 三楼; on the 12th floor, 12楼."""
    if n < _SPELLED_BELOW:
        return words(en_ordinal_spoken(n), f"{ZH_DIGITS[n]}楼")
    return value((en_ordinal_written(n), en_ordinal_spoken(n)), (str(n), zh_spoken(n)), zh_after="楼")


def _ordinal(n: int) -> Filler:
    """Ordinals below ten are words, as counts are: third, 第三; 12th, 第12."""
    if n < _SPELLED_BELOW:
        return words(en_ordinal_spoken(n), f"第{ZH_DIGITS[n]}")
    return value((en_ordinal_written(n), en_ordinal_spoken(n)), (f"第{n}", f"第{zh_spoken(n)}"))


def _plain(values: Iterable[int]) -> tuple[Filler, ...]:
    """Numbers that are written in digits whatever their size: pages, degrees."""
    return tuple(value((str(n), en_spoken(n)), (str(n), zh_spoken(n))) for n in values)


_QUANTITIES = (*_COUNTS, *_COUNTS_LARGE)

VALUE_SLOTS: dict[str, tuple[Filler, ...]] = {
    "weekday": WEEKDAY,
    "day": DAY,
    "when": WHEN,
    "period": PERIOD,
    "past": PAST,
    "past_period": PAST_PERIOD,
    "month": _months(),
    "date": _dates(),
    "past_year": tuple(_year(year) for year in range(1995, 2027)),
    "future_year": tuple(_year(year) for year in range(2027, 2041)),
    "quarter": table("""
first quarter = 第一季度 | second quarter = 第二季度 | third quarter = 第三季度 | fourth quarter = 第四季度
"""),
    "clock": CLOCK,
    "clock_half": CLOCK_HALF,
    "clock_range": _clock_ranges(),
    "span": SPAN,
    "minutes": MINUTES,
    "hours": HOURS,
    "days": DAYS,
    "years": YEARS,
    "percent": _percents((*range(10, 1000, 10), *range(11, 100), *range(105, 1000, 10))),
    "whole_percent": _percents(range(20, 1000, 10)),
    "money": _money(_MONEY),
    "price": _money(_PRICES),
    "mid": tuple(value(en_number(n), zh_number(n)) for n in _MID),
    "large": tuple(value(en_number(n), zh_number(n)) for n in _LARGE),
    "full": tuple(value(en_number(n), zh_number(n)) for n in _FULL),
    "count": tuple(value(*count_forms(n)) for n in _COUNTS),
    "page": _plain(range(1, 121)),
    "size": tuple(value(en_number(n), zh_number(n)) for n in (*range(60, 1000, 20), *range(1000, 10_000, 100))),
    "nth": tuple(_ordinal(n) for n in range(1, 10)),
    "ordinal": tuple(_ordinal(n) for n in range(2, 31)),
    "multiple": (
        *(value(en_decimal(n), zh_decimal(n)) for n in (15, 25, 35, 45)),
        *(value(*count_forms(n)) for n in range(3, 21)),
    ),
    "floor": tuple(_floor(n) for n in range(2, 61)),
    "version": tuple(value(en_decimal(n), zh_decimal(n)) for n in range(11, 100) if n % 10),
    "height": tuple(value(en_decimal(n), zh_decimal(n)) for n in range(11, 60) if n % 10),
    "decimal": tuple(value(en_decimal(n), zh_decimal(n)) for n in range(11, 1000) if n % 10),
    "room": _digit_strings(500, (3, 4)),
    "phone": _digit_strings(1500, (6, 7, 8)),
    "docs": _quantities(DOCUMENTS, _COUNTS),
    "goods": _quantities(GOODS, _QUANTITIES),
    "people": _quantities((*STAFF, *GUESTS), _QUANTITIES),
    "staff": _quantities(STAFF, _QUANTITIES),
    "guests": _quantities(GUESTS, _QUANTITIES),
    "headcount": _quantities(PERSONS, _QUANTITIES),
    "faults": _quantities(FAULTS, tuple(range(2, 31))),
    "tasks": _quantities(TASKS, tuple(range(2, 41))),
    "items": _quantities(ITEMS, tuple(range(2, 16))),
}
