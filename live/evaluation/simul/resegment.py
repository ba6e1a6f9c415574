"""One talk's text cut where its references end, so that sentences can be compared: the alignment of SoftSegmenter.

In: units of a talk's references, sentence by sentence, and of its hypothesis. Out: the sentence of each unit. It is
computed here so that the table needs no further environment; the field's own program says the same (scorers.py calls
it).

Source: Polak et al. 2025, "Better Late Than Never" (arXiv 2509.17349), as OmniSTEval 0.1.10 has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MARKS = frozenset(".!?,;:-()。！？，；：—（）ー")
"""Units that are aligned with no others."""
_NEVER = -np.inf


def sentence_of_each(
    references: Sequence[Sequence[str]], hypothesis: Sequence[str], *, is_char_level: bool
) -> list[int | None]:
    """Cut a hypothesis along its references.

    Args:
        references: the units of each sentence.
        hypothesis: units.
        is_char_level: units are characters, alike or not; words are alike by the characters they share.

    Returns:
        For each unit of the hypothesis the number of its sentence; None where none has a unit like it.
    """
    units = [unit for reference in references for unit in reference]
    owners = [number for number, reference in enumerate(references) for _ in reference]
    if not units or not hypothesis:
        return [None] * len(hypothesis)
    alike = _alike(units, hypothesis, is_char_level)
    steps = _aligned(alike)
    sentences: list[int | None] = [None] * len(hypothesis)
    last: int | None = None
    at = 0
    while at < len(steps):
        unit, place = steps[at]
        if unit is not None:
            last = unit
            if place is not None:
                sentences[place] = owners[unit]
            at += 1
            continue
        end = next((later for later in range(at, len(steps)) if steps[later][0] is not None), len(steps))
        following = steps[end][0] if end < len(steps) else None
        run = [place for _, place in steps[at:end] if place is not None]
        n_last = next(
            (n for n, place in enumerate(run) if _like(alike, following, place) > _like(alike, last, place)), len(run)
        )
        for n, place in enumerate(run):
            sentences[place] = _owner(last if n < n_last else following, owners)
        at = end
    return sentences


def _owner(unit: int | None, owners: Sequence[int]) -> int | None:
    return None if unit is None else owners[unit]


def _like(alike: NDArray[np.float64], unit: int | None, place: int) -> float:
    return _NEVER if unit is None else float(alike[unit, place])


def _alike(units: Sequence[str], hypothesis: Sequence[str], is_char_level: bool) -> NDArray[np.float64]:
    """How alike each reference unit and each hypothesis unit are. (references, hypothesis)."""
    here, there = sorted(set(units)), sorted(set(hypothesis))
    table = np.array([[_pair(one, other, is_char_level) for other in there] for one in here])
    rows, columns = (np.searchsorted(found, given) for found, given in ((here, units), (there, hypothesis)))
    return table[rows][:, columns]


def _pair(one: str, other: str, is_char_level: bool) -> float:
    if (one in MARKS) != (other in MARKS):
        return _NEVER
    if is_char_level:
        return float(one == other)
    shared, every = set(one) & set(other), set(one) | set(other)
    return len(shared) / len(every)


def _aligned(alike: NDArray[np.float64]) -> list[tuple[int | None, int | None]]:
    """The monotone alignment that is most alike, gaps for nothing: pairs of a reference and a hypothesis unit."""
    n, m = alike.shape
    best = np.zeros((n + 1, m + 1))
    for i in range(1, n + 1):
        taken = np.maximum(best[i - 1, :-1] + alike[i - 1], best[i - 1, 1:])
        best[i, 1:] = np.maximum.accumulate(np.maximum(taken, 0.0))
    steps: list[tuple[int | None, int | None]] = []
    i, j = n, m
    while i > 0 or j > 0:
        match = best[i - 1, j - 1] + alike[i - 1, j - 1] if i > 0 and j > 0 else _NEVER
        skipped = best[i - 1, j] if i > 0 else _NEVER
        added = best[i, j - 1] if j > 0 else _NEVER
        if i > 0 and j > 0 and match >= skipped and match >= added:
            i, j = i - 1, j - 1
            steps.append((i, j))
        elif i > 0 and skipped >= added:
            i -= 1
            steps.append((i, None))
        else:
            j -= 1
            steps.append((None, j))
    return steps[::-1]
