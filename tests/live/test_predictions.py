"""Predictions kept from run to run."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest

from live.errors import RecordingError
from live.evaluation.predictions import Prediction, Predictions, Subject, fingerprint
from models.base import TranslatorFactory

SUBJECT = Subject("covost2", "en-zh", "test", "d1", "embedded", "w1")
HI, LOST = Prediction("a.mp3", "你好"), Prediction("b.mp3", problem="missing")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made" / "kept.jsonl"


def keep(path, *predictions, subject=SUBJECT) -> dict[str, Prediction]:
    with Predictions(path, subject) as kept:
        for prediction in predictions:
            kept.add(prediction)
        return kept.kept


def test_what_was_added_is_there_in_the_next_run_and_for_the_owner_only(path):
    assert keep(path, HI, LOST) == keep(path) == {"a.mp3": HI, "b.mp3": LOST}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_later_of_two_counts(path):
    keep(path, LOST)
    assert keep(path, replace(LOST, translation="好", problem="")) == keep(path) != {"b.mp3": LOST}


@pytest.mark.parametrize("n_cut", [1, 5, 20])
def test_half_a_line_of_a_killed_run_is_left_out(path, n_cut):
    keep(path, HI, LOST)
    path.write_bytes(path.read_bytes()[:-n_cut])
    assert keep(path, Prediction("c.mp3", "三")) == {"a.mp3": HI, "c.mp3": Prediction("c.mp3", "三")}
    assert set(keep(path)) == {"a.mp3", "c.mp3"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "qwen-audio"}, "of the model embedded, not of qwen-audio"),
        ({"weights": "w2"}, "of other weights of embedded"),
        ({"data": "d2"}, "for another version of the data set"),
        ({"pair": "zh-en", "data": "d2"}, "for covost2 en-zh, test"),
    ],
)
def test_predictions_of_something_else_are_refused_and_stay(path, change, sentence):
    keep(path, HI)
    before = path.read_bytes()
    with pytest.raises(RecordingError, match=f"{sentence}: name another file by --out"):
        Predictions(path, replace(SUBJECT, **change))
    assert path.read_bytes() == before
    assert keep(path) == {"a.mp3": HI}


@pytest.mark.parametrize("text", ["not json\n", "{}\n", "[1]\n", '{"benchmark": "covost2"}\n'])
def test_a_file_of_another_kind_is_refused_and_stays(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(RecordingError, match="holds no predictions"):
        Predictions(path, SUBJECT)
    assert path.read_text() == text


def test_a_folder_in_its_place_is_said(tmp_path):
    with pytest.raises(RecordingError, match="cannot be kept"):
        Predictions(tmp_path, SUBJECT)


def test_two_runs_do_not_write_one_file(path):
    with Predictions(path, SUBJECT), pytest.raises(RecordingError, match="Another run is writing"):
        Predictions(path, SUBJECT)
    keep(path, HI)


def test_a_fingerprint_is_of_the_weights_and_the_way_they_are_run_not_of_their_place(tmp_path):
    def of(name: str, weights: bytes = b"w" * 9, target: str = "a:b", **arguments) -> str:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(weights)
        return fingerprint(TranslatorFactory(target, {"folder": str(folder), **arguments}))

    plain = of("one")
    assert plain == of("two") == of("three", device="cuda")
    assert len({plain, of("four", b"w" * 8 + b"v"), of("five", mode="chatml"), of("six", target="a:c")}) == 4
    assert fingerprint(TranslatorFactory("a:b")) == fingerprint(TranslatorFactory("a:b"))
