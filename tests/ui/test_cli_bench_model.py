"""`tongchuan bench model` and `bench live`: figures come out, whatever they are; no target is claimed unmeasured."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager

import pytest
from audio_clips import speech, to_pcm, write_audio

from live.demo import Line, Script, Turn
from models.bench.floors import Speeds
from models.bench.model import ClipFigures, Measured, Stages
from ui.cli import main
from ui.commands.bench_live import LiveFigures, Spread
from ui.commands.bench_live import table as live_table
from ui.commands.bench_model import verdicts

pytestmark = pytest.mark.usefixtures("own_process")

TINY = ("--size", "tiny", "--random-weights", "--device", "cpu")


def test_a_table_and_the_same_figures_as_json_come_out(capsys, tmp_path):
    to = tmp_path / "figures.json"
    assert main(["bench", "model", *TINY, "--clips", "0.5,1", "--repeats", "1", "--json", str(to)]) == 0
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith(("| 0.5 s", "| 1 s"))]
    assert [row.count("|") for row in rows] == [11, 11]
    assert "Targets: unmeasured: it is asked of one H100" in out
    figures = json.loads(to.read_text())
    assert [clip["seconds"] for clip in figures["clips"]] == [0.5, 1.0]
    assert figures["clips"][0]["ours"]["token_s"] > 0


def test_a_precision_may_stand_before_the_action_or_behind_it(capsys):
    words = ["model", *TINY, "--clips", "0.5", "--repeats", "1"]
    for arranged in (["bench", "--quant", "int8", *words], ["bench", *words, "--quant", "int8"]):
        assert main(arranged) == 0
        assert "random weights, int8, on cpu" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--clips", "0.01"], ["--clips", "31"], ["--clips", "two"], ["--repeats", "0"]])
def test_lengths_that_no_model_takes_are_refused(capsys, words):
    with pytest.raises(SystemExit) as left:
        main(["bench", "model", *TINY, *words])
    assert left.value.code == 2
    assert words[1] in capsys.readouterr().err


@pytest.mark.parametrize("words", [["model"], ["live", "--size", "tiny"]])
def test_a_size_without_weights_asks_for_random_ones(capsys, words):
    assert main(["bench", *words, "--device", "cpu"]) == 1
    assert "add --random-weights" in capsys.readouterr().err


def test_figures_that_cannot_be_written_are_one_line(capsys, tmp_path):
    to = tmp_path / "file" / "figures.json"
    to.parent.write_text("in the way")
    assert main(["bench", "model", *TINY, "--clips", "0.5", "--repeats", "1", "--json", str(to)]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"tongchuan: The figures cannot be written to {to}")


def test_the_meeting_is_played_through_the_whole_program(capsys, tmp_path, monkeypatch):
    words = ["Good", "morning", "everyone"]
    clip = write_audio(tmp_path / "clip.wav", to_pcm(speech(words, "en")))

    @contextmanager
    def sound():
        yield clip

    said = Turn("a", "en", 0.3, 1.8, (Line(0.3, 1.8, " ".join(words), "大家早上好"),))
    unsaid = Turn("b", "zh", 60.0, 61.0, (Line(60.0, 61.0, "好的", "All right"),))
    monkeypatch.setattr("live.demo.meeting_sound", sound)
    monkeypatch.setattr("live.demo.load_script", lambda: Script(0, (said, unsaid)))
    to = tmp_path / "figures.json"
    assert main(["bench", "live", *TINY, "--json", str(to)]) == 0
    out = capsys.readouterr().out
    for row in ("an update waits", "an update computes", "end of an utterance", "end of speech to final"):
        assert f"| {row}" in out
    figures = json.loads(to.read_text())
    assert (figures["n_finals"], figures["n_lost"], figures["dropped_s"]) == (1, 0, 0.0)
    assert figures["end_to_final"]["p95_s"] > figures["after_quiet"]["p95_s"] > 0
    assert figures["device"].startswith("tiny with random weights on cpu")
    assert "unmeasured" in out


def measured(**changes) -> Measured:
    floor = Stages(0.001, 0.010, 0.011, 0.005, 0.156)
    ours = Stages(0.0012, 0.012, 0.0143, 0.006, 0.188)
    clip = ClipFigures(5.0, ours, floor, 0.1, 0.94, 17_000_000_000, 18_000_000_000)
    all_of_it = Measured(
        "qwen-audio", "none", "cuda (H100)", "cuda", "2.13.0", Speeds(3e12, 8e14), 15_000_000_000, 30, (clip,)
    )
    return dataclasses.replace(all_of_it, **changes)


def test_on_a_gpu_each_target_is_met_or_missed():
    assert verdicts(measured()) == [
        "* a token: 1.20 x floor (target <= 1.3): met.",
        "* first token of 5 s: 1.30 x floor (target <= 1.5): met.",
        "* 5 s and 30 tokens against generate(): 5.0 x faster (target >= 4): met.",
    ]
    (clip,) = measured().clips
    slow = dataclasses.replace(clip, ours=dataclasses.replace(clip.ours, token_s=0.007, whole_s=0.5))
    assert [line.endswith("**missed**.") for line in verdicts(measured(clips=(slow,)))] == [True, False, True]


@pytest.mark.parametrize("changes", [{"device": "cuda (RTX 4090)"}, {"size": "tiny"}, {"quant": "int8"}, {"clips": ()}])
def test_elsewhere_no_target_is_claimed(changes):
    assert verdicts(measured(**changes)) == ["* Targets: unmeasured: it is asked of one H100, in bf16."]


@pytest.mark.parametrize(
    ("quant", "device", "p95_s", "end"),
    [
        ("none", "cuda (NVIDIA H100)", 0.4, "met."),
        ("none", "cuda (NVIDIA H100)", 0.6, "**missed**."),
        ("int8", "cuda (NVIDIA H100), int8", 0.4, "in bf16."),
        ("none", "cpu", 0.4, "in bf16."),
    ],
)
def test_the_delay_is_judged_on_the_card_and_in_the_precision_it_is_asked_of(quant, device, p95_s, end):
    spread = Spread(0.1, p95_s)
    figures = LiveFigures("qwen-audio", quant, device, 9, 3, 1, spread, spread, spread, spread, 0.5, 1.5)
    lines = live_table(figures)
    assert lines[-1].endswith(end)
    assert "3 of them final, 1 given up, 1.5 s of sound dropped" in lines[0]
    assert "| an update waits | 100 |" in lines[4]
