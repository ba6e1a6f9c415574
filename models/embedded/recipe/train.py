"""The stages of training: encoder on phones, decoder on text, the two joined, both branches together; phone head alone.

In: shards, a vocabulary, a model. Out: trained weights. Why these stages: a prototype that began
with the joint one had learnt nothing after 12,500 clips.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2AudioForConditionalGeneration

from models.embedded.recipe.batches import IGNORED, Batch
from models.embedded.recipe.model import (
    DECODER,
    ENCODER,
    Layout,
    PhoneHead,
    block_mask,
    decode,
    encode,
    splice,
)
from models.embedded.recipe.run import Stage

PHONE_WEIGHT = 0.3
HEAD_RATE = 3.0
"""Factor on the rates of the phone head by itself, a convex problem: 0.88 after 240 steps where 1.0 gave 1.09."""
CORRUPTED = 0.06
"""Share of phone labels that the decoder's pretraining gets wrong, as an encoder will."""
DROPPED = 0.04
MERGE_CLIPS = 600
RIDGE = 1e-2

Model: TypeAlias = Qwen2AudioForConditionalGeneration


def phone_loss(head: PhoneHead, hidden: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the phone at each encoder position. hidden (B, T, D), labels (B, T)."""
    known = labels != IGNORED
    return F.cross_entropy(head(hidden[known]).float(), labels[known])


def text_loss(model: Model, layout: Layout, audio: Tensor) -> tuple[Tensor, float]:
    """Cross-entropy of both branches and the language tag, and the share of places guessed right."""
    final = decode(model, splice(model, layout, audio), layout.positions, block_mask(layout, audio.dtype))
    wanted = layout.targets != IGNORED
    logits = model.lm_head(final[wanted]).float()  # (n, V)
    targets = layout.targets[wanted]
    right = float((logits.detach().argmax(-1) == targets).float().mean())
    return F.cross_entropy(logits, targets), right


class PhonePrefix(nn.Module):
    """Stands for the encoder while the decoder learns from text: true phones, some of them spoilt, 25 a second."""

    def __init__(self, n_units: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_units, int(str(DECODER["hidden_size"])))
        nn.init.normal_(self.embed.weight, std=0.3)

    def forward(self, labels: Tensor) -> Tensor:
        """(B, T) -> (B, T // 2, D)."""
        labels = labels.clamp(min=0)
        spoilt = torch.rand(labels.shape, device=labels.device)
        labels = torch.where(spoilt < CORRUPTED, torch.randint_like(labels, self.embed.num_embeddings), labels)
        labels = torch.where(spoilt > 1 - DROPPED, 0, labels)
        return self.pool(self.embed(labels))

    @staticmethod
    def pool(embedded: Tensor) -> Tensor:
        """Mean of each two. (B, T, D) -> (B, T // 2, D)."""
        batch, n, width = embedded.shape
        return embedded[:, : n // 2 * 2].reshape(batch, n // 2, 2, width).mean(2)


def encoder_stage(model: Model, head: PhoneHead, budget_s: float, state: Path, compute: torch.dtype) -> Stage:
    """The audio tower alone learns to name phones."""

    def loss(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        total = phone_loss(head, encode(model, batch.mel.to(compute), batch.lengths).hidden, batch.labels)
        return total, {"phone": float(total.detach())}

    return Stage("encoder", [model.model.audio_tower, head], loss, budget_s, state, compute)


def head_stage(model: Model, head: PhoneHead, budget_s: float, state: Path, compute: torch.dtype) -> Stage:
    """The phone head alone learns what a trained audio tower hears: a fresh one would pull the tower about."""

    def loss(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        with torch.no_grad():
            hidden = encode(model, batch.mel, batch.lengths).hidden
        total = phone_loss(head, hidden.to(compute), batch.labels)
        return total, {"phone": float(total.detach())}

    return Stage("head", [head], loss, budget_s, state, compute, rate=HEAD_RATE)


def text_stage(model: Model, prefix: PhonePrefix, budget_s: float, state: Path, compute: torch.dtype) -> Stage:
    """The decoder alone learns to write and translate what true phones say."""

    def loss(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        total, right = text_loss(model, batch.layout, prefix(batch.labels))
        return total, {"text": float(total.detach()), "right": right}

    return Stage("text", [model.model.language_model, model.lm_head, prefix], loss, budget_s, state, compute)


def joint_stage(
    model: Model,
    head: PhoneHead,
    budget_s: float,
    state: Path,
    compute: torch.dtype,
    **options: Any,  # noqa: ANN401 - Stage's own
) -> Stage:
    """Everything together, from sound to both texts."""

    def loss(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        encoded = encode(model, batch.mel.to(compute), batch.lengths)
        audio = model.model.multi_modal_projector.linear(encoded.pooled)
        text, right = text_loss(model, batch.layout, audio)
        phone = phone_loss(head, encoded.hidden, batch.labels)
        parts = {"text": float(text.detach()), "right": right, "phone": float(phone.detach())}
        return text + PHONE_WEIGHT * phone, parts

    return Stage("joint", [model, head], loss, budget_s, state, compute, **options)


@torch.no_grad()
def merge(model: Model, head: PhoneHead, prefix: PhonePrefix, batches: Iterator[Batch]) -> float:
    """Set the projector so that the encoder's states give what the decoder knows from phones, by least squares.

    Returns:
        The share of the variance that the projector explains (R2).
    """
    inputs, wanted, n_clips = [], [], 0
    while n_clips < MERGE_CLIPS:
        batch = next(batches)
        n_clips += len(batch.lengths)
        encoded = encode(model, batch.mel, batch.lengths)
        expected = PhonePrefix.pool(head(encoded.hidden).softmax(-1) @ prefix.embed.weight)
        own = torch.arange(expected.shape[1], device=expected.device)[None] < (batch.lengths // 2)[:, None]
        inputs.append(encoded.pooled[own])
        wanted.append(expected[own])
    x, y = torch.cat(inputs).double(), torch.cat(wanted).double()
    x = torch.cat([x, x.new_ones(len(x), 1)], dim=1)
    normal = x.T @ x + RIDGE * len(x) * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    solution = torch.linalg.solve(normal, x.T @ y)  # (D + 1, D')
    linear = model.model.multi_modal_projector.linear
    linear.weight.copy_(solution[:-1].T)
    linear.bias.copy_(solution[-1])
    rest = y - x @ solution
    return float(1 - rest.pow(2).sum() / (y - y.mean(0)).pow(2).sum())


def new_phone_head(n_units: int) -> PhoneHead:
    return PhoneHead(int(str(ENCODER["d_model"])), n_units)
