"""All that was played, as lines of the table: policies side by side, and what they are held against.

In: Played, contestants. Out: Rows in the order of the table, and Verdicts on the targets of the project's own lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from live.evaluation.simul.contestants import (
    LOCAL_AGREEMENT,
    OURS,
    REDECODING,
    SLOW,
    VAD_FINAL,
    WITH_CUTS,
    Contestant,
)
from live.evaluation.simul.costs import Measured
from live.evaluation.simul.measures import erasure_hiding, measure
from live.evaluation.simul.player import Played
from live.evaluation.simul.record import Playback
from live.evaluation.simul.table import Row
from live.policy.modes import hidden_units

EASY_BELOW_S = 4.0
"""A set on which waiting for the end of each utterance is no further behind than this is too easy."""
LEAST_BLEU_SHARE = 0.97
MOST_DELAY_SHARE = 0.5
"""Of VAD-final's LongYAAL, computation-unaware."""
MARKS_S = {("en", "zh"): 2.0, ("zh", "en"): 2.5}
"""LongYAAL that is good in itself, by direction."""
MOST_ERASURE = {"reading": 0.0, "balanced": 0.05, "follow": 0.25}
FIRST_TEXT_P50_S = 1.5
FINAL_P95_S = 0.8
MOST_OF_LOCAL_AGREEMENT = {True: 1.0, False: 0.95}
"""Of its computation-aware LongYAAL, by whether costs are measured."""
MOST_OF_REDECODING = 0.75
PEERS = (LOCAL_AGREEMENT, LOCAL_AGREEMENT + WITH_CUTS, REDECODING)
"""Those ours is compared with at equal BLEU."""
SAME_BLEU = 0.3
"""Points no further apart count as equally good: less is chance."""
MOST_HIDDEN = 10
"""Units: masks up to this are tried."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target of the project's own policy."""

    what: str
    direction: str
    cost_model: str
    figure: float | None
    target: float
    is_least: bool = False
    """The figure should be at least the target; otherwise at most."""
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it is; a figure that is missing meets nothing."""
        if self.figure is None:
            return False
        return self.figure >= self.target if self.is_least else self.figure <= self.target


def rows_of(played: Sequence[Played], contestants: Sequence[Contestant]) -> list[Row]:
    """The lines of the table: by direction, cost model, policy and display mode."""
    rows = []
    for source, target in sorted({(each.playback.talk.source, each.playback.talk.target) for each in played}):
        here = [each for each in played if (each.playback.talk.source, each.playback.talk.target) == (source, target)]
        for cost_model in dict.fromkeys(each.cost_model for each in here):
            costed = [each for each in here if each.cost_model == cost_model]
            rows += _of_group(costed, contestants)
    return rows


def _of_group(played: Sequence[Played], contestants: Sequence[Contestant]) -> list[Row]:
    by_policy: dict[str, list[Played]] = {}
    for each in sorted(played, key=lambda each: each.playback.talk.name):
        by_policy.setdefault(each.playback.policy, []).append(each)
    best = measure(by_policy[VAD_FINAL], "reading").bleu if VAD_FINAL in by_policy else None
    return [
        measure(by_policy[contestant.name], mode, best)
        for contestant in contestants
        if contestant.name in by_policy
        for mode in contestant.modes
    ]


@dataclass(frozen=True, slots=True)
class Mask:
    """What hiding the last units of our tentative text would do to the displayed erasure."""

    direction: str
    cost_model: str
    erasures: tuple[float, ...]
    """By how many units are hidden, from none on."""
    hidden: int
    """How many Balanced hides."""

    @property
    def smallest(self) -> int | None:
        """The fewest hidden units that keep Balanced's promise; None where none of these do."""
        return next((n for n, erased in enumerate(self.erasures) if erased <= MOST_ERASURE["balanced"]), None)


def masks_of(played: Sequence[Played]) -> list[Mask]:
    """Every mask for our policy, by direction and cost model."""
    groups: dict[tuple[str, str, str], list[Playback]] = {}
    for each in played:
        talk = each.playback.talk
        if each.playback.policy == OURS:
            groups.setdefault((talk.source, talk.target, each.cost_model), []).append(each.playback)
    return [
        Mask(
            f"{source}-{target}",
            cost_model,
            tuple(erasure_hiding(playbacks, n) for n in range(MOST_HIDDEN + 1)),
            hidden_units(target),
        )
        for (source, target, cost_model), playbacks in sorted(groups.items(), key=lambda item: item[0])
    ]


def too_easy(rows: Sequence[Row]) -> list[Row]:
    """VAD-final's lines that show a direction's talks to be too easy."""
    return [row for row in rows if row.policy == VAD_FINAL and row.longyaal_s < EASY_BELOW_S]


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """The targets of our own policy, met and missed; those without lines to compare with are left out."""
    found = {(row.direction, row.cost_model, row.policy, row.mode): row for row in rows}
    ours = [row for row in rows if row.policy == OURS]
    judged: list[Verdict] = []
    for row in ours:
        at = (row.direction, row.cost_model)
        is_measured = row.cost_model == Measured().name
        if is_measured:
            judged.append(Verdict(f"displayed erasure, {row.mode}", *at, row.erasure, MOST_ERASURE[row.mode]))
        if row.mode == "balanced":
            judged.append(Verdict("time to first text p50, s", *at, row.first_text_p50_s, FIRST_TEXT_P50_S))
        if row.mode != "reading":
            continue
        judged.append(Verdict("end of speech to final p95, s", *at, row.final_p95_s, FINAL_P95_S))
        if is_measured:
            judged += _against_vad_final(row, found.get((*at, VAD_FINAL, "reading")))
        settled = {key[2]: each for key, each in found.items() if key[:2] == at and key[3] == "reading"}
        peers = {name: _paces(name, settled) for name in PEERS}
        judged += _against_peers(row, is_measured, peers)
    return judged


def _paces(name: str, rows: Mapping[str, Row]) -> list[Row]:
    """A peer's lines at both paces; none where it was not played as often as ours."""
    return [rows[name], *([rows[name + SLOW]] if name + SLOW in rows else [])] if name in rows else []


def _against_vad_final(row: Row, vad_final: Row | None) -> list[Verdict]:
    if vad_final is None:
        return []
    at = (row.direction, row.cost_model)
    return [
        Verdict("settled BLEU, share of VAD-final's", *at, row.bleu_share, LEAST_BLEU_SHARE, is_least=True),
        Verdict("settled LongYAAL, share of VAD-final's", *at, row.longyaal_s / vad_final.longyaal_s, MOST_DELAY_SHARE),
        Verdict("settled LongYAAL, s", *at, row.longyaal_s, MARKS_S.get((row.source, row.target), MARKS_S["zh", "en"])),
    ]


def _against_peers(row: Row, is_measured: bool, peers: Mapping[str, Sequence[Row]]) -> list[Verdict]:
    most = dict.fromkeys(PEERS, MOST_OF_LOCAL_AGREEMENT[is_measured]) | {REDECODING: MOST_OF_REDECODING}
    return [
        _delay_share(row, name, points, most[name])
        for name, points in peers.items()
        if points and not (name == REDECODING and is_measured)
    ]


def _delay_share(row: Row, name: str, points: Sequence[Row], most: float) -> Verdict:
    """How far behind, by the clock, beside a peer at equal BLEU, or as near to it as the peer comes."""
    useful = [point for point in points if not any(_is_better(other, point) for other in points)]
    by_quality = sorted(useful, key=lambda point: point.bleu)
    bleus, delays = [point.bleu for point in by_quality], [point.longyaal_ca_s for point in by_quality]
    delay_s = float(np.interp(row.bleu, bleus, delays))
    reached = float(np.clip(row.bleu, bleus[0], bleus[-1]))
    return Verdict(
        f"LongYAAL by the clock at equal BLEU, as a share of that of: {name}",
        row.direction,
        row.cost_model,
        row.longyaal_ca_s / delay_s,
        most,
        note=f"{row.longyaal_ca_s:.2f} s at BLEU {row.bleu:.1f} beside {delay_s:.2f} s at {reached:.1f}",
    )


def _is_better(other: Row, row: Row) -> bool:
    """Whether another pace of the same policy is earlier, and no worse."""
    return other.bleu >= row.bleu - SAME_BLEU and other.longyaal_ca_s < row.longyaal_ca_s
