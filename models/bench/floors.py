"""The least time that a model's stages could take: bytes over the memory's speed, operations over the arithmetic's.

In: a checkpoint, lengths. Out: seconds. Both speeds are measured on the device itself, in the same run, by one large
copy and one large product of matrices; neither is a maker's figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import nn

from models.qwen_audio.checkpoint import Checkpoint

_COPIED_BYTES = {"cuda": 2**30, "mps": 2**28, "cpu": 2**26}
"""Far more than any cache holds."""
_SIDE = {"cuda": 8192, "mps": 2048, "cpu": 768}
"""Rows of the matrices that are multiplied."""
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Speeds:
    """What a device can do at most, as measured."""

    bytes_per_s: float
    """Read and written together."""
    operations_per_s: float
    """Multiplications and additions, in the dtype of the model."""

    def seconds(self, n_bytes: float, n_operations: float) -> float:
        """The least time for so much of both, which go on side by side."""
        return max(n_bytes / self.bytes_per_s, n_operations / self.operations_per_s)


def measure_speeds(device: torch.device, dtype: torch.dtype) -> Speeds:
    """Copy and multiply."""
    side = _SIDE[device.type]
    bytes_per_s = 2 * _COPIED_BYTES[device.type] / _copy_s(device, _COPIED_BYTES[device.type])
    return Speeds(bytes_per_s, 2 * side**3 / _product_s(device, dtype, side))


def _copy_s(device: torch.device, n_bytes: int) -> float:
    source = torch.ones(n_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return _timed(device, lambda: target.copy_(source))


def _product_s(device: torch.device, dtype: torch.dtype, side: int) -> float:
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return _timed(device, lambda: left @ right)


def _timed(device: torch.device, job: Callable[[], object]) -> float:
    """Median seconds of a job that was done once before."""
    job()
    return median(_once(device, job) for _ in range(_REPEATS))


def _once(device: torch.device, job: Callable[[], object]) -> float:
    synchronize(device)
    began_s = time.perf_counter()
    job()
    synchronize(device)
    return time.perf_counter() - began_s


def synchronize(device: torch.device) -> None:
    """Wait for what the device was given to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


@dataclass(frozen=True, slots=True)
class Work:
    """What each stage of a checkpoint has to read and to compute."""

    speeds: Speeds
    encoder_bytes: int
    blocks_bytes: int
    head_bytes: int
    kept_bytes: int
    """Keys and values of one token."""
    encoder_values: int
    """Of linear layers and convolutions, each used once for every position."""
    encoder_width: int
    """Layers times width: what attention costs for each pair of positions."""
    blocks_values: int
    head_values: int
    blocks_width: int

    @classmethod
    def of(cls, checkpoint: Checkpoint, speeds: Speeds) -> Work:
        """Count a checkpoint's weights."""
        model: Any = checkpoint.model
        tower, text, head = model.model.audio_tower, model.model.language_model, model.lm_head
        config = model.config.text_config
        width = config.hidden_size // config.num_attention_heads * config.num_key_value_heads
        n_layers = config.num_hidden_layers
        return cls(
            speeds,
            encoder_bytes=weight_bytes(tower),
            blocks_bytes=weight_bytes(text.layers),
            head_bytes=weight_bytes(head),
            kept_bytes=2 * n_layers * width * checkpoint.dtype.itemsize,
            encoder_values=_matrix_values(tower.layers),
            encoder_width=len(tower.layers) * model.config.audio_config.d_model,
            blocks_values=_matrix_values(text.layers),
            head_values=head.in_features * head.out_features,
            blocks_width=n_layers * config.hidden_size,
        )

    def encoder_s(self, n_positions: int) -> float:
        """The encoder on so many positions."""
        products = 2 * self.encoder_values * n_positions + 4 * self.encoder_width * n_positions**2
        return self.speeds.seconds(self.encoder_bytes, products)

    def prefill_s(self, n_tokens: int) -> float:
        """A prompt of so many tokens, the head on its last one alone."""
        products = 2 * self.blocks_values * n_tokens + 2 * self.blocks_width * n_tokens**2 + 2 * self.head_values
        written = self.kept_bytes * n_tokens
        return self.speeds.seconds(self.blocks_bytes + self.head_bytes + written, products)

    def token_s(self, n_before: int) -> float:
        """One more token behind so many."""
        read = self.blocks_bytes + self.head_bytes + self.kept_bytes * n_before
        return self.speeds.seconds(read, 2 * (self.blocks_values + self.head_values))


def weight_bytes(module: nn.Module) -> int:
    """Bytes of a module's parameters as they are held, quantized or not."""
    return sum(_held_bytes(parameter) for parameter in module.parameters())


def _held_bytes(tensor: torch.Tensor) -> int:
    """A quantized tensor is made of others; of bitsandbytes' the scales are left out, a thirtieth."""
    flatten = getattr(tensor, "__tensor_flatten__", None)
    if flatten is None:
        return tensor.numel() * tensor.element_size()
    names, _ = flatten()
    return sum(_held_bytes(getattr(tensor, name)) for name in names)


def _matrix_values(layers: nn.Module) -> int:
    return sum(layer.in_features * layer.out_features for layer in layers.modules() if isinstance(layer, nn.Linear))
