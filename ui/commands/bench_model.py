"""`tongchuan bench model`: how long a model of some size takes for each stage, beside what the computer allows."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from live.errors import LiveError
from live.settings import AUTO
from models.bench import SIZES
from models.memory import size_text
from ui.commands.figures import write_json
from ui.commands.options import Commands, add_setting, count, load_settings
from ui.exits import DONE
from ui.saying import say

if TYPE_CHECKING:
    from models.bench.model import ClipFigures, Measured
    from models.precision import Quant

UNMEASURED = "unmeasured: it is asked of one H100, in bf16"
TOKEN_RATIO, FIRST_RATIO, LIBRARY_RATIO = 1.3, 1.5, 4.0
"""Times the floor at most, and times faster than the library at least, on a clip of TARGET_S."""
TARGET_S = 5.0


def add_parser(actions: Commands) -> None:
    """Add the action's words."""
    parser = actions.add_parser(
        "model",
        help="time a model's stages, with random weights",
        description="Build a model of random weights and time its stages on clips of several lengths, beside the least "
        "time that this computer's memory and arithmetic allow, and beside the library's own generation.",
        allow_abbrev=False,
    )
    add_size(parser)
    parser.add_argument("--clips", type=_lengths, default=None, metavar="S,S,...", help="seconds (2,5,10,30)")
    parser.add_argument("--repeats", type=count, default=None, metavar="N", help="of which the median counts (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures here")
    parser.set_defaults(run=run)


def add_size(parser: argparse.ArgumentParser) -> None:
    """Add the words that say what is built."""
    parser.add_argument(
        "--size", choices=SIZES, default="embedded", help="the shape: the published 8.4 B one, ours, or a trial's"
    )
    parser.add_argument(
        "--random-weights", action="store_true", help="weights of nobody's: they cost the same, and fetch nothing"
    )
    for word, key in (("--device", "device"), ("--quant", "quant")):
        add_setting(parser, word, key, default=argparse.SUPPRESS)  # what stands before the action stays


def chosen_quant(arguments: argparse.Namespace) -> Quant:
    """The precision to measure; what is built is not weighed against what is free.

    Raises:
        SettingsError: the settings are wrong.
    """
    settings, _ = load_settings(arguments)
    return "none" if settings.quant == AUTO else settings.quant


def run(arguments: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        LiveError: the settings are wrong, weights were not said to be random, or the file cannot be written.
        ModelLoadError: the device or what the precision needs is not here, or there is no memory.
    """
    from models.worker_child import set_environment

    if not arguments.random_weights:
        raise LiveError("Only random weights are measured stage by stage, which cost the same: add --random-weights.")
    quant = chosen_quant(arguments)
    set_environment()
    from models.bench.model import CLIPS_S, REPEATS, measure

    settings, _ = load_settings(arguments)
    measured = measure(
        arguments.size,
        settings.device,
        quant,
        clips_s=arguments.clips or CLIPS_S,
        repeats=arguments.repeats or REPEATS,
        tell=say,
    )
    print("\n".join([*table(measured), "", *verdicts(measured)]))
    if arguments.json:
        write_json(arguments.json, dataclasses.asdict(measured))
    return DONE


def table(measured: Measured) -> list[str]:
    """The figures as Markdown."""
    speeds = measured.speeds
    head = (
        f"`{measured.size}`, random weights, {'as stored' if measured.quant == 'none' else measured.quant}, on "
        f"{measured.device}, torch {measured.torch_version}: {size_text(measured.weight_bytes)} of encoder, blocks and "
        f"head; copies {speeds.bytes_per_s / 1e9:.0f} GB/s, multiplies {speeds.operations_per_s / 1e12:.2f} TFLOP/s. "
        "Milliseconds, and times their floor; memory of ours and of the library's."
    )
    return [
        head,
        "",
        f"| clip | encoder | prefill | first token | a token | {measured.n_tokens} tokens | generate(): first | "
        "generate(): all | ours is faster | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_row(clip) for clip in measured.clips),
    ]


def _row(clip: ClipFigures) -> str:
    stages = (
        f"{_ms(ours)} ({ours / floor:.2f}x)"
        for ours, floor in zip(dataclasses.astuple(clip.ours), dataclasses.astuple(clip.floor), strict=True)
    )
    library = (_ms(clip.library_first_s), _ms(clip.library_whole_s), f"{_times_faster(clip):.1f}x")
    memory = f"{size_text(clip.memory_bytes)}, {size_text(clip.library_memory_bytes)}"
    return f"| {' | '.join((f'{clip.seconds:g} s', *stages, *library, memory))} |"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f}"


def _times_faster(clip: ClipFigures) -> float:
    return clip.library_whole_s / clip.ours.whole_s


def verdicts(measured: Measured) -> list[str]:
    """What was asked for and whether it is met: only the published size on an H100 in bf16 can tell."""
    can_tell = "H100" in measured.device and (measured.size, measured.quant) == ("qwen-audio", "none")
    clip = next((clip for clip in measured.clips if clip.seconds == TARGET_S), None)
    if not can_tell or clip is None:
        return [f"* Targets: {UNMEASURED}."]
    token, first = clip.ours.token_s / clip.floor.token_s, clip.ours.first_s / clip.floor.first_s
    return [
        _verdict("a token", f"{token:.2f} x floor", f"<= {TOKEN_RATIO}", token <= TOKEN_RATIO),
        _verdict(f"first token of {TARGET_S:g} s", f"{first:.2f} x floor", f"<= {FIRST_RATIO}", first <= FIRST_RATIO),
        _verdict(
            f"{TARGET_S:g} s and {measured.n_tokens} tokens against generate()",
            f"{_times_faster(clip):.1f} x faster",
            f">= {LIBRARY_RATIO:g}",
            _times_faster(clip) >= LIBRARY_RATIO,
        ),
    ]


def _verdict(what: str, figure: str, target: str, is_met: bool) -> str:
    return f"* {what}: {figure} (target {target}): {'met' if is_met else '**missed**'}."


def _lengths(text: str) -> Sequence[float]:
    """Lengths of clips, for argparse.

    Raises:
        argparse.ArgumentTypeError: one is no number of seconds that a model takes at once.
    """
    try:
        lengths = [float(word) for word in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of seconds, such as 2,5,30") from error
    if not all(0.1 <= length <= 30.0 for length in lengths):
        raise argparse.ArgumentTypeError(f"{text!r}: clips last from 0.1 to 30 seconds")
    return lengths
