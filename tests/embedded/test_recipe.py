import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.embedded.recipe import __main__ as command
from models.embedded.recipe import batches, dataset, export, recipe, score, train
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
    budgets = dict.fromkeys(("encoder_s", "text_s", "head_s", "joint_s"), 0.1)
    return Plan(work, 1, **budgets, n_threads=1, checkpoint=vocabulary_folder)


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
    assert [line.split(":")[0] for line in lines] == ["head", "joint", "checkpoint"]
    assert json.loads((tmp_path / "second" / "run.json").read_text("utf-8"))["goes_on"]


def test_a_piece_whose_time_is_over_leaves_the_rest_to_the_next(plan):
    lines = []
    assert not Recipe(replace(plan, piece_s=0), lines.append).train()
    assert lines == []
    assert Recipe(plan, lines.append).train()


def test_a_stage_that_a_piece_cut_short_is_taken_up_and_no_later_one_begun(plan, monkeypatch):
    for steps in (1, 2):
        lines = []
        piece = Recipe(replace(plan, encoder_s=3600), lines.append)
        answers = iter((False, False, True, True))  # at the start, before a step, after it
        monkeypatch.setattr(piece, "_is_over", lambda answers=answers: next(answers))
        assert not piece.train()
        assert [line.split(":")[0] for line in lines] == ["encoder"]
        assert f"step {steps} " in lines[0]
        assert not (plan.checkpoint / export.WEIGHTS).exists()


def test_training_without_data_says_so(plan):
    (plan.work / "data" / "shard-00000").rename(plan.work / "elsewhere")
    with pytest.raises(FileNotFoundError, match="no training data"):
        Recipe(plan, lambda _: None).train()


def test_data_of_another_recipe_is_made_anew_and_said_so(plan, monkeypatch):
    stale = plan.work / "data" / "shard-00000"
    (stale / dataset.VERSION_FILE).write_text("older", "utf-8")
    asked = []
    monkeypatch.setattr(dataset, "make_shards", lambda folder, seed, numbers, **_: asked.append(numbers) or iter(()))
    monkeypatch.setattr(recipe.speech, "has_flite", lambda: False)
    lines = []
    Recipe(plan, lines.append).make_data()
    assert asked == [[0]]
    assert not stale.exists()
    assert "1 shards of an older grammar or recipe" in lines[0]
    assert "flite is not installed" in lines[1]
    assert lines[2] == "data: 0 of 1 shards"


def test_the_command_trains_unless_told_otherwise(monkeypatch):
    asked = []
    monkeypatch.setattr(command, "_train", lambda options: asked.append(options) or 0)
    assert command.main([]) == 0
    assert asked[0].joint_minutes <= 60
    assert not asked[0].fresh


def test_the_command_hands_its_options_to_the_plan(monkeypatch, tmp_path):
    plans = []
    monkeypatch.setattr(command, "_train", lambda options: plans.append(command._plan(options)) or 0)
    command.main(["train", "--work", str(tmp_path), "--rate", "0.8", "--piece-minutes", "8", "--fresh"])
    command.main(["train"])
    chosen, usual = plans
    assert (chosen.work, chosen.rate, chosen.piece_s, chosen.is_fresh) == (tmp_path, 0.8, 480, True)
    assert (usual.rate, usual.piece_s) == (recipe.RESUMED_RATE, math.inf)


def test_a_piece_that_the_data_took_whole_ends_with_the_way_to_go_on(monkeypatch, tmp_path, capsys):
    calls = []

    class Made:
        returncode = 0

    class Trainer:
        def __init__(self, plan, show):
            assert plan.piece_s < 60

        def train(self) -> bool:
            return False

    monkeypatch.setattr(command.subprocess, "run", lambda line, check: calls.append(line) or Made())
    monkeypatch.setattr(recipe, "Recipe", Trainer)
    for name in command.THREADS_STAY_PUT:
        monkeypatch.setenv(name, "kept")
    assert command.main(["train", "--work", str(tmp_path), "--piece-minutes", "1"]) == 0
    assert "--piece-minutes=1.0" in calls[0]
    assert capsys.readouterr().out.rstrip().endswith(command.AGAIN)
