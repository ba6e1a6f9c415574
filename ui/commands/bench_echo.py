"""`tongchuan bench echo`: how many of the microphone's repeats come through, and how much speech is lost to that."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from live.evaluation.echoes import Outcome, Scene, hear
from live.vad import make_detector
from models.base import SAMPLE_RATE, Samples
from ui.commands.bench_voices import Said, sentences
from ui.commands.figures import write_json
from ui.commands.options import Commands, add_setting, count, load_settings
from ui.exits import DONE
from ui.saying import say

SCENES = 200
SEED = 20_261_123
ECHO_DB = -12.0
"""Level of the echo beside what the computer plays."""
LATEST_S = 0.4
ROOMS_S = (0.1, 0.6)
"""Reverberation times."""
BAND_LOW_HZ, BAND_HIGH_HZ = (100.0, 350.0), (4000.0, 7800.0)
"""What a small loudspeaker plays."""
NOISE_DBFS = (-75.0, -58.0)
"""Of the microphone."""
LEAD_S, TAIL_S = 1.0, 1.5
KINDS: dict[str, tuple[str, float]] = {
    "echo of a sentence": ("echo", 0.0),
    "echo of a turn": ("turn", 0.0),
    "speech, headphones": ("headphones", 0.0),
    "speech over echo, +12 dB": ("over", 12.0),
    "speech over echo, +6 dB": ("over", 6.0),
    "speech over echo, 0 dB": ("over", 0.0),
    "speech over echo, -6 dB": ("over", -6.0),
    "speech after echo, +6 dB": ("after", 6.0),
}
"""A row of the table: where the user speaks, and how much louder than the echo."""


def add_parser(actions: Commands) -> None:
    """Add the action's words."""
    parser = actions.add_parser(
        "echo",
        help="tell repeats of the computer's sound from speech, on made-up scenes",
        description="Make scenes in which the microphone hears the computer's sound 12 dB quieter, up to 0.4 s later, "
        "through a loudspeaker and a room, with and without a speaker; count the repeats that are shown and the speech "
        "that is lost. Held-out voices of the recipe; the detector that the settings name.",
        allow_abbrev=False,
    )
    parser.add_argument("--scenes", type=count, default=SCENES, metavar="N", help=f"of each kind ({SCENES})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures here")
    add_setting(parser, "--detector", "detector")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the recipe's voices are missing, the settings are wrong, or the figures cannot be written.
    """
    settings, _ = load_settings(arguments)
    detector = make_detector(settings.detector)
    say(f"Speaking {2 * arguments.scenes} sentences ...")
    said = sentences(2 * arguments.scenes, SEED)
    figures: dict[str, dict[str, int]] = {}
    print(f"{'scenes':26}  repeats shown        speech lost")
    for name, (kind, above_db) in KINDS.items():
        random = np.random.default_rng(SEED)
        scenes = (make_scene(random, kind, above_db, said) for _ in range(arguments.scenes))
        total = sum((hear(scene, detector) for scene in scenes), Outcome())
        figures[name] = dataclasses.asdict(total)
        repeats, lost = (_share(total.n_let_through, total.n_repeats), _share(total.n_lost, total.n_own))
        print(f"{name:26}  {repeats:19}  {lost}", flush=True)
    if arguments.json is not None:
        write_json(arguments.json, figures)
    return DONE


def _share(n: int, whole: int) -> str:
    return f"{100 * n / whole:5.1f} % of {whole}" if whole else "    -"


def make_scene(random: np.random.Generator, kind: str, above_db: float, said: list[Said]) -> Scene:
    """Both lanes of one scene.

    Args:
        random: draws sentences, delay, room, loudspeaker and noise.
        kind: "echo", "turn" (several sentences), "headphones", "over" (speech that begins at any moment of the echo)
            or "after" (right behind it).
        above_db: level of the user's speech above the echo.
        said: sentences of one level.
    """
    one, other = random.choice(len(said), 2, replace=False)
    theirs = _turn(random, said) if kind == "turn" else said[one].samples
    mine = said[other].samples * np.float32(10 ** ((ECHO_DB + above_db) / 20))
    delay, begin = round(random.uniform(0, LATEST_S) * SAMPLE_RATE), round(LEAD_S * SAMPLE_RATE)
    n = begin + delay + len(theirs) + len(mine) + round(TAIL_S * SAMPLE_RATE)
    system = _placed(theirs, begin, n)
    noise = random.standard_normal(n) * 10 ** (random.uniform(*NOISE_DBFS) / 20)
    microphone = np.asarray(noise, np.float32)
    if kind != "headphones":
        microphone += _placed(_echo(random, theirs), begin + delay, n)
    at: int | None = None
    if kind in ("over", "headphones"):
        at = begin + delay + round(random.uniform(-0.2, 0.7 * len(theirs) / SAMPLE_RATE) * SAMPLE_RATE)
    elif kind == "after":
        at = begin + delay + len(theirs) + round(random.uniform(0.05, 0.35) * SAMPLE_RATE)
    if at is None:
        return Scene(microphone, system, None)
    return Scene(microphone + _placed(mine, at, n), system, (at, at + len(mine)))


def _turn(random: np.random.Generator, said: list[Said]) -> Samples:
    """A few sentences with pauses too short to end an utterance."""
    parts: list[Samples] = []
    for _ in range(random.integers(2, 5)):
        pause = np.zeros(round(random.uniform(0.1, 0.35) * SAMPLE_RATE), np.float32)
        parts += [said[random.integers(len(said))].samples, pause]
    return np.concatenate(parts[:-1])


def _echo(random: np.random.Generator, played: Samples) -> Samples:
    """What the microphone hears of it, but for the delay, its reverberation included."""
    from models.embedded.recipe.augment import Conditions, record

    tail = np.concatenate([played, np.zeros(round(ROOMS_S[1] * SAMPLE_RATE), np.float32)])
    heard = record(
        tail,
        Conditions(
            room_s=random.uniform(*ROOMS_S), band_hz=(random.uniform(*BAND_LOW_HZ), random.uniform(*BAND_HIGH_HZ))
        ),
        random,
    )
    level = np.sqrt(np.mean(np.square(played))) / np.sqrt(np.mean(np.square(heard[: len(played)])))
    return np.asarray(heard * level * 10 ** (ECHO_DB / 20), np.float32)


def _placed(sound: Samples, at: int, n: int) -> Samples:
    """The sound at a sample of n."""
    whole = np.zeros(n, np.float32)
    whole[at : at + len(sound)] = sound[: n - at]
    return whole
