"""One line of the comparison, and the targets that the project's own lines are held against.

In: figures. Out: Rows, as tables, charts and files take them. How figures come about is measures' business.
"""

from __future__ import annotations

from dataclasses import dataclass

from live.events import Mode


@dataclass(frozen=True, slots=True)
class Row:
    """A policy, as one display mode shows it, under one cost model, in one direction."""

    policy: str
    mode: Mode
    """What of its captions is displayed, and so measured."""
    cost_model: str
    """What the clock advanced by: "measured", or the name of a costs.Rates."""
    source: str
    target: str
    bleu: float
    """Of the text that stands at the end, 0 to 100."""
    chrf: float
    bleu_share: float | None
    """Of VAD-final's BLEU, 1.0 where equal; None where that was not played."""
    streamlaal_s: float
    longyaal_s: float
    """Computation-unaware: by the sound heard when it was asked for."""
    longyaal_ca_s: float
    """Truly computation-aware: by when it appeared, waiting included."""
    erasure: float
    """Displayed characters taken back for each one that stands at the end."""
    first_text_p50_s: float | None
    """From where speech began to its first displayed text."""
    first_text_p95_s: float | None
    final_p50_s: float | None
    """From where speech ended to the last change of its text."""
    final_p95_s: float | None
    realtime_factor: float
    """Seconds of computing for a second of sound."""
    prefilled_per_s: float
    """Tokens prefilled for a second of sound."""
    decoded_per_s: float
    """Tokens decoded for a second of sound."""

    @property
    def name(self) -> str:
        """As it stands in the table: the policy, and the mode where it matters which."""
        return self.policy if self.mode == "reading" else f"{self.policy}, {self.mode}"

    @property
    def direction(self) -> str:
        """Such as "en-zh"."""
        return f"{self.source}-{self.target}"
