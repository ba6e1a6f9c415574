"""A small data set in CoVoST 2's layout, spoken by synthetic voices.

In: a folder, a source language, a number of clips. Out: covost_v2.{source}_{target}.{split}.tsv and clips/*.mp3, as
get_covost_splits.py and Common Voice leave them. Sentences and voices are never trained on, and stay the same while
the grammar does. It shows that the benchmark runs; how good a model is, is not its business.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Literal

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from models.embedded.recipe import speech
from models.embedded.recipe.grammar import Sentence, sample

SEED = 20261123
RATE = 48_000
"""Samples a second of Common Voice's clips."""
LEVEL = 0.5
"""Peak of each clip."""
EDGE_S = 0.3
"""Silence before and after each sentence."""
NAMES = {"en": "en", "zh": "zh-CN"}
"""What CoVoST calls the languages in names of files."""
COLUMNS = ("path", "sentence", "translation", "client_id")

Language = Literal["en", "zh"]


def build(folder: Path, source: Language, n_clips: int, split: str = "test") -> Path:
    """Write the data set of one direction between English and Mandarin.

    Args:
        folder: takes the table, and clips/.
        source: language of the clips.
        n_clips: how many; the first of more are the same ones, but for a flutter of the voices.
        split: names the table.

    Returns:
        The table.

    Raises:
        SpeechError: the synthesiser is missing.
    """
    rng = random.Random(f"{SEED}/{source}")
    target: Language = "zh" if source == "en" else "en"
    clips = folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    table = folder / f"covost_v2.{NAMES[source]}_{NAMES[target]}.{split}.tsv"
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\", lineterminator="\n")
        rows.writerow(COLUMNS)
        for number in range(1, n_clips + 1):
            sentence = sample(rng, "sentence")
            voice = speech.draw_voice(rng, source, speech.HELD_VARIANTS)
            name = f"common_voice_{NAMES[source]}_{number}.mp3"
            write_mp3(clips / name, _spoken(sentence, voice))
            rows.writerow((name, sentence.side(source).written, sentence.side(target).written, voice.name))
    return table


def _spoken(sentence: Sentence, voice: speech.Voice) -> NDArray[np.float32]:
    """The sentence at RATE, with silence around it."""
    said = speech.synthesise([token.spoken for token in sentence.side(voice.language).tokens], voice)
    sound = soxr.resample(said.samples, said.rate, RATE).astype(np.float32)
    edge = np.zeros(round(EDGE_S * RATE), np.float32)
    return np.concatenate([edge, sound * np.float32(LEVEL / max(float(np.abs(sound).max()), 1e-6)), edge])


def write_mp3(path: Path, samples: NDArray[np.float32]) -> None:
    """Write mono MP3 at RATE."""
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE)
        stream.layout = "mono"
        whole = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        whole.sample_rate = RATE
        size = stream.codec_context.frame_size
        resampler = av.AudioResampler(stream.codec_context.format, "mono", RATE, frame_size=size)
        for part in (*resampler.resample(whole), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
