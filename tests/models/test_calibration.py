"""Where a checkpoint's threshold is kept, and found again."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import platformdirs
import pytest

from models.base import ModelLoadError
from models.calibration import BESIDE, KEY, keep_threshold, stored_threshold, write_into_config


@pytest.fixture(autouse=True)
def users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: folder)
    return folder


def checkpoint(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def cached(tmp_path: Path) -> Path:
    return checkpoint(tmp_path / "hub" / "models--Qwen--Qwen-Audio" / "snapshots" / "abc", model_type="qwen")


def test_a_checkpoint_may_know_its_threshold_itself(tmp_path):
    assert stored_threshold(checkpoint(tmp_path / "a", tongchuan={"uncertain_below": -0.25})) == -0.25


@pytest.mark.parametrize("config", [{}, {"tongchuan": {"name": "x"}}, {"tongchuan": None}])
def test_most_checkpoints_have_none(tmp_path, config):
    assert stored_threshold(checkpoint(tmp_path / "a", **config)) is None


def test_a_threshold_found_later_stands_beside_the_checkpoint_and_counts_more(tmp_path):
    folder = checkpoint(tmp_path / "a", tongchuan={"uncertain_below": -0.25})
    assert keep_threshold(folder, -0.5) == folder / BESIDE
    assert stored_threshold(folder) == -0.5
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", BESIDE]


def test_nothing_is_ever_written_into_a_hub_cache(tmp_path, users_data):
    folder = cached(tmp_path)
    before = sorted(folder.rglob("*"))
    path = keep_threshold(folder, -0.5)
    assert path.is_relative_to(users_data)
    assert sorted(folder.rglob("*")) == before
    assert stored_threshold(folder) == -0.5
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_users_own_threshold_follows_the_checkpoint_not_its_place(tmp_path):
    keep_threshold(cached(tmp_path), -0.5)
    assert stored_threshold(checkpoint(tmp_path / "copy", model_type="qwen")) == -0.5
    other = checkpoint(tmp_path / "other", model_type="qwen")
    (other / "model.safetensors").write_bytes(b"other weights")
    assert stored_threshold(other) is None


def test_a_threshold_found_again_replaces_the_one_that_counts(tmp_path, users_data):
    folder = cached(tmp_path)
    keep_threshold(folder, -0.5)
    copy = checkpoint(tmp_path / "copy", model_type="qwen")
    assert keep_threshold(copy, -0.7).is_relative_to(users_data)
    assert stored_threshold(folder) == stored_threshold(copy) == -0.7


def test_where_nothing_can_be_written_one_sentence_says_so(tmp_path, users_data):
    users_data.write_text("in the way", "utf-8")
    with pytest.raises(ModelLoadError, match="cannot be kept"):
        keep_threshold(cached(tmp_path), -0.5)


@pytest.mark.parametrize("value", ['"low"', "null", "true", "NaN", "[]"])
def test_a_threshold_that_is_no_number_is_refused(tmp_path, value):
    folder = checkpoint(tmp_path / "a")
    (folder / BESIDE).write_text(f'{{"uncertain_below": {value}}}', "utf-8")
    with pytest.raises(ModelLoadError, match="no number; calibrate"):
        stored_threshold(folder)


@pytest.mark.parametrize("text", ["{", "[1]", "\udcff"])
def test_a_broken_file_is_named(tmp_path, text):
    folder = checkpoint(tmp_path / "a")
    (folder / BESIDE).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelLoadError, match=BESIDE):
        stored_threshold(folder)


def test_the_recipes_own_config_takes_a_threshold_and_keeps_the_rest(tmp_path):
    folder = checkpoint(tmp_path / "a", model_type="qwen2_audio", tongchuan={"name": "embedded"})
    write_into_config(folder, KEY, -0.0625)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config == {"model_type": "qwen2_audio", "tongchuan": {"name": "embedded", "uncertain_below": -0.0625}}
    assert stored_threshold(folder) == -0.0625


@pytest.mark.parametrize("is_cached", [False, True])
def test_a_calibration_of_the_recipes_own_counts_more_than_what_was_found_before(tmp_path, is_cached):
    place = "models--x" if is_cached else "a"
    folder = checkpoint(tmp_path / place, tongchuan={"uncertain_below": -0.25})
    keep_threshold(folder, -0.5)
    assert stored_threshold(folder) == -0.5
    write_into_config(folder, KEY, -0.0625)
    assert stored_threshold(folder) == -0.0625
