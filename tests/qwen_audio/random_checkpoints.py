"""Random checkpoints of any size, written as the published ones are: Qwen-Audio v1 by hand, Qwen2-Audio by the library.

In: a folder, sizes. Out: the folder filled, and the library's own model of the same weights.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    Qwen2AudioConfig,
    Qwen2AudioEncoderConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    Qwen2Config,
    Qwen2Tokenizer,
    WhisperFeatureExtractor,
)

QWEN2_TAGS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
V1_SIZES: dict[str, Any] = {
    "model_type": "qwen",
    "vocab_size": 331,
    "hidden_size": 40,
    "intermediate_size": 92,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "kv_channels": 12,
    "layer_norm_epsilon": 3e-4,
    "rotary_emb_base": 5000,
    "rotary_pct": 1.0,
    "seq_length": 512,
    "no_bias": True,
    "tie_word_embeddings": False,
    "audio": {
        "n_mels": 80,
        "n_ctx": 200,
        "n_state": 24,
        "n_head": 3,
        "n_layer": 3,
        "output_dim": 40,
        "avg_pool": True,
        "add_audio_bos_eos_token": True,
        "audio_start_id": 300,
    },
}
"""Unlike the fixture's in every number, and heads wider than the hidden size divided by them."""
V1_PAD = 290
"""No config of v1 names the id of an audio pad."""
_CORPUS = (
    "The meeting starts at three o'clock. We don't know the answers, and they're waiting there. 1234 5678.",
    "会议三点开始。我们不知道答案，他们在那里等着。今天天气很好，大家都来了。",
)


class LibraryCheckpoint(NamedTuple):
    """A checkpoint that the library saved."""

    folder: Path
    model: Qwen2AudioForConditionalGeneration
    processor: Qwen2AudioProcessor


def noise(n: int, seed: int = 0) -> np.ndarray:
    """A clip of so many samples."""
    return (np.random.default_rng(seed).standard_normal(n) * 0.1).astype(np.float32)


def write_v1(folder: Path, is_chat: bool = False) -> Qwen2AudioForConditionalGeneration:
    """A checkpoint in Qwen-Audio v1's layout, and the library's model of it, the two tags' own embeddings in place."""
    sizes, audio = V1_SIZES, V1_SIZES["audio"]
    text = Qwen2Config(
        vocab_size=sizes["vocab_size"],
        hidden_size=sizes["hidden_size"],
        intermediate_size=sizes["intermediate_size"] // 2,
        num_hidden_layers=sizes["num_hidden_layers"],
        num_attention_heads=sizes["num_attention_heads"],
        num_key_value_heads=sizes["num_attention_heads"],
        head_dim=sizes["kv_channels"],
        rms_norm_eps=sizes["layer_norm_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": float(sizes["rotary_emb_base"])},
        tie_word_embeddings=False,
        initializer_range=0.4,
    )
    tower = Qwen2AudioEncoderConfig(
        num_mel_bins=80,
        d_model=audio["n_state"],
        encoder_layers=audio["n_layer"],
        encoder_attention_heads=audio["n_head"],
        encoder_ffn_dim=4 * audio["n_state"],
        max_source_positions=audio["n_ctx"],
        initializer_range=0.2,
    )
    model = _random(Qwen2AudioConfig(audio_config=tower, text_config=text, audio_token_index=V1_PAD), seed=5)
    stored = _as_v1(model.state_dict())
    rows, start = model.get_input_embeddings().weight, audio["audio_start_id"]
    rows[start : start + 2] = stored["transformer.audio.audio_bos_eos_token.weight"]
    write_shards(folder, stored, 3)
    (folder / "config.json").write_text(json.dumps(sizes))
    (folder / "generation_config.json").write_text(json.dumps({"chat_format": "chatml" if is_chat else "raw"}))
    return model


def write_qwen2_audio(
    folder: Path, is_instruct: bool, n_mels: int = 128
) -> tuple[Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor]:
    """A checkpoint as the library saves Qwen2-Audio: published names, shards, and its processor's files."""
    tokenizer = qwen2_tokenizer()
    ids = {tag: tokenizer.convert_tokens_to_ids(tag) for tag in QWEN2_TAGS}
    config = Qwen2AudioConfig(
        text_config=Qwen2Config(
            vocab_size=len(tokenizer) + 9,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            rms_norm_eps=2e-4,
            initializer_range=0.4,
        ),
        audio_config=Qwen2AudioEncoderConfig(
            num_mel_bins=n_mels,
            d_model=16,
            encoder_layers=2,
            encoder_attention_heads=2,
            encoder_ffn_dim=32,
            initializer_range=0.3,
        ),
        audio_token_index=ids["<|AUDIO|>"],
    )
    model = _random(config, seed=7)
    ends = [ids["<|im_end|>"], ids["<|endoftext|>"]] if is_instruct else ids["<|endoftext|>"]
    model.generation_config = GenerationConfig(
        eos_token_id=ends, pad_token_id=ids["<|endoftext|>"], do_sample=False, max_new_tokens=16
    )
    model.save_pretrained(folder, max_shard_size="40KB")
    extractor = WhisperFeatureExtractor(feature_size=n_mels, return_attention_mask=True)
    processor = Qwen2AudioProcessor(extractor, tokenizer)
    processor.save_pretrained(folder)
    return model, processor


def for_clips_of(model: Qwen2AudioForConditionalGeneration, positions: int) -> Qwen2AudioForConditionalGeneration:
    """The library's model with an encoder that takes mels of just so many positions, as v1's takes any."""
    cut = copy.deepcopy(model)
    tower = cut.model.audio_tower
    tower.config.max_source_positions = positions
    tower.embed_positions.weight.data = tower.embed_positions.weight.data[:positions]
    return cut


def computed_by_the_library(
    model: Qwen2AudioForConditionalGeneration, samples: np.ndarray, inputs: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """One case of an expected.safetensors: the library's own forward and `generate()` of inputs for its model."""
    endless = copy.deepcopy(model)
    endless.generation_config = GenerationConfig(pad_token_id=0, do_sample=False)
    heard: list[torch.Tensor] = []
    language = endless.model.language_model
    hook = language.register_forward_pre_hook(lambda _, __, kw: heard.append(kw["inputs_embeds"]), with_kwargs=True)
    logits = endless(**inputs).logits[0, -5:]
    hook.remove()
    ids = inputs["input_ids"][0]
    pads = (ids == model.config.audio_token_id).nonzero().flatten().tolist()
    rows = [pads[0] - 1, pads[0], pads[-1], pads[-1] + 1]
    greedy = endless.generate(**inputs, max_new_tokens=16)[0, len(ids) :]
    return {
        "samples": torch.from_numpy(samples),
        "prompt_ids": ids.clone(),
        "audio_embeds_first_last": heard[0][0, rows].clone(),
        "last_logits": logits.clone(),
        "greedy_ids": greedy.clone(),
    }


def write_expected(folder: Path, cases: Sequence[Mapping[str, torch.Tensor]]) -> None:
    """An expected.safetensors of some cases."""
    fields = {f"{k}.{name}": tensor for k, case in enumerate(cases) for name, tensor in case.items()}
    save_file(fields, folder / "expected.safetensors")


def qwen2_tokenizer() -> Qwen2Tokenizer:
    """The library's tokenizer with a vocabulary trained on a few lines, and Qwen2-Audio's tags."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learner.train_from_iterator(_CORPUS * 3, trainer)
    learnt = json.loads(learner.to_str())["model"]
    tokenizer = Qwen2Tokenizer(vocab=learnt["vocab"], merges=[tuple(pair) for pair in learnt["merges"]])
    tokenizer.add_tokens(list(QWEN2_TAGS), special_tokens=True)
    return tokenizer


def _random(config: Qwen2AudioConfig, seed: int) -> Qwen2AudioForConditionalGeneration:
    """A model whose biases and norms are random too: the library starts them at zero and one."""
    torch.manual_seed(seed)
    model = Qwen2AudioForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.requires_grad_(False)


def _as_v1(own: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of the library's model by the names of modeling_qwen.py and audio.py."""
    stored = {
        "transformer.wte.weight": own["model.language_model.embed_tokens.weight"],
        "transformer.ln_f.weight": own["model.language_model.norm.weight"],
        "lm_head.weight": own["lm_head.weight"],
        "transformer.audio.positional_embedding": own["model.audio_tower.embed_positions.weight"],
        "transformer.audio.audio_bos_eos_token.weight": torch.randn(2, V1_SIZES["hidden_size"]),
    }
    for name, tensor in own.items():
        head, _, tail = name.rpartition(".")
        parts = head.removeprefix("model.").split(".")
        if parts[0] == "language_model" and parts[1] == "layers":
            _put_text_layer(stored, f"transformer.h.{parts[2]}.", ".".join(parts[3:]), tail, own, name)
        elif parts[0] == "audio_tower" and parts[1] == "layers":
            module = _AUDIO_MODULES[".".join(parts[3:])]
            stored[f"transformer.audio.blocks.{parts[2]}.{module}.{tail}"] = tensor
        elif parts[-1] in _AUDIO_ENDS:
            stored[f"transformer.audio.{_AUDIO_ENDS[parts[-1]]}.{tail}"] = tensor
    return {name: tensor.clone().contiguous() for name, tensor in stored.items()}


def _put_text_layer(
    stored: dict[str, torch.Tensor], layer: str, module: str, tail: str, own: dict[str, torch.Tensor], name: str
) -> None:
    if module == "self_attn.q_proj":
        parts = [own[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
        stored[f"{layer}attn.c_attn.{tail}"] = torch.cat(parts)
    elif module in _TEXT_MODULES:
        stored[f"{layer}{_TEXT_MODULES[module]}.{tail}"] = own[name]


_TEXT_MODULES = {
    "self_attn.o_proj": "attn.c_proj",
    "input_layernorm": "ln_1",
    "post_attention_layernorm": "ln_2",
    "mlp.up_proj": "mlp.w1",
    "mlp.gate_proj": "mlp.w2",
    "mlp.down_proj": "mlp.c_proj",
}
_AUDIO_MODULES = {
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "self_attn_layer_norm": "attn_ln",
    "final_layer_norm": "mlp_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
}
_AUDIO_ENDS = {"conv1": "conv1", "conv2": "conv2", "layer_norm": "ln_post", "linear": "proj"}


def write_shards(folder: Path, tensors: dict[str, torch.Tensor], count: int) -> None:
    """Tensors in so many files, and their index."""
    names = sorted(tensors)
    files = [f"model-{i + 1:05}-of-{count:05}.safetensors" for i in range(count)]
    for i, file in enumerate(files):
        save_file({name: tensors[name] for name in names[i::count]}, folder / file)
    index = {"weight_map": {name: files[i % count] for i, name in enumerate(names)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
