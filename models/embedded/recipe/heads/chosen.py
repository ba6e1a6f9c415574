"""Which heads point best, what holds pieces back by them, and how sure a piece must be to be settled without.

In: what watched saw. Out: choices, and figures about them. The half of the clips on which something is chosen never
tells what it is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.embedded.recipe.heads.watched import HOLDS, Aimed, Written
from models.pointers import MIN_AUC, Head

SET_SIZES = (1, 2, 4, 8)
"""How many of the best heads are tried together."""
ALLOWED_WRONG = 0.001
"""Share of pieces settled on first sight that may turn out wrong."""
_DIGITS = 4

Values = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Aim:
    """How well one head follows the words."""

    head: Head
    error_s: float
    """Mean distance from the word."""
    rises: float
    """Share of pieces that do not point back."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds a piece back: it points among the last tokens, or has too much of its attention there."""

    set: int
    hold: int
    """Which of HOLDS."""
    tail_mass_below: float = 1.0


@dataclass(frozen=True, slots=True)
class Worth:
    """What a rule does: shares of the wrong pieces and of the right ones."""

    auc: float
    caught: float
    held_for_nothing: float


def ranked(aimed: Sequence[Aimed], heads: Sequence[Head]) -> list[Aim]:
    """Heads by how near to the words they point, the nearest first.

    Raises:
        ValueError: no word has a time.
    """
    errors = np.concatenate([each.errors_s for each in aimed])
    if not len(errors):
        raise ValueError("heads need words whose times are known")
    rises = np.mean([each.rises for each in aimed], axis=0)
    aims = [Aim(*each) for each in zip(heads, errors.mean(axis=0).tolist(), rises.tolist(), strict=True)]
    return sorted(aims, key=lambda aim: aim.error_s)


def candidates(aims: Sequence[Aim]) -> list[tuple[Head, ...]]:
    """The best heads alone and together."""
    sizes = sorted({min(size, len(aims)) for size in SET_SIZES})
    return [tuple(sorted(aim.head for aim in aims[:size])) for size in sizes]


def auc(wrong: Values, right: Values) -> float:
    """The share of pairs in which the wrong one has the higher value, ties half; 0 where there is no pair."""
    if not len(wrong) or not len(right):
        return 0.0
    ordered = np.sort(right)
    below = np.searchsorted(ordered, wrong, "left") + np.searchsorted(ordered, wrong, "right")
    return float(np.mean(below / 2 / len(ordered)))


def choose_set(written: Sequence[Written], hold: int) -> Rule:
    """The set of heads that tells wrong pieces from right ones best, with a hold, and its threshold of the mass."""
    n_sets = len(written[0].behind)
    best = max(range(n_sets), key=lambda number: _auc_of(written, Rule(number, hold)))
    wrong, right = _by_truth(written, lambda each: _score(each, Rule(best, hold)))
    # The threshold that catches most of the wrong ones for the right ones that it holds.
    thresholds = np.unique(np.concatenate([wrong[wrong < 1], [1.0]]))
    gains = [_share(wrong >= at) - _share(right >= at) for at in thresholds]
    return Rule(best, hold, round(float(thresholds[int(np.argmax(gains))]), _DIGITS))


def choose_hold(texts: Sequence[Sequence[Written]]) -> int:
    """Which of HOLDS serves the texts of one direction best together."""

    def total(hold: int) -> float:
        return sum(max(_auc_of(text, Rule(number, hold)) for number in range(len(text[0].behind))) for text in texts)

    return max(range(len(HOLDS)), key=total)


def worth(written: Sequence[Written], rule: Rule) -> Worth:
    """What a rule does to pieces that it was not chosen on."""
    wrong, right = _by_truth(written, lambda each: _score(each, rule))
    caught, held_for_nothing = (_share(values >= rule.tail_mass_below) for values in (wrong, right))
    return Worth(auc(wrong, right), caught, held_for_nothing)


def auc_of_logprob(written: Sequence[Written]) -> float:
    """How well a piece's own log-probability tells the wrong ones."""
    return auc(*_by_truth(written, lambda each: -each.logprobs))


def choose_sure(written: Sequence[Written]) -> float | None:
    """The lowest log-probability above which no more than ALLOWED_WRONG are wrong; None where it tells too little.

    A piece counts with the least of its own and of those before it: texts are settled in order.
    """
    if not auc_of_logprob(written) >= MIN_AUC:
        return None
    wrong, right = _by_truth(written, _surest)
    for threshold in np.unique(np.concatenate([wrong, right])):
        n_wrong, n_right = int(np.sum(wrong > threshold)), int(np.sum(right > threshold))
        if n_wrong <= ALLOWED_WRONG * (n_wrong + n_right):
            return round(float(threshold), _DIGITS)
    return None


def settled(written: Sequence[Written], sure_above: float) -> tuple[float, float]:
    """Of all pieces at first sight, the share settled by it; and of those the share that is wrong."""
    n_wrong, n_right = (int(np.sum(values > sure_above)) for values in _by_truth(written, _surest))
    n_settled = n_wrong + n_right
    return n_settled / max(sum(len(each.logprobs) for each in written), 1), n_wrong / max(n_settled, 1)


def share_wrong(written: Sequence[Written]) -> float:
    """Of all pieces at first sight, the share that is wrong."""
    return sum(each.is_wrong for each in written) / max(sum(len(each.logprobs) for each in written), 1)


def _score(written: Written, rule: Rule) -> Values:
    """Above 1 where a piece points into the hold, else the mass of its attention there: higher is held sooner."""
    in_hold = written.behind[rule.set] <= HOLDS[rule.hold]
    score: Values = in_hold + written.masses[rule.set, :, rule.hold]
    return score


def _surest(written: Written) -> Values:
    least: Values = np.minimum.accumulate(written.logprobs)
    return least


def _share(are: NDArray[np.bool_]) -> float:
    return float(are.mean()) if len(are) else 0.0


def _auc_of(written: Sequence[Written], rule: Rule) -> float:
    return auc(*_by_truth(written, lambda each: _score(each, rule)))


def _by_truth(written: Sequence[Written], value: Callable[[Written], Values]) -> tuple[Values, Values]:
    """Values of the wrong pieces, and of the right ones."""
    values = [value(each) for each in written]
    wrong = [own[-1:] for own, each in zip(values, written, strict=True) if each.is_wrong]
    right = [own[:-1] if each.is_wrong else own for own, each in zip(values, written, strict=True)]
    nothing = [np.zeros(0)]
    return np.concatenate(wrong or nothing), np.concatenate(right or nothing)
