"""What a precision loses: `python -m models.embedded.recipe.score.precisions`.

In: a checkpoint and how many items. Out: a table: of each precision and direction BLEU, exact matches, and what they
are less than with exact weights; bytes of the weights, milliseconds a token on this processor. All precisions answer
the same held-out sentences. Which precision is used is models/choice.py's business.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.base import Cost
from models.bench.floors import weight_bytes
from models.catalogue import embedded_folder
from models.embedded.recipe import speech
from models.embedded.recipe.grammar import Language
from models.embedded.recipe.score.answers import answer_case
from models.embedded.recipe.score.figures import Result, direction, result
from models.embedded.recipe.score.items import BATCH, LANGUAGES, SENTENCES, Case, cases
from models.precision import QUANTS, Quant, label
from models.qwen_audio.checkpoint import load
from models.qwen_audio.device import choose_device
from models.qwen_audio.translator import QwenAudioTranslator

ITEMS = 500
HEADING = (
    "| precision | direction | n | BLEU | less | exact | less | weights | ms a token |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One precision in one direction."""

    result: Result
    cost: Cost

    @property
    def token_ms(self) -> float:
        """Milliseconds of decoding for a step, which writes a token of each text."""
        return 1000 * self.cost.decode_s / max(1, self.cost.decode_steps)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.embedded.recipe.score.precisions", description=__doc__)
    parser.add_argument("--folder", type=Path, default=embedded_folder(), help="a checkpoint")
    parser.add_argument("--items", type=int, default=ITEMS, help="sentences a direction")
    options = parser.parse_args(arguments)
    speech.seed(0)
    print(HEADING)
    for language in LANGUAGES:
        for line in lines(options.folder, language, list(_cases(language, options.items))):
            print(line, flush=True)
    return 0


def lines(folder: Path, language: Language, said: Sequence[Case]) -> Iterator[str]:
    """The table's lines of one direction, the exact weights' first."""
    exact: Result | None = None
    for quant in QUANTS:
        scored = score(folder, language, said, quant)
        got = scored.result
        exact = exact or got
        megabytes = weight_bytes(load(folder, choose_device("cpu")[0], quant=quant).model) / 1e6
        yield (
            f"| {'float32' if quant == 'none' else label(quant)} | {direction(language)} | {got.n} "
            f"| {got.bleu:.2f} | {exact.bleu - got.bleu:.2f} | {got.exact:.1f} % | {exact.exact - got.exact:.1f} "
            f"| {megabytes:.1f} MB | {scored.token_ms:.1f} |"
        )


def score(folder: Path, language: Language, said: Sequence[Case], quant: Quant) -> Scored:
    """Have sentences translated by a checkpoint in one precision."""
    translator = QwenAudioTranslator(str(folder), "cpu", quant=quant)
    translator.load(lambda _: None)
    answers, cost = [], Cost()
    for case in said:
        answer, spent = answer_case(translator, case)
        answers.append(answer)
        cost += spent
    return Scored(result(answers, language), cost)


def _cases(language: Language, n: int) -> Iterator[Case]:
    for first in range(0, n, BATCH):
        yield from cases(SENTENCES, language, min(BATCH, n - first), first // BATCH)


if __name__ == "__main__":
    sys.exit(main())
