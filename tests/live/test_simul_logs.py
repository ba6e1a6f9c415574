import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from live.evaluation.simul.logs import changes, emissions, units_of, write_logs
from live.evaluation.simul.record import Playback, Sentence, Shown, Talk
from live.evaluation.simul.scorers import ENVIRONMENT_VARIABLE, ScorerError, environment, score
from live.events import Caption, Line, Word
from models.base import SAMPLE_RATE, Cost


def a_talk(target="en", references=("one two three", "four five"), name="talk"):
    length = 4 * SAMPLE_RATE
    sentences = tuple(Sentence(i * length, (i + 1) * length, "?", text) for i, text in enumerate(references))
    return Talk(
        name, "zh" if target == "en" else "en", target, np.zeros(length * len(references), np.float32), sentences
    )


def seen(id_, at_s, settled="", tentative="", start_s=0, compute_s=0.1, is_final=False, target="en"):
    line = Line((Word(settled),) if settled else (), tentative)
    caption = Caption(
        id=id_,
        lane="file",
        source="?",
        target=target,
        translation=line,
        transcript=Line(),
        start=start_s * SAMPLE_RATE,
        end=int(at_s * SAMPLE_RATE),
        logprob=0.0,
        is_uncertain=False,
        is_final=is_final,
    )
    return Shown(caption, int(at_s * SAMPLE_RATE), at_s + compute_s, Cost(encode_s=compute_s))


def a_playback(target="en"):
    shown = (
        seen(1, 1, tentative="one too"),
        seen(1, 2, settled="one", tentative=" two three"),
        seen(1, 4, settled="one two three", is_final=True),
        seen(2, 6, tentative="four", start_s=4),
        seen(2, 8, settled="four five", start_s=4, is_final=True),
    )
    return Playback(a_talk(target), "test", shown)


def test_a_word_that_is_replaced_is_taken_back_with_all_after_it():
    steps = list(changes(a_playback(), "follow"))
    assert [(step.deleted, step.added) for step in steps] == [
        ((), ("one", "too")),
        (("too",), ("two", "three")),
        ((), ()),
        ((), ("four",)),
        ((), ("five",)),
    ]


def test_each_unit_has_the_time_at_which_it_appeared_to_stay():
    text = emissions(changes(a_playback(), "follow"))
    assert [(unit.unit, unit.heard // SAMPLE_RATE) for unit in text] == [
        ("one", 1),
        ("two", 2),
        ("three", 2),
        ("four", 6),
        ("five", 8),
    ]


def test_reading_takes_nothing_back_and_counts_text_when_it_settles():
    steps = list(changes(a_playback(), "reading"))
    assert not any(step.deleted for step in steps)
    assert [unit.heard // SAMPLE_RATE for unit in emissions(iter(steps))] == [2, 4, 4, 8, 8]


def test_an_earlier_caption_that_ends_later_moves_the_text_behind_it():
    shown = (seen(1, 1, tentative="a"), seen(2, 5, tentative="c", start_s=4), seen(1, 6, settled="a b", is_final=True))
    steps = list(changes(Playback(a_talk(), "test", shown), "follow"))
    assert (steps[-1].deleted, steps[-1].added) == (("c",), ("b", "c"))


def test_chinese_counts_characters_with_spaces_and_marks():
    assert units_of("用 C++,好。", "zh") == ["用", " ", "C", "+", "+", ",", "好", "。"]


def test_the_logs_hold_what_the_scorers_ask_for(tmp_path):
    write_logs([a_playback()], "follow", tmp_path)
    (line,) = (tmp_path / "omnisteval.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["prediction"].split() == ["one", "two", "three", "four", "five"]
    assert record["delays"] == [1000, 2000, 2000, 6000, 8000]
    assert record["elapsed"] == [1100, 2100, 2100, 6100, 8100]
    assert record["source_length"] == 8000
    loading, metadata, *updates = map(json.loads, (tmp_path / "simulstream.jsonl").read_text().splitlines())
    assert "model_loading_time" in loading
    assert metadata == {"id": 0, "metadata": {"wav_name": "talk.wav"}}
    tokens: list[str] = []
    for update in updates:
        taken = update["deleted_tokens"]
        assert tokens[len(tokens) - len(taken) :] == taken
        tokens = tokens[: len(tokens) - len(taken)] + update["generated_tokens"]
    assert tokens == record["prediction"].split()
    assert len((tmp_path / "references.txt").read_text().splitlines()) == len(
        json.loads((tmp_path / "segments.yaml").read_text())
    )
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())


def test_a_missing_environment_is_one_sentence_that_names_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ScorerError, match=r"make eval-env"):
        score([a_playback()], "follow", tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
@pytest.mark.parametrize(("script", "says"), [("echo bad data >&2; exit 3", "bad data"), ("exit 3", "no message")])
def test_a_scorer_that_fails_says_why(tmp_path, monkeypatch, script, says):
    program = tmp_path / "bin" / "omnisteval"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    with pytest.raises(ScorerError, match=says):
        score([a_playback()], "follow", tmp_path / "out")


@pytest.mark.skipif(environment() is None, reason="`make eval-env` has not been run")
@pytest.mark.parametrize("target", ["en", "zh"])
def test_the_real_scorers_read_the_logs(tmp_path, target):
    found = score([a_playback(target)], "follow", tmp_path)
    assert found.chrf == pytest.approx(100.0)
    assert found.erasure == pytest.approx(1 / 5 if target == "en" else 2 / 22)
    assert found.longyaal_ca_s == pytest.approx(found.longyaal_s + 0.1)
    assert found.streamlaal_ca_s == pytest.approx(found.streamlaal_s + 0.1)


def test_the_environment_is_looked_for_where_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    assert environment() is None
    program = Path(tmp_path, "bin", "omnisteval")
    program.parent.mkdir()
    program.touch()
    assert environment() == tmp_path
