"""A picture of quality against delay: one point a policy, one panel a direction and cost model.

In: points. Out: a PNG file. What the figures are is the business of the measures.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live.errors import SettingsError
from live.files import replace_private

_PANEL = (5.2, 4.0)
"""Inches, width and height."""
_MARKS = "osD^vPX*<>ph"


@dataclass(frozen=True, slots=True)
class Point:
    """What one policy reaches in one direction under one cost model."""

    panel_row: str
    """The direction, as read by people."""
    panel_column: str
    """The cost model, as read by people."""
    policy: str
    delay_s: float
    """LongYAAL by the clock."""
    bleu: float
    is_ours: bool = False
    """Drawn in the foreground."""


def draw(points: Sequence[Point], file: Path) -> None:
    """Draw the points; a policy has the same mark in every panel.

    Args:
        points: at least one.
        file: PNG, replaced where it is there.

    Raises:
        SettingsError: matplotlib is missing.
        OSError: the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure  # by itself: no screen, and no state that outlives the call
    except ImportError as error:
        raise SettingsError(
            f"A picture needs matplotlib ({error}): `pip install 'tongchuan[eval]'`, or leave the picture out."
        ) from error
    rows, columns = _distinct(point.panel_row for point in points), _distinct(point.panel_column for point in points)
    policies = _distinct(point.policy for point in points)
    width, height = _PANEL
    figure = Figure(figsize=(width * len(columns), height * len(rows) + 1), layout="constrained")
    panels = figure.subplots(len(rows), len(columns), squeeze=False)
    for r, row in enumerate(rows):
        for c, column in enumerate(columns):
            panel = panels[r][c]
            panel.set_title(f"{row}, {column}")
            panel.set_xlabel("LongYAAL by the clock, s (less is sooner)")
            panel.set_ylabel("BLEU")
            panel.grid(visible=True, alpha=0.3)
            for point in points:
                if (point.panel_row, point.panel_column) == (row, column):
                    number = policies.index(point.policy)
                    look = {"marker": _MARKS[number % len(_MARKS)], "color": f"C{number % 10}", "label": point.policy}
                    size, layer = (110, 3) if point.is_ours else (50, 2)
                    panel.scatter(point.delay_s, point.bleu, s=size, zorder=layer, **look)
    marks: dict[str, Any] = {}
    for panel in figure.axes:
        handles, labels = panel.get_legend_handles_labels()
        marks |= dict(zip(labels, handles, strict=True))
    figure.legend(marks.values(), marks.keys(), loc="outside lower center", ncols=3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    replace_private(file, picture.getvalue())


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
