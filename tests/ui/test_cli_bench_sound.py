"""`tongchuan bench echo` and `bench vad`: that they measure, and what they say of bad input. No figure is asserted."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from audio_clips import noise, silence, to_pcm, write_audio

from ui.cli import main
from ui.commands.bench_echo import KINDS
from ui.commands.bench_vad import recordings
from ui.commands.bench_voices import sentences

pytestmark = pytest.mark.usefixtures("own_process")


def test_every_kind_of_scene_is_heard_and_counted(capsys, tmp_path):
    figures = tmp_path / "echo.json"
    assert main(["bench", "echo", "--scenes", "1", "--json", str(figures)]) == 0
    counted = json.loads(figures.read_text())

    assert set(counted) == set(KINDS)
    assert counted["echo of a sentence"]["n_repeats"] >= 1
    assert counted["speech, headphones"]["n_own"] == 1
    assert "speech lost" in capsys.readouterr().out


def test_detectors_are_asked_in_every_noise_and_sound(capsys, tmp_path):
    figures = tmp_path / "vad.json"
    folder = tmp_path / "clips"
    folder.mkdir()
    write_audio(folder / "one.wav", to_pcm(np.concatenate([silence(1), noise(1.0), silence(1)])))
    (folder / "one.txt").write_text("1.0\t2.0\tnoise\n")
    assert main(["bench", "vad", "--sentences", "2", "--clips", str(folder), "--json", str(figures)]) == 0
    rows = json.loads(figures.read_text())

    assert {row["set"] for row in rows} == {"synthetic en", "synthetic zh", "labelled clips", "no speech"}
    assert {"clean", "babble 0 dB", "keys"} <= {row["noise"] for row in rows}
    labelled = next(row for row in rows if row["set"] == "labelled clips")
    assert labelled["silero"]["n_right"] + labelled["silero"]["n_missed"] == 100
    assert "false alarms" in capsys.readouterr().out


def test_recordings_without_labels_are_a_set_of_their_own(tmp_path):
    write_audio(tmp_path / "one.wav", to_pcm(np.concatenate([silence(1), noise(1.0), silence(1)])))
    (material,) = recordings(tmp_path)
    ((_, truth),) = material.clips

    assert material.name == "clips, by loudness"
    assert truth.sum() == pytest.approx(100, abs=1)


def test_a_folder_without_recordings_is_said(capsys, tmp_path):
    assert main(["bench", "vad", "--clips", str(tmp_path)]) == 1
    assert f"There are no recordings in {tmp_path}" in capsys.readouterr().err


def test_labels_that_are_none_are_named(capsys, tmp_path):
    write_audio(tmp_path / "one.wav", to_pcm(noise(1.0)))
    (tmp_path / "one.txt").write_text("hello\n")
    assert main(["bench", "vad", "--clips", str(tmp_path)]) == 1
    assert "one.txt holds no labels" in capsys.readouterr().err


@pytest.mark.parametrize("bench", ["vad", "echo"])
def test_without_the_recipe_s_voices_what_to_install_is_said(bench, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    for module in [name for name in sys.modules if name.startswith("models.embedded.recipe")]:
        monkeypatch.delitem(sys.modules, module)
    assert main(["bench", bench]) == 1
    assert "pip install 'tongchuan[recipe]'" in capsys.readouterr().err


def test_sentences_have_exact_times_and_one_level():
    for said in sentences(4, seed=1):
        assert said.spans[0][0] < 8_000
        assert said.spans[-1][1] == pytest.approx(len(said.samples), abs=2)
        assert all(before[1] < after[0] for before, after in zip(said.spans, said.spans[1:], strict=False))
        assert np.sqrt(np.mean(said.samples**2)) == pytest.approx(0.06, rel=0.01)
