"""Where in the sound a text points: what chosen attention heads rest on, read in the forwards that decode anyway.

In: a model, heads, the sound's place among the keys. Out: for each token the place in the sound on which the position
that predicts it has most of its attention, and the share of that attention on the sound's end. Which heads point, and
how far they can be trusted, is models.pointers' business; what is done with it, live.policy's.
Source: AlignAtt (arXiv 2305.11408) and its form for decoder-only models (DOA, arXiv 2605.31432), with calibrated heads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, Qwen2AudioForConditionalGeneration
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from models.base import Branch, GateKey, ModelLoadError, Request
from models.pointers import Head, Pointer, gate_key
from models.qwen_audio.frontend import AUDIO_TOKEN
from models.qwen_audio.pointed import Pointed

IMPLEMENTATION = "tongchuan_pointing"
"""As transformers' registries name it: SDPA, with an eye on some heads."""
_OBSERVER = "attention_observer"
"""Attribute of the attention modules that are watched."""
_LEAST = 1e-9
"""A head that looks away from the sound altogether has no share of it anywhere."""


class AttentionObserver:
    """Sees what some heads of a model attend to: decoder.Observer for as long as the model is loaded."""

    def __init__(self, model: Qwen2AudioForConditionalGeneration, heads: Iterable[Head]) -> None:
        """Have the model's text layers watched.

        Args:
            model: its attention becomes IMPLEMENTATION, which computes what it did before.
            heads: all that may be asked for.

        Raises:
            ModelLoadError: the model has no such head.
        """
        text: Any = model.model.language_model
        self.heads = tuple(sorted(set(heads)))
        """In the order of the rows that `look` gives."""
        self._of_layer: dict[int, list[int]] = {}
        for layer, head in self.heads:
            if layer >= text.config.num_hidden_layers or head >= text.config.num_attention_heads:
                raise ModelLoadError(f"The model has no head {head} in layer {layer}; calibrate its heads again.")
            self._of_layer.setdefault(layer, []).append(head)
        self._weights: dict[int, torch.Tensor] = {}
        self._sound = slice(0)
        text.set_attn_implementation(IMPLEMENTATION)
        for layer in self._of_layer:
            setattr(text.layers[layer].self_attn, _OBSERVER, self)

    def begin(self, spans: Sequence[slice]) -> None:
        """Told which keys are the sound: of several clips, the last one's are watched."""
        self._sound = spans[-1]

    def look(self, queries: Sequence[int]) -> list[torch.Tensor]:
        """Of each query of the last forward (heads, N) float32: attention on each audio token, in `heads`' order."""
        weights = torch.cat([self._weights[layer] for layer in sorted(self._of_layer)])  # (heads, L, S)
        # Indexing by a list copies: the forwards to come leave these rows alone.
        return list(weights[:, list(queries), self._sound].unbind(dim=1))

    def see(self, module: Any, query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None) -> None:  # noqa: ANN401
        """Write down what the watched heads of a layer attend to.

        Args:
            module: the library's attention module: its number, scaling and query heads to a key head are read.
            query: (1, heads, L, width).
            key: (1, key heads, S, width).
            mask: (1, 1, L, S), added to the scores. None is the sound's own forward, in which nobody looks.
        """
        if mask is None:
            return
        heads = self._of_layer[module.layer_idx]
        key_heads = [head // module.num_key_value_groups for head in heads]
        scores = query[0, heads].float() @ key[0, key_heads].float().transpose(1, 2)  # (h, L, S)
        self._weights[module.layer_idx] = (scores * module.scaling + mask[0].float()).softmax(dim=-1)


@dataclass(frozen=True, slots=True)
class Sight:
    """How what an observer saw of one text is read."""

    rows: tuple[int, ...]
    """The text's own heads among the observer's."""
    start: int
    """Session sample at which the sound begins."""
    n_samples: int
    hold: int
    """Samples that are the sound's end."""

    @property
    def hold_from(self) -> int:
        """Session sample at which the sound's end begins."""
        return self.start + self.n_samples - self.hold

    def pointed(self, seen: torch.Tensor) -> Pointed:
        """What a token points to: the middle of the audio token that has most of the attention.

        Args:
            seen: (heads, N), as AttentionObserver.look gives it.
        """
        attention = seen[list(self.rows)].mean(dim=0)  # (N,)
        most = int(attention.argmax())
        at = min(most * AUDIO_TOKEN + AUDIO_TOKEN // 2, self.n_samples)
        first = max(0, -(-(self.n_samples - self.hold) // AUDIO_TOKEN))
        share = attention[first:].sum() / attention.sum().clamp(min=_LEAST)
        return Pointed(self.start + at, float(share))


class Pointing:
    """What a loaded model points with: an observer, and the heads of each text that may be trusted."""

    def __init__(self, model: Qwen2AudioForConditionalGeneration, pointers: Mapping[GateKey, Pointer]) -> None:
        """Have the model watched.

        Args:
            model: what AttentionObserver takes.
            pointers: at least one.

        Raises:
            ModelLoadError: the model has not the heads that they name.
        """
        self.observer = AttentionObserver(model, (head for pointer in pointers.values() for head in pointer.heads))
        self._rows = {key: tuple(map(self.observer.heads.index, pointer.heads)) for key, pointer in pointers.items()}

    def sight(self, branch: Branch, direction: tuple[str, str], request: Request) -> Sight | None:
        """How a branch's text points; None where it does not: its heads are not known, or stamps say more."""
        rows = self._rows.get(gate_key(branch.task, *direction))
        if rows is None or branch.word_times:
            return None
        return Sight(rows, request.start, len(request.samples), request.hold)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **more: Any,  # noqa: ANN401 - the library's own
) -> tuple[torch.Tensor, None]:
    observer = getattr(module, _OBSERVER, None)
    if observer is not None:
        observer.see(module, query, key, attention_mask)
    attended: tuple[torch.Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **more)
    return attended


AttentionInterface.register(IMPLEMENTATION, _attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)
