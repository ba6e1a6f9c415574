"""Where a subtitle's text may be broken, and how well.

In: a text and its language. Out: phrases that join to the text, each with the price of a break behind it and the room
it takes. Which breaks are chosen is the business of live/recording/export/breaking.py.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import budoux

from live.policy import readable
from models.base import UNSPACED

WIDE_LINE = 16.0
"""Full-width characters on a line (Netflix: 16, a Latin letter or digit takes half of one)."""
NARROW_LINE = 42.0
"""Characters on a line of a language with spaces (Netflix: 42)."""
WIDE_CPS = 9.0
NARROW_CPS = 20.0
"""Characters that an adult reads in a second (Netflix)."""
WIDE = UNSPACED | {"ko"}
"""Languages written in full-width characters."""
UNSAID_AT_LINE_ENDS = "，。、；："
"""Chinese marks that a line's end says by itself; those of questions and cries stay."""

SENTENCE, CLAUSE, CONJUNCTION, PREPOSITION, PLAIN, BAD = 0.0, 1.0, 2.0, 3.0, 6.0, 30.0
"""Prices of a break: behind a sentence, behind a clause, before such a word, anywhere else, where none should be."""

_CONJUNCTION_WORDS = (
    "and but or nor so yet because although though while when where which who that if unless until than as "
    "und oder aber denn weil dass wenn et ou mais car que quand y o pero porque cuando e ma perché quando"
)
_PREPOSITION_WORDS = (
    "of in on at by for with from to into onto over under about after before between against during without within "
    "through across towards upon since via von mit auf für bei nach aus zu de à dans pour avec sur en con por para di "
    "da per su"
)
_BOUND_WORDS = (
    "a an the dr dr. mr mr. mrs mrs. ms ms. prof. my your his her its our their this these those no not every each "
    "i you he she it we they is are was were be been am will would can could shall should may might must have has had "
    "do does did don't doesn't didn't won't can't der die das ein eine le la les un une el los las il lo una"
)
_CONJUNCTIONS = frozenset(_CONJUNCTION_WORDS.split())
_PREPOSITIONS = frozenset(_PREPOSITION_WORDS.split())
_BOUND = frozenset(_BOUND_WORDS.split())
"""Words that belong to the one behind them: articles, titles, pronouns with their verb, auxiliaries."""
_PARTICLES = frozenset("的了着过吗呢吧啊呀嘛地得们之等")
"""Hanzi that belong to the phrase before them."""
_OPENING = frozenset("（“‘《〈「『【([{")
_CLOSING = frozenset("，。？！：；、）”’》〉」』】…—,.?!:;)]}%℃°")
_SENTENCE_END = re.compile(r"[.!?。？！…][”’\"')）》」』]*$")
_CLAUSE_END = re.compile(r"[,;:，；：、—)）][”’\"'》」』]*$")
_UNSHOWABLE = frozenset(("Cs", "Cn", "Co"))
"""Unicode's categories of half surrogates, of what is not assigned, and of private use."""
_WORD_MARKS = ".,:'’-/_@&+"


@dataclass(frozen=True, slots=True)
class Phrase:
    """The smallest run of text that stays on one line."""

    text: str
    """With the space behind it, where there is one."""
    price: float
    """Of a break behind it."""
    width: float
    """Room it takes, spaces behind it included."""
    width_at_end: float
    """The same at a line's end, where spaces and unsaid marks fall away."""


def line_width(language: str) -> float:
    """Room on a line, in the units of `width`."""
    return WIDE_LINE if language in WIDE else NARROW_LINE


def width(text: str, language: str) -> float:
    """Room that a text takes: 1 for a character of the language's own kind, half or double for the other kind."""
    full = "WFA" if language in WIDE else "WF"  # quotes and dashes take the width of the writing around them
    wide = sum(unicodedata.east_asian_width(character) in full for character in text)
    return wide + (len(text) - wide) / 2 if language in WIDE else wide * 2.0 + len(text) - wide


def reading_ms(text: str, language: str) -> int:
    """Milliseconds that an adult takes to read a text."""
    return round(1000 * width(text, language) / (WIDE_CPS if language in WIDE else NARROW_CPS))


def plain(text: str) -> str:
    """A text as files take it: on one line, single spaces, nothing a reader cannot show."""
    text = readable(text)
    if not text.isprintable():
        text = "".join(character for character in text if unicodedata.category(character) not in _UNSHOWABLE)
    return " ".join(text.split())


def at_line_end(text: str, language: str) -> str:
    """A line as it is written: without spaces around it and, in Chinese, without the marks its end stands for."""
    text = text.strip()
    while language.startswith("zh") and text and text[-1] in UNSAID_AT_LINE_ENDS:
        text = text[:-1].rstrip()
    return text


def phrases(text: str, language: str) -> list[Phrase]:
    """Split a plain text; a phrase that would not fit on a line is cut.

    Returns:
        Phrases that join to the text; none is wider than a line.
    """
    parts = _chinese(text) if language in UNSPACED else re.findall(r"\S+\s*", text)
    found = []
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        *heads, last = _cut(part, language)
        found += [_phrase(head, PLAIN, language) for head in heads]
        found.append(_phrase(last, _price(part.strip(), following.strip()), language))
    return found


def _phrase(text: str, price: float, language: str) -> Phrase:
    return Phrase(text, price, width(text, language), width(at_line_end(text, language), language))


def _price(before: str, after: str) -> float:
    """What a break between two parts costs."""
    last, first = before.casefold().rpartition(" ")[-1], after.casefold().partition(" ")[0]
    if last in _BOUND or last in _PREPOSITIONS or (after and after[0] in _PARTICLES):
        return BAD
    if _SENTENCE_END.search(before):
        return SENTENCE
    if _CLAUSE_END.search(before):
        return CLAUSE
    if first in _CONJUNCTIONS:
        return CONJUNCTION
    return PREPOSITION if first in _PREPOSITIONS else PLAIN


@functools.cache
def _budoux() -> budoux.Parser:
    return budoux.load_default_simplified_chinese_parser()


def _chinese(text: str) -> list[str]:
    """BudouX's phrases, with Latin words and numbers kept whole and marks on the side they belong to."""
    joined: list[str] = []
    for part in _budoux().parse(text):
        if joined and (part[0].isspace() or _belong_together(joined[-1], part)):
            space = part[: len(part) - len(part.lstrip())] if not _belong_together(joined[-1], part) else ""
            joined[-1] += space or part
            part = part[len(space) :] if space else ""  # noqa: PLW2901 - what is left of it
        if part:
            joined.append(part)
    return joined


def _belong_together(before: str, after: str) -> bool:
    last, first = before[-1], after[0]
    is_word = _is_latin(last) or (last in _WORD_MARKS and _is_latin(before[-2:-1]))
    return (
        (is_word and _is_latin(first))
        or (_is_latin(last) and first in _WORD_MARKS)
        or last in _OPENING
        or first in _CLOSING
    )


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _cut(part: str, language: str) -> Iterator[str]:
    """A part in pieces of at most a line, at any character but a combining one."""
    piece = ""
    for character in part:
        if (
            piece
            and width(at_line_end(piece + character, language), language) > line_width(language)
            and not unicodedata.combining(character)
        ):
            yield piece
            piece = ""
        piece += character
    yield piece
