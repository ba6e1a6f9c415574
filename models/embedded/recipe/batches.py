"""Shards in, training batches out: clips of like length together, spectrograms masked, both branches laid out.

In: shards and a vocabulary. Out: Batches for model.encode and model.decode, without end. What the network makes of them
is not this module's business.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.base import UNKNOWN
from models.embedded.recipe import dataset
from models.embedded.recipe.dataset import Item
from models.embedded.recipe.model import N_MEL, Layout
from models.embedded.recipe.segments import OTHER
from models.qwen_audio.tokenizer import Tokenizer

IGNORED = -100
"""cross_entropy's target of places without a loss."""
AUDIO, TRANSCRIBE, TRANSLATE, PADDING = 0, 1, 2, -1
POSITIONS_PER_BATCH = 7500
"""Encoder positions (20 ms each) in a batch, padding included."""
CHUNK_ITEMS = 3000
"""Items sorted by length together."""

MASKS = 2
MEL_MASK = 14
"""Widest band of mel bins that is hidden."""
TIME_MASK = 14
"""Longest stretch of mel columns that is hidden: 140 ms."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's input."""

    mel: Tensor
    """(B, 80, 2T) float32, zero beyond a clip."""
    lengths: Tensor
    """(B,) encoder positions of each clip."""
    labels: Tensor
    """(B, T) int64 phone units, IGNORED beyond a clip."""
    layout: Layout


@dataclass(frozen=True, slots=True)
class Texts:
    """An item's ids."""

    transcribe: list[int]
    """Tags, text, end."""
    translate: list[int]


def texts_of(item: Item, vocabulary: Tokenizer, rng: random.Random) -> Texts:
    """The two branches of an item. No speech is answered with nothing, whatever languages the tags name."""
    language = item.entry.language
    source = rng.choice(("zh", "en", "zh", "en", UNKNOWN)) if language == UNKNOWN else language
    target = OTHER.get(source, rng.choice(("zh", "en")))
    tags = vocabulary.tags
    begin = [tags["<|startoftranscript|>"], tags[f"<|{source}|>"]]
    form = [tags["<|notimestamps|>"], tags["<|itn|>"]]
    transcribe = [*begin, tags["<|transcribe|>"], tags[f"<|{source}|>"], *form]
    translate = [*begin, tags["<|translate|>"], tags[f"<|{target}|>"], *form]
    return Texts(
        transcribe + vocabulary.encode(item.entry.transcript) + [vocabulary.end],
        translate + vocabulary.encode(item.entry.translation) + [vocabulary.end],
    )


N_TAGS = 6
"""Tags before the text of a branch."""


def layout_of(items: Sequence[Item], vocabulary: Tokenizer, rng: random.Random) -> Layout:
    """Lay out one audio span and two branches an item; only the tag after <|startoftranscript|> is learnt."""
    texts = [texts_of(item, vocabulary, rng) for item in items]
    n_audio = [item.entry.n // 2 for item in items]
    width = max(n + 2 + len(t.transcribe) + len(t.translate) for n, t in zip(n_audio, texts, strict=True))
    shape = (len(items), width)
    ids = torch.full(shape, vocabulary.end)
    targets = torch.full(shape, IGNORED)
    positions = torch.zeros(shape, dtype=torch.int64)
    branch = torch.full(shape, PADDING, dtype=torch.int8)
    for row, (item, n, text) in enumerate(zip(items, n_audio, texts, strict=True)):
        ids[row, 0], ids[row, n + 1] = vocabulary.tags["<audio>"], vocabulary.tags["</audio>"]
        positions[row, : n + 2] = torch.arange(n + 2)
        branch[row, : n + 2] = AUDIO
        at = n + 2
        targets[row, at] = vocabulary.tags[f"<|{item.entry.language}|>"]
        for number, line in ((TRANSCRIBE, text.transcribe), (TRANSLATE, text.translate)):
            end = at + len(line)
            ids[row, at:end] = torch.tensor(line)
            targets[row, at + N_TAGS - 1 : end - 1] = torch.tensor(line[N_TAGS:])
            positions[row, at:end] = torch.arange(n + 2, n + 2 + len(line))
            branch[row, at:end] = number
            at = end
    return Layout(ids, positions, branch, targets, torch.tensor(n_audio))


def hide(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """SpecAugment: bands and moments set to the clip's floor."""
    low, columns = mel.min(), mel.shape[1]
    for _ in range(MASKS):
        width = int(rng.integers(0, MEL_MASK + 1))
        first = int(rng.integers(0, N_MEL - width + 1))
        mel[first : first + width] = low
        width = min(int(rng.integers(0, TIME_MASK + 1)), columns // 10)
        first = int(rng.integers(0, columns - width + 1))
        mel[:, first : first + width] = low
    return mel


def collate(
    items: Sequence[Item], vocabulary: Tokenizer, rng: random.Random, masker: np.random.Generator | None
) -> Batch:
    """A batch of items; without a masker nothing is hidden."""
    longest = max(item.entry.n for item in items)
    mel = torch.zeros(len(items), N_MEL, 2 * longest)
    labels = torch.full((len(items), longest), IGNORED)
    for row, item in enumerate(items):
        spectrum = dataset.mel_of(item)
        if masker is not None:
            spectrum = hide(spectrum, masker)
        mel[row, :, : spectrum.shape[1]] = torch.from_numpy(spectrum)
        labels[row, : item.entry.n] = torch.from_numpy(item.labels.astype(np.int64))
    lengths = torch.tensor([item.entry.n for item in items])
    return Batch(mel, lengths, labels, layout_of(items, vocabulary, rng))


def batch_stream(
    items: Iterator[Item], vocabulary: Tokenizer, rng: random.Random, positions: int = POSITIONS_PER_BATCH
) -> Iterator[Batch]:
    """Batches of clips of like length, without end; each is about as much work as another."""
    masker = np.random.default_rng(rng.getrandbits(64))
    while True:
        chunk = sorted((next(items) for _ in range(CHUNK_ITEMS)), key=lambda item: item.entry.n)
        groups: list[list[Item]] = [[]]
        for item in chunk:
            if item.entry.n * (len(groups[-1]) + 1) > positions:
                groups.append([])
            groups[-1].append(item)
        rng.shuffle(groups)
        for group in groups:
            if group:
                yield collate(group, vocabulary, rng, masker)
