"""Gradients in, better weights out: Muon for matrices, AdamW for the rest, in fp32 whatever the network computes in.

In: modules and a step. Out: changed modules. The learning rate follows the share of the time budget that is spent, so
that a run ends when it should on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.embedded.recipe.muon import Muon

MUON_RATE = 2e-3
ADAM_RATE = 1e-3
WEIGHT_DECAY = 0.01
CLIP_NORM = 1.0
FLOOR = 0.02
"""Share of the full rate at the end of the cosine."""


def rate_share(step: int, spent: float, warmup_steps: int) -> float:
    """Share of the full learning rate: a linear warm-up by steps, then a cosine by the share of time spent (0 to 1)."""
    warm = min(1.0, (step + 1) / warmup_steps)
    return warm * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(spent, 1.0))))


class Optimiser:
    """Trains modules that may compute in bf16; what is summed up is kept in fp32."""

    def __init__(self, modules: Sequence[nn.Module], compute: torch.dtype, rate: float = 1.0) -> None:
        """Take all parameters that want a gradient.

        Args:
            modules: what is trained; all their parameters become `compute`.
            compute: type in which the network runs.
            rate: factor on both learning rates.
        """
        self._weights: list[nn.Parameter] = []
        self._masters: list[Tensor] = []
        matrices: list[Tensor] = []
        others: list[Tensor] = []
        for module in modules:
            for name, weight in module.named_parameters():
                master = weight.detach().float().clone()
                weight.data = weight.data.to(compute)
                if not weight.requires_grad:
                    continue
                self._weights.append(weight)
                self._masters.append(master)
                is_table = any(part in name for part in ("embed", "lm_head", "units"))
                (matrices if weight.ndim == 2 and not is_table else others).append(master)
        adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, foreach=True)
        self._groups: list[tuple[float, torch.optim.Optimizer]] = [(ADAM_RATE * rate, adam)]
        if matrices:  # the phone head has none
            self._groups.append((MUON_RATE * rate, Muon(matrices, weight_decay=WEIGHT_DECAY)))

    def step(self, share: float) -> float:
        """Apply the gradients at a share of the full rate, and clear them; returns their norm before clipping."""
        for weight, master in zip(self._weights, self._masters, strict=True):
            master.grad = None if weight.grad is None else weight.grad.float()
            weight.grad = None
        norm = float(nn.utils.clip_grad_norm_(self._masters, CLIP_NORM))
        if math.isfinite(norm):
            for rate, optimizer in self._groups:
                for group in optimizer.param_groups:
                    group["lr"] = rate * share
                optimizer.step()
            with torch.no_grad():
                for weight, master in zip(self._weights, self._masters, strict=True):
                    weight.copy_(master)
        return norm

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs, the fp32 weights included."""
        return {"masters": self._masters, "groups": [optimizer.state_dict() for _, optimizer in self._groups]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
        with torch.no_grad():
            for master, weight, saved in zip(self._masters, self._weights, state["masters"], strict=True):
                master.copy_(saved)
                weight.copy_(saved)
        for (_, optimizer), saved in zip(self._groups, state["groups"], strict=True):
            optimizer.load_state_dict(saved)

    def full_precision(self) -> None:
        """Give the modules their fp32 weights, to be measured or written; training ends with this."""
        for weight, master in zip(self._weights, self._masters, strict=True):
            weight.data = master.detach().clone()
