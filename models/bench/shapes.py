"""The shapes that can be measured without weights of anybody's.

In: a size's name. Out: its layout, and prompts as long as real ones. The published shape is that of QwenLM/Qwen-Audio's
config.json; the tiny one has every part of it and computes in no time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from models.bench import Size
from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.layouts import Layout, read_layout

TAG_IDS = (1, 2, 3, 4, 5)
"""Stand for the tags behind the start tag, as many as translation mode has: what they are changes no cost."""
_START_ID = 6
_AUDIO_START_ID = 155_163
_ANY_ID = 7

_PUBLISHED: Mapping[str, Any] = {
    "model_type": "qwen",
    "vocab_size": 155_947,
    "hidden_size": 4096,
    "intermediate_size": 22_016,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "kv_channels": 128,
    "layer_norm_epsilon": 1e-6,
    "rotary_emb_base": 10_000,
    "seq_length": 2048,
    "audio": {"n_ctx": 1500, "n_state": 1280, "n_head": 20, "n_layer": 32, "audio_start_id": _AUDIO_START_ID},
}
_TINY: Mapping[str, Any] = {
    **_PUBLISHED,
    "vocab_size": 4096,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "kv_channels": 64,
    "audio": {"n_ctx": 1500, "n_state": 64, "n_head": 2, "n_layer": 2, "audio_start_id": 4000},
}


def layout(size: Size) -> Layout:
    """The layout of a size."""
    if size == "embedded":
        raw = json.loads(resources.files("models.embedded").joinpath("config.json").read_text(encoding="utf-8"))
        return read_layout(raw, frozenset())
    return read_layout(_PUBLISHED if size == "qwen-audio" else _TINY, frozenset())


def prompt(checkpoint: Checkpoint, n_audio: int) -> list[int]:
    """Ids of a prompt with one clip, from the sound to the start tag: as long as a real one."""
    if checkpoint.audio_start_id is None:
        pad = checkpoint.model.config.audio_token_index
        return [_ANY_ID, *[pad] * n_audio, _ANY_ID, _START_ID]
    start = checkpoint.audio_start_id
    return [start, *[_ANY_ID] * n_audio, start + 1, _START_ID]
