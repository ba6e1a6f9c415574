"""Weights in, the checkpoint folder out: config.json, model.safetensors in fp16, and expected.safetensors to verify by.

In: a trained model, a vocabulary's folder. Out: files that appear whole or not at all. The vocabulary is bpe's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

from models.base import Samples, Task
from models.embedded.recipe.model import build_config
from models.qwen_audio.frontend import V1
from models.qwen_audio.prompts import AUDIO_PAD, START, audio_span, task_tags
from models.qwen_audio.tokenizer import Tokenizer

FOLDER = Path(__file__).resolve().parents[1]
"""models/embedded: where the shipped checkpoint lies."""
WEIGHTS, CONFIG, EXPECTED = "model.safetensors", "config.json", "expected.safetensors"
DESCRIPTION = {"mode": "task_tags", "edge": "v1", "languages": ["zh", "en"], "name": "embedded"}

LAST_LOGITS = 5
GREEDY_IDS = 16
READABLE = 0o644
"""safetensors writes for the owner alone; these files are installed for everyone."""
BYTES_LIMIT = 25_000_000
"""The repository carries no larger file of weights."""


def config_of(tokenizer: Tokenizer) -> Qwen2AudioConfig:
    return build_config(tokenizer.end, tokenizer.tags[AUDIO_PAD])


def write_checkpoint(model: Qwen2AudioForConditionalGeneration, weights: dict[str, Tensor], folder: Path) -> None:
    """Write config and weights.

    Args:
        model: has the config.
        weights: its state in any float type; written as fp16.
        folder: where the vocabulary lies already.
    """
    config = model.config.to_dict() | {"architectures": [type(model).__name__], "dtype": "float16"}
    _replace_text(
        folder / CONFIG, json.dumps(config | {"tongchuan": _described(folder)}, indent=2, sort_keys=True) + "\n"
    )
    halves = {name: weight.detach().to("cpu", torch.float16).contiguous() for name, weight in weights.items()}
    part = folder / (WEIGHTS + ".part")
    save_file(halves, part, metadata={"format": "pt"})
    if part.stat().st_size > BYTES_LIMIT:
        raise ValueError(f"the weights take {part.stat().st_size} bytes; at most {BYTES_LIMIT} are meant to be carried")
    part.chmod(READABLE)
    part.replace(folder / WEIGHTS)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The checkpoint's tensors in fp32."""
    return {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}


def _described(folder: Path) -> dict[str, object]:
    """The section of our own; what a calibration put there stays until the next one."""
    path = folder / CONFIG
    present: dict[str, object] = json.loads(path.read_text("utf-8")).get("tongchuan", {}) if path.exists() else {}
    return present | DESCRIPTION


def _replace_text(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    part.replace(path)


def write_expected(folder: Path, clips: Sequence[tuple[Samples, str, Task]]) -> None:
    """Write what the plain library modules compute in fp32 from the fp16 weights, as a reference for faster paths.

    Args:
        folder: a written checkpoint.
        clips: (samples, source language, task) of each case.
    """
    tokenizer = Tokenizer.from_folder(folder)
    model = Qwen2AudioForConditionalGeneration(config_of(tokenizer)).eval()
    model.load_state_dict(read_weights(folder), strict=True)
    tensors: dict[str, Tensor] = {}
    for case, (samples, source, task) in enumerate(clips):
        target = source if task == "transcribe" else {"zh": "en", "en": "zh"}[source]
        tags = (*audio_span(V1.audio_tokens(len(samples))), START, *task_tags(task, source, target))
        prompt = [tokenizer.tags[tag] for tag in tags]
        for name, tensor in _slow_path(model, samples, prompt).items():
            tensors[f"{case}.{name}"] = tensor.contiguous()
    part = folder / (EXPECTED + ".part")
    save_file(tensors, part)
    part.chmod(READABLE)
    part.replace(folder / EXPECTED)


@torch.no_grad()
def _slow_path(model: Qwen2AudioForConditionalGeneration, samples: Samples, prompt: list[int]) -> dict[str, Tensor]:
    """One case: the library's own layers without a cache, the whole sequence anew for each token."""
    n = V1.audio_tokens(len(samples))
    tower = model.model.audio_tower
    x = torch.nn.functional.gelu(tower.conv1(V1.log_mel(samples)[None]))
    x = torch.nn.functional.gelu(tower.conv2(x)).transpose(1, 2)
    x = x + tower.embed_positions.weight[: V1.encoder_length(len(samples))]
    for layer in tower.layers:
        x = layer(x, None)
    x = tower.layer_norm(tower.avg_pooler(x.transpose(1, 2)).transpose(1, 2))
    audio = model.model.multi_modal_projector(x)[:, :n]
    table = model.get_input_embeddings()
    ids = list(prompt)
    greedy: list[int] = []
    while True:
        embeds = table(torch.tensor([ids]))
        embeds[:, 1 : n + 1] = audio
        logits = model.lm_head(model.model.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state)[0]
        if not greedy:
            span, last = embeds[0, : n + 2], logits[-LAST_LOGITS:]
        greedy.append(int(logits[-1].argmax()))
        ids.append(greedy[-1])
        if len(greedy) == GREEDY_IDS:
            break
    return {
        "samples": torch.from_numpy(samples.copy()),
        "prompt_ids": torch.tensor(prompt),
        "audio_embeds_first_last": span[[0, 1, -2, -1]],
        "last_logits": last,
        "greedy_ids": torch.tensor(greedy),
    }
