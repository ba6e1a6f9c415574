"""The comparison on paper: tables for the terminal and in Markdown, and figures for a file.

In: Rows and Verdicts. Out: text. What the figures are is live.evaluation.simul's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from live.evaluation.simul.comparison import Mask, Verdict
from live.evaluation.simul.table import Row

if TYPE_CHECKING:
    from live.evaluation.simul.contestants import Contestant
    from live.evaluation.simul.scorers import Scores

HEADINGS = (
    *("policy", "BLEU", "chrF", "of VAD-final", "StreamLAAL", "LongYAAL", "by the clock", "erasure"),
    *("first text p50/p95", "final p50/p95", "RTF", "prefilled/s", "decoded/s"),
)
SCORED_HEADINGS = ("policy", "BLEU", "chrF", "StreamLAAL", "LongYAAL", "by the clock", "erasure")
VERDICT_HEADINGS = ("target", "direction", "cost", "figure", "wanted", "")
_WIDEST = 1000
"""Columns that no table needs."""
Table = tuple[str, Sequence[str], list[list[str]]]
"""Title, headings, lines."""
ScoredRow = tuple[Row, "Scores"]


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to say."""

    tables: tuple[Table, ...]
    figures: Mapping[str, object]
    contestants: tuple[Contestant, ...] = ()
    notes: tuple[str, ...] = ()

    def show(self) -> None:
        """Print it, each table as wide as it needs to be."""
        for table in self.tables:
            _print(table)
        for note in self.notes:
            print(note)

    def markdown(self) -> str:
        """The tables, what the policies are, and what else is to be known."""
        parts = ["# Simultaneous translation\n"]
        for title, headings, lines in self.tables:
            rows = [headings, ["---"] + ["---:"] * (len(headings) - 1), *lines]
            parts.append(f"## {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")
        if self.contestants:
            parts.append(
                "## policies\n\n" + "\n".join(f"- {each.name}: {each.title}" for each in self.contestants) + "\n"
            )
        parts.append("\n".join(f"- {note}" for note in self.notes) + "\n")
        return "\n".join(parts)

    @property
    def data(self) -> Mapping[str, object]:
        """All figures, for --json."""
        return {**self.figures, "notes": self.notes}


def comparison(
    rows: Sequence[Row],
    scored: Sequence[ScoredRow],
    masks: Sequence[Mask],
    verdicts: Sequence[Verdict],
) -> Report:
    """The comparison of policies."""
    every = [*_tables(rows), *_scored_tables(scored)]
    if masks:
        every += [_mask_table(masks), _verdict_table(verdicts)]
    figures = {
        "rows": [asdict(row) for row in rows],
        "by_scorers": [
            {
                "policy": row.policy,
                "mode": row.mode,
                "cost_model": row.cost_model,
                "direction": row.direction,
                **asdict(scores),
            }
            for row, scores in scored
        ],
        "masks": [asdict(mask) for mask in masks],
        "targets": [{**asdict(verdict), "is_met": verdict.is_met} for verdict in verdicts],
    }
    return Report(tuple(every), figures)


def _tables(rows: Sequence[Row]) -> list[Table]:
    """A table a direction and cost model."""
    return [
        (
            f"{direction}, cost: {cost_model}",
            HEADINGS,
            [_cells(row) for row in rows if _place(row) == (direction, cost_model)],
        )
        for direction, cost_model in dict.fromkeys(map(_place, rows))
    ]


def _scored_tables(scored: Sequence[ScoredRow]) -> list[Table]:
    """The same of what the field's own scorers say."""
    return [
        (
            f"{direction}, cost: {cost_model}, by OmniSTEval and simulstream",
            SCORED_HEADINGS,
            [_scored_cells(*each) for each in scored if _place(each[0]) == (direction, cost_model)],
        )
        for direction, cost_model in dict.fromkeys(_place(row) for row, _ in scored)
    ]


def _verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Each target beside its figure."""
    lines = [
        [
            verdict.what,
            verdict.direction,
            verdict.cost_model,
            _number(verdict.figure),
            f"{'>=' if verdict.is_least else '<='} {verdict.target:g}",
            ("met" if verdict.is_met else "MISSED") + (f"; {verdict.note}" if verdict.note else ""),
        ]
        for verdict in verdicts
    ]
    return "targets", VERDICT_HEADINGS, lines


def _mask_table(masks: Sequence[Mask]) -> Table:
    """The displayed erasure of every mask, the one in use marked."""
    n_units = range(len(masks[0].erasures)) if masks else range(0)
    headings = ("hidden units", "cost", *map(str, n_units), "smallest that keeps the promise")
    lines = [
        [
            mask.direction,
            mask.cost_model,
            *(f"{erased:.3f}{'*' if n == mask.hidden else ''}" for n, erased in enumerate(mask.erasures)),
            "none" if mask.smallest is None else str(mask.smallest),
        ]
        for mask in masks
    ]
    return "displayed erasure by hidden units (* as Balanced hides)", headings, lines


def _place(row: Row) -> tuple[str, str]:
    return row.direction, row.cost_model


def _cells(row: Row) -> list[str]:
    return [
        row.name,
        f"{row.bleu:.1f}",
        f"{row.chrf:.1f}",
        "" if row.bleu_share is None else f"{100 * row.bleu_share:.1f} %",
        f"{row.streamlaal_s:.2f} s",
        f"{row.longyaal_s:.2f} s",
        f"{row.longyaal_ca_s:.2f} s",
        f"{row.erasure:.3f}",
        f"{_number(row.first_text_p50_s)} / {_number(row.first_text_p95_s)} s",
        f"{_number(row.final_p50_s)} / {_number(row.final_p95_s)} s",
        f"{row.realtime_factor:.3f}",
        f"{row.prefilled_per_s:.0f}",
        f"{row.decoded_per_s:.1f}",
    ]


def _scored_cells(row: Row, scores: Scores) -> list[str]:
    return [
        row.name,
        f"{scores.bleu:.1f}",
        f"{scores.chrf:.1f}",
        f"{scores.streamlaal_s:.2f} s",
        f"{scores.longyaal_s:.2f} s",
        f"{scores.longyaal_ca_s:.2f} s",
        f"{scores.erasure:.3f}",
    ]


def _number(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.2f}"


def _print(table: Table) -> None:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table as RichTable

    title, headings, lines = table
    grid = RichTable(title=title, title_justify="left")
    for n, heading in enumerate(headings):
        grid.add_column(heading, justify="left" if n == 0 else "right", no_wrap=True)
    for line in lines:
        grid.add_row(*line)
    console = Console(highlight=False)
    widest = Measurement.get(console, console.options.update(max_width=_WIDEST), grid).maximum
    Console(highlight=False, width=max(console.width, widest)).print(grid)
