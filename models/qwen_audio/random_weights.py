"""A model of some shape with random weights: what it costs to compute, without what it knows.

In: a layout. Out: a Checkpoint, filled on its device. For measuring; what it writes means nothing.
"""

from __future__ import annotations

import math

import torch

from models.precision import Quant
from models.qwen_audio.checkpoint import Checkpoint, assign, build_on_meta, finished
from models.qwen_audio.layouts import Layout
from models.qwen_audio.quantize import check

SEED = 6


def random_checkpoint(layout: Layout, device: torch.device, dtype: torch.dtype, quant: Quant = "none") -> Checkpoint:
    """Build a model where it is to compute; no more than one of its tensors stands in memory twice.

    Args:
        layout: its shape.
        device: where.
        dtype: of what is not quantized.
        quant: how the weights of linear layers are held.

    Raises:
        ModelLoadError: what the precision needs is not here.
    """
    check(quant, device)
    model = build_on_meta(layout)
    chance = torch.Generator(device).manual_seed(SEED)
    for name, parameter in list(model.named_parameters()):
        tensor = torch.zeros(parameter.shape, device=device, dtype=dtype)
        if parameter.dim() > 1:
            tensor.normal_(std=1 / math.sqrt(parameter[0].numel()), generator=chance)
        elif name.endswith("norm.weight"):
            tensor.fill_(1.0)
        assign(model, (name,), tensor, quant)
    return finished(model, layout)
