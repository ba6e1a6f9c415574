"""The command that compares a checkpoint with the outputs beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

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
        (lambda f: (f / "config.json").unlink(), "no config.json"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_status_one(folder, capsys, harm, message):
    harm(folder)
    assert main([str(folder)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
