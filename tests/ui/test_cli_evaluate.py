"""`tongchuan evaluate covost2`: a small CoVoST 2 through real programs."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audio_clips import silence, to_pcm, tone, write_audio

from models import catalogue
from models.embedded.recipe import covost
from models.fake import WORDS
from ui.cli import main

ROOT = Path(__file__).parents[2]
HEAD = "path\tsentence\ttranslation\tclient_id\n"
LOUD = WORDS["zh"][1]

in_process = pytest.mark.usefixtures("own_process")


@pytest.fixture
def data(tmp_path):
    """Four clips of tones that the fake model takes for one loud word each; of the last it would say two."""
    folder = tmp_path / "covost"
    (folder / "clips").mkdir(parents=True)
    for number, seconds in enumerate((0.4, 0.4, 0.4, 0.8), start=1):
        write_audio(folder / "clips" / f"{number}.wav", to_pcm(tone(seconds, hz=2000)))
    rows = "".join(f"{number}.wav\tloud\t{LOUD * 4}\tx\n" for number in range(1, 5))
    (folder / "covost_v2.en_zh-CN.test.tsv").write_text(HEAD + rows, encoding="utf-8")
    return folder


def words(data, *more, model="fake", pair="en-zh"):
    return ["evaluate", "covost2", "--data", str(data), "--pair", pair, "--model", model, *map(str, more)]


def said(capsys, arguments, status=0):
    assert main(arguments) == status
    return capsys.readouterr()


def translations(path) -> dict[str, str]:
    _, *lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len({record["clip"] for record in records}) == len(records), "a clip was translated twice"
    return {record["clip"]: record["translation"] for record in records}


@in_process
def test_the_figures_stand_beside_the_published_one(capsys, data, tmp_path, monkeypatch):
    published = replace(catalogue.find("fake"), bleu={("en", "zh"): 41.5})
    monkeypatch.setattr(catalogue, "find", lambda *_: published)
    out, err = said(capsys, words(data, "--json", tmp_path / "figures.json", "--out", tmp_path / "kept.jsonl"))
    assert out.splitlines()[0] == "CoVoST 2 en-zh, test: 4 clips by fake on cpu (nothing to compute)"
    assert "(published: 41.5)" in out
    assert "tok:zh|smooth:exp" in out
    assert err == ""
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["clips"], figures["published_bleu"], figures["pair"]) == (4, 41.5, "en-zh")
    assert translations(tmp_path / "kept.jsonl") == {f"{i}.wav": LOUD * (2 if i == 4 else 1) for i in range(1, 5)}


@in_process
def test_a_part_of_the_split_is_not_compared_and_the_rest_goes_on_from_it(capsys, data, tmp_path):
    kept = tmp_path / "kept.jsonl"
    assert "2 of 4 clips" in said(capsys, words(data, "--limit", 2, "--out", kept)).out
    assert len(translations(kept)) == 2
    out, err = said(capsys, words(data, "--out", kept))
    assert "4 clips" in out
    assert "2 of 4 clips were translated before" in err
    assert len(translations(kept)) == 4
    again = said(capsys, words(data, "--out", kept))
    assert again.out.splitlines()[1:] == out.splitlines()[1:]


@in_process
def test_missing_and_broken_clips_are_said_count_as_empty_and_are_tried_again(capsys, data, tmp_path):
    whole = said(capsys, words(data, "--out", tmp_path / "whole.jsonl")).out.splitlines()[1]
    saved = (data / "clips" / "1.wav").read_bytes()
    (data / "clips" / "1.wav").unlink()
    (data / "clips" / "2.wav").write_bytes(b"no sound" * 100)
    out, _ = said(capsys, words(data, "--out", tmp_path / "kept.jsonl"))
    assert "1 of these clips are not there: each counts as an empty translation" in out
    assert "1 of these clips cannot be decoded: each counts as an empty translation" in out
    assert out.splitlines()[0].startswith("CoVoST 2 en-zh, test: 4 clips")
    for number in (1, 2):
        (data / "clips" / f"{number}.wav").write_bytes(saved)
    out, err = said(capsys, words(data, "--out", tmp_path / "kept.jsonl"))
    assert "empty translation" not in out
    assert "2 of 4 clips were translated before" in err
    assert out.splitlines()[1] == whole


@in_process
def test_a_clip_too_long_for_the_model_is_translated_in_parts(capsys, data, tmp_path):
    sound = np.concatenate([tone(20.0, hz=2000), silence(0.5), tone(20.0, hz=2000)])
    write_audio(data / "clips" / "1.wav", to_pcm(sound))
    said(capsys, words(data, "--limit", 1, "--out", tmp_path / "kept.jsonl"))
    assert translations(tmp_path / "kept.jsonl")["1.wav"].count(LOUD) > 70


@in_process
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--out", "OTHER"), "holds predictions of the model embedded, not of fake"),
        (("--data", "nowhere"), "There is no folder nowhere"),
        (("--split", "dev"), "fetch the table of this direction"),
        (("--pair", "de-en"), "has no covost_v2.de_en.test.tsv"),
        (("--json", "."), "The figures cannot be written to ."),
    ],
)
def test_what_is_wrong_is_one_line(capsys, data, tmp_path, change, sentence):
    other = tmp_path / "other.jsonl"
    told = {"benchmark": "covost2", "pair": "en-zh", "split": "test", "data": "d", "model": "embedded", "weights": "w"}
    other.write_text(json.dumps(told) + "\n")
    err = said(capsys, words(data, *(other if word == "OTHER" else word for word in change)), status=1).err
    assert sentence in err
    assert err.count("\n") == 1


@in_process
def test_a_direction_the_model_does_not_know_is_one_line(capsys, data):
    (data / "covost_v2.en_zh-CN.test.tsv").rename(data / "covost_v2.en_de.test.tsv")
    assert "fake does not translate en to de, only en to zh" in said(capsys, words(data, pair="en-de"), status=1).err


@in_process
@pytest.mark.parametrize("pair", ["en", "en-en", "en-xx", "zh_tr-en", "english-chinese"])
def test_a_pair_that_is_none_is_wrong_usage(capsys, data, pair):
    with pytest.raises(SystemExit) as end:
        main(words(data, pair=pair))
    assert end.value.code == 2
    assert "is not two languages such as en-zh" in capsys.readouterr().err


@pytest.fixture
def many(data):
    """So many clips that a run can be stopped half way."""
    rows = "".join(f"{number}.wav\tloud\t{LOUD}\tx\n" for number in range(300))
    (data / "covost_v2.en_zh-CN.test.tsv").write_text(HEAD + rows, encoding="utf-8")
    sound = (data / "clips" / "1.wav").read_bytes()
    for number in range(300):
        (data / "clips" / f"{number}.wav").write_bytes(sound)
    return data


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT] if sys.platform != "win32" else [signal.SIGTERM])
def test_a_stopped_run_goes_on_where_it_was(many, tmp_path, number):
    kept = tmp_path / "kept.jsonl"
    command = [sys.executable, "-m", "ui.cli", *words(many, "--out", kept)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        while program.poll() is None and (not kept.exists() or kept.read_bytes().count(b"\n") < 5):
            pass
        program.send_signal(number)
        _, errors = program.communicate(timeout=60)
    n_before = len(kept.read_bytes().splitlines()) - 1
    assert 4 <= n_before < 300
    if number == signal.SIGINT:
        assert program.returncode == 130
        assert "of 300 clips: the same command goes on from there" in errors
        assert "Traceback" not in errors
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "of 300 clips were translated before" in done.stderr
    assert len(translations(kept)) == 300


@in_process
@pytest.mark.parametrize(("source", "pair", "tokenizer"), [("en", "en-zh", "zh"), ("zh", "zh-en", "13a")])
def test_the_embedded_model_is_measured_on_a_data_set_of_its_own_voices(capsys, tmp_path, source, pair, tokenizer):
    table = covost.build(tmp_path, source, 6)
    assert table.read_text(encoding="utf-8").count("\n") == 7
    out, _ = said(capsys, words(tmp_path, "--json", tmp_path / "f.json", model="embedded", pair=pair))
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["bleu"] > 30
    assert f"tok:{tokenizer}" in figures["signature"]
    assert figures["problems"] == {"missing": 0, "broken": 0, "failed": 0}
    assert "no figure is published for embedded" in out
