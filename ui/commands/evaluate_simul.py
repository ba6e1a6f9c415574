"""`tongchuan evaluate simul`: streaming policies side by side, on long talks, under a clock that computing advances."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from live.audio import seconds
from live.errors import LiveError, RecordingError
from live.evaluation.simul import contestants
from ui.commands import evaluate_simul_play, evaluate_simul_stress
from ui.commands.figures import write_json, write_text
from ui.commands.options import Commands, add_command, add_setting, count, load_settings, resolve_model
from ui.exits import DONE
from ui.logs import native_noise_logged
from ui.saying import say

if TYPE_CHECKING:
    from live.evaluation.simul.costs import CostModel
    from live.evaluation.simul.record import Talk

ALL = "all"
MINUTES = 30
QUICK_MINUTES = 8
"""Sound that two cores play in about five minutes."""


def add_parser(measures: Commands) -> None:
    """Add the measure's words."""
    parser = add_command(
        measures,
        "simul",
        run,
        "quality, delay and flicker of streaming policies, side by side on long talks",
        detail="Talks of both directions are spoken once, by held-out voices, and kept. Each policy plays them through "
        "the session's own segmenter and queue, with a single worker that is busy for as long as each call costs: as "
        "measured here, and as the 8.4 B model would take.",
        examples=(
            "tongchuan evaluate simul --quick",
            "tongchuan evaluate simul --policies VAD-final,ours --minutes 8 --json figures.json",
            "tongchuan evaluate simul --markdown table.md --png chart.png --logs logs",
        ),
    )
    known = tuple(contestants.ALL)
    parser.add_argument("--policies", type=_policies, default=known, metavar="all|A,B", help=", ".join(known))
    add_setting(parser, "--detector", "detector")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=count, default=MINUTES, metavar="N", help=f"sound, at least ({MINUTES})")
    length.add_argument("--quick", action="store_true", help=f"{QUICK_MINUTES} minutes of sound")
    parser.add_argument("--jobs", type=count, default=2, metavar="N", help="processes at once (2)")
    parser.add_argument(
        "--cost",
        choices=(ALL, "measured", "large"),
        default=ALL,
        help="what the clock advances by: each call's own time, the 8.4 B model's, or both, one after the other (all); "
        "only the large model's does not depend on what else runs here",
    )
    parser.add_argument(
        "--rates",
        type=Path,
        metavar="F",
        help="what the 8.4 B model costs, as measured on a GPU, instead of an estimate",
    )
    parser.add_argument(
        "--peer",
        type=_peer,
        metavar="whisper_streaming=CHECKOUT",
        help="run the policy class of this checkout, its code unchanged, in the place of what is re-implemented of it",
    )
    parser.add_argument(
        "--stress",
        type=_trials,
        metavar="all|A,B",
        help=f"instead, try our policy where it is hard: {', '.join(evaluate_simul_stress.TRIALS)} (a model "
        "slowed eight times, an hour, sounds in which nobody speaks)",
    )
    _add_outputs(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the figures as JSON")
    parser.add_argument("--markdown", type=Path, metavar="F", help="also write the tables in Markdown")
    parser.add_argument("--png", type=Path, metavar="F", help="also draw quality against delay")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep the logs that the field's scorers read")


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: the settings or a file are wrong, or what makes the talks is not installed.
        ModelError: there is no such model, it cannot be loaded, or it failed.
    """
    from live.evaluation.simul.runner import Plan

    settings, _ = load_settings(arguments)
    costs = _costs(arguments)
    _check_places(arguments)
    entry = resolve_model(settings)
    with native_noise_logged():  # what libraries print in the processes that play
        talks = _talks(QUICK_MINUTES if arguments.quick else arguments.minutes, arguments.jobs)
        if arguments.stress is not None:
            report = evaluate_simul_stress.tried(arguments.stress, entry, settings, talks)
        else:
            plan = Plan(entry.factory, arguments.policies, costs, settings.detector, arguments.peer)
            report = evaluate_simul_play.compared(plan, talks, arguments)
    report = replace(report, notes=(*_notes(entry.name, talks), *report.notes))
    report.show()
    if arguments.json is not None:
        write_json(arguments.json, report.data)
    if arguments.markdown is not None:
        write_text(arguments.markdown, report.markdown())
    return DONE


def _check_places(arguments: argparse.Namespace) -> None:
    """See that what is asked for can be written, before an hour has gone into it.

    Raises:
        RecordingError: it cannot.
    """
    for path in filter(None, (arguments.json, arguments.markdown, arguments.png, arguments.logs)):
        folder = next(folder for folder in path.absolute().parents if folder.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK) or (path.is_dir() and path != arguments.logs):
            raise RecordingError(f"{path} cannot be written: name another place.")


def _costs(arguments: argparse.Namespace) -> tuple[CostModel, ...]:
    from live.evaluation.simul.costs import LARGE, Measured, read_rates

    every: dict[str, CostModel] = {
        "measured": Measured(),
        "large": LARGE if arguments.rates is None else read_rates(arguments.rates),
    }
    return tuple(each for name, each in every.items() if arguments.cost in (ALL, name))


def _talks(minutes: int, n_processes: int) -> tuple[Talk, ...]:
    """The talks, kept from before or spoken now.

    Raises:
        LiveError: what speaks them is not installed, or they cannot be kept.
    """
    import platformdirs

    from live.evaluation.simul.kept_talks import keep, read
    from live.evaluation.simul.record import Sentence, Talk

    try:
        from models.embedded.recipe import talks as spoken
        from models.embedded.recipe.segments import OTHER
    except ImportError as error:
        raise LiveError(
            f"The talks are spoken by the recipe's voices, and {error.name} is not installed: "
            "`pip install 'tongchuan[recipe]'`."
        ) from error
    n = spoken.n_talks(minutes)
    cache = platformdirs.user_cache_path("tongchuan", appauthor=False) / "evaluation"
    folder = cache / f"talks-{spoken.fingerprint()}-{n}"
    if kept := read(folder):
        return kept
    say(f"Speaking {n} talks, once.")
    made = [
        Talk(
            each.name,
            each.language,
            OTHER[each.language],
            each.samples,
            tuple(Sentence(said.start, said.end, said.source, said.translation) for said in each.sentences),
        )
        for each in spoken.make_talks(minutes, n_processes, say)
    ]
    try:
        keep(sorted(made, key=lambda talk: talk.name), folder)
    except OSError as error:
        raise RecordingError(f"The talks cannot be kept in {folder}: {error.strerror}.") from error
    return read(folder)


def _notes(name: str, talks: Sequence[Talk]) -> tuple[str, ...]:
    """What was played, and what that says nothing of."""
    minutes = sum(seconds(len(talk.samples)) for talk in talks) / 60
    n_sentences = sum(len(talk.sentences) for talk in talks)
    return (
        f"{len(talks)} talks, {minutes:.1f} minutes, {n_sentences} sentences, by {name}; the same ones every time.",
        "Synthetic voices and meeting phrases: nothing is claimed for human speech.",
    )


def _policies(text: str) -> tuple[str, ...]:
    if text == ALL:
        return tuple(contestants.ALL)
    known = {name.lower(): name for name in contestants.ALL}
    names = [part.strip() for part in text.split(",")]
    if unknown := [name for name in names if name.lower() not in known]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no policy; there are {', '.join(contestants.ALL)}")
    return tuple(known[name.lower()] for name in names)


def _trials(text: str) -> tuple[str, ...]:
    names = evaluate_simul_stress.TRIALS if text == ALL else tuple(part.strip() for part in text.split(","))
    if unknown := [name for name in names if name not in evaluate_simul_stress.TRIALS]:
        raise argparse.ArgumentTypeError(
            f"{unknown[0]!r} is no trial; there are {', '.join(evaluate_simul_stress.TRIALS)}"
        )
    return names


def _peer(text: str) -> Path:
    name, _, checkout = text.partition("=")
    if name != "whisper_streaming" or not checkout:
        raise argparse.ArgumentTypeError(f"{text!r} is not whisper_streaming=CHECKOUT")
    return Path(checkout)
