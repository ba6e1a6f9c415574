"""The command that compares a checkpoint with the outputs beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from random_checkpoints import computed_by_the_library, for_clips_of, noise, write_expected
from safetensors.torch import load_file, save_file

from models.qwen_audio.checkpoint import load
from models.qwen_audio.verify import main


@pytest.fixture
def folder(v1_folder, tmp_path) -> Path:
    for file in v1_folder.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    return tmp_path


def edit_expected(folder: Path, field: str, change) -> None:
    path = folder / "expected.safetensors"
    expected = load_file(path)
    expected[field] = change(expected[field])
    save_file(expected, path)


def test_the_original_implementations_outputs_are_met(v1_folder, capsys):
    assert main([str(v1_folder)]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("16 of 16 greedy ids equal") == 4
    assert printed.err == ""


def test_it_runs_as_a_module(v1_folder):
    done = subprocess.run(
        [sys.executable, "-m", "models.qwen_audio.verify", str(v1_folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout.count("case ")) == (0, 4)


def test_any_other_sizes_are_computed_as_the_library_computes_them(other_v1, tmp_path, capsys):
    made, model = other_v1
    for file in made.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    front_end = load(made, torch.device("cpu")).front_end
    assert front_end.max_samples == 64_000
    cases = []
    for n in (2_000, 15_999, 64_000):
        samples, n_tokens = noise(n, seed=n), front_end.audio_tokens(n)
        mel = front_end.log_mel(samples)
        inputs = {
            "input_ids": torch.tensor([[17, 300, *[model.config.audio_token_id] * n_tokens, 301, 5, 330]]),
            "attention_mask": torch.ones(1, n_tokens + 5, dtype=torch.long),
            "input_features": mel[None],
            "feature_attention_mask": torch.ones(1, mel.shape[1], dtype=torch.long),
        }
        with torch.inference_mode():
            cases.append(computed_by_the_library(for_clips_of(model, mel.shape[1] // 2), samples, inputs))
    write_expected(tmp_path, cases)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("16 of 16 greedy ids equal") == 3


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("1.last_logits", lambda t: t + 2e-4),
        ("2.audio_embeds_first_last", lambda t: t + torch.tensor([[0.0], [0.0], [0.0], [2e-4]])),
        ("0.greedy_ids", lambda t: torch.cat([t[:-1], t[-1:] + 1])),
        ("3.last_logits", lambda t: t * torch.nan),
    ],
)
def test_a_difference_is_one_line_and_status_one(folder, capsys, field, change):
    edit_expected(folder, field, change)
    assert main([str(folder)]) == 1
    error = capsys.readouterr().err
    assert "differs" in error
    assert error.count("\n") == 1


def test_other_weights_are_noticed(folder):
    path = folder / "model-00002-of-00002.safetensors"
    tensors = load_file(path)
    tensors["transformer.audio.audio_bos_eos_token.weight"] += 1e-3
    save_file(tensors, path)
    assert main([str(folder)]) == 1


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: (f / "expected.safetensors").unlink(), "has no expected.safetensors"),
        (lambda f: (f / "expected.safetensors").write_bytes(b"x" * 99), "corrupt"),
        (lambda f: save_file({"0.samples": torch.zeros(9)}, f / "expected.safetensors"), "does not hold"),
        (lambda f: edit_expected(f, "0.prompt_ids", torch.zeros_like), "room for clips of [] audio tokens"),
        (lambda f: edit_expected(f, "0.last_logits", lambda t: t[:, :9].clone()), "shape"),
        (break_config, "another model"),
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_status_one(folder, capsys, harm, message):
    harm(folder)
    assert main([str(folder)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
