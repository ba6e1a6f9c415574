"""One training stage under a time budget: steps, progress, saving, taking up again after an interruption.

In: a loss for a batch, modules, batches, a budget. Out: trained modules and a file to go on from. What is learnt is the
stage's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from models.embedded.recipe.batches import Batch
from models.embedded.recipe.optimise import Optimiser, rate_share

SAVE_EVERY_S = 300.0
SHOW_EVERY_S = 20.0
WARMUP_STEPS = 60
SMOOTHING = 0.98


@dataclass(slots=True)
class Progress:
    """Where a stage stands."""

    steps: int = 0
    clips: int = 0
    spent_s: float = 0.0
    means: dict[str, float] = field(default_factory=dict)

    def is_done(self, budget_s: float) -> bool:
        return self.spent_s >= budget_s

    def note(self, losses: dict[str, float], n_clips: int, seconds: float) -> None:
        self.steps += 1
        self.clips += n_clips
        self.spent_s += seconds
        decay = min(SMOOTHING, 1 - 1 / self.steps)
        for name, value in losses.items():
            self.means[name] = decay * self.means.get(name, 0.0) + (1 - decay) * value

    def line(self, stage: str, budget_s: float) -> str:
        left = max(budget_s - self.spent_s, 0.0) / 60
        means = "  ".join(f"{name} {value:.3f}" for name, value in self.means.items())
        rate = self.clips / max(self.spent_s, 1e-9)
        return f"{stage}: step {self.steps}  {self.clips} clips  {rate:.1f}/s  {means}  {left:.1f} min left"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage is."""

    name: str
    modules: Sequence[nn.Module]
    loss: Callable[[Batch], tuple[Tensor, dict[str, float]]]
    """The sum to minimise, and its parts to show."""
    budget_s: float
    state: Path
    """File to go on from."""
    compute: torch.dtype = torch.float32
    rate: float = 1.0
    warmup_steps: int = WARMUP_STEPS
    on_save: Callable[[], None] | None = None
    """Told each time the state is saved on the way."""


def train(
    stage: Stage,
    batches: Iterator[Batch],
    show: Callable[[str], None],
    is_over: Callable[[], bool] = lambda: False,
) -> Progress:
    """Run a stage until its budget is spent or the time is over, taking up an interrupted run.

    The modules end in fp32; the state is saved, and `on_save` is not told of this last time.
    """
    optimiser = Optimiser(stage.modules, stage.compute, stage.rate)
    progress = Progress()
    if stage.state.exists():
        saved = torch.load(stage.state, map_location="cpu", weights_only=True)
        optimiser.restore(saved["optimiser"])
        progress = Progress(**saved["progress"])
    saved_at = shown_at = begun_at = progress.spent_s
    shown = ""
    while not progress.is_done(stage.budget_s) and not is_over():
        began = time.monotonic()
        batch = next(batches)
        total, parts = stage.loss(batch)
        total.backward()  # type: ignore[no-untyped-call]
        parts["norm"] = optimiser.step(
            rate_share(progress.steps, progress.spent_s / stage.budget_s, stage.warmup_steps)
        )
        progress.note(parts, len(batch.lengths), time.monotonic() - began)
        if progress.spent_s - shown_at >= SHOW_EVERY_S:
            shown_at = progress.spent_s
            shown = progress.line(stage.name, stage.budget_s)
            show(shown)
        if progress.spent_s - saved_at >= SAVE_EVERY_S:
            saved_at = progress.spent_s
            _save(stage, optimiser, progress)
            if stage.on_save is not None:
                stage.on_save()
    if progress.spent_s > begun_at:
        _save(stage, optimiser, progress)
    optimiser.full_precision()
    last = progress.line(stage.name, stage.budget_s)
    if last != shown:
        show(last)
    return progress


def _save(stage: Stage, optimiser: Optimiser, progress: Progress) -> None:
    part = stage.state.with_suffix(".part")
    fields = {"steps": progress.steps, "clips": progress.clips, "spent_s": progress.spent_s, "means": progress.means}
    torch.save({"optimiser": optimiser.state(), "progress": fields}, part)
    part.replace(stage.state)
