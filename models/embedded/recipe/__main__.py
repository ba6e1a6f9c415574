"""`python -m models.embedded.recipe`: train the embedded model, score it, or render the demonstration.

In: a command line. Out: files, lines of progress, an exit status.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing it imports torch
    from models.embedded.recipe.recipe import Plan

WORK = Path(".train")
CHECKPOINT = Path(__file__).resolve().parents[1]

AGAIN = "the time of this piece is over: run the same command again to go on"

THREADS_STAY_PUT = {"OMP_PROC_BIND": "true", "OMP_WAIT_POLICY": "ACTIVE"}
"""Training threads keep to their cores: on a machine that does other work too, this halves the time of a step."""


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.embedded.recipe", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command")
    training = argparse.ArgumentParser(add_help=False)
    training.add_argument("--work", type=Path, default=WORK, help="data and state; remove it to begin a new run")
    training.add_argument("--shards", type=int, default=60, help="thousands of clips to synthesise")
    training.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    training.add_argument("--encoder-minutes", type=float, default=12)
    training.add_argument("--text-minutes", type=float, default=10)
    training.add_argument("--joint-minutes", type=float, default=55)
    training.add_argument("--rate", type=float, help="share of the learning rates where the weights are trained")
    training.add_argument(
        "--piece-minutes", type=float, default=math.inf, help="stop after so long, to be taken up by the same command"
    )
    training.add_argument("--fresh", action="store_true", help="do not start from the weights that are there")
    commands.add_parser("train", parents=[training], help="train the checkpoint, or train it on (the default)")
    commands.add_parser("data", parents=[training], help="only synthesise what training needs")
    scoring = argparse.ArgumentParser(add_help=False)
    scoring.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    scoring.add_argument("--folder", type=Path, default=CHECKPOINT)
    score = commands.add_parser("score", parents=[scoring], help="print the table of scores on held-out items")
    score.add_argument("--items", type=int, default=1000, help="items a row and language")
    score.add_argument("--rows", nargs="*", default=[], metavar="NAME", help="only rows whose names begin so")
    calibrate = commands.add_parser("calibrate", parents=[scoring], help="find where uncertainty begins, and keep it")
    calibrate.add_argument("--items", type=int, default=1000, help="sentences, and as many pairs, a language")
    heads = commands.add_parser("heads", parents=[scoring], help="find which attention heads point, and keep them")
    heads.add_argument("--items", type=int, default=300, help="clips a language, to choose on and to report on each")
    commands.add_parser("demo", help="render the demonstration meeting anew")
    options = parser.parse_args(arguments or ["train"])
    actions = {
        "train": _train,
        "data": _data,
        "score": _score,
        "calibrate": _calibrate,
        "heads": _heads,
        "demo": _demo,
    }
    return actions[options.command](options)


def _show(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _train(options: argparse.Namespace) -> int:
    """Make the data in a process of its own, then train: bound threads would bind its workers to one core."""
    began = time.monotonic()
    shared = [f"--{name}={getattr(options, name)}" for name in ("work", "shards", "threads")]
    shared.append(f"--piece-minutes={options.piece_minutes}")
    fresh = ["--fresh"] if options.fresh else []
    made = subprocess.run([sys.executable, "-m", "models.embedded.recipe", "data", *shared, *fresh], check=False)
    if made.returncode != 0:
        return made.returncode
    for name, value in THREADS_STAY_PUT.items():
        os.environ.setdefault(name, value)  # read when torch is first imported
    from models.embedded.recipe.recipe import Recipe

    options.piece_minutes -= (time.monotonic() - began) / 60
    if not Recipe(_plan(options), _show).train():
        _show(AGAIN)
    return 0


def _data(options: argparse.Namespace) -> int:
    from models.embedded.recipe.recipe import Recipe

    Recipe(_plan(options), _show).make_data()
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    from models.embedded.recipe.recipe import Plan

    plan = Plan(
        work=options.work,
        n_shards=options.shards,
        encoder_s=60 * options.encoder_minutes,
        text_s=60 * options.text_minutes,
        joint_s=60 * options.joint_minutes,
        piece_s=60 * options.piece_minutes,
        n_threads=options.threads,
        is_fresh=options.fresh,
        checkpoint=CHECKPOINT,
    )
    return plan if options.rate is None else replace(plan, rate=options.rate)


def _score(options: argparse.Namespace) -> int:
    from models.embedded.recipe.score.table import print_scores

    print_scores(options.folder, options.items, options.rows, options.jobs, show=_print, show_progress=_show_progress)
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from models.embedded.recipe.calibrate import calibrate

    calibrate(options.folder, options.items, options.jobs, show=_print, show_progress=_show_progress)
    return 0


def _heads(options: argparse.Namespace) -> int:
    from models.embedded.recipe.heads.command import calibrate_heads

    calibrate_heads(options.folder, options.items, options.jobs, show=_print, show_progress=_show_progress)
    return 0


def _print(line: str) -> None:
    print(line, flush=True)


def _show_progress(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _demo(options: argparse.Namespace) -> int:
    from models.embedded.recipe.render_demo import render

    render(_show)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
