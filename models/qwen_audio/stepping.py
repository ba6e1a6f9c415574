"""Several tokens of each text without asking the host: one step of fixed shapes, recorded once and replayed.

In: texts that have been read up to a token each. Out: the next few tokens of each. Whether a text is over is not its
business: tokens behind its end are computed like any others, and dropped by whoever asked.

On CUDA a step is a graph of kernels: launching them one by one takes longer than most of them run. Elsewhere nothing
is gained, and decoder.py steps by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch

from models.qwen_audio.recording import Recorder
from models.qwen_audio.slots import PlacedSlots, Slots

N_TEXTS = 2
"""Texts that a step writes: those of an utterance. Where there is one, what is in the other place is read by nobody."""
STEPS_AT_ONCE = 4
"""Steps from one look at the tokens to the next."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a text goes on."""

    token: int
    """Predicted and not yet read."""
    position: int
    """Of that token."""
    shown: torch.Tensor
    """(at least the slots used,) in the model's dtype, added to the scores: 0 where it may look, else -inf."""
    forbidden: torch.Tensor
    """(vocabulary rows,) bool."""


Read = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, PlacedSlots], torch.Tensor]
"""Ids (L,), positions (L,), mask (L, capacity), and a cache, to logits (L, vocabulary rows) float32."""
Choose = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""Logits and what is forbidden, both (L, vocabulary rows), to tokens (L,) and their log-probabilities (L,)."""


class Stepper:
    """Steps N_TEXTS texts at once, with all that a step reads and writes in memory that does not move."""

    def __init__(self, read: Read, choose: Choose, slots: Slots, n_vocab: int, is_fused: bool) -> None:
        """Allocate what a step needs besides the slots.

        Args:
            read: the model.
            choose: picks the tokens.
            slots: steps are taken in their first allocation.
            n_vocab: rows of the vocabulary.
            is_fused: have the kernels between the matrices compiled into fewer before recording, where Triton is here:
                that takes a minute.
        """
        like = slots.keys[0]
        self._read, self._choose = read, choose
        self._is_fused = is_fused and find_spec("triton") is not None
        self._slots = slots
        whole: Any = {"device": like.device, "dtype": torch.int64}
        self._tokens = torch.zeros(N_TEXTS, **whole)
        self._positions = torch.zeros(N_TEXTS, **whole)
        self._places = torch.arange(N_TEXTS, **whole)
        self._logprobs = torch.zeros(N_TEXTS, device=like.device)
        self._mask = torch.zeros((N_TEXTS, slots.capacity), device=like.device, dtype=like.dtype)
        self._forbidden = torch.zeros((N_TEXTS, n_vocab), device=like.device, dtype=torch.bool)
        self._replay: Callable[[], None] = self.step

    @property
    def has_room(self) -> bool:
        """Whether the slots take STEPS_AT_ONCE more steps."""
        slots = self._slots
        return slots.used + STEPS_AT_ONCE * N_TEXTS <= slots.capacity == slots.first_capacity

    def start(self, texts: Sequence[Start]) -> None:
        """Put texts, N_TEXTS at most, in their places; those of before are forgotten."""
        for i in range(N_TEXTS):
            text = texts[min(i, len(texts) - 1)]
            self._tokens[i] = text.token
            self._positions[i] = text.position
            n_shown = min(len(text.shown), self._mask.shape[1])
            self._mask[i, :n_shown] = text.shown[:n_shown]
            self._mask[i, n_shown:] = -torch.inf
            self._forbidden[i] = text.forbidden
        torch.arange(self._slots.used, self._slots.used + N_TEXTS, out=self._places)

    def run(self, count: int) -> tuple[list[list[int]], list[list[float]]]:
        """Take so many steps.

        Returns:
            Of each step, the tokens and the log-probabilities of the texts, in the order in which they were put.
        """
        tokens, logprobs = [], []
        for _ in range(count):
            self._replay()
            tokens.append(self._tokens.clone())
            logprobs.append(self._logprobs.clone())
        self._slots.used += count * N_TEXTS
        return torch.stack(tokens).tolist(), torch.stack(logprobs).tolist()

    def step(self) -> None:
        """Read each text's token, and put the likeliest next one in its place."""
        self._mask.scatter_(1, self._places[:, None], 0.0)
        logits = self._read(self._tokens, self._positions, self._mask, PlacedSlots(self._slots, self._places))
        tokens, logprobs = self._choose(logits, self._forbidden)
        self._tokens.copy_(tokens)
        self._logprobs.copy_(logprobs)
        self._positions.add_(1)
        self._places.add_(N_TEXTS)

    def record(self) -> None:
        """Record a step, before any text is put: trying it writes into the first slots and into all else here."""
        step = torch.compile(self.step, fullgraph=True, dynamic=False) if self._is_fused else self.step
        self._replay = Recorder(self._tokens.device).recorded(step)
