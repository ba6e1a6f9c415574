"""Choosing where a text is broken: into cues, and a cue into lines.

In: phrases with the price of a break behind each. Out: runs of them of nearly the same width, broken where it costs
least. One dynamic programme does both.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from live.recording.export.phrases import Phrase, at_line_end, line_width, phrases

UNEVEN = 40.0
"""Price of a run that is twice as wide as its share."""
ONE_MORE = 12.0
"""Price of one part more than the fewest."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to be broken."""

    phrases: tuple[Phrase, ...]
    language: str

    @classmethod
    def of(cls, text: str, language: str) -> Text:
        """Take a plain text."""
        return cls(tuple(phrases(text, language)), language)

    def n_parts(self, n_lines: int) -> int:
        """How many parts of at most `n_lines` lines suit it: the fewest, or one more where that spares a bad break."""
        least = self._least(self._reach(n_lines))
        options = [n for n in (least, least + 1) if n <= len(self.phrases)]
        return min(options, key=lambda n: self._split(n, n_lines)[0] + (n - least) * ONE_MORE, default=0)

    def parts(self, n: int, n_lines: int) -> list[Text]:
        """Break it into `n` parts of at most `n_lines` lines each.

        More where it needs more, fewer where it has no more phrases.
        """
        n = min(max(n, self._least(self._reach(n_lines))), len(self.phrases))
        return [Text(self.phrases[start:end], self.language) for start, end in self._split(n, n_lines)[1]]

    def lines(self, n_lines: int) -> list[str]:
        """Break a part of at most so many lines into as few as it needs; none where nothing is left of it."""
        runs = self._split(min(self._least(self._reach(1)), n_lines), 1)[1]
        texts = ["".join(phrase.text for phrase in self.phrases[start:end]) for start, end in runs]
        return [line for text in texts if (line := at_line_end(text, self.language))]

    def _reach(self, n_lines: int) -> list[int]:
        """For each phrase: the one after the last that fits with it on so many lines."""
        limit = line_width(self.language)
        starts = self._starts()
        one: list[int] = []
        end = 0
        for start in range(len(self.phrases)):
            end = max(end, start + 1)
            while end < len(self.phrases) and starts[end] - starts[start] + self.phrases[end].width_at_end <= limit:
                end += 1
            one.append(end)
        one.append(len(self.phrases))
        reach = list(range(len(one)))
        for _ in range(n_lines):
            reach = [one[end] for end in reach]
        return reach

    def _starts(self) -> list[float]:
        """Width before each phrase, and of all."""
        return list(accumulate((phrase.width for phrase in self.phrases), initial=0.0))

    def _least(self, reach: Sequence[int]) -> int:
        n, at = 0, 0
        while at < len(self.phrases):
            at, n = reach[at], n + 1
        return n

    def _split(self, n: int, n_lines: int) -> tuple[float, list[tuple[int, int]]]:
        """The cheapest `n` runs of at most so many lines, and what they cost; there must be such."""
        total, starts = len(self.phrases), self._starts()
        reach, inner = self._reach(n_lines), self._inner_prices(n_lines)
        if n <= 1:
            return inner(0, total), [(0, total)] * n
        share = max(starts[total] / n, 1.0)
        costs: list[float] = [0.0] + [math.inf] * total
        came: list[list[int]] = []
        for _ in range(n):
            best, origin = [math.inf] * (total + 1), [0] * (total + 1)
            for start in range(total):
                if costs[start] == math.inf:
                    continue
                for end in range(start + 1, reach[start] + 1):
                    uneven = (starts[end] - starts[start]) / share - 1.0
                    price = self.phrases[end - 1].price if end < total else 0.0
                    cost = costs[start] + price + inner(start, end) + UNEVEN * uneven * uneven
                    if cost < best[end]:
                        best[end], origin[end] = cost, start
            costs = best
            came.append(origin)
        ends = [total]
        for origin in reversed(came):
            ends.append(origin[ends[-1]])
        return costs[total], list(pairwise(reversed(ends)))

    def _inner_prices(self, n_lines: int) -> Callable[[int, int], float]:
        """What the break inside a run costs that needs two lines."""
        one = self._reach(1)

        @functools.cache
        def price(start: int, end: int) -> float:
            if n_lines == 1 or end <= one[start]:
                return 0.0
            middles = range(start + 1, one[start] + 1)
            return min((self.phrases[middle - 1].price for middle in middles if end <= one[middle]), default=0.0)

        return price
