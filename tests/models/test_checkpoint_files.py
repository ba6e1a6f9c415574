"""Whether a checkpoint's folder is whole, told without reading its weights."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hub_server import checkpoint, safetensors, write_files

from models.checkpoint_files import has_only_pickles, is_whole, problem, shards, size_bytes, small_files

SHARD = "model-00002-of-00003.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(checkpoint(), tmp_path / "checkpoint")


def test_a_whole_checkpoint_has_no_problem(folder):
    assert problem(folder) == ""
    assert is_whole(folder)


def test_one_file_of_weights_is_whole_too(folder):
    (folder / "model.safetensors.index.json").unlink()
    (folder / "model.safetensors").write_bytes(safetensors(100))
    assert problem(folder) == ""


@pytest.mark.parametrize(
    "vocabulary", [["tokenizer.json"], ["vocab.json", "merges.txt"], ["tokenizer.tiktoken", "tokenizer_config.json"]]
)
def test_any_of_the_vocabularies_will_do(folder, vocabulary):
    (folder / "qwen.tiktoken").unlink()
    assert "a vocabulary" in problem(folder)
    for name in vocabulary:
        assert not is_whole(folder)
        (folder / name).touch()
    assert is_whole(folder)


@pytest.mark.parametrize("missing", ["config.json", SHARD])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    assert problem(folder) == f"{missing} is missing"


@pytest.mark.parametrize(
    ("name", "content", "clause"),
    [
        ("config.json", b"{", "config.json is cut short or no JSON"),
        ("config.json", b"[]", "config.json holds no table"),
        ("config.json", b"{}", "config.json does not say what model it is of"),
        ("config.json", b"\xff\xfe", "config.json is cut short or no JSON"),
        ("config.json", b"[" * 100_000, "config.json is cut short or no JSON"),
        ("model.safetensors.index.json", b"{}", "names no weights"),
        ("model.safetensors.index.json", b'{"weight_map": []}', "names no weights"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "/etc/passwd"}}', "names '/etc/passwd'"),
        (SHARD, b"", "is cut short or no safetensors file"),
        (SHARD, b"1234", "is cut short or no safetensors file"),
        (SHARD, b"<html>no</html>", "is cut short or no safetensors file"),
        (SHARD, struct.pack("<Q", 2**62) + b"{}", "is cut short or no safetensors file"),
        (SHARD, struct.pack("<Q", 2) + b"{}", "is cut short or no safetensors file"),
        (SHARD, struct.pack("<Q", 2) + b"[]", "is cut short or no safetensors file"),
        (SHARD, struct.pack("<Q", 100_000) + b"[" * 100_000, "is cut short or no safetensors file"),
        (
            SHARD,
            struct.pack("<Q", 36) + b'{"a": {"data_offsets": [0,Infinity]}}',
            "is cut short or no safetensors file",
        ),
        (SHARD, safetensors(1000)[:-1], "bytes instead of"),
        (SHARD, safetensors(1000) + b"x", "bytes instead of"),
    ],
)
def test_a_broken_file_is_named(folder, name, content, clause):
    (folder / name).write_bytes(content)
    assert name in problem(folder)
    assert clause in problem(folder)


def test_pickles_alone_are_refused_as_such(folder):
    for path in folder.glob("*safetensors*"):
        path.unlink()
    assert "pickles, which can run any program" in problem(folder)
    assert has_only_pickles(["config.json", "pytorch_model.bin"])
    assert not has_only_pickles(["config.json"])


def test_what_is_no_folder_has_a_problem(tmp_path):
    assert problem(tmp_path / "nowhere") == "config.json is missing"
    assert size_bytes(tmp_path / "nowhere") == 0


def test_the_shards_are_those_that_the_index_names(folder):
    assert shards(folder / "model.safetensors.index.json") == sorted(
        set(json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"].values())
    )


def test_neither_code_nor_weights_are_among_the_small_files():
    names = [
        "config.json",
        "modeling_qwen.py",
        "x.bin",
        "README.md",
        "a.safetensors",
        "NOTICE",
        "qwen.tiktoken",
        "x.npz",
    ]
    assert small_files(names) == ["NOTICE", "config.json", "qwen.tiktoken"]
