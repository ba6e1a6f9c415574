"""Where the embedded model's uncertainty begins: read from answers, kept with the checkpoint, told once loaded."""

from __future__ import annotations

import json
import shutil

import platformdirs
import pytest

from models.base import ModelLoadError
from models.embedded.recipe import calibrate as command
from models.embedded.recipe import export
from models.embedded.recipe.calibrate import calibrate, threshold_of
from models.embedded.recipe.score.answers import FOREIGN_CALIBRATION, Answer
from models.embedded.recipe.score.items import CALIBRATION, CALIBRATION_PAIRS
from models.qwen_audio.translator import QwenAudioTranslator


def right(confidence):
    return Answer(True, "x", "y", "x", "y", confidence)


def wrong(confidence):
    return Answer(True, "x", "y", "z", "y", confidence)


def foreign(confidence):
    return Answer(True, "x", "y", confidence=confidence, kind="news")


def copied(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in (export.CONFIG, export.WEIGHTS, "tokenizer.tiktoken", "tokenizer_config.json"):
        shutil.copy(export.FOLDER / name, folder / name)
    return folder


def test_each_language_keeps_its_right_captions_and_wrong_ones_say_nothing():
    zh = [right(-0.001 * i) for i in range(100)] + [wrong(-9.0)] * 50
    en = [right(-0.002 * i) for i in range(100)]
    assert threshold_of({"zh": zh, "en": en}) == -0.194


def test_without_right_captions_there_is_no_threshold():
    with pytest.raises(ValueError, match="right captions"):
        threshold_of({"zh": [right(-0.1)], "en": [wrong(-0.1)]})


def test_a_calibration_uses_items_of_its_own_and_the_checkpoint_tells_what_came_of_it(tmp_path, monkeypatch):
    asked, shown = [], []
    made = {CALIBRATION.name: right(-0.1), CALIBRATION_PAIRS.name: right(-0.2), FOREIGN_CALIBRATION: foreign(-1.0)}

    def answered(folder, tasks, n_processes, show_progress):
        asked.extend(tasks)
        return [(task.row, task.language, [made[task.row]] * task.n) for task in tasks]

    monkeypatch.setattr(command, "answered", answered)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    folder = copied(tmp_path)
    calibrate(folder, 10, 1, show=shown.append, show_progress=shown.append)
    assert {task.row for task in asked} == set(made)
    assert sum(task.n for task in asked) == 2 * (10 + 10 + 60)
    assert json.loads((folder / export.CONFIG).read_text("utf-8"))["tongchuan"]["uncertain_below"] == -0.2
    assert "| right captions marked uncertain | zh-en | 20 | 0.0 % marked" in "\n".join(shown)
    assert sum("100.0 % marked (news 100; 0 without text)" in line for line in shown) == 2
    assert QwenAudioTranslator(str(folder), "cpu").load(lambda _: None).uncertain_below == -0.2


def test_a_checkpoint_with_a_broken_threshold_is_not_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    folder = copied(tmp_path)
    (folder / "uncertainty.json").write_text("{", "utf-8")
    with pytest.raises(ModelLoadError, match=r"uncertainty\.json cannot be read"):
        QwenAudioTranslator(str(folder), "cpu").load(lambda _: None)


def test_a_threshold_outlives_weights_that_are_written_anew(network, vocabulary_folder):
    export.write_checkpoint(network, network.state_dict(), vocabulary_folder)
    config = vocabulary_folder / export.CONFIG
    assert "uncertain_below" not in json.loads(config.read_text("utf-8"))["tongchuan"]
    command.write_into_config(vocabulary_folder, "uncertain_below", -0.3)
    export.write_checkpoint(network, network.state_dict(), vocabulary_folder)
    assert json.loads(config.read_text("utf-8"))["tongchuan"] == {**export.DESCRIPTION, "uncertain_below": -0.3}
