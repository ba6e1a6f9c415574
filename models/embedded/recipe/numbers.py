"""How numbers are written in captions and how they are said, in English and in Mandarin.

In: whole numbers (and decimals given in tenths or hundredths). Out: strings. Every pair of a written and a spoken form
in the grammar comes from here. Choosing values, and the words around them, is not this module's business.

Written rules, one form for each value and language:
    English: 3,500; 350,000; whole hundredths of a million or a billion 2.5 million, 1.25 billion.
    Mandarin: 3500; whole thousands from ten thousand on 3.5万, 35万, 250万; whole hundredths of 亿 1.2亿;
    else plain digits.
"""

ZH_DIGITS = "零一二三四五六七八九"
_WAN = 10_000
_YI = 100_000_000
_MILLION = 1_000_000
_BILLION = 1_000_000_000

_EN_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def _check(value: int) -> None:
    if not 0 <= value < 10_000 * _YI:
        raise ValueError(f"{value} is outside 0 ... 10^12, the range the readings are written for")


# ---------------------------------------------------------------------------------------------------- English


def en_spoken(value: int) -> str:
    """350000 -> "three hundred and fifty thousand"; 10010 -> "ten thousand and ten"."""
    _check(value)
    if value < 1000:
        return _en_below_thousand(value)
    parts = []
    for size, name in ((_BILLION, "billion"), (_MILLION, "million"), (1000, "thousand")):
        count, value = divmod(value, size)
        if count:
            parts.append(f"{_en_below_thousand(count)} {name}")
    if value:
        parts.append(("and " if value < 100 else "") + _en_below_thousand(value))
    return " ".join(parts)


def _en_below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    if hundreds and rest:
        return f"{_EN_SMALL[hundreds]} hundred and {_en_below_hundred(rest)}"
    return f"{_EN_SMALL[hundreds]} hundred" if hundreds else _en_below_hundred(rest)


def _en_below_hundred(value: int) -> str:
    if value < 20:
        return _EN_SMALL[value]
    tens, units = divmod(value, 10)
    return _EN_TENS[tens] + (f"-{_EN_SMALL[units]}" if units else "")


def en_number(value: int) -> tuple[str, str]:
    """(written, spoken) of a whole number: ("2.5 million", "two point five million"), ("3,500", ...)."""
    _check(value)
    for size, name in ((_BILLION, "billion"), (_MILLION, "million")):
        if value >= size:
            if value % (size // 100) == 0:
                written, spoken = en_decimal(value // (size // 100), places=2)
                return f"{written} {name}", f"{spoken} {name}"
            break
    return f"{value:,}", en_spoken(value)


def en_decimal(scaled: int, *, places: int = 1) -> tuple[str, str]:
    """A number in tenths (places=1) or hundredths (2): 35 -> ("3.5", "three point five"). Ending zeros fall away."""
    whole, rest = divmod(scaled, 10**places)
    digits = f"{rest:0{places}}".rstrip("0")
    if not digits:
        return f"{whole:,}", en_spoken(whole)
    return f"{whole:,}.{digits}", f"{en_spoken(whole)} point {en_digits_spoken(digits)}"


def en_ordinal_spoken(value: int) -> str:
    """1 ... 99 as an ordinal: 5 -> "fifth", 31 -> "thirty-first"."""
    head, hyphen, last = _en_below_hundred(value).rpartition("-")
    if last.endswith("y"):
        return head + hyphen + last[:-1] + "ieth"
    return head + hyphen + _EN_ORDINALS.get(last, last.removesuffix("t") + "th")


def en_ordinal_written(value: int) -> str:
    """1 -> "1st", 12 -> "12th", 23 -> "23rd"."""
    suffix = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def en_year_spoken(year: int) -> str:
    """1999 -> "nineteen ninety-nine", 2008 -> "two thousand and eight", 2027 -> "twenty twenty-seven"."""
    century, rest = divmod(year, 100)
    if year // 10 == 200:
        return en_spoken(year)
    if rest == 0:
        return f"{_en_below_hundred(century)} hundred"
    return f"{_en_below_hundred(century)} {'oh ' if rest < 10 else ''}{_en_below_hundred(rest)}"


def en_digits_spoken(digits: str) -> str:
    """Digit by digit, as a telephone or room number is said: "305" -> "three zero five"."""
    return " ".join(_EN_SMALL[int(digit)] for digit in digits)


def en_clock(hour: int, minute: int) -> tuple[str, str]:
    """Twelve-hour clock: (3, 30) -> ("3:30", "three thirty"), (9, 0) -> ("9:00", "nine o'clock")."""
    if minute == 0:
        return f"{hour}:00", f"{_EN_SMALL[hour]} o'clock"
    zero = "oh " if minute < 10 else ""
    return f"{hour}:{minute:02}", f"{_EN_SMALL[hour]} {zero}{_en_below_hundred(minute)}"


# --------------------------------------------------------------------------------------------------- Mandarin


def zh_spoken(value: int) -> str:
    """350000 -> 三十五万; 10010 -> 一万零一十. Alone, 2 is 二; before 百, 千, 万 and 亿 it is 两."""
    _check(value)
    if value == 0:
        return ZH_DIGITS[0]
    text, gap = "", False
    for size, name in ((_YI, "亿"), (_WAN, "万"), (1, "")):
        group, value = divmod(value, size)
        if group == 0:
            gap = gap or bool(text)
            continue
        if text and (gap or group < 1000):
            text += ZH_DIGITS[0]
        text += ("两" if group == 2 and name else _zh_below_wan(group)) + name
        gap = False
    return text[1:] if text.startswith("一十") else text


def _zh_below_wan(value: int) -> str:
    """1 ... 9999, with 一十 kept: 10 -> 一十, 305 -> 三百零五."""
    text, gap = "", False
    for size, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, size)
        if digit == 0:
            gap = bool(text)
            continue
        text += ZH_DIGITS[0] if gap else ""
        text += ("两" if digit == 2 and size >= 100 else ZH_DIGITS[digit]) + name
        gap = False
    return text


def zh_number(value: int) -> tuple[str, str]:
    """(written, spoken): 35000 -> (3.5万, 三万五千), 120000000 -> (1.2亿, 一点二亿), 12345 -> (12345, ...)."""
    _check(value)
    if value >= _YI and value % (_YI // 100) == 0:
        hundredths = value // (_YI // 100)
        if hundredths % 100 == 0:
            return f"{hundredths // 100}亿", zh_spoken(value)
        written, spoken = zh_decimal(hundredths, places=2)
        return f"{written}亿", f"{spoken}亿"
    if _WAN <= value < _YI and value % 1000 == 0:
        return f"{zh_decimal(value // 1000, places=1)[0]}万", zh_spoken(value)
    return str(value), zh_spoken(value)


def zh_decimal(scaled: int, *, places: int = 1) -> tuple[str, str]:
    """A number in tenths (places=1) or hundredths (2): 35 -> ("3.5", 三点五). Ending zeros fall away."""
    whole, rest = divmod(scaled, 10**places)
    digits = f"{rest:0{places}}".rstrip("0")
    if not digits:
        return str(whole), zh_spoken(whole)
    return f"{whole}.{digits}", f"{zh_spoken(whole)}点{zh_digits_spoken(digits)}"


def zh_count_spoken(value: int) -> str:
    """A number before a classifier: as zh_spoken, but 2 is 两 (两份报告, 十二份报告)."""
    return "两" if value == 2 else zh_spoken(value)


def zh_digits_spoken(digits: str) -> str:
    """Digit by digit: "305" -> 三零五, "2027" -> 二零二七."""
    return "".join(ZH_DIGITS[int(digit)] for digit in digits)


def zh_clock(hour: int, minute: int) -> tuple[str, str]:
    """(3, 30) -> ("3:30", 三点半), (2, 0) -> ("2点", 两点), (9, 5) -> ("9:05", 九点零五分)."""
    spoken = f"{zh_count_spoken(hour)}点"
    if minute == 0:
        return f"{hour}点", spoken
    if minute == 30:
        return f"{hour}:30", f"{spoken}半"
    zero = ZH_DIGITS[0] if minute < 10 else ""
    return f"{hour}:{minute:02}", f"{spoken}{zero}{zh_spoken(minute)}分"
