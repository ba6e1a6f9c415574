"""What is looked for in a text: hanzi alone and in pairs, the words of other scripts.

In: a text or a question. Out: the terms an index holds for it, and whether a text answers a question. SQLite's own
tokenizers find no word of two hanzi: one takes a run of them for one word, the other knows nothing shorter than three.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

PREFIX_FROM = 3
"""Letters from which a word also finds longer ones that begin with it: "budget" finds "budgets"."""
_HAN = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_IS_HAN = re.compile(rf"[{_HAN}]")


def folded(text: str) -> str:
    """A text as it is compared: without case, accents, or a difference between full and half width."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFD", text)
    bare = "".join(each for each in parts if not "\u0300" <= each <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def terms(text: str) -> str:
    """Everything that an index holds for a text, separated by spaces."""
    return " ".join(term for run in _RUN.findall(folded(text)) for term in _of_run(run))


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody looks for: every part of it must be in the text."""

    runs: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Question:
        """Read it; without letters, digits or hanzi it has no parts."""
        return cls(tuple(dict.fromkeys(_RUN.findall(folded(text)))))

    def match(self, longer: Callable[[str], Iterable[str]]) -> str:
        """The question in the language of SQLite's FTS5.

        Args:
            longer: gives the words of the index that begin with a word.
        """
        return " AND ".join(dict.fromkeys(term for run in self.runs for term in _asked(run, longer)))

    def is_answered(self, text: str) -> bool:
        """Whether a text that holds all terms also holds its hanzi in their order."""
        long = [run for run in self.runs if _IS_HAN.match(run) and len(run) > 2]
        if not long:
            return True
        text = folded(text)
        return all(run in text for run in long)


def _of_run(run: str) -> Iterator[str]:
    if not _IS_HAN.match(run):
        yield run
        return
    yield from run
    for before, after in pairwise(run):
        yield before + after


def words(text: str) -> set[str]:
    """The words of a text that are found by their beginning too."""
    return {run for run in _RUN.findall(folded(text)) if _is_word(run)}


def _is_word(run: str) -> bool:
    return len(run) >= PREFIX_FROM and not _IS_HAN.match(run)


def _asked(run: str, longer: Callable[[str], Iterable[str]]) -> Iterator[str]:
    if _is_word(run):
        # Not FTS5's own prefix search, which merges all places of all these words before it finds the newest.
        yield "(" + " OR ".join(f'"{word}"' for word in dict.fromkeys([run, *longer(run)])) + ")"
    elif _IS_HAN.match(run) and len(run) > 1:
        yield from (f'"{before}{after}"' for before, after in pairwise(run))
    else:
        yield f'"{run}"'
