"""Weights in 8 or 4 bits: each linear layer is quantized as soon as its weight is there.

In: a model and the name of one of its linear layers, filled and on its device. Out: the same layer in a lower
precision. What is in which precision, and what that takes, is models/precision.py's business.

No weight stands on the device twice for longer than one layer takes, so that a model that fits quantized can be loaded
where it would not fit otherwise. torchao is used where it keeps the compiled step; optimum's part is optimum-quanto,
which makes int8 on the processor and on Apple's GPU; nf4 is bitsandbytes'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from models.base import ModelLoadError
from models.precision import HELD, INT4_GROUP, NF4_BLOCK, Part, Quant, missing, package

_NAMES: Mapping[Part, str] = {
    "blocks": r"model\.language_model\.layers\..+",
    "head": r"lm_head",
    "encoder": r"model\.audio_tower\.layers\..+",
}
_INT4: torch.dtype = getattr(torch, "int4")  # noqa: B009 - torch's own stubs lack it
_SMALLEST_GROUP = 32
"""Values that share a scale at least; a layer whose rows cannot be divided so stays as it is."""


def check(quant: Quant, device: torch.device) -> None:
    """See that a precision can be made on a device.

    Raises:
        ModelLoadError: its package is not installed, or the device does not compute so.
    """
    if command := missing(quant, device.type):
        raise ModelLoadError(f"The precision {quant} needs a package that is not installed: {command}.")
    if quant == "int4" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise ModelLoadError("This GPU does not compute in bfloat16, which int4 needs: choose --quant int8 or nf4.")


def held_as(model: nn.Module, name: str, quant: Quant) -> Quant:
    """How a module of a model in some precision is held: "none" where it stays as it is.

    Args:
        model: the whole model.
        name: of a module, as the model's `named_modules` has it.
        quant: the precision of the model.
    """
    part = next((part for part, pattern in _NAMES.items() if re.fullmatch(pattern, name)), None)
    layer = model.get_submodule(name)
    if part is None or not isinstance(layer, nn.Linear):
        return "none"
    held = HELD[quant].get(part, "none")
    divisor = {"none": 1, "int8": 1, "int4": _SMALLEST_GROUP, "nf4": NF4_BLOCK}[held]
    return held if layer.in_features % divisor == 0 else "none"


def quantize_layer(model: nn.Module, name: str, quant: Quant) -> None:
    """Put a layer, where it is not to stay as it is, into its precision; its bias stays exact, and may come later.

    Args:
        model: the whole model.
        name: of a module whose weight is there.
        quant: the precision of the model.
    """
    held = held_as(model, name, quant)
    if held == "none":
        return
    owner_name, _, leaf = name.rpartition(".")
    owner, layer = model.get_submodule(owner_name), model.get_submodule(name)
    assert isinstance(layer, nn.Linear), "others stay as they are"
    match package(quant, layer.weight.device.type):
        case "bitsandbytes":
            setattr(owner, leaf, _by_bitsandbytes(layer, held))
        case "torchao":
            _by_torchao(layer, held)
        case _:
            _by_quanto(owner, leaf)


def _by_torchao(layer: nn.Linear, quant: Quant) -> None:
    from torchao import quantization
    from torchao.quantization.granularity import PerGroup

    config: Any
    if quant == "int8":
        config = quantization.Int8WeightOnlyConfig()
    elif layer.weight.device.type == "cuda":
        config = quantization.Int4WeightOnlyConfig(
            group_size=_group(layer),
            int4_packing_format="tile_packed_to_4d",
            int4_choose_qparams_algorithm="hqq",
        )
    else:
        config = quantization.IntxWeightOnlyConfig(
            weight_dtype=_INT4,
            granularity=PerGroup(_group(layer)),
            intx_choose_qparams_algorithm="hqq_scale_only",  # nearest to what CUDA has: half the loss of plain rounding
        )
    quantization.quantize_(layer, config)


def _by_quanto(owner: nn.Module, leaf: str) -> None:
    from optimum.quanto import freeze, qint8, quantize

    layer: Any = owner.get_submodule(leaf)
    bias, layer.bias = layer.bias, None  # it may not be there yet, and quanto would move it
    quantize(owner, weights=qint8, include=leaf)
    made: Any = owner.get_submodule(leaf)
    freeze(made)
    made.bias = bias


def _by_bitsandbytes(layer: nn.Linear, held: Quant) -> nn.Module:
    from bitsandbytes.functional import int8_vectorwise_quant
    from bitsandbytes.nn import Int8Params, Linear4bit, Linear8bitLt, Params4bit

    weight, shape = layer.weight, (layer.in_features, layer.out_features)
    made: nn.Module
    if held == "int8":
        made = Linear8bitLt(*shape, bias=False, has_fp16_weights=False, device="meta")
        # Not by moving it, which quantizes only what comes from the processor, and the weight is on its device already.
        values, scales, _ = int8_vectorwise_quant(weight.data.to(torch.float16))
        made.weight = Int8Params(values, requires_grad=False, has_fp16_weights=False, CB=values, SCB=scales)
    else:
        made = Linear4bit(*shape, bias=False, compute_dtype=weight.dtype, quant_type="nf4", device="meta")
        made.weight = Params4bit(weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True)
        made.to(weight.device)  # quantizes
    made.bias = layer.bias
    return made


def _group(layer: nn.Linear) -> int:
    """The largest group of values that divides a row."""
    group = INT4_GROUP
    while layer.in_features % group:
        group //= 2
    return group
