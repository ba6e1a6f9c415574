"""What a precision loses: all answer the same sentences, and each is compared with the exact weights."""

from __future__ import annotations

import numpy as np
import pytest

from models.base import Cost
from models.catalogue import embedded_folder
from models.embedded.recipe.score import precisions
from models.embedded.recipe.score.figures import Result
from models.embedded.recipe.score.items import Case
from models.embedded.recipe.score.precisions import Scored, lines, score
from models.precision import QUANTS

SAID = [Case(np.zeros(16_000, np.float32), "en", "Hello.", "你好。")]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_precision_has_a_line_with_what_it_loses(monkeypatch):
    bleu = dict(zip(QUANTS, (90.0, 89.9, 89.0, 91.0), strict=True))
    asked = []

    def fake(_folder, language, said, quant):
        asked.append((language, said))
        return Scored(Result(1, bleu[quant], 80.0, 0.0, 0.0), Cost(decode_s=0.3, decode_steps=100))

    monkeypatch.setattr(precisions, "score", fake)
    table = [cells(line) for line in lines(embedded_folder(), "en", SAID)]
    assert [row[0] for row in table] == ["float32", "int8", "int4", "nf4"]
    assert [row[3:5] for row in table] == [["90.00", "0.00"], ["89.90", "0.10"], ["89.00", "1.00"], ["91.00", "-1.00"]]
    assert {row[8] for row in table} == {"3.0"}
    sizes = [float(row[7].removesuffix(" MB")) for row in table]
    assert sizes[0] > sizes[1] > sizes[3]
    assert asked == [("en", SAID)] * 4


@pytest.mark.parametrize("quant", ["none", "nf4"])
def test_sentences_are_answered_by_the_checkpoint_in_that_precision(quant):
    scored = score(embedded_folder(), "en", SAID, quant)
    assert scored.result.n == 1
    assert scored.result.exact == 0.0
    assert scored.cost.encode_s > 0


def test_so_many_sentences_are_drawn_as_are_asked_for(monkeypatch):
    drawn = []

    def fake(_row, _language, n, batch):
        drawn.append((n, batch))
        return SAID * n

    monkeypatch.setattr(precisions, "cases", fake)
    assert len(list(precisions._cases("zh", 600))) == 600
    assert drawn == [(250, 0), (250, 1), (100, 2)]
