"""The slow obvious path: one text after the other, token by token, no draft read, the library's own forward and cache.

Stands in for the Decoder class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from transformers import DynamicCache

from models.base import Cost
from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.decoder import Step, Taker, Text
from models.qwen_audio.encoder import encode, splice


class Sequential:
    def __init__(self, checkpoint: Checkpoint, allowed: torch.Tensor, *_: object) -> None:
        self._checkpoint = checkpoint
        self._allowed = allowed
        self._cache = DynamicCache(config=checkpoint.model.config.text_config)
        self._n_prompt = 0
        self.cost = Cost()

    def listen(
        self, mels: Sequence[torch.Tensor], prompt_ids: Sequence[int], _texts: Sequence[Text] = ()
    ) -> torch.Tensor:
        audios = [encode(self._checkpoint, mel) for mel in mels]
        logits = self._logits(splice(self._checkpoint, prompt_ids, audios))
        self._n_prompt = self._cache.get_seq_length()
        return logits

    def write(self, forced: Sequence[int], _draft: object, allowed: torch.Tensor | None = None) -> Iterator[Step]:
        if surplus := self._cache.get_seq_length() - self._n_prompt:
            self._cache.crop(-surplus)
        step = self._read(forced, allowed)
        while True:
            yield step
            step = self._read([step.token], allowed)

    def write_together(self, texts: Sequence[Text], takers: Sequence[Taker]) -> None:
        for text, take in zip(texts, takers, strict=True):
            steps = self.write(text.forced, text.draft, text.allowed)
            while take(next(steps)):
                pass

    def _read(self, ids: Sequence[int], allowed: torch.Tensor | None) -> Step:
        logits = self._logits(self._checkpoint.model.get_input_embeddings()(torch.tensor([ids])))
        logits[~(self._allowed if allowed is None else allowed)] = -torch.inf
        best = logits.log_softmax(dim=-1).max(dim=-1)
        return Step(int(best.indices), float(best.values))

    def _logits(self, embeddings: torch.Tensor) -> torch.Tensor:
        model = self._checkpoint.model
        hidden = model.model.language_model(inputs_embeds=embeddings, past_key_values=self._cache, use_cache=True)
        return model.lm_head(hidden.last_hidden_state[0, -1]).float()
