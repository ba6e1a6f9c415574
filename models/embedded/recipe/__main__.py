"""`python -m models.embedded.recipe`: make the embedded model, score it, or render the demonstration.

In: a command line. Out: files, lines of progress, an exit status.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from models.embedded.recipe import export

WORK = Path(".train")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.embedded.recipe", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command")
    make = commands.add_parser("make", help="train the checkpoint, or go on training it (the default)")
    make.add_argument("--work", type=Path, default=WORK, help="folder for data and state; remove it to begin a new run")
    make.add_argument("--shards", type=int, default=60, help="thousands of clips to synthesise")
    make.add_argument("--encoder-minutes", type=float, default=10)
    make.add_argument("--text-minutes", type=float, default=8)
    make.add_argument("--joint-minutes", type=float, default=55)
    make.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    make.add_argument("--fresh", action="store_true", help="do not start from the weights that are there")
    make.add_argument("--data-only", action="store_true", help="only synthesise")
    score = commands.add_parser("score", help="print the table of scores on held-out items")
    score.add_argument("--items", type=int, default=200, help="items a row")
    score.add_argument("--rows", default="", help="only the rows whose names begin so")
    score.add_argument("--folder", type=Path, default=export.FOLDER)
    commands.add_parser("demo", help="render the demonstration meeting anew")
    options = parser.parse_args(arguments or ["make"])
    return {"make": _make, "score": _score, "demo": _demo}[options.command](options)


def _show(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _make(options: argparse.Namespace) -> int:
    from models.embedded.recipe.recipe import Plan, Recipe

    plan = Plan(
        work=options.work,
        n_shards=options.shards,
        encoder_s=60 * options.encoder_minutes,
        text_s=60 * options.text_minutes,
        joint_s=60 * options.joint_minutes,
        n_threads=options.threads,
        is_fresh=options.fresh,
    )
    recipe = Recipe(plan, _show)
    recipe.make_data()
    if not options.data_only:
        recipe.train()
    return 0


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
