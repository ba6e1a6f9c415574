"""The ways in which a Qwen-Audio checkpoint is written: which config it has, and what its tensors are called.

In: the config.json of a checkpoint, parsed. Out: a Layout, from which checkpoint.py fills the library's model.
Reading files is not its business.
Source: QwenLM/Qwen-Audio modeling_qwen.py and audio.py; transformers' conversion_mapping.py for Qwen2-Audio.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from huggingface_hub.errors import StrictDataclassError
from transformers import Qwen2AudioConfig, Qwen2AudioEncoderConfig, Qwen2Config

from models.base import LANGUAGES, Mode, ModelLoadError
from models.qwen_audio.frontend import V1, Edge, FrontEnd

V1_LANGUAGES = ("en", "zh", "de", "es", "ko", "fr", "ja", "it")

_V1_BOUNDS = "transformer.audio.audio_bos_eos_token.weight"
_V1_NAMES = (
    (r"^model\.language_model\.embed_tokens\.", "transformer.wte."),
    (r"^model\.language_model\.norm\.", "transformer.ln_f."),
    (r"^model\.language_model\.layers\.(\d+)\.input_layernorm\.", r"transformer.h.\1.ln_1."),
    (r"^model\.language_model\.layers\.(\d+)\.post_attention_layernorm\.", r"transformer.h.\1.ln_2."),
    (r"^model\.language_model\.layers\.(\d+)\.self_attn\.[qkv]_proj\.", r"transformer.h.\1.attn.c_attn."),
    (r"^model\.language_model\.layers\.(\d+)\.self_attn\.o_proj\.", r"transformer.h.\1.attn.c_proj."),
    (r"^model\.language_model\.layers\.(\d+)\.mlp\.up_proj\.", r"transformer.h.\1.mlp.w1."),
    (r"^model\.language_model\.layers\.(\d+)\.mlp\.gate_proj\.", r"transformer.h.\1.mlp.w2."),
    (r"^model\.language_model\.layers\.(\d+)\.mlp\.down_proj\.", r"transformer.h.\1.mlp.c_proj."),
    (r"^model\.audio_tower\.embed_positions\.weight$", "transformer.audio.positional_embedding"),
    (r"^model\.audio_tower\.layer_norm\.", "transformer.audio.ln_post."),
    (r"^model\.audio_tower\.layers\.(\d+)\.self_attn\.q_proj\.", r"transformer.audio.blocks.\1.attn.query."),
    (r"^model\.audio_tower\.layers\.(\d+)\.self_attn\.k_proj\.", r"transformer.audio.blocks.\1.attn.key."),
    (r"^model\.audio_tower\.layers\.(\d+)\.self_attn\.v_proj\.", r"transformer.audio.blocks.\1.attn.value."),
    (r"^model\.audio_tower\.layers\.(\d+)\.self_attn\.out_proj\.", r"transformer.audio.blocks.\1.attn.out."),
    (r"^model\.audio_tower\.layers\.(\d+)\.self_attn_layer_norm\.", r"transformer.audio.blocks.\1.attn_ln."),
    (r"^model\.audio_tower\.layers\.(\d+)\.final_layer_norm\.", r"transformer.audio.blocks.\1.mlp_ln."),
    (r"^model\.audio_tower\.layers\.(\d+)\.fc1\.", r"transformer.audio.blocks.\1.mlp.0."),
    (r"^model\.audio_tower\.layers\.(\d+)\.fc2\.", r"transformer.audio.blocks.\1.mlp.2."),
    (r"^model\.audio_tower\.conv([12])\.", r"transformer.audio.conv\1."),
    (r"^model\.multi_modal_projector\.linear\.", "transformer.audio.proj."),
)
"""The library's names as v1 writes them; query, key and value share one tensor, stacked in this order."""

_PUBLISHED_NAMES = (
    (r"^lm_head\.", "language_model.lm_head."),
    (r"^model\.language_model\.", "language_model.model."),
    (r"^model\.", ""),
)
"""The library's names as the published Qwen2-Audio checkpoints write them."""

_LAYER_COUNTS = (
    ("num_hidden_layers",),
    ("audio", "n_layer"),
    ("text_config", "num_hidden_layers"),
    ("audio_config", "encoder_layers"),
)
_MOST_LAYERS = 512
"""Several times those of any model: each is made before it can be seen that its weights are not there."""
_LONGEST_REASON = 200
"""Characters of what the library says is wrong."""

_V1_FIXED = {"no_bias": True, "tie_word_embeddings": False, "rotary_pct": 1.0}
_V1_FIXED_AUDIO = {"avg_pool": True, "add_audio_bos_eos_token": True, "n_mels": V1.n_mels}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a checkpoint's config says of it."""

    config: Qwen2AudioConfig
    name: str
    mode: Mode
    front_end: FrontEnd
    languages: tuple[str, ...]
    """Codes of the languages it was taught."""
    audio_start_id: int | None
    """Id of <audio> where the config names it; </audio> is the next."""
    renames: tuple[tuple[str, str], ...]
    """Patterns that turn the library's tensor names into the checkpoint's; the first that fits is used."""
    bounds: str | None = None
    """Tensor whose two rows replace the embeddings of <audio> and </audio>."""

    def stored_name(self, name: str) -> str:
        """What the checkpoint calls a tensor of the library's model; several may share one name, stacked in order."""
        for pattern, replacement in self.renames:
            if re.match(pattern, name):
                return re.sub(pattern, replacement, name)
        return name


def read_layout(raw: Mapping[str, Any], stored: frozenset[str], is_chat: bool = False) -> Layout:
    """Tell the layout from a config.

    Args:
        raw: config.json.
        stored: names of the stored tensors.
        is_chat: whether the files beside the config say that it was taught conversations.

    Raises:
        ModelLoadError: the config is of another model, or of a variant that the library's class is not.
    """
    kind = raw.get("model_type")
    _check_n_layers(raw)
    try:
        if kind == "qwen" and "audio" in raw:
            return _v1_layout(raw, is_chat)
        if kind == "qwen2_audio":
            return _named_layout(raw, stored, is_chat)
    except KeyError as e:
        raise ModelLoadError(f"The checkpoint's config.json has no {e.args[0]!r}; fetch the checkpoint again.") from e
    except (StrictDataclassError, TypeError, ValueError, AttributeError, OverflowError) as e:
        # The library checks types and ranges of its configs so.
        raise ModelLoadError(f"The checkpoint's config.json is not usable: {first_line(e)}") from e
    raise ModelLoadError(
        f"The checkpoint's config.json is of another model (model_type {kind!r}); "
        "Qwen-Audio, Qwen2-Audio and checkpoints made by this project's recipe can be used."
    )


def _check_n_layers(raw: Mapping[str, Any]) -> None:
    for *sections, key in _LAYER_COUNTS:
        section: Any = raw
        for name in sections:
            section = section.get(name)
        n_layers = section.get(key) if isinstance(section, Mapping) else None
        if isinstance(n_layers, int | float) and n_layers > _MOST_LAYERS:
            raise ModelLoadError(f"The checkpoint's config.json has {key} above {_MOST_LAYERS}, which no model has.")


def _v1_layout(raw: Mapping[str, Any], is_chat: bool) -> Layout:
    audio = raw["audio"]
    for section, fixed in ((raw, _V1_FIXED), (audio, _V1_FIXED_AUDIO)):
        for key, value in fixed.items():
            if section.get(key, value) != value:
                raise ModelLoadError(
                    f"The checkpoint's config.json has {key} = {section[key]!r}; only {value!r} works."
                )
    text = Qwen2Config(
        vocab_size=raw["vocab_size"],
        hidden_size=raw["hidden_size"],
        intermediate_size=raw["intermediate_size"] // 2,  # v1 counts w1 and w2 together
        num_hidden_layers=raw["num_hidden_layers"],
        num_attention_heads=raw["num_attention_heads"],
        num_key_value_heads=raw["num_attention_heads"],
        head_dim=raw["kv_channels"],
        rms_norm_eps=raw["layer_norm_epsilon"],
        max_position_embeddings=raw["seq_length"],  # beyond it the original stretches its rotary positions
        rope_parameters={"rope_type": "default", "rope_theta": float(raw["rotary_emb_base"])},
        tie_word_embeddings=False,
    )
    tower = Qwen2AudioEncoderConfig(
        num_mel_bins=V1.n_mels,
        d_model=audio["n_state"],
        encoder_layers=audio["n_layer"],
        encoder_attention_heads=audio["n_head"],
        encoder_ffn_dim=4 * audio["n_state"],
        max_source_positions=audio["n_ctx"],
    )
    start = audio["audio_start_id"]
    if not 0 <= start < raw["vocab_size"] - 1:
        raise ModelLoadError(f"The checkpoint's config.json has audio_start_id = {start}, outside its vocabulary.")
    return Layout(
        config=Qwen2AudioConfig(audio_config=tower, text_config=text),
        name="Qwen-Audio-Chat" if is_chat else "Qwen-Audio",
        mode="chatml" if is_chat else "task_tags",
        front_end=FrontEnd(V1.n_mels, V1.edge, audio["n_ctx"]),
        languages=V1_LANGUAGES,
        audio_start_id=start,
        renames=_V1_NAMES,
        bounds=_V1_BOUNDS,
    )


def _named_layout(raw: Mapping[str, Any], stored: frozenset[str], is_chat: bool) -> Layout:
    """A checkpoint that carries the library's own config: Qwen2-Audio, or one that says itself what it was taught."""
    config = Qwen2AudioConfig.from_dict({key: value for key, value in raw.items() if key != "tongchuan"})
    taught = raw.get("tongchuan") or {
        "mode": "chatml" if is_chat else "prompt",
        "edge": "masked",
        "languages": V1_LANGUAGES,
        "name": "Qwen2-Audio-Instruct" if is_chat else "Qwen2-Audio",
    }
    mode, edge = taught["mode"], taught["edge"]
    if mode not in get_args(Mode) or edge not in get_args(Edge):
        raise ModelLoadError(
            f"The checkpoint's config.json asks for mode {mode!r}, edge {edge!r}; update this program."
        )
    languages = taught["languages"]
    if not isinstance(languages, Sequence) or not languages or not all(code in LANGUAGES for code in languages):
        raise ModelLoadError(f"The checkpoint's config.json names other languages than {', '.join(LANGUAGES)}.")
    is_published = any(name.startswith("audio_tower.") for name in stored)
    return Layout(
        config=config,
        name=str(taught["name"]),
        mode=mode,
        front_end=FrontEnd(config.audio_config.num_mel_bins, edge, config.audio_config.max_source_positions),
        languages=tuple(languages),
        audio_start_id=None,
        renames=_PUBLISHED_NAMES if is_published else (),
    )


def first_line(error: Exception) -> str:
    """What the library says is wrong, short enough for a sentence."""
    line = next(iter(str(error).splitlines()), "")
    return textwrap.shorten(line, _LONGEST_REASON) or type(error).__name__
