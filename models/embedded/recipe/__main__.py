"""`python -m models.embedded.recipe`: train the embedded model, score it, or render the demonstration.

In: a command line. Out: files, lines of progress, an exit status.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing it imports torch
    from models.embedded.recipe.recipe import Plan

WORK = Path(".train")
CHECKPOINT = Path(__file__).resolve().parents[1]

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
    training.add_argument("--fresh", action="store_true", help="do not start from the weights that are there")
    commands.add_parser("train", parents=[training], help="train the checkpoint, or train it on (the default)")
    commands.add_parser("data", parents=[training], help="only synthesise what training needs")
    score = commands.add_parser("score", help="print the table of scores on held-out items")
    score.add_argument("--items", type=int, default=200, help="items a row")
    score.add_argument("--rows", default="", help="only the rows whose names begin so")
    score.add_argument("--folder", type=Path, default=CHECKPOINT)
    commands.add_parser("demo", help="render the demonstration meeting anew")
    options = parser.parse_args(arguments or ["train"])
    return {"train": _train, "data": _data, "score": _score, "demo": _demo}[options.command](options)


def _show(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _train(options: argparse.Namespace) -> int:
    """Make the data in a process of its own, then train: bound threads would bind its workers to one core."""
    shared = [f"--{name}={getattr(options, name)}" for name in ("work", "shards", "threads")]
    fresh = ["--fresh"] if options.fresh else []
    made = subprocess.run([sys.executable, "-m", "models.embedded.recipe", "data", *shared, *fresh], check=False)
    if made.returncode != 0:
        return made.returncode
    for name, value in THREADS_STAY_PUT.items():
        os.environ.setdefault(name, value)  # read when torch is first imported
    from models.embedded.recipe.recipe import Recipe

    Recipe(_plan(options), _show).train()
    return 0


def _data(options: argparse.Namespace) -> int:
    from models.embedded.recipe.recipe import Recipe

    Recipe(_plan(options), _show).make_data()
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    from models.embedded.recipe.recipe import Plan

    return Plan(
        work=options.work,
        n_shards=options.shards,
        encoder_s=60 * options.encoder_minutes,
        text_s=60 * options.text_minutes,
        joint_s=60 * options.joint_minutes,
        n_threads=options.threads,
        is_fresh=options.fresh,
        checkpoint=CHECKPOINT,
    )


def _score(options: argparse.Namespace) -> int:
    from models.embedded.recipe.score import print_scores

    print_scores(options.folder, options.items, options.rows, lambda line: print(line, flush=True))
    return 0


def _demo(options: argparse.Namespace) -> int:
    from models.embedded.recipe.render_demo import render

    render(_show)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
