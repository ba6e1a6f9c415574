"""Vocabularies and checkpoints small enough to make in a test."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from random_checkpoints import LibraryCheckpoint, write_qwen2_audio, write_v1
from safetensors.torch import save_file
from transformers import Qwen2AudioConfig, Qwen2AudioEncoderConfig, Qwen2AudioForConditionalGeneration, Qwen2Config

from models.qwen_audio.checkpoint import build_on_meta, stored_tensors
from models.qwen_audio.layouts import read_layout
from models.qwen_audio.tokenizer import Tokenizer
from models.qwen_audio.vocabulary import read_v1, v1_tags

V1_VOCABULARY = "TONGCHUAN_QWEN_TIKTOKEN"
_TAGS = """<|endoftext|> [[[AUDIO:modality]]] <|startoftranscript|> <|startofanalysis|> <|translate|> <|transcribe|>
<|caption|> <|keyword|> <|unknown|> <|en|> <|zh|> <|de|> <|es|> <|ko|> <|fr|> <|ja|> <|it|> <|zh_tr|> <|notimestamps|>
<|sil|> <|timestamps|> <|itn|> <|wo_itn|> <audio> </audio>"""
TOY_TAGS = tuple(_TAGS.split())


@pytest.fixture(scope="session")
def toy_tokenizer() -> Tokenizer:
    """The embedded model's kind of vocabulary without any merges: an id for each byte, and the tags."""
    return Tokenizer({bytes([i]): i for i in range(256)}, {tag: 256 + i for i, tag in enumerate(TOY_TAGS)})


@pytest.fixture(scope="session")
def v1_tokenizer() -> Tokenizer:
    path = os.environ.get(V1_VOCABULARY)
    if not path:
        pytest.skip(f"{V1_VOCABULARY} does not name Qwen-Audio's qwen.tiktoken, which is not ours to ship")
    return Tokenizer(*read_v1(Path(path)))


@pytest.fixture(scope="session")
def v1_folder() -> Path:
    """A random checkpoint in the published layout, with the original implementation's outputs."""
    return Path(__file__).parents[1] / "assets" / "qwen_audio_v1_tiny"


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory, toy_tokenizer: Tokenizer) -> Path:
    """A random checkpoint in the embedded model's layout, with the toy vocabulary and rows to spare."""
    folder = tmp_path_factory.mktemp("small")
    tags = dict(toy_tokenizer.tags)
    config = Qwen2AudioConfig(
        audio_config=Qwen2AudioEncoderConfig(
            num_mel_bins=80,
            d_model=16,
            encoder_layers=2,
            encoder_attention_heads=2,
            encoder_ffn_dim=32,
            max_source_positions=1500,
            initializer_range=0.2,
        ),
        text_config=Qwen2Config(
            vocab_size=300,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=False,
            initializer_range=0.4,
        ),
        audio_token_index=tags["[[[AUDIO:modality]]]"],
    )
    torch.manual_seed(11)
    model = Qwen2AudioForConditionalGeneration(config)
    raw = json.loads(config.to_json_string(use_diff=False))
    raw["tongchuan"] = {"mode": "task_tags", "edge": "v1", "languages": ["zh", "en"], "name": "small"}
    (folder / "config.json").write_text(json.dumps(raw))
    save_file({name: tensor.half() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    ranks = b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256))
    (folder / "tokenizer.tiktoken").write_bytes(ranks)
    (folder / "tokenizer_config.json").write_text(json.dumps({"special_tokens": tags}))
    return folder


@pytest.fixture(scope="session")
def other_v1(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Qwen2AudioForConditionalGeneration]:
    """A v1 checkpoint unlike the fixture in every size, and the library's model of it."""
    folder = tmp_path_factory.mktemp("other_v1")
    return folder, write_v1(folder)


@pytest.fixture(scope="session", params=["base", "instruct"])
def qwen2_audio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LibraryCheckpoint:
    """A random Qwen2-Audio as the library saves it."""
    folder = tmp_path_factory.mktemp("qwen2_audio")
    return LibraryCheckpoint(folder, *write_qwen2_audio(folder, is_instruct=request.param == "instruct"))


@pytest.fixture(scope="session")
def v1_with_vocabulary(v1_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint in v1's layout whose vocabulary is the 256 bytes and all of v1's tags."""
    folder = tmp_path_factory.mktemp("v1")
    raw = json.loads((v1_folder / "config.json").read_text())
    n_vocab = 256 + len(v1_tags())
    raw["vocab_size"] = n_vocab + 6
    raw["audio"]["audio_start_id"] = n_vocab - 2
    layout = read_layout(raw, frozenset())
    torch.manual_seed(4)
    shapes = {name: stored.shape for name, stored in stored_tensors(layout, build_on_meta(layout)).items()}
    # One folder, one file: the published index is not the only way to hold v1's names.
    save_file({name: torch.randn(shape) * 0.2 for name, shape in shapes.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(raw))
    (folder / "qwen.tiktoken").write_bytes(b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256)))
    return folder


@pytest.fixture(scope="session")
def v1_chat(v1_with_vocabulary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights as Qwen-Audio-Chat's files say that they converse."""
    folder = tmp_path_factory.mktemp("v1_chat")
    shutil.copytree(v1_with_vocabulary, folder, dirs_exist_ok=True)
    (folder / "generation_config.json").write_text(json.dumps({"chat_format": "chatml"}))
    return folder
