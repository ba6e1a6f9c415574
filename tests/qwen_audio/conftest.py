"""Vocabularies and checkpoints small enough to make in a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.qwen_audio.tokenizer import Tokenizer

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
    return Tokenizer.v1(Path(path))
