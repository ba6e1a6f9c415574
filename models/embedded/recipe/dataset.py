"""Training clips on disk: shards of log-mels, phone labels and texts, made by processes, read memory-mapped.

In: a folder, a seed, a number of shards. Out: shard files, and Items read from them. A shard depends on its seed and
number, on the recipe's version and on which synthesisers are installed; it appears whole or not at all, so that making
can be interrupted. Batches are batches' business.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.base import SAMPLE_RATE, UNKNOWN
from models.embedded.recipe import augment, segments, speech, workers
from models.embedded.recipe.certainty import Certainty
from models.embedded.recipe.grammar import (
    HELD_PATTERNS,
    PAIR_HOLDOUT,
    PATTERNS,
    SENTENCE_HOLDOUT,
    Sentence,
    sample,
    sample_pattern,
    split_of,
)
from models.embedded.recipe.grammar_types import Filler, Pattern
from models.embedded.recipe.segments import Example
from models.embedded.recipe.slots import SLOTS
from models.qwen_audio.frontend import V1

Show = Callable[[str], None]

SHARD_ITEMS = 1000
UNITS_FILE = "units.json"
UNIT_SENTENCES = 4000
"""Sentences read for the list of phones."""

MEL_SPAN = 2.0
"""Whisper's log-mel of one clip spans so much: eight decades, divided by four."""
MEL_STEPS = 255

SENTENCES_SHARE = (0.5, 0.32, 0.18)
"""Clips of one, two and three sentences."""
TRUNCATED_SHARE = 0.25
NON_SPEECH_SHARE = 0.06
NON_SPEECH_WEIGHTS = {
    "silence": 1,
    "noise": 3,
    "tones": 3,
    "bursts": 3,
    "keys": 2,
    "applause": 2,
    "gliding": 1,
    "swelling": 2,
}
LONGEST_NON_SPEECH_S = 10.0
MAGNITUDE_SHARE = 0.12
"""Sentences drawn from the patterns with large numbers alone: a factor of ten is what slips most easily."""
MAGNITUDES = {"thousand", "million", "billion", "trillion"}

DATA_VERSION = 2
"""Raised when what a clip is made of changes in any other way than by the grammar."""
VERSION_FILE = "version.txt"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item in a shard's index."""

    first: int
    """First encoder position; the mel columns are twice that."""
    n: int
    """Encoder positions."""
    low: float
    """The mel's value at step 0."""
    language: str
    transcript: str
    translation: str


@dataclass(frozen=True, slots=True)
class Item:
    """One training item as read."""

    entry: Entry
    mel_steps: NDArray[np.uint8]
    """(2n, 80)."""
    labels: NDArray[np.uint8]
    """(n,) phone units at 50 a second."""


class Shard:
    """An opened shard."""

    def __init__(self, path: Path) -> None:
        self.entries = [Entry(**row) for row in json.loads((path / "index.json").read_text("utf-8"))]
        self._mels = np.load(path / "mels.npy", mmap_mode="r")
        self._labels = np.load(path / "labels.npy", mmap_mode="r")

    def __getitem__(self, index: int) -> Item:
        entry = self.entries[index]
        last = entry.first + entry.n
        return Item(entry, self._mels[2 * entry.first : 2 * last], self._labels[entry.first : last])


def mel_of(item: Item) -> NDArray[np.float32]:
    """The spectrogram of an item. (80, 2n)."""
    return item.mel_steps.T.astype(np.float32) * (MEL_SPAN / MEL_STEPS) + np.float32(item.entry.low)


def shards(folder: Path) -> list[Path]:
    """The finished shards, in order."""
    return sorted(path for path in folder.glob("shard-*") if path.suffix != ".part")


def units_of(folder: Path) -> dict[str, int]:
    """Phone units to label numbers; 0 is a pause. Listed from the grammar once, then kept in the folder."""
    path = folder / UNITS_FILE
    if not path.exists():
        rng = random.Random(0)
        found: set[str] = set()
        for i in range(UNIT_SENTENCES):
            language = "en" if i % 2 else "zh"
            voice = speech.draw_voice(rng, language)
            said = speech.synthesise(segments.spoken_forms(sample(rng, "train").side(language)), voice)
            found |= {phone.unit for phone in said.phones if phone.unit}
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(sorted(found), ensure_ascii=False), "utf-8")
        part.replace(path)
    return {unit: number for number, unit in enumerate(json.loads(path.read_text("utf-8")), start=1)}


@cache
def version() -> str:
    """Names what training clips are made of: the grammar, its held-out parts and DATA_VERSION."""
    digest = hashlib.sha256(repr((DATA_VERSION, SENTENCE_HOLDOUT, PAIR_HOLDOUT, sorted(HELD_PATTERNS))).encode())
    for pattern in PATTERNS:
        digest.update(repr(pattern).encode())
    for kind, fillers in sorted(SLOTS.items()):
        digest.update(repr((kind, fillers)).encode())
    return digest.hexdigest()[:16]


@cache
def _certainty() -> Certainty:
    return Certainty()


def _is_large(filler: Filler) -> bool:
    return any(word in MAGNITUDES for token in filler.en for word in token.heard.split())


@cache
def _magnitude_patterns() -> tuple[Pattern, ...]:
    """The patterns with a slot in which a third of the fillers, or more, are in thousands and up."""
    large = {kind for kind, fillers in SLOTS.items() if 3 * sum(map(_is_large, fillers)) >= len(fillers)}
    return tuple(p for p in PATTERNS if any(name.partition(".")[0] in large for name in p.slots))


def draw_sentence(rng: random.Random) -> Sentence:
    """A training sentence; large numbers come more often than the grammar has them."""
    if rng.random() >= MAGNITUDE_SHARE:
        return sample(rng, "train")
    while True:
        sentence = sample_pattern(rng, rng.choice(_magnitude_patterns()))
        if split_of(sentence) == "train":
            return sentence


def draw_example(rng: random.Random) -> Example:
    """One item as training sees it: whole, cut off, or no speech at all."""
    sounds = np.random.default_rng(rng.getrandbits(64))
    if rng.random() < NON_SPEECH_SHARE:
        return draw_non_speech(rng, sounds)
    language = rng.choice(("zh", "en"))
    n = rng.choices((1, 2, 3), SENTENCES_SHARE)[0]
    clip = draw_clip(rng, [draw_sentence(rng) for _ in range(n)], language)
    conditions = augment.draw_conditions(sounds)
    if rng.random() < TRUNCATED_SHARE:
        return segments.cut(clip, segments.draw_cut(rng, clip), conditions, sounds, _certainty().certain)
    return segments.whole(clip, conditions, sounds, _certainty().certain)


def draw_clip(rng: random.Random, sentences: list[Sentence], language: str) -> segments.Clip:
    """Sentences in a random voice, as many of them as fit into a clip."""
    voice = speech.draw_training_voice(rng, language)
    while True:
        n_first = len(sentences[0].side(language).tokens)
        shape = segments.draw_shape(rng, len(sentences), n_first)
        clip = segments.compose(sentences, language, voice, shape)
        if len(clip.samples) <= segments.MAX_CLIP_S * SAMPLE_RATE or len(sentences) == 1:
            return clip
        sentences = sentences[:-1]


def draw_non_speech(rng: random.Random, sounds: np.random.Generator) -> Example:
    """A clip in which nobody speaks; the text is empty."""
    kind = rng.choices(tuple(NON_SPEECH_WEIGHTS), tuple(NON_SPEECH_WEIGHTS.values()))[0]
    n = round(min(0.1 + rng.expovariate(0.5), LONGEST_NON_SPEECH_S) * SAMPLE_RATE)
    return Example(augment.non_speech(kind, n, sounds), ((0.0, ""),), UNKNOWN, "", "")


def discard_stale(folder: Path) -> int:
    """Remove the shards of another version of the recipe; returns how many there were."""
    stale = [path for path in shards(folder) if not _is_current(path)]
    for path in stale:
        shutil.rmtree(path)
    return len(stale)


def _is_current(path: Path) -> bool:
    stamp = path / VERSION_FILE
    return stamp.exists() and stamp.read_text("utf-8") == version()


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}"


def make_shard(folder: Path, seed: int, number: int, n_items: int = SHARD_ITEMS) -> Path:
    """Draw, synthesise and write one shard; a finished one is left alone, whatever its version."""
    path = shard_path(folder, number)
    if path.exists():
        return path
    torch.set_num_threads(1)  # the processes share the cores
    rng = random.Random(f"{seed}/{number}")
    units = units_of(folder)
    mels, labels, index, first = [], [], [], 0
    for _ in range(n_items):
        example = draw_example(rng)
        mel = V1.log_mel(example.samples).numpy()
        low = float(mel.min())
        steps = np.rint((mel - low) * (MEL_STEPS / MEL_SPAN)).clip(0, MEL_STEPS).astype(np.uint8)
        n = mel.shape[1] // 2
        mels.append(steps.T)
        labels.append(segments.labels_of(example.labels, units, n))
        index.append(Entry(first, n, low, example.language, example.transcript, example.translation))
        first += n
    part = path.with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    (part / VERSION_FILE).write_text(version(), "utf-8")
    np.save(part / "mels.npy", np.concatenate(mels).reshape(-1, V1.n_mels))
    np.save(part / "labels.npy", np.concatenate(labels))
    (part / "index.json").write_text(json.dumps([asdict(entry) for entry in index], ensure_ascii=False), "utf-8")
    part.rename(path)
    return path


def make_shards(
    folder: Path,
    seed: int,
    numbers: Iterable[int],
    *,
    n_processes: int,
    show: Show,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[Path]:
    """Make shards in several processes; yields each as it is finished. None is begun once `is_over`."""
    if not (folder / UNITS_FILE).exists():
        list(workers.each(partial(_list_units, folder), [0], 1, show))
    yield from workers.each(partial(_make_another, folder, seed), numbers, n_processes, show, is_over)


def _list_units(folder: Path, _number: int, _change: int) -> None:
    units_of(folder)


def _make_another(folder: Path, seed: int, number: int, change: int) -> Path:
    return make_shard(folder, seed + change, number)


def item_order(folder: Path, rng: random.Random) -> Iterator[Item]:
    """All items of all shards in random order, over and over; shards that appear meanwhile come with the next round."""
    while True:
        opened = [Shard(path) for path in shards(folder)]
        places = [(shard, index) for shard in opened for index in range(len(shard.entries))]
        if not places:
            raise FileNotFoundError(f"no training data under {folder}; make it first")
        rng.shuffle(places)
        for shard, index in places:
            yield shard[index]
