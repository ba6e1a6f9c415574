"""The precisions in which a model may hold its weights: what each takes, and which package makes it.

In: how many values the parts of a model have. Out: bytes. Nothing is loaded or quantized here, and no model library
imported; which precision is used is models/choice.py's business, and how it is made models/qwen_audio/quantize.py's.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Quant = Literal["none", "int8", "int4", "nf4"]
"""How weights are held; "none" is as they are stored, in bfloat16, or in float32 on a processor."""
AUTO: Final = "auto"
"""Stands for the most exact precision for which there is room."""
Wish = Quant | Literal["auto"]
QUANTS: Final[tuple[Quant, ...]] = get_args(Quant)
"""The most exact first, which is also the largest first."""

Part = Literal["blocks", "head", "encoder"]
"""Linear layers: those of the language model's blocks, the one that writes, those of the audio encoder's blocks."""
HELD: Final[Mapping[Quant, Mapping[Part, Quant]]] = {
    "none": {},
    "int8": {"blocks": "int8"},
    "int4": {"blocks": "int4"},
    "nf4": {"blocks": "nf4", "encoder": "nf4", "head": "int8"},
}
"""What is quantized, and how; all else stays as it is. nf4 is for the smallest cards and leaves nothing out, but for
the head, where four bits cost the most: docs/log.md has the figures."""

INT4_GROUP = 128
"""Values of a row that share a scale; fewer where rows cannot be divided so."""
NF4_BLOCK = 64
"""The same of nf4, whose scales are quantized in turn."""
_STORED_BYTES: Mapping[str, float] = {"cuda": 2.0, "mps": 2.0, "cpu": 4.0}
"""Of a value that is not quantized, by device: the processor computes in float32."""
_INT8_BYTES = 1.0
"""A row of 4096 values and more has one scale: not worth counting."""
_INT4_BYTES = 0.5 + 4 / INT4_GROUP
"""A scale and a zero point in bfloat16 for each group."""
_NF4_BYTES = 0.5 + 1 / NF4_BLOCK
"""A scale in 8 bits for each block."""

Package = Literal["torchao", "optimum-quanto", "bitsandbytes"]
_MODULES: Mapping[Package, str] = {
    "torchao": "torchao",
    "optimum-quanto": "optimum.quanto",
    "bitsandbytes": "bitsandbytes",
}
_EXTRAS: Mapping[Package, str] = {"torchao": "quant", "optimum-quanto": "quant", "bitsandbytes": "nf4"}


@dataclass(frozen=True, slots=True)
class Parts:
    """How many values a model has, by what may be quantized."""

    blocks: int
    head: int
    encoder: int
    rest: int
    """Embeddings, norms, biases, convolutions: never quantized."""

    def n_bytes(self, quant: Quant, device: str = "cuda") -> int:
        """Bytes of the weights.

        Args:
            quant: how they are held.
            device: "cuda", "mps" or "cpu".
        """
        parts: Mapping[Part, int] = {"blocks": self.blocks, "head": self.head, "encoder": self.encoder}
        held = HELD[quant]
        sizes = (n_values * _value_bytes(held.get(part, "none"), device) for part, n_values in parts.items())
        return round(sum(sizes) + self.rest * _STORED_BYTES[device])


def _value_bytes(quant: Quant, device: str) -> float:
    if quant == "int4" and device != "cuda":
        return _INT8_BYTES  # the values are of four bits, but each stands in a byte of its own
    return {"none": _STORED_BYTES[device], "int8": _INT8_BYTES, "int4": _INT4_BYTES, "nf4": _NF4_BYTES}[quant]


def label(quant: Quant) -> str:
    """A precision as people read it."""
    return "bf16" if quant == "none" else quant


def package(quant: Quant, device: str) -> Package | None:
    """What makes a precision on a device ("cuda", "mps" or "cpu"); None where nothing is to be made."""
    if quant == "none":
        return None
    if quant == "nf4":
        return "bitsandbytes"
    return "optimum-quanto" if quant == "int8" and device != "cuda" else "torchao"


def missing(quant: Quant, device: str) -> str:
    """The pip command that brings what a precision needs here; empty where all of it is here."""
    name = package(quant, device)
    if name is None or _is_installed(_MODULES[name]):
        return ""
    return f"pip install 'tongchuan[{_EXTRAS[name]}]'"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is not there
        return False
