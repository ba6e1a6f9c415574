"""`tongchuan bench vad`: how well both voice detectors tell speech from silence, noise and other sounds."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live.errors import LiveError
from live.evaluation.voice_activity import Score, Steps, loud_steps, noisy, score, steps_of
from live.parts import read_recording
from live.vad import Detector, make_detector
from models.base import SAMPLE_RATE, Samples
from ui.commands.bench_voices import Said, sentences
from ui.commands.figures import write_json
from ui.commands.options import Commands, count
from ui.exits import DONE
from ui.saying import say

SENTENCES = 60
SEED = 20_261_124
DETECTORS = ("silero", "webrtc")
NOISES = ("white", "pink", "hum", "babble")
SNRS_DB = (20, 10, 5, 0)
N_BABBLE = 6
"""Voices that speak at once."""
GAPS_S = (0.4, 1.6)
"""Silence between sentences."""
OTHER_SOUNDS_S = 20.0
CLIP_S = 600.0
"""Longest recording taken."""
CLIP_FORMS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a")


@dataclass(frozen=True, slots=True)
class Material:
    """A set of sounds whose truth is known."""

    name: str
    clips: tuple[tuple[Samples, Steps], ...]


def add_parser(actions: Commands) -> None:
    """Add the action's words."""
    parser = actions.add_parser(
        "vad",
        help="precision and recall of both voice detectors",
        description="Ask both voice detectors every 10 ms whether somebody speaks: in synthetic sentences, whose times "
        "are exact, in recordings of your own, and in sounds without speech; clean, and with noise that is 20 to 0 dB "
        "quieter than the speech.",
        allow_abbrev=False,
    )
    parser.add_argument("--sentences", type=count, default=SENTENCES, metavar="N", help=f"to listen to ({SENTENCES})")
    parser.add_argument(
        "--clips",
        type=Path,
        metavar="FOLDER",
        help="clean recordings of speech; where it is stands beside each as NAME.txt (Audacity's labels: start and end "
        "in seconds), or else is taken from how loud it is",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures here")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the recipe's voices are missing, the recordings cannot be read, or the figures not written.
    """
    own = recordings(arguments.clips) if arguments.clips is not None else []
    say(f"Speaking {arguments.sentences} sentences ...")
    said = sentences(arguments.sentences + N_BABBLE, SEED)
    babble, said = said[:N_BABBLE], said[N_BABBLE:]
    detectors = {name: make_detector(name) for name in DETECTORS}
    figures: list[dict[str, object]] = []
    print(f"{'precision/recall %':32}  {'speech':>6}  " + "  ".join(f"{name:>9}" for name in DETECTORS))
    for material in (_talk("synthetic en", said[::2]), _talk("synthetic zh", said[1::2]), *own):
        for label, scores in _scored(material, babble, detectors):
            share = next(iter(scores.values())).speech
            cells = "  ".join(f"{100 * each.precision:4.0f}/{100 * each.recall:<4.0f}" for each in scores.values())
            print(f"{material.name + ', ' + label:32}  {100 * share:5.0f}%  {cells}", flush=True)
            figures.append({"set": material.name, "noise": label, **_plain(scores)})
    print(f"\n{'false alarms, % of the time':32}  {'':6}  " + "  ".join(f"{name:>9}" for name in DETECTORS))
    for kind, sound in _other_sounds():
        scores = {name: score(sound, steps_of([], len(sound)), each) for name, each in detectors.items()}
        print(f"{kind:32}  {'':6}  " + "  ".join(f"{100 * each.alarms:9.1f}" for each in scores.values()), flush=True)
        figures.append({"set": "no speech", "noise": kind, **_plain(scores)})
    if arguments.json is not None:
        write_json(arguments.json, figures)
    return DONE


def _plain(scores: dict[str, Score]) -> dict[str, object]:
    return {name: dataclasses.asdict(each) for name, each in scores.items()}


def _scored(
    material: Material, babble: list[Said], detectors: dict[str, Detector]
) -> Iterator[tuple[str, dict[str, Score]]]:
    """Each condition's name, and every detector's score in it."""
    for noise, snr_db in (("clean", 0), *((noise, snr_db) for noise in NOISES for snr_db in SNRS_DB)):
        random = np.random.default_rng(SEED)
        scores = dict.fromkeys(detectors, Score())
        for samples, truth in material.clips:
            heard = samples
            if noise != "clean":
                heard = noisy(samples, truth, _noise(noise, len(samples), random, babble), snr_db)
            for name, detector in detectors.items():
                scores[name] += score(heard, truth, detector)
        yield noise if noise == "clean" else f"{noise} {snr_db} dB", scores


def _noise(kind: str, n: int, random: np.random.Generator, babble: list[Said]) -> Samples:
    from models.embedded.recipe.augment import NOISES as STEADY

    if kind != "babble":
        return STEADY[kind](n, random)
    mixed = np.zeros(n, np.float32)
    for said in babble:
        mixed += np.roll(np.resize(said.samples, n), random.integers(n))
    return mixed


def _other_sounds() -> Iterator[tuple[str, Samples]]:
    from models.embedded.recipe.augment import NON_SPEECH, non_speech

    for kind in NON_SPEECH:
        yield kind, non_speech(kind, round(OTHER_SOUNDS_S * SAMPLE_RATE), np.random.default_rng(SEED))


def _talk(name: str, said: list[Said]) -> Material:
    """Sentences one after the other, with pauses between."""
    random = np.random.default_rng(SEED)
    parts: list[Samples] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for sentence in said:
        gap = round(random.uniform(*GAPS_S) * SAMPLE_RATE)
        at += gap
        spans += [(at + begin, at + end) for begin, end in sentence.spans]
        parts += [np.zeros(gap, np.float32), sentence.samples]
        at += len(sentence.samples)
    samples = np.concatenate(parts)
    return Material(name, ((samples, steps_of(spans, len(samples))),))


def recordings(folder: Path) -> list[Material]:
    """The recordings of a folder: those with labels beside them, and those without.

    Raises:
        LiveError: there are none, or one or its labels cannot be read.
    """
    labelled, others = [], []
    for path in sorted(path for path in folder.glob("*") if path.suffix.lower() in CLIP_FORMS):
        samples = read_recording(path, CLIP_S).samples
        labels = path.with_suffix(".txt")
        if labels.exists():
            labelled.append((samples, steps_of(_spans(labels), len(samples))))
        else:
            others.append((samples, loud_steps(samples)))
    if not labelled and not others:
        raise LiveError(f"There are no recordings in {folder}: name a folder with {', '.join(CLIP_FORMS)} files.")
    sets = (("labelled clips", labelled), ("clips, by loudness", others))
    return [Material(name, tuple(clips)) for name, clips in sets if clips]


def _spans(labels: Path) -> list[tuple[int, int]]:
    try:
        rows = [line.split("\t") for line in labels.read_text("utf-8").splitlines() if line.strip()]
        return [(round(float(row[0]) * SAMPLE_RATE), round(float(row[1]) * SAMPLE_RATE)) for row in rows]
    except (OSError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise LiveError(
            f"{labels} holds no labels (a start and an end in seconds, parted by a tab, a line)."
        ) from error
