"""The comparison itself: talks played through policies, measured, scored and drawn.

In: a Plan, talks, the command's words. Out: a Report, and the files that were asked for besides it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from live.errors import RecordingError
from live.evaluation.simul.contestants import OURS
from ui.commands.evaluate_simul_table import Report, ScoredRow
from ui.saying import say

if TYPE_CHECKING:
    from live.evaluation.simul.chart import Point
    from live.evaluation.simul.player import Played
    from live.evaluation.simul.record import Playback, Talk
    from live.evaluation.simul.runner import Plan
    from live.evaluation.simul.table import Row


def compared(plan: Plan, talks: Sequence[Talk], arguments: argparse.Namespace) -> Report:
    """Play all, and measure it.

    Args:
        plan: what is played of each talk.
        talks: of both directions.
        arguments: jobs, logs, png and no_progress.

    Raises:
        LiveError: a policy cannot be built, a scorer failed, or a file cannot be written.
        ModelError: the model cannot be loaded, or it failed.
    """
    from live.evaluation.simul.chart import draw
    from live.evaluation.simul.comparison import masks_of, rows_of, verdicts
    from live.evaluation.simul.runner import found
    from ui.commands.evaluate_simul_table import comparison

    played = _played(talks, plan, arguments)
    rows = rows_of(played, found(plan))
    scored = _scored(rows, played, arguments.logs)
    if arguments.png is not None:
        draw([_point(row) for row in rows], arguments.png)
    notes = _notes(plan, rows, has_scores=bool(scored))
    tables = comparison(rows, scored, masks_of(played), verdicts(rows))
    return replace(tables, contestants=tuple(found(plan)), notes=notes)


def _played(talks: Sequence[Talk], plan: Plan, arguments: argparse.Namespace) -> list[Played]:
    from rich.console import Console
    from rich.progress import Progress

    from live.evaluation.simul.runner import play_all

    console = Console(file=sys.stderr)
    played: list[Played] = []
    n_played = 0
    with Progress(console=console, transient=True, disable=arguments.no_progress or not console.is_terminal) as bar:
        task = bar.add_task("Playing talks", total=len(talks))
        for results in play_all(talks, plan, min(arguments.jobs, len(talks))):
            played += results
            n_played += 1
            bar.advance(task)
            if bar.disable and not arguments.no_progress:
                say(f"{n_played} of {len(talks)} talks played.")
    return played


def _scored(rows: Sequence[Row], played: Sequence[Played], logs: Path | None) -> list[ScoredRow]:
    """What the field's own scorers say, where they are installed."""
    from live.evaluation.simul import scorers

    if scorers.environment() is None:
        if logs is not None:
            for row in rows:
                _write_logs(row, played, logs)
        return []
    with tempfile.TemporaryDirectory() as scratch:
        folder = logs or Path(scratch)
        return [(row, scorers.score(_of(row, played), row.mode, folder / _folder(row))) for row in rows]


def _write_logs(row: Row, played: Sequence[Played], logs: Path) -> None:
    from live.evaluation.simul.logs import write_logs

    try:
        write_logs(_of(row, played), row.mode, logs / _folder(row))
    except OSError as error:
        raise RecordingError(f"The logs cannot be written to {logs}: {error.strerror}.") from error


def _of(row: Row, played: Sequence[Played]) -> list[Playback]:
    """The playbacks that a line of the table is about."""
    return [
        each.playback
        for each in sorted(played, key=lambda each: each.playback.talk.name)
        if (each.playback.policy, each.cost_model, each.playback.talk.source, each.playback.talk.target)
        == (row.policy, row.cost_model, row.source, row.target)
    ]


def _folder(row: Row) -> str:
    name = f"{row.direction}-{row.policy}-{row.mode}-{row.cost_model}"
    return "".join(char if char.isalnum() or char in ".-" else "_" for char in name)


def _point(row: Row) -> Point:
    from live.evaluation.simul.chart import Point

    return Point(row.direction, row.cost_model, row.name, row.longyaal_ca_s, row.bleu, row.policy == OURS)


def _notes(plan: Plan, rows: Sequence[Row], *, has_scores: bool) -> tuple[str, ...]:
    """How the figures are to be read."""
    from live.evaluation.simul.comparison import too_easy

    notes = [
        "LongYAAL is behind the sound heard; by the clock, with waiting and computing. Follow, balanced: what that "
        "display mode shows; all others settled text alone.",
        "Costs: " + "; ".join(costs.name for costs in plan.costs) + ". Measured costs depend on what else ran here.",
    ]
    if not has_scores:
        notes.append("OmniSTEval and simulstream are not installed (`make eval-env`): all figures are our own.")
    notes += [
        f"{row.direction}: VAD-final is only {row.longyaal_s:.1f} s behind; these talks are too easy to compare on."
        for row in {row.direction: row for row in too_easy(rows)}.values()
    ]
    return tuple(notes)
