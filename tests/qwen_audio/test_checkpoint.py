"""Loading: both layouts, any sizes, strict both ways, and one clear error for everything that can be wrong."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.base import ModelLoadError
from models.qwen_audio.checkpoint import build_on_meta, load, stored_tensors
from models.qwen_audio.layouts import read_layout

CPU = torch.device("cpu")
FULL_SIZE = {
    "model_type": "qwen",
    "vocab_size": 155947,
    "hidden_size": 4096,
    "intermediate_size": 22016,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "kv_channels": 128,
    "layer_norm_epsilon": 1e-6,
    "rotary_emb_base": 10000,
    "rotary_pct": 1.0,
    "seq_length": 2048,
    "no_bias": True,
    "tie_word_embeddings": False,
    "audio": {
        "n_mels": 80,
        "n_ctx": 1500,
        "n_state": 1280,
        "n_head": 20,
        "n_layer": 32,
        "output_dim": 4096,
        "avg_pool": True,
        "add_audio_bos_eos_token": True,
        "audio_start_id": 155163,
    },
}
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def copied(folder: Path, to: Path) -> Path:
    for file in folder.iterdir():
        shutil.copyfile(file, to / file.name)
    return to


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    raw = json.loads(path.read_text())
    raw.update(changes)
    path.write_text(json.dumps(raw))


def edit_weights(path: Path, **changes: torch.Tensor | None) -> None:
    tensors = load_file(path)
    tensors.update({name: tensor for name, tensor in changes.items() if tensor is not None})
    save_file({name: t for name, t in tensors.items() if changes.get(name, t) is not None}, path)


@pytest.fixture
def v1_copy(v1_folder, tmp_path) -> Path:
    return copied(v1_folder, tmp_path)


@pytest.fixture
def small_copy(small_folder, tmp_path) -> Path:
    return copied(small_folder, tmp_path)


def test_the_published_sizes_need_749_tensors_and_8396222464_values():
    layout = read_layout(FULL_SIZE, frozenset())
    shapes = {name: stored.shape for name, stored in stored_tensors(layout, build_on_meta(layout)).items()}
    assert len(shapes) == 749
    assert sum(math.prod(shape) for shape in shapes.values()) == 8_396_222_464
    assert shapes["transformer.h.31.attn.c_attn.weight"] == (12288, 4096)
    assert shapes["transformer.h.0.mlp.w1.weight"] == (11008, 4096)
    assert shapes["transformer.audio.positional_embedding"] == (1500, 1280)
    assert shapes["transformer.audio.audio_bos_eos_token.weight"] == (2, 4096)


def test_a_v1_checkpoint_fills_every_tensor_of_the_librarys_model(v1_folder):
    checkpoint = load(v1_folder, CPU)
    stored = load_file(v1_folder / FIRST) | load_file(v1_folder / SECOND)
    own = checkpoint.model.state_dict()
    assert not any(p.is_meta or p.requires_grad for p in checkpoint.model.parameters())
    q, k, v = stored["transformer.h.1.attn.c_attn.weight"].chunk(3)
    for name, part in (("q", q), ("k", k), ("v", v)):
        assert torch.equal(own[f"model.language_model.layers.1.self_attn.{name}_proj.weight"], part)
    assert torch.equal(
        own["model.language_model.layers.2.mlp.gate_proj.weight"], stored["transformer.h.2.mlp.w2.weight"]
    )
    bounds = stored["transformer.audio.audio_bos_eos_token.weight"]
    assert torch.equal(own["model.language_model.embed_tokens.weight"][280:282], bounds)
    assert torch.equal(own["model.language_model.embed_tokens.weight"][:280], stored["transformer.wte.weight"][:280])


def test_the_norms_epsilon_is_the_checkpoints_own(v1_copy):
    edit_config(v1_copy, layer_norm_epsilon=3e-5)
    text = load(v1_copy, CPU).model.model.language_model
    assert text.norm.variance_epsilon == text.layers[0].input_layernorm.variance_epsilon == 3e-5


def test_heads_may_be_wider_than_the_hidden_size_divided_by_their_number():
    audio = FULL_SIZE["audio"] | {"n_state": 48, "n_head": 3, "n_layer": 1, "audio_start_id": 7}
    sizes = {"hidden_size": 40, "num_attention_heads": 4, "kv_channels": 12, "num_hidden_layers": 1, "vocab_size": 50}
    layout = read_layout(FULL_SIZE | sizes | {"audio": audio}, frozenset())
    tensors = stored_tensors(layout, build_on_meta(layout))
    assert tensors["transformer.h.0.attn.c_attn.bias"].shape == (144,)
    assert tensors["transformer.h.0.attn.c_proj.weight"].shape == (40, 48)


def test_half_precision_becomes_full_on_the_cpu_and_progress_reaches_one(small_folder):
    shares: list[float] = []
    checkpoint = load(small_folder, CPU, progress=shares.append)
    stored = load_file(small_folder / "model.safetensors")
    own = checkpoint.model.state_dict()
    assert {t.dtype for t in stored.values()} == {torch.float16}
    assert own.keys() == stored.keys()
    assert all(torch.equal(own[name], stored[name].float()) for name in stored)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert (checkpoint.name, checkpoint.languages, checkpoint.dtype) == ("small", ("zh", "en"), torch.float32)


def test_rotary_frequencies_are_those_of_the_librarys_own_model(small_folder):
    checkpoint = load(small_folder, CPU)
    text = checkpoint.model.model.language_model
    fresh = type(text)(text.config)
    assert torch.equal(text.rotary_emb.inv_freq, fresh.rotary_emb.inv_freq)


def test_the_names_of_the_published_qwen2_audio_are_read_too(small_copy, small_folder):
    weights = small_copy / "model.safetensors"
    old = {}
    for name, tensor in load_file(weights).items():
        if name.startswith("lm_head."):
            old["language_model." + name] = tensor
        else:
            tail = name.removeprefix("model.")
            old[tail.replace("language_model.", "language_model.model.", 1)] = tensor
    save_file(old, weights)
    expected, own = load(small_folder, CPU).model.state_dict(), load(small_copy, CPU).model.state_dict()
    assert all(torch.equal(own[name], expected[name]) for name in expected)


def test_a_missing_an_extra_and_a_misshapen_tensor_are_named(small_copy):
    weights = small_copy / "model.safetensors"
    name = "model.audio_tower.layers.1.fc1.bias"
    original = load_file(weights)[name]
    edit_weights(weights, **{name: None})
    with pytest.raises(ModelLoadError, match=rf"lacks {name}"):
        load(small_copy, CPU)
    edit_weights(weights, **{name: original[:-1].clone()})
    with pytest.raises(ModelLoadError, match=rf"{name} in .* has the shape \(31,\), not \(32,\)"):
        load(small_copy, CPU)
    edit_weights(weights, **{name: original.to(torch.int8)})
    with pytest.raises(ModelLoadError, match=rf"{name} in .* holds torch.int8"):
        load(small_copy, CPU)
    edit_weights(weights, **{name: original, "model.audio_tower.layers.1.fc3.bias": original.clone()})
    with pytest.raises(ModelLoadError, match=r"has model\.audio_tower\.layers\.1\.fc3\.bias, which"):
        load(small_copy, CPU)


def test_a_missing_tensor_of_v1_is_named_as_v1_names_it(v1_copy):
    name = "transformer.h.0.attn.c_attn.bias"
    edit_weights(v1_copy / FIRST, **{name: None})
    index = json.loads((v1_copy / "model.safetensors.index.json").read_text())
    del index["weight_map"][name]
    (v1_copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelLoadError, match=rf"lacks {name}"):
        load(v1_copy, CPU)


def test_a_shard_that_is_missing_cut_short_or_not_as_indexed_is_named(v1_copy):
    index = v1_copy / "model.safetensors.index.json"
    shard = v1_copy / SECOND
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-100])
    with pytest.raises(ModelLoadError, match=rf"{SECOND} is cut short or corrupt"):
        load(v1_copy, CPU)
    shard.write_bytes(b"")
    with pytest.raises(ModelLoadError, match=rf"{SECOND} is cut short or corrupt"):
        load(v1_copy, CPU)
    shard.unlink()
    with pytest.raises(ModelLoadError, match=rf"{SECOND} is missing"):
        load(v1_copy, CPU)
    shard.write_bytes(whole)
    edit_weights(shard, **{"stray.weight": torch.zeros(1)})
    with pytest.raises(ModelLoadError, match=rf"{SECOND} does not hold what the index says: stray.weight"):
        load(v1_copy, CPU)
    for broken in ("{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {"lm_head.weight": "../model.safetensors"}}'):
        index.write_text(broken)
        with pytest.raises(ModelLoadError, match=r"index\.json"):
            load(v1_copy, CPU)


def test_a_folder_that_is_no_checkpoint_says_what_it_lacks(tmp_path, small_folder):
    with pytest.raises(ModelLoadError, match=r"config\.json is missing"):
        load(tmp_path, CPU)
    with pytest.raises(ModelLoadError, match=r"config\.json is missing"):
        load(tmp_path / "nowhere", CPU)
    shutil.copyfile(small_folder / "config.json", tmp_path / "config.json")
    with pytest.raises(ModelLoadError, match=r"no model\.safetensors"):
        load(tmp_path, CPU)


def test_pickled_weights_are_refused_unopened(tmp_path, small_folder):
    shutil.copyfile(small_folder / "config.json", tmp_path / "config.json")
    (tmp_path / "pytorch_model.bin").write_bytes(b"not even a pickle")
    with pytest.raises(ModelLoadError, match="only as pickles"):
        load(tmp_path, CPU)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "llama"}, "another model"),
        ({"audio": None}, "not usable"),
        ({"audio": {"n_mels": 80}}, "no '"),
        ({"no_bias": False}, "no_bias = False"),
        ({"layer_norm_epsilon": "small"}, "not usable"),
        ({"num_attention_heads": 0}, "cannot be built"),
        ({"hidden_size": 65}, "shape"),
        ({"vocab_size": 200}, "audio_start_id = 280"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers above 512"),
        ({"num_hidden_layers": 10**400}, "num_hidden_layers above 512"),
        ({"kv_channels": float("inf")}, "not usable"),
        ({"intermediate_size": 10**30}, r"cannot be built: [^\n]{,200}$"),
    ],
)
def test_a_config_that_does_not_fit_is_one_clear_error(v1_copy, changes, message):
    edit_config(v1_copy, **changes)
    with pytest.raises(ModelLoadError, match=message):
        load(v1_copy, CPU)


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        ("audio_config", {"encoder_layers": 10**9}, "encoder_layers above 512"),
        ("text_config", {"hidden_act": "none"}, "cannot be built: 'none'"),
        ("text_config", {"pad_token_id": 10**6}, "cannot be built: Padding_idx"),
        ("text_config", {"model_type": "none"}, r"not usable: [^\n]{,200}$"),
    ],
)
def test_what_the_library_cannot_build_is_one_clear_error(small_copy, section, changes, message):
    raw = json.loads((small_copy / "config.json").read_text())
    raw[section] |= changes
    (small_copy / "config.json").write_text(json.dumps(raw))
    with pytest.raises(ModelLoadError, match=message):
        load(small_copy, CPU)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"mode": "chat", "edge": "v1"}, "mode 'chat'"),
        ({"mode": "task_tags", "edge": "v1", "name": "x"}, "no 'languages'"),
        ({"mode": "task_tags", "edge": "v1", "name": "x", "languages": ["zh", "xx"]}, "other languages than"),
        ({"mode": "task_tags", "edge": "v1", "name": "x", "languages": []}, "other languages than"),
    ],
)
def test_a_checkpoint_with_another_mode_is_one_clear_error(small_copy, section, message):
    raw = json.loads((small_copy / "config.json").read_text())
    raw["tongchuan"] = section
    (small_copy / "config.json").write_text(json.dumps(raw))
    with pytest.raises(ModelLoadError, match=message):
        load(small_copy, CPU)


def test_a_config_that_is_no_json_is_one_clear_error(small_copy):
    for broken in ("", "{", "[1]", "[" * 100_000, '{"model_type": ' + "1" * 5000 + "}"):
        (small_copy / "config.json").write_text(broken)
        with pytest.raises(ModelLoadError, match=r"config\.json"):
            load(small_copy, CPU)
