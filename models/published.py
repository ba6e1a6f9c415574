"""The large checkpoints that others publish: what is known of each before a byte of it is fetched.

In: nothing. Out: PUBLISHED, a table. Figures are the publishers' own or arithmetic, none is measured here; each says
which. How they are found, fetched and loaded is not this module's business.
Source: model pages and READMEs of QwenLM/Qwen-Audio and QwenLM/Qwen2-Audio; AudioBench's log of June 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.base import Mode
from models.precision import Parts

LANGUAGES = ("en", "zh", "de", "es", "ko", "fr", "ja", "it")
"""Of all of them: those that Qwen-Audio has tags for."""

_BLOCK_VALUES = 32 * (4 * 4096**2 + 3 * 4096 * 11_008)
_ENCODER_VALUES = 32 * (4 * 1280**2 + 2 * 1280 * 5120)
"""Both generations have one shape but for their vocabularies and the encoder's first layer."""

_TAGS = {
    ("en", "de"): 25.1,
    ("de", "en"): 33.9,
    ("en", "zh"): 41.5,
    ("zh", "en"): 15.7,
    ("es", "en"): 39.7,
    ("fr", "en"): 38.5,
    ("it", "en"): 36.0,
}
_PROMPT = {
    ("en", "de"): 29.6,
    ("de", "en"): 33.6,
    ("en", "zh"): 45.6,
    ("zh", "en"): 24.0,
    ("es", "en"): 38.7,
    ("fr", "en"): 37.2,
    ("it", "en"): 35.2,
}
TONGYI_LICENCE = "Tongyi Qianwen LICENSE AGREEMENT"
TONGYI_NOTICE = (
    "Tongyi Qianwen is licensed under the Tongyi Qianwen LICENSE AGREEMENT, Copyright (c) Alibaba Cloud. "
    "All Rights Reserved."
)
"""The sentence that the agreement asks for; the agreement itself is fetched with the checkpoint."""


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint and what its publishers say of it."""

    name: str
    title: str
    repository: str
    mode: Mode
    n_bytes: int
    """Of its weights as published, in bfloat16."""
    n_rows: int
    """Of its vocabulary."""
    bleu: Mapping[tuple[str, str], float]
    """CoVoST 2, by (source, target)."""
    bleu_source: str
    licence: str
    licence_notice: str = ""
    languages: tuple[str, ...] = field(default=LANGUAGES)

    @property
    def parts(self) -> Parts:
        """How many values it has, by what may be quantized."""
        head = 4096 * self.n_rows
        rest = self.n_bytes // 2 - _BLOCK_VALUES - head - _ENCODER_VALUES
        return Parts(_BLOCK_VALUES, head, _ENCODER_VALUES, rest)


PUBLISHED = (
    Published(
        name="qwen-audio",
        title="Qwen-Audio, the base model, which translates by its task tags",
        repository="Qwen/Qwen-Audio",
        mode="task_tags",
        n_bytes=16_792_444_928,
        n_rows=155_947,
        bleu=_TAGS,
        bleu_source="the README of QwenLM/Qwen-Audio",
        licence=TONGYI_LICENCE,
        licence_notice=TONGYI_NOTICE,
    ),
    Published(
        name="qwen-audio-chat",
        title="Qwen-Audio-Chat, which answers questions about sound; it translates far worse than the base model",
        repository="Qwen/Qwen-Audio-Chat",
        mode="chatml",
        n_bytes=16_792_444_928,
        n_rows=155_947,
        bleu={("en", "zh"): 15.33, ("zh", "en"): 9.90},
        bleu_source="AudioBench, June 2025",
        licence=TONGYI_LICENCE,
        licence_notice=TONGYI_NOTICE,
    ),
    Published(
        name="qwen2-audio",
        title="Qwen2-Audio-7B, the base model of the next generation, which translates by a prompt",
        repository="Qwen/Qwen2-Audio-7B",
        mode="prompt",
        n_bytes=16_794_189_824,  # 2 bytes for each of its 8,397,094,912 values
        n_rows=156_032,
        bleu=_PROMPT,
        bleu_source="the README of QwenLM/Qwen2-Audio, for the weights as they are published",
        licence="Apache-2.0",
    ),
    Published(
        name="qwen2-audio-instruct",
        title="Qwen2-Audio-7B-Instruct, which answers questions about sound",
        repository="Qwen/Qwen2-Audio-7B-Instruct",
        mode="chatml",
        n_bytes=16_794_189_824,
        n_rows=156_032,
        bleu={("en", "zh"): 25.8, ("zh", "en"): 16.5},
        bleu_source="AudioBench, June 2025",
        licence="Apache-2.0",
    ),
)
