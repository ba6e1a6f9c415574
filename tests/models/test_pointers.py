"""What was measured of a checkpoint's pointing: kept with it, found again, and trusted only where it tells enough."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs
import pytest

from models.base import Gate, ModelLoadError
from models.calibration import POINTING, keep, write_into_config
from models.pointers import MIN_AUC, Pointer, as_stored, gate_key, stored_pointers

KEY = ("translate", "zh", "en")
POINTER = Pointer(((3, 1), (3, 3)), Gate(6400, 0.35, 0.75), -0.05)


@pytest.fixture(autouse=True)
def users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: folder)
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"tongchuan": {"name": "x"}}), "utf-8")
    return folder


def test_most_checkpoints_do_not_point(checkpoint):
    assert stored_pointers(checkpoint) == {}


def test_what_a_config_says_is_found_again(checkpoint):
    pointers = {KEY: POINTER, ("transcribe", "en", "en"): Pointer(((0, 0),), Gate(0, 1.0, 0.5), None)}
    write_into_config(checkpoint, POINTING, as_stored(pointers))
    assert stored_pointers(checkpoint) == pointers
    assert json.loads((checkpoint / "config.json").read_text("utf-8"))["tongchuan"]["name"] == "x"


def test_another_checkpoints_heads_stand_beside_it(checkpoint):
    assert keep(checkpoint, POINTING, as_stored({KEY: POINTER})) == checkpoint / "pointing.json"
    assert stored_pointers(checkpoint) == {KEY: POINTER}


def test_a_calibration_of_the_recipe_counts_more_than_what_was_beside(checkpoint):
    keep(checkpoint, POINTING, as_stored({KEY: POINTER}))
    write_into_config(checkpoint, POINTING, [])
    assert stored_pointers(checkpoint) == {}


@pytest.mark.parametrize(("auc", "is_trusted"), [(MIN_AUC, True), (MIN_AUC - 1e-6, False), (0.0, False)])
def test_a_gate_that_tells_too_little_is_not_trusted(auc, is_trusted):
    assert Pointer(((0, 0),), Gate(6400, 0.5, auc), None).is_trusted == is_trusted


def test_a_transcript_is_kept_under_the_language_it_is_in():
    assert gate_key("transcribe", "zh", "en") == ("transcribe", "zh", "zh")
    assert gate_key("translate", "zh", "en") == KEY


@pytest.mark.parametrize(
    "change",
    [
        {"task": "sing"},
        {"source": None},
        {"heads": []},
        {"heads": [[1]]},
        {"heads": [[-1, 0]]},
        {"heads": [[1.5, 0]]},
        {"heads": 3},
        {"hold": "long"},
        {"hold": True},
        {"auc": float("nan")},
        {"tail_mass_below": None},
        {"sure_above": "high"},
    ],
)
def test_a_broken_entry_is_refused(checkpoint, change):
    write_into_config(checkpoint, POINTING, [as_stored({KEY: POINTER})[0] | change])
    with pytest.raises(ModelLoadError, match="no calibration's; calibrate"):
        stored_pointers(checkpoint)


@pytest.mark.parametrize("value", [3, "heads", [[]], [{}], None])
def test_what_is_no_list_of_entries_is_refused(checkpoint, value):
    write_into_config(checkpoint, POINTING, value)
    with pytest.raises(ModelLoadError, match="no calibration's"):
        stored_pointers(checkpoint)
