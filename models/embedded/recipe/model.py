"""The network in training: transformers' own Qwen2Audio modules, run over a batch of clips with both branches at once.

In: mel batches with lengths and the text rows of a Layout. Out: logits, phone logits. What it trains is by construction
what `Qwen2AudioForConditionalGeneration` loads; the attention is plain matmul and softmax, whose backward pass is the
faster one on a processor. Optimisers, data and files are not its business.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration
from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer
from transformers.models.qwen2_audio.modeling_qwen2_audio import Qwen2AudioEncoderLayer

N_MEL = 80
VOCABULARY = 4096
ENCODER = {
    "d_model": 192,
    "encoder_layers": 4,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 768,
    "num_mel_bins": N_MEL,
    "max_source_positions": 1500,
}
DECODER = {
    "vocab_size": VOCABULARY,
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "tie_word_embeddings": False,
}


def build_config(pad_id: int, audio_id: int) -> Qwen2AudioConfig:
    """The embedded model's configuration.

    Args:
        pad_id: id of <|endoftext|>, which ends and pads.
        audio_id: id that stands for one audio token.
    """
    text = DECODER | {"model_type": "qwen2", "pad_token_id": pad_id, "eos_token_id": pad_id, "bos_token_id": pad_id}
    return Qwen2AudioConfig(audio_config=ENCODER, text_config=text, audio_token_index=audio_id, pad_token_id=pad_id)


def build_model(config: Qwen2AudioConfig) -> Qwen2AudioForConditionalGeneration:
    """A freshly initialised network, positions of the encoder being v1's sinusoids."""
    model = Qwen2AudioForConditionalGeneration(config)
    encoder = model.model.audio_tower
    with torch.no_grad():
        encoder.embed_positions.weight.copy_(sinusoids(*encoder.embed_positions.weight.shape))
    return model


def sinusoids(length: int, channels: int, max_timescale: float = 10_000.0) -> Tensor:
    """Whisper's positions: sines, then cosines. (length, channels)."""
    half = channels // 2
    rates = torch.exp(-torch.arange(half) * (torch.log(torch.tensor(max_timescale)) / (half - 1)))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder makes of a batch."""

    hidden: Tensor
    """(B, T, D) at 50 a second, before pooling and the last norm."""
    pooled: Tensor
    """(B, T // 2, D) at 25 a second, normed: what the projector takes."""


def encode(model: Qwen2AudioForConditionalGeneration, mel: Tensor, lengths: Tensor) -> Encoded:
    """Run the audio tower on a padded batch, each clip as if alone.

    Args:
        model: the network.
        mel: (B, 80, 2T), zero beyond a clip's own 2 * length columns, as a convolution's own padding is.
        lengths: (B,) encoder positions of each clip.
    """
    tower = model.model.audio_tower
    x = F.gelu(tower.conv1(mel))
    x = F.gelu(tower.conv2(x)).transpose(1, 2)  # (B, T, D)
    n = x.shape[1]
    x = x + tower.embed_positions.weight[:n]
    beyond = torch.arange(n, device=x.device)[None, :] >= lengths[:, None]
    mask = torch.zeros_like(beyond, dtype=x.dtype).masked_fill_(beyond, float("-inf"))[:, None, None, :]
    for layer in tower.layers:
        x = _encoder_layer(layer, x, mask)
    pooled = tower.avg_pooler(x.transpose(1, 2)).transpose(1, 2)
    return Encoded(x, tower.layer_norm(pooled))


def _heads(x: Tensor, n: int) -> Tensor:
    batch, length, width = x.shape
    return x.view(batch, length, n, width // n).transpose(1, 2)  # (B, H, L, D)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    scores = torch.matmul(query, key.transpose(2, 3)) + mask
    return torch.matmul(scores.softmax(-1), value).transpose(1, 2).flatten(2)


def _encoder_layer(layer: Qwen2AudioEncoderLayer, x: Tensor, mask: Tensor) -> Tensor:
    attention = layer.self_attn
    h = layer.self_attn_layer_norm(x)
    n = attention.num_heads
    query = _heads(attention.q_proj(h) * attention.scaling, n)
    mixed = _attend(query, _heads(attention.k_proj(h), n), _heads(attention.v_proj(h), n), mask)
    x = x + attention.out_proj(mixed)
    out: Tensor = x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))
    return out


def decode(model: Qwen2AudioForConditionalGeneration, embeds: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
    """Run the language model's layers over embedded sequences.

    Args:
        model: the network.
        embeds: (B, L, D).
        positions: (B, L) position of each row: the second branch restarts where the audio ends.
        mask: (B, 1, L, L) added to the attention scores, -inf where a row may not look.

    Returns:
        (B, L, D) final hidden states, normed; the head is applied where wanted.
    """
    language = model.model.language_model
    cos, sin = language.rotary_emb(embeds, positions)
    cos, sin = cos[:, None], sin[:, None]
    x = embeds
    for layer in language.layers:
        x = _decoder_layer(layer, x, cos, sin, mask)
    normed: Tensor = language.norm(x)
    return normed


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cos + turned * sin


def _decoder_layer(layer: Qwen2DecoderLayer, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
    attention = layer.self_attn
    h = layer.input_layernorm(x)
    n = attention.config.num_attention_heads
    query = _rotate(_heads(attention.q_proj(h) * attention.scaling, n), cos, sin)
    key = _rotate(_heads(attention.k_proj(h), n), cos, sin)
    x = x + attention.o_proj(_attend(query, key, _heads(attention.v_proj(h), n), mask))
    h = layer.post_attention_layernorm(x)
    mlp = layer.mlp
    out: Tensor = x + mlp.down_proj(F.silu(mlp.gate_proj(h)) * mlp.up_proj(h))
    return out


@dataclass(frozen=True, slots=True)
class Layout:
    """The text part of a batch: one row an item, [<audio> audio </audio> tags+transcript tags+translation]."""

    ids: Tensor
    """(B, L) int64; what stands in the audio's place does not matter."""
    positions: Tensor
    """(B, L) int64."""
    branch: Tensor
    """(B, L) int8: 0 audio (seen by all), 1 transcribe, 2 translate, -1 padding."""
    targets: Tensor
    """(B, L) int64: the id to predict at each place, -100 for none."""
    n_audio: Tensor
    """(B,) audio tokens, the two around them not counted."""


def block_mask(layout: Layout, dtype: torch.dtype) -> Tensor:
    """(B, 1, L, L): causal, and no branch sees the other."""
    branch = layout.branch
    n = branch.shape[1]
    causal = torch.ones(n, n, dtype=torch.bool, device=branch.device).tril()
    key, query = branch[:, None, :], branch[:, :, None]
    itself = torch.eye(n, dtype=torch.bool, device=branch.device)
    seen = causal & (key >= 0) & ((key == 0) | (key == query)) | itself
    return torch.zeros_like(seen, dtype=dtype).masked_fill_(~seen, float("-inf"))[:, None]


def splice(model: Qwen2AudioForConditionalGeneration, layout: Layout, audio: Tensor) -> Tensor:
    """Embed a layout's ids, the audio tokens in their places. audio (B, N, D) -> (B, L, D)."""
    embeds = model.model.language_model.embed_tokens(layout.ids)
    n = audio.shape[1]
    own = torch.arange(n, device=audio.device)[None, :] < layout.n_audio[:, None]
    head, body, tail = embeds[:, :1], embeds[:, 1 : n + 1], embeds[:, n + 1 :]
    return torch.cat([head, torch.where(own[..., None], audio, body), tail], dim=1)


class PhoneHead(nn.Module):
    """Names the phone of each 20 ms; used in training alone."""

    def __init__(self, width: int, n_units: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.units = nn.Linear(width, n_units)

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = self.units(self.norm(hidden))
        return out
