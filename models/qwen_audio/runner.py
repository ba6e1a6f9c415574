"""The library's language model over keys and values that stay in one place, several texts in one forward.

In: embeddings, the position of each, and which keys each may see. Out: hidden states, and the likeliest tokens. Which
tokens are read, and when a text is over, is not its business.

All tokens of a forward stand one behind the other, whichever text they are of: the batch is 1, nothing is padded, and
the sound's keys are stored and read once for all texts. Every token that is read takes the next slot. What it may see
is the mask's business, and how far it stands from what it sees its position's; a slot that no mask shows any more, as
that of a rejected draft, is never read again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from models.qwen_audio.checkpoint import Checkpoint

FIRST_CAPACITY = 1024
"""Slots of the first allocation: 28 s of sound and its two texts, but for loops."""
HIDDEN = -torch.inf
"""Added to the score of a key that is not to be seen."""


class Best(NamedTuple):
    """The likeliest token of each row of logits."""

    tokens: torch.Tensor
    """(L,) int64."""
    logprobs: torch.Tensor
    """(L,) float32."""


class Slots:
    """Keys and values of what was read, in one allocation for as long as the model is loaded.

    It grows to the longest request so far, and holds nothing over from one request to the next.
    """

    def __init__(self, checkpoint: Checkpoint, capacity: int = FIRST_CAPACITY) -> None:
        config = checkpoint.model.config.text_config
        head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        nothing = torch.zeros(
            (1, config.num_key_value_heads, 0, head_width), device=checkpoint.device, dtype=checkpoint.dtype
        )
        self._keys = [nothing] * config.num_hidden_layers  # of each layer (1, heads, capacity, head width)
        self._values = list(self._keys)
        self.capacity = 0
        self.used = 0
        """Slots taken; the next forward writes behind them."""
        self.reserve(capacity)

    def reserve(self, n_slots: int) -> None:
        """Make room for so many slots in all; what is in those used stays."""
        if n_slots <= self.capacity:
            return
        capacity = max(self.capacity, FIRST_CAPACITY)
        while capacity < n_slots:
            capacity *= 2
        self._keys = [self._grown(kept, capacity) for kept in self._keys]
        self._values = [self._grown(kept, capacity) for kept in self._values]
        self.capacity = capacity

    def _grown(self, kept: torch.Tensor, capacity: int) -> torch.Tensor:
        batch, n_heads, _, width = kept.shape
        # Zeros: a key that nobody sees has the weight 0, and 0 times what happens to be in memory may be no number.
        buffer = kept.new_zeros((batch, n_heads, capacity, width))
        buffer[:, :, : self.used] = kept[:, :, : self.used]
        return buffer

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take what a layer made of the tokens being read; gives back all that there is: a cache, to the library."""
        end = self.used + keys.shape[2]
        self._keys[layer][:, :, self.used : end] = keys
        self._values[layer][:, :, self.used : end] = values
        return self._keys[layer][:, :, :end], self._values[layer][:, :, :end]


class Runner:
    """One loaded model's layers, head and slots, which its requests take turns to use."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._text: Any = checkpoint.model.model.language_model
        self._head: Any = checkpoint.model.lm_head
        self._dtype = checkpoint.dtype
        self.device = checkpoint.device
        self.slots = Slots(checkpoint)
        self._turns: tuple[torch.Tensor, torch.Tensor] | None = None

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """(L,) ids to (1, L, D)."""
        embedded: torch.Tensor = self._text.embed_tokens(tokens[None])
        return embedded

    def forward(
        self, embeddings: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Read tokens into the next slots.

        Args:
            embeddings: (1, L, D).
            positions: (L,) int64: where each stands in its text.
            mask: (L, slots used + L), 0 or HIDDEN, in the model's dtype: what each may see; None is itself and all
                before it, for tokens that are the first to be read.

        Returns:
            (L, D), normed.
        """
        slots = self.slots
        slots.reserve(slots.used + embeddings.shape[1])
        cosines, sines = self._rotations()
        rotation = (cosines[positions][None], sines[positions][None])
        hidden = embeddings
        for layer in self._text.layers:
            hidden = layer(
                hidden,
                attention_mask=None if mask is None else mask[None, None],
                position_embeddings=rotation,
                past_key_values=slots,
                use_cache=True,
            )
        slots.used += embeddings.shape[1]
        normed: torch.Tensor = self._text.norm(hidden[0])
        return normed

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(L, D) to (L, vocabulary rows) float32. Only where they are needed: the head is the widest matrix of all."""
        logits: torch.Tensor = self._head(hidden).float()
        return logits

    def _rotations(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines (capacity, head width) of every position that a token in these slots can have."""
        if self._turns is None or len(self._turns[0]) < self.slots.capacity:
            positions = torch.arange(self.slots.capacity, device=self.device)[None]
            like = torch.empty((), device=self.device, dtype=self._dtype)
            cosines, sines = self._text.rotary_emb(like, positions)
            self._turns = (cosines[0], sines[0])
        return self._turns


def likeliest(logits: torch.Tensor, forbidden: torch.Tensor) -> Best:
    """The likeliest allowed token of each row.

    Args:
        logits: (L, vocabulary rows) float32, overwritten.
        forbidden: (vocabulary rows,) or (L, vocabulary rows) bool.
    """
    logits.masked_fill_(forbidden, -torch.inf)
    best = logits.max(dim=-1)
    return Best(best.indices, best.values - logits.logsumexp(dim=-1))
