"""Work of fixed shapes, recorded once on CUDA and replayed: launching kernels one by one takes longer than most run.

In: a function that reads and writes tensors which stay where they are. Out: the same, quicker. Elsewhere than on CUDA
nothing is gained, and the function is given back as it is; so its arithmetic can be tested anywhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from models.qwen_audio.slots import PlacedSlots, Slots

_WARM_UPS = 3
"""Runs before a recording, in which libraries allocate and choose their kernels."""


class Recorder:
    """Records works that are never done at once, so that they share the memory for what is between.

    What goes in and what comes out must stay where it is elsewhere: it would be overwritten by the next work done.
    """

    def __init__(self, device: torch.device) -> None:
        """Record for a device; elsewhere than on CUDA works are given back as they are."""
        self._is_cuda = device.type == "cuda"
        if self._is_cuda:
            # One stream for all: the libraries keep tens of megabytes for each stream that they were used on.
            self._aside: Any = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            self._pool: Any = torch.cuda.graph_pool_handle()

    def recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        """The work as one launch.

        Args:
            work: is done a few times before it is recorded, so that must do no harm.
        """
        if not self._is_cuda:
            return work
        self._aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._aside):
            for _ in range(_WARM_UPS):
                work()
        torch.cuda.current_stream().wait_stream(self._aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._aside):
            work()
        return graph.replay


Through = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, PlacedSlots], torch.Tensor]
"""Embeddings (1, L, D), positions (L,), mask (L, capacity), and a cache, to hidden states (L, D)."""
Layers = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Hidden states (1, T, D) and a mask (1, 1, T, T), 0 or -inf, to hidden states (1, T, D)."""


class Reading:
    """Reads up to so many tokens into the slots: fewer are padded, and what the padding leaves is seen by nobody."""

    def __init__(self, through: Through, slots: Slots, width: int, length: int, recorder: Recorder) -> None:
        like = slots.keys[0]
        self._through = through
        self._slots = slots
        self.length = length
        self._embeddings = like.new_zeros((1, length, width))
        self._hidden = like.new_zeros((length, width))
        self._mask = like.new_zeros((length, slots.capacity))
        self._positions = torch.zeros(length, device=like.device, dtype=torch.int64)
        self._places = torch.arange(length, device=like.device)
        self._replay = recorder.recorded(self._read)

    @property
    def has_room(self) -> bool:
        """Whether the slots take it, padding and all: those of the first allocation, with which it was recorded."""
        slots = self._slots
        return slots.used + self.length <= slots.capacity == slots.first_capacity

    def read(self, embeddings: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """What Runner.forward says of up to `length` tokens; what it gives back is gone with the next."""
        n_tokens, used = embeddings.shape[1], self._slots.used
        self._embeddings[:, :n_tokens] = embeddings
        self._positions[:n_tokens] = positions
        self._mask.fill_(-torch.inf)
        self._mask[:, 0] = 0  # for the padding: who may look nowhere computes no number
        if mask is None:
            mask = torch.full_like(self._mask[:n_tokens, :n_tokens], -torch.inf).triu_(diagonal=1)
        self._mask[:n_tokens, : mask.shape[1]] = mask
        torch.arange(used, used + self.length, out=self._places)
        self._replay()
        return self._hidden[:n_tokens]

    def _read(self) -> None:
        slots = PlacedSlots(self._slots, self._places)
        self._hidden.copy_(self._through(self._embeddings, self._positions, self._mask, slots))


class Encoding:
    """Takes up to so many positions through the encoder's layers; the padding of shorter ones is masked."""

    def __init__(self, layers: Layers, like: torch.Tensor, width: int, length: int, recorder: Recorder) -> None:
        self._layers = layers
        self.length = length
        self._given = like.new_zeros((1, length, width))
        self._made = like.new_zeros((1, length, width))
        self._mask = like.new_zeros((1, 1, length, length))
        self._replay = recorder.recorded(self._encode)

    def encode(self, hidden: torch.Tensor) -> torch.Tensor:
        """(1, T, D) to the same, T at most `length`; what it gives back is gone with the next."""
        n = hidden.shape[1]
        self._given[:, :n] = hidden
        self._mask.fill_(-torch.inf)[..., :n] = 0
        self._replay()
        return self._made[:, :n]

    def _encode(self) -> None:
        self._made.copy_(self._layers(self._given, self._mask))


_Sized = TypeVar("_Sized", Reading, Encoding)


def shortest(sized: Sequence[_Sized], length: int) -> _Sized | None:
    """The first that takes so much, of some in the order of their lengths."""
    at = bisect_left(sized, length, key=lambda one: one.length)
    return sized[at] if at < len(sized) else None
