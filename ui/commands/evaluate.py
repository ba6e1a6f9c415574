"""`tongchuan evaluate`: measure a model on data whose right answers are known; each measure has a file of its own."""

from __future__ import annotations

import argparse

from ui.commands import evaluate_covost2, evaluate_simul, evaluate_uncertainty
from ui.commands.options import Commands

MEASURES = (evaluate_covost2, evaluate_simul, evaluate_uncertainty)


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model on data whose right answers are known",
        description="Measure a model on data whose right answers are known.",
        epilog="examples:\n  tongchuan evaluate covost2 --data covost --pair en-zh --model qwen-audio\n"
        "  tongchuan evaluate simul --quick\n"
        "  tongchuan evaluate uncertainty --data clips --model qwen-audio\n"
        "  tongchuan evaluate covost2 --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    measures = parser.add_subparsers(title="measures", dest="measure", metavar="MEASURE", required=True)
    for measure in MEASURES:
        measure.add_parser(measures)
