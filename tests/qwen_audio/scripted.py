"""A decoder that says what a test wants, so that asking and reading can be tested without a model that can write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from models.base import Cost
from models.qwen_audio.decoder import Step, Taker, Text


@dataclass
class Script:
    """The texts to say, in the order of the writes, and what was asked each time. Stands in for the Decoder class."""

    texts: list[list[int]]
    end: int
    n_rows: int
    likeliest: int | None = None
    """Id with the highest logit after the sound."""
    forced: list[list[int]] = field(default_factory=list)
    allowed: list[torch.Tensor | None] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)

    def __call__(self, *_: object) -> Script:
        self.cost = Cost()
        return self

    def listen(self, _mels: object, prompt_ids: Sequence[int], _texts: Sequence[Text] = ()) -> torch.Tensor:
        self.heard = list(prompt_ids)
        logits = torch.zeros(self.n_rows)
        if self.likeliest is not None:
            logits[self.likeliest] = 9.0
        return logits

    def write(
        self, forced: Sequence[int], _draft: Sequence[int], allowed: torch.Tensor | None = None
    ) -> Iterator[Step]:
        self.forced.append(list(forced))
        self.allowed.append(allowed)
        text = self.texts[len(self.forced) - 1]
        yield from (Step(i, -0.25) for i in text)
        while True:
            yield Step(self.end, 0.0)

    def write_together(self, texts: Sequence[Text], takers: Sequence[Taker]) -> None:
        for text, take in zip(texts, takers, strict=True):
            steps = self.write(text.forced, text.draft, text.allowed)
            while take(next(steps)):
                pass
