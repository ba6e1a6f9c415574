"""Which checkpoint a folder holds, whether its vocabulary goes with it, and how much memory reading it takes."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from random_checkpoints import V1_SIZES, noise, write_shards, write_v1
from safetensors.torch import load_file, save_file
from transformers import BertConfig, Qwen2Config, WhisperConfig

from models.base import ModelLoadError, TranslateError
from models.qwen_audio.checkpoint import build_on_meta, inspect, load, stored_tensors
from models.qwen_audio.decoder import Decoder
from models.qwen_audio.frontend import FrontEnd
from models.qwen_audio.layouts import read_layout
from models.qwen_audio.tokenizer import Tokenizer

CPU = torch.device("cpu")
MIB = 2**20


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, dirs_exist_ok=True)
    return to


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("is_chat", "mode", "name"), [(False, "task_tags", "Qwen-Audio"), (True, "chatml", "Qwen-Audio-Chat")]
)
def test_the_chat_checkpoint_of_v1_is_told_by_its_chat_format(tmp_path, is_chat, mode, name):
    write_v1(tmp_path, is_chat)
    checkpoint = load(tmp_path, CPU)
    assert (checkpoint.mode, checkpoint.name) == (mode, name)
    assert checkpoint.languages == ("en", "zh", "de", "es", "ko", "fr", "ja", "it")
    assert load(tmp_path, CPU, mode="task_tags").mode == "task_tags"


def test_without_generation_settings_v1_is_the_base_model(other_v1, tmp_path):
    copied(other_v1[0], tmp_path)
    (tmp_path / "generation_config.json").unlink()
    assert inspect(tmp_path)[0].mode == "task_tags"


def test_qwen2_audio_may_say_that_it_is_a_chat_model_as_v1_does(qwen2_audio, tmp_path):
    copied(qwen2_audio.folder, tmp_path)
    (tmp_path / "generation_config.json").write_text(json.dumps({"chat_format": "chatml"}))
    assert inspect(tmp_path)[0].mode == "chatml"
    (tmp_path / "generation_config.json").unlink()
    (tmp_path / "tokenizer.json").unlink()
    assert inspect(tmp_path)[0].mode == "prompt"


@pytest.mark.parametrize(("mode", "edge"), [("prompt", "masked"), ("chatml", "v1"), ("task_tags", "masked")])
def test_a_checkpoint_that_says_what_it_was_taught_is_believed(small_folder, tmp_path, mode, edge):
    copied(small_folder, tmp_path)
    edit_json(
        tmp_path / "config.json", tongchuan={"mode": mode, "edge": edge, "languages": ["zh", "en", "de"], "name": "x"}
    )
    checkpoint = load(tmp_path, CPU)
    assert (checkpoint.mode, checkpoint.front_end.edge, checkpoint.name) == (mode, edge, "x")
    assert checkpoint.languages == ("zh", "en", "de")


def test_the_published_qwen2_audio_says_little_in_its_config_and_has_8397094912_values():
    raw = {
        "model_type": "qwen2_audio",
        "audio_token_index": 151646,
        "audio_config": {"model_type": "qwen2_audio_encoder", "num_mel_bins": 128, "d_model": 1280},
        "text_config": {
            "model_type": "qwen2",
            "intermediate_size": 11008,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000,
            "max_position_embeddings": 8192,
            "vocab_size": 156032,
        },
        "vocab_size": 156032,
        "torch_dtype": "bfloat16",
    }
    layout = read_layout(raw, frozenset({"audio_tower.conv1.weight"}))
    tensors = stored_tensors(layout, build_on_meta(layout))
    assert sum(math.prod(tensor.shape) for tensor in tensors.values()) == 8_397_094_912
    assert tensors["language_model.model.layers.31.mlp.gate_proj.weight"].shape == (11008, 4096)
    assert tensors["language_model.lm_head.weight"].shape == (156032, 4096)
    assert tensors["audio_tower.layers.31.fc1.weight"].shape == (5120, 1280)
    assert tensors["multi_modal_projector.linear.weight"].shape == (4096, 1280)
    assert layout.front_end == FrontEnd(128, "masked")
    assert layout.config.text_config.rms_norm_eps == 1e-5
    assert layout.config.text_config.rope_parameters["rope_theta"] == 10000


def test_generation_settings_that_are_broken_are_one_clear_error(other_v1, tmp_path):
    copied(other_v1[0], tmp_path)
    for broken in ("{", "[]"):
        (tmp_path / "generation_config.json").write_text(broken)
        with pytest.raises(ModelLoadError, match=r"generation_config\.json"):
            load(tmp_path, CPU)


@pytest.mark.parametrize("config", [BertConfig(), Qwen2Config(), WhisperConfig()], ids=lambda c: c.model_type)
def test_another_model_is_named_and_refused(small_folder, tmp_path, config):
    copied(small_folder, tmp_path)
    (tmp_path / "config.json").write_text(config.to_json_string())
    with pytest.raises(ModelLoadError, match=rf"another model \(model_type '{config.model_type}'\)"):
        load(tmp_path, CPU)


def test_a_shard_of_qwen2_audio_that_is_missing_or_cut_short_is_named(qwen2_audio, tmp_path):
    copied(qwen2_audio.folder, tmp_path)
    shard = sorted(tmp_path.glob("*.safetensors"))[1]
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelLoadError, match=rf"{shard.name} is cut short or corrupt"):
        load(tmp_path, CPU)
    shard.unlink()
    with pytest.raises(ModelLoadError, match=rf"{shard.name} is missing"):
        load(tmp_path, CPU)


def test_a_size_that_does_not_fit_is_found_before_any_weight_is_read(qwen2_audio, tmp_path):
    copied(qwen2_audio.folder, tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    edit_json(tmp_path / "config.json", audio_config=raw["audio_config"] | {"encoder_ffn_dim": 33})
    shares: list[float] = []
    with pytest.raises(ModelLoadError, match=r"fc1\.bias in .* has the shape \(32,\), not \(33,\)"):
        load(tmp_path, CPU, progress=shares.append)
    assert shares == []


def test_a_vocabulary_of_another_checkpoint_is_refused(qwen2_audio, small_folder, toy_tokenizer, tmp_path):
    checkpoint, small = load(qwen2_audio.folder, CPU), load(small_folder, CPU)
    own = Tokenizer.from_folder(qwen2_audio.folder)
    checkpoint.check_vocabulary(own)
    small.check_vocabulary(toy_tokenizer)
    with pytest.raises(ModelLoadError, match=r"\[\[\[AUDIO:modality\]\]\] as id"):
        checkpoint.check_vocabulary(toy_tokenizer)
    with pytest.raises(ModelLoadError, match="ids and the weights have 300 rows"):
        small.check_vocabulary(own)
    write_v1(tmp_path)
    with pytest.raises(ModelLoadError, match=r"<audio> as id .* and the checkpoint's config\.json as 300"):
        load(tmp_path, CPU).check_vocabulary(toy_tokenizer)
    with pytest.raises(ModelLoadError, match="no tags for sound"):
        checkpoint.check_vocabulary(Tokenizer({bytes([i]): i for i in range(256)}, {"<|endoftext|>": 256}))


def test_more_text_and_sound_than_the_model_holds_is_refused(other_v1):
    checkpoint = load(other_v1[0], CPU)
    assert checkpoint.max_tokens == V1_SIZES["seq_length"]
    decoder = Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool))
    mel = checkpoint.front_end.log_mel(noise(64_000))
    clip = [300, *[290] * 100, 301]
    with torch.inference_mode():
        decoder.listen([mel] * 5, clip * 5)  # 510 tokens
        steps = decoder.write([5], ())
        next(steps)
        next(steps)
        with pytest.raises(TranslateError, match="holds 512 tokens"):
            next(steps)
        with pytest.raises(TranslateError, match="holds 512 tokens"):
            Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool)).listen([mel] * 6, clip * 6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_off_the_cpu_weights_keep_their_dtype_and_every_tensor_is_on_the_device(small_folder, tmp_path, dtype):
    copied(small_folder, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file({name: tensor.to(dtype) for name, tensor in tensors.items()}, tmp_path / "model.safetensors")
    checkpoint = load(tmp_path, torch.device("meta"))  # a device like any other, but for holding nothing
    model = checkpoint.model
    assert (checkpoint.device.type, checkpoint.dtype) == ("meta", dtype)
    assert {p.dtype for p in model.parameters()} == {dtype}
    assert {t.device.type for t in (*model.parameters(), *model.buffers())} == {"meta"}
    assert {p.dtype for p in load(tmp_path, torch.device("meta"), torch.float32).model.parameters()} == {torch.float32}


MEASURE = """
import json, sys
from pathlib import Path
import torch
from models.qwen_audio.checkpoint import load
def memory(what):
    return 1024 * int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(what)))
before = memory("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
model = load(Path(sys.argv[1]), torch.device("cpu")).model
print(json.dumps([memory("VmHWM") - before, sum(p.numel() * p.element_size() for p in model.parameters())]))
"""
"""Prints the highest memory that loading took, and what the model itself takes, in bytes."""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read as Linux tells it")
def test_reading_nine_shards_never_takes_more_than_one_of_them_beside_the_model(tmp_path):
    sizes = {"hidden_size": 512, "intermediate_size": 4096, "num_hidden_layers": 20, "vocab_size": 20_000}
    raw = V1_SIZES | sizes
    layout = read_layout(raw, frozenset())
    tensors = stored_tensors(layout, build_on_meta(layout))
    write_shards(tmp_path, {name: torch.ones(t.shape, dtype=torch.bfloat16) for name, t in tensors.items()}, 9)
    (tmp_path / "config.json").write_text(json.dumps(raw))
    stored = [file.stat().st_size for file in tmp_path.glob("*.safetensors")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    peak, model = json.loads(done.stdout)
    assert model == pytest.approx(2 * sum(stored), rel=0.01)  # float32 of bfloat16
    assert sum(stored) > max(stored) + 64 * MIB  # else holding every shard at once would pass too
    assert peak < model + max(stored) + 32 * MIB
