"""The whole recipe in order: data, encoder, text, joint, checkpoint; each stage is taken up where it was left.

In: a working folder, budgets. Out: models/embedded's checkpoint. A finished stage costs nothing the second time: its
file in the working folder holds all of it. Where a checkpoint is there already, training goes on from its weights with
fresh data and a short warm-up; that is how quality adds up.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from models.base import Samples, Task
from models.embedded.recipe import batches, dataset, device, export, run, score, speech, train
from models.embedded.recipe.batches import Batch
from models.embedded.recipe.model import PhoneHead, build_model
from models.embedded.recipe.run import Stage
from models.qwen_audio.tokenizer import Tokenizer

Show = Callable[[str], None]

RESUMED_RATE = 0.4
"""Share of the learning rates where the weights are trained already."""
RESUMED_WARMUP_STEPS = 150
DATA_SHOWN_EVERY = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each stage takes, and where it works."""

    work: Path
    n_shards: int = 60
    encoder_s: float = 10 * 60
    text_s: float = 8 * 60
    head_s: float = 75
    joint_s: float = 55 * 60
    piece_s: float = math.inf
    """After so long the run stops, to be taken up by the same command."""
    rate: float = RESUMED_RATE
    n_threads: int = 2
    is_fresh: bool = False
    """Train from nothing although a checkpoint is there."""
    checkpoint: Path = export.FOLDER


class Recipe:
    """Runs the stages of a plan."""

    def __init__(self, plan: Plan, show: Show) -> None:
        torch.set_flush_denormal(True)  # before the first thread is made, which takes it over
        torch.set_num_threads(plan.n_threads)
        self._ends_at = time.monotonic() + plan.piece_s
        self._plan = plan
        self._show = show
        self._data = plan.work / "data"
        plan.work.mkdir(parents=True, exist_ok=True)
        self._run = self._begin()
        torch.manual_seed(int(str(self._run["seed"])))
        self._rng = random.Random(f"batches/{self._run['seed']}/{time.time_ns()}")
        self._tokenizer = Tokenizer.from_folder(plan.checkpoint)
        self._device = device.choose()
        self._model = build_model(export.config_of(self._tokenizer)).to(self._device)
        self._compute = device.fastest_type(self._device)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def _begin(self) -> dict[str, object]:
        """The run's seed and origin, drawn once and kept until its folder is removed."""
        path = self._plan.work / "run.json"
        if not path.exists():
            has_weights = (self._plan.checkpoint / export.WEIGHTS).exists()
            begun = {"seed": random.SystemRandom().getrandbits(31), "goes_on": has_weights and not self._plan.is_fresh}
            path.write_text(json.dumps(begun), "utf-8")
        kept: dict[str, object] = json.loads(path.read_text("utf-8"))
        return kept

    def make_data(self) -> None:
        """Make the shards that are not there yet; those of an older recipe are made anew."""
        plan = self._plan
        stale = dataset.discard_stale(self._data)
        if stale:
            self._show(f"data: {stale} shards of an older grammar or recipe are removed and made anew")
        if not speech.has_flite():
            self._show("data: flite is not installed (libflite1), so all English is spoken by espeak-ng")
        missing = [n for n in range(plan.n_shards) if not dataset.shard_path(self._data, n).exists()]
        began = time.monotonic()
        seed = int(str(self._run["seed"]))
        made = dataset.make_shards(
            self._data,
            seed,
            missing,
            n_processes=plan.n_threads,
            show=lambda line: self._show(f"data: {line}"),
            is_over=self._is_over,
        )
        for done, _ in enumerate(made, start=1):
            if done % DATA_SHOWN_EVERY == 0:
                left = (time.monotonic() - began) / done * (len(missing) - done) / 60
                self._show(f"data: {done} of {len(missing)} shards, {left:.1f} min left")
        self._show(f"data: {len(dataset.shards(self._data))} of {plan.n_shards} shards")

    def train(self) -> bool:
        """Run the stages of training; write the checkpoint every few minutes of the last one, and at the end.

        Returns:
            Whether all is done; if not, the piece's time is over.
        """
        if self._is_over():
            return False
        plan = self._plan
        stream = self._batches()
        n_units = len(dataset.units_of(self._data)) + 1
        head = train.new_phone_head(n_units).to(self._device)
        if self._run["goes_on"]:
            is_ready = self._take_up(head, stream)
            options = {"rate": plan.rate, "warmup_steps": RESUMED_WARMUP_STEPS}
        else:
            is_ready, options = self._pretrain(head, n_units, stream), {}
        if not is_ready:
            return False
        joint = train.joint_stage(
            self._model, head, plan.joint_s, plan.work / "joint.pt", self._compute, on_save=self.write, **options
        )
        if not self._finish(joint, stream):
            return False
        self.write()
        return True

    def _finish(self, stage: Stage, stream: Iterator[Batch]) -> bool:
        """Run a stage; returns whether it is done, which it is not where the piece's time is over before."""
        return run.train(stage, stream, self._show, self._is_over).is_done(stage.budget_s)

    def _take_up(self, head: PhoneHead, stream: Iterator[Batch]) -> bool:
        """Start from the checkpoint, which has no phone head: a new one learns to follow it."""
        plan, model = self._plan, self._model
        model.load_state_dict(export.read_weights(plan.checkpoint), strict=True)
        return self._finish(train.head_stage(model, head, plan.head_s, plan.work / "head.pt", self._compute), stream)

    def _pretrain(self, head: PhoneHead, n_units: int, stream: Iterator[Batch]) -> bool:
        plan, model = self._plan, self._model
        prefix = train.PhonePrefix(n_units).to(self._device)
        encoder = train.encoder_stage(model, head, plan.encoder_s, plan.work / "encoder.pt", self._compute)
        text = train.text_stage(model, prefix, plan.text_s, plan.work / "text.pt", self._compute)
        if not (self._finish(encoder, stream) and self._finish(text, stream)):
            return False
        if not (plan.work / "joint.pt").exists():
            explained = train.merge(model, head, prefix, stream)
            self._show(f"merge: the projector explains {explained:.2f} of the variance")
        return True

    def _batches(self) -> Iterator[Batch]:
        items = dataset.item_order(self._data, self._rng)
        return device.moved(batches.batch_stream(items, self._tokenizer, self._rng), self._device)

    def write(self) -> None:
        """Write the checkpoint with the weights as they are now, and what it is verified by."""
        export.write_checkpoint(self._model, self._model.state_dict(), self._plan.checkpoint)
        export.write_expected(self._plan.checkpoint, self._reference_clips)
        self._show(f"checkpoint: written to {self._plan.checkpoint}")

    @cached_property
    def _reference_clips(self) -> list[tuple[Samples, str, Task]]:
        """Spoken once a run: every call of a synthesiser may end the process."""
        return score.reference_clips()
