"""Where training computes: the one place that knows processors from graphics cards.

In: nothing, or what is to be moved. Out: a device, the number type that is fastest there, batches that lie there.
No test has run this on a graphics card.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields, replace

import torch
from torch import Tensor

from models.embedded.recipe.batches import Batch
from models.embedded.recipe.model import Layout


def choose() -> torch.device:
    """The graphics card where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fastest_type(device: torch.device) -> torch.dtype:
    """bf16 or fp32, whichever multiplies faster there: processors differ by a factor of four, either way."""
    seconds = {}
    for dtype in (torch.bfloat16, torch.float32):
        x, w = (torch.randn(size, dtype=dtype, device=device) for size in ((4000, 256), (256, 768)))
        float((x @ w).sum())  # waits for the result
        began = time.perf_counter()
        for _ in range(10):
            y = x @ w
        float(y.sum())
        seconds[dtype] = time.perf_counter() - began
    return min(seconds, key=seconds.__getitem__)


def moved(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The batches, on a device."""
    for batch in batches:
        yield replace(
            batch,
            mel=batch.mel.to(device),
            lengths=batch.lengths.to(device),
            labels=batch.labels.to(device),
            layout=_moved_layout(batch.layout, device),
        )


def _moved_layout(layout: Layout, device: torch.device) -> Layout:
    tensors: dict[str, Tensor] = {field.name: getattr(layout, field.name).to(device) for field in fields(layout)}
    return Layout(**tensors)
