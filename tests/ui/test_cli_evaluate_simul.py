"""`tongchuan evaluate simul`: from talks to tables, with the fake model and tones for speech."""

import builtins
import json

import numpy as np
import pytest

from live.evaluation.simul import scorers, stress
from live.evaluation.simul.costs import LARGE
from live.evaluation.simul.record import Sentence, Talk
from models import worker_child
from models.base import SAMPLE_RATE
from models.memory import give_back
from tests.live.fakes import CHINESE_HZ, ENGLISH_HZ, quiet, tone
from ui import cli
from ui.commands import evaluate_simul

TURN_S, PAUSE_S = 3.0, 1.0
N_TURNS = 3


def toned(source: str, target: str, hz: float) -> Talk:
    turn = int((TURN_S + PAUSE_S) * SAMPLE_RATE)
    sound = np.concatenate([part for _ in range(N_TURNS) for part in (quiet(PAUSE_S), tone(TURN_S, hz))] + [quiet(3.0)])
    begin = int(PAUSE_S * SAMPLE_RATE)
    sentences = tuple(
        Sentence(n * turn + begin, (n + 1) * turn, "said", {"zh": "市场会增长", "en": "the market will grow"}[target])
        for n in range(N_TURNS)
    )
    return Talk(f"{source}-tones", source, target, sound.astype(np.float32) / 32_768, sentences)


@pytest.fixture
def tones(monkeypatch):
    talks = (toned("en", "zh", ENGLISH_HZ), toned("zh", "en", CHINESE_HZ))
    monkeypatch.setattr(evaluate_simul, "_talks", lambda _minutes, _n_processes: talks)
    monkeypatch.setattr(scorers, "environment", lambda: None)
    return talks


def evaluate(*arguments) -> int:
    return cli.main(
        ["evaluate", "simul", "--model", "fake", "--detector", "webrtc", "--jobs", "1", *map(str, arguments)]
    )


def test_policies_are_played_measured_and_written(tones, tmp_path, capsys):
    figures, page, logs = tmp_path / "f.json", tmp_path / "t.md", tmp_path / "logs"

    assert evaluate("--policies", "vad-final,ours", "--json", figures, "--markdown", page, "--logs", logs) == 0

    printed = capsys.readouterr().out
    rows = json.loads(figures.read_text())["rows"]
    assert "en-zh, cost: measured" in printed
    assert "LongYAAL by the clock" not in printed  # there is nobody to compare with
    assert len(rows) == 2 * 2 * 4
    assert {row["policy"] for row in rows} == {"VAD-final", "ours"}
    assert all(row["longyaal_ca_s"] >= row["longyaal_s"] for row in rows)
    assert page.read_text().count("| VAD-final |") == 4
    assert len(list(logs.iterdir())) == len(rows)
    assert "make eval-env" in printed


def test_one_cost_model_can_be_chosen(tones, tmp_path):
    figures = tmp_path / "f.json"

    assert evaluate("--policies", "vad-final", "--cost", "large", "--json", figures) == 0
    assert {row["cost_model"] for row in json.loads(figures.read_text())["rows"]} == {LARGE.name}


def test_a_missing_recipe_is_said_in_a_sentence(monkeypatch, capsys):
    importing = builtins.__import__

    def without_voices(name, *rest):
        if name.startswith("models.embedded.recipe"):
            raise ImportError("gone", name="espeakng_loader")
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_voices)

    assert evaluate("--quick") == 1
    assert "espeakng_loader is not installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--policies", "nonsense"),
        ("--minutes", "0"),
        ("--quick", "--minutes", "9"),
        ("--peer", "somebody=/else"),
        ("--stress", "sleep"),
    ],
)
def test_wrong_words_are_refused(arguments):
    with pytest.raises(SystemExit) as stop:
        evaluate(*arguments)
    assert stop.value.code == 2


def test_trials_say_what_was_found(tones, monkeypatch, capsys):
    told = []
    monkeypatch.setattr(worker_child, "set_environment", lambda: told.append("as in a model process"))
    slowed = stress.slowed
    monkeypatch.setattr(stress, "slowed", lambda model, talk: told.append(model.rest) or slowed(model, talk))
    assert evaluate("--stress", "slow") == 0

    assert told[:2] == ["as in a model process", give_back]

    printed = capsys.readouterr().out
    assert "sentences without a final" in printed
    assert "MISSED" not in printed


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(tones, tmp_path, capsys):
    (tmp_path / "file").write_text("")

    assert evaluate("--policies", "vad-final", "--json", tmp_path / "file" / "f.json") == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--json", "--markdown", "--png", "--logs"])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_played(word, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(evaluate_simul, "_talks", lambda *_arguments: pytest.fail("talks were made"))
    (tmp_path / "file").write_text("")

    assert evaluate(word, tmp_path / "file" / "f") == 1
    assert "cannot be written: name another place" in capsys.readouterr().err
