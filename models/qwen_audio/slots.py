"""Keys and values of what was read, in one allocation for as long as the model is loaded.

In: what each layer makes of the tokens being read. Out: all that there is, as the library's attention takes a cache.
Who may see which slot is not its business.
"""

from __future__ import annotations

import torch

from models.qwen_audio.checkpoint import Checkpoint

FIRST_CAPACITY = 1024
"""Slots of the first allocation: 28 s of sound and its two texts, but for loops."""


class Slots:
    """A cache in which every token that is read takes the next slot, whichever text it is of.

    It grows for a request that needs more, and goes back to the first allocation, which never moves, for the next.
    Nothing is held over from one request to the next.
    """

    def __init__(self, checkpoint: Checkpoint, capacity: int = FIRST_CAPACITY) -> None:
        config = checkpoint.model.config.text_config
        head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        nothing = torch.zeros(
            (1, config.num_key_value_heads, 0, head_width), device=checkpoint.device, dtype=checkpoint.dtype
        )
        self.keys = [nothing] * config.num_hidden_layers
        """Of each layer (1, heads, capacity, head width)."""
        self.values = list(self.keys)
        self.capacity = 0
        self.used = 0
        """Slots taken; the next forward writes behind them."""
        self.reserve(capacity)
        self._first = (self.keys, self.values, self.capacity)
        self.first_capacity = self.capacity
        """Slots of the allocation that never moves; grown, there are others for as long as a request lasts."""

    def reserve(self, n_slots: int) -> None:
        """Make room for so many slots in all; what is in those used stays."""
        if n_slots <= self.capacity:
            return
        capacity = max(self.capacity, FIRST_CAPACITY)
        while capacity < n_slots:
            capacity *= 2
        self.keys = [self._grown(kept, capacity) for kept in self.keys]
        self.values = [self._grown(kept, capacity) for kept in self.values]
        self.capacity = capacity

    def clear(self) -> None:
        """Take nothing over from the request before."""
        self.used = 0
        self.keys, self.values, self.capacity = self._first
        if self.keys[0].is_cuda:  # where PlacedSlots gives out slots that no one has written yet
            torch._foreach_zero_([*self.keys, *self.values])

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take what a layer made of the tokens being read; gives back what is in all slots up to theirs."""
        end = self.used + keys.shape[2]
        self.keys[layer][:, :, self.used : end] = keys
        self.values[layer][:, :, self.used : end] = values
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def _grown(self, kept: torch.Tensor, capacity: int) -> torch.Tensor:
        batch, n_heads, _, width = kept.shape
        # Zeros: a key that nobody sees has the weight 0, and 0 times what happens to be in memory may be no number.
        buffer = kept.new_zeros((batch, n_heads, capacity, width))
        buffer[:, :, : self.used] = kept[:, :, : self.used]
        return buffer


class PlacedSlots:
    """The same slots to a forward of fixed shapes: tokens go where a tensor says, and all slots are given back.

    Nothing in it depends on how many slots are used, so that one recording serves for every step.
    """

    def __init__(self, slots: Slots, places: torch.Tensor) -> None:
        """Take tokens at (L,) int64 places."""
        self._slots = slots
        self._places = places

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take what a layer made of the tokens being read; gives back all slots, those not yet written included."""
        all_keys, all_values = self._slots.keys[layer], self._slots.values[layer]
        all_keys[:, :, self._places] = keys
        all_values[:, :, self._places] = values
        return all_keys, all_values
