import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.embedded.recipe import __main__ as command
from models.embedded.recipe import batches, dataset, export, score, train
from models.embedded.recipe.recipe import Plan, Recipe
from models.qwen_audio.verify import verify


@pytest.fixture
def plan(tmp_path: Path, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan of three steps on a shard of a few clips."""
    monkeypatch.setattr(batches, "CHUNK_ITEMS", 4)
    monkeypatch.setattr(train, "MERGE_CLIPS", 4)
    monkeypatch.setattr(score, "reference_clips", lambda: [(np.zeros(8000, np.float32), "zh", "translate")] * 4)
    monkeypatch.setattr(torch, "set_flush_denormal", lambda _: True)  # it would last beyond the test
    work = tmp_path / "work"
    (work / "data").mkdir(parents=True)
    (work / "data" / dataset.UNITS_FILE).write_text(json.dumps(["en:s", "zh:w"]), "utf-8")
    dataset.make_shard(work / "data", 1, 0, n_items=4)
    return Plan(work, 1, 0.1, 0.1, 0.1, n_threads=1, checkpoint=vocabulary_folder)


def test_a_run_from_nothing_pretrains_joins_and_writes_a_checkpoint(plan):
    lines = []
    Recipe(plan, lines.append).train()
    stages = [line.split(":")[0] for line in lines]
    assert [stage for stage in stages if stage != "checkpoint"] == ["encoder", "text", "merge", "joint"]
    assert export.read_weights(plan.checkpoint)["lm_head.weight"].shape == (4096, 256)
    assert [difference.case for difference in verify(plan.checkpoint)] == ["0", "1", "2", "3"]
    assert all(difference.is_within for difference in verify(plan.checkpoint))


def test_a_finished_run_is_not_trained_again(plan):
    Recipe(plan, lambda _: None).train()
    before = export.read_weights(plan.checkpoint)["lm_head.weight"]
    lines = []
    Recipe(plan, lines.append).train()
    assert torch.equal(export.read_weights(plan.checkpoint)["lm_head.weight"], before)
    assert not any(line.startswith("merge") for line in lines)


def test_a_new_run_goes_on_from_the_weights_that_are_there(plan, tmp_path):
    Recipe(plan, lambda _: None).train()
    (tmp_path / "second").mkdir()
    (plan.work / "data").rename(tmp_path / "second" / "data")
    lines = []
    Recipe(replace(plan, work=tmp_path / "second"), lines.append).train()
    assert [line.split(":")[0] for line in lines] == ["checkpoint", "joint", "checkpoint"]
    assert json.loads((tmp_path / "second" / "run.json").read_text("utf-8"))["goes_on"]


def test_training_without_data_says_so(plan):
    (plan.work / "data" / "shard-00000").rename(plan.work / "elsewhere")
    with pytest.raises(FileNotFoundError, match="no training data"):
        Recipe(plan, lambda _: None).train()


def test_the_command_trains_unless_told_otherwise(monkeypatch):
    asked = []
    monkeypatch.setattr(command, "_train", lambda options: asked.append(options) or 0)
    assert command.main([]) == 0
    assert asked[0].joint_minutes <= 60
    assert not asked[0].fresh
