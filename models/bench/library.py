"""transformers' own way with the same model and the same sound: what our decoding is measured beside.

In: a checkpoint, a clip. Out: the tokens that `generate` writes, called as the library's documentation shows: the
processor's feature extractor pads to 30 s, the encoder reads all of it, the cache grows.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import WhisperFeatureExtractor

from models.base import SAMPLE_RATE, Samples
from models.bench.shapes import TAG_IDS
from models.qwen_audio.checkpoint import Checkpoint

_AUDIO_ID = 8
"""Any id: Qwen-Audio's config names none, and the library's own may lie outside a small vocabulary."""
_END_ID = 0


class Library:
    """The library's generation on a checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._extractor = WhisperFeatureExtractor(feature_size=checkpoint.front_end.n_mels)
        if checkpoint.audio_start_id is not None:
            checkpoint.model.config.audio_token_id = _AUDIO_ID

    def write(self, samples: Samples, n_tokens: int) -> list[int]:
        """Exactly so many tokens behind a clip."""
        device, model = self._checkpoint.device, self._checkpoint.model
        features: Any = self._extractor(
            samples, sampling_rate=SAMPLE_RATE, padding="max_length", return_attention_mask=True, return_tensors="pt"
        )
        mask = features["attention_mask"].to(device)
        _, n_audio = model.model.audio_tower._get_feat_extract_output_lengths(mask.sum(-1))
        ids = torch.tensor([[*[model.config.audio_token_id] * int(n_audio), *TAG_IDS]], device=device)
        with torch.inference_mode():
            written = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                input_features=features["input_features"].to(device, self._checkpoint.dtype),
                feature_attention_mask=mask,
                max_new_tokens=n_tokens,
                min_new_tokens=n_tokens,
                do_sample=False,
                eos_token_id=_END_ID,
                pad_token_id=_END_ID,
            )
        tokens: list[int] = written[0, ids.shape[1] :].tolist()
        return tokens
