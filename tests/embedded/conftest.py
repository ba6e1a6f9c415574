import json
from pathlib import Path

import pytest
import torch
from transformers import Qwen2AudioForConditionalGeneration

from models.embedded.recipe import export
from models.embedded.recipe.model import build_model
from models.qwen_audio.tokenizer import Tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """The embedded model's own vocabulary."""
    return Tokenizer.from_folder(export.FOLDER)


@pytest.fixture
def network(tokenizer: Tokenizer) -> Qwen2AudioForConditionalGeneration:
    """The embedded model's network with random weights."""
    torch.manual_seed(1)
    return build_model(export.config_of(tokenizer)).eval()


@pytest.fixture
def vocabulary_folder(tmp_path: Path) -> Path:
    """A folder with the vocabulary alone, ready for weights."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in ("tokenizer.tiktoken", "tokenizer_config.json"):
        (folder / name).write_bytes((export.FOLDER / name).read_bytes())
    assert json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    return folder
