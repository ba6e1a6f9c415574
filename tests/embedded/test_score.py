"""What a checkpoint is scored on, and what its answers are worth."""

from __future__ import annotations

import json

import pytest

from models.base import SAMPLE_RATE, UNKNOWN, Hypothesis, Outcome, Piece
from models.embedded.recipe import export, foreign, score, speech
from models.embedded.recipe.augment import Conditions
from models.embedded.recipe.score import figures, items, table
from models.embedded.recipe.score.answers import ANSWERERS, BUSY, FOREIGN, QUIET, Answer, Task, answer_row, batches
from models.embedded.recipe.score.items import BATCH, ROWS, TABLE, Row, cases
from models.embedded.recipe.segments import OTHER

TEXT = "We will meet again in the new year."
CLEAN = Row("test", conditions=lambda _: Conditions(gain_db=-6))


class Oracle:
    """Answers with the texts it was built from, in their order."""

    def __init__(self, answers, logprob=-0.1):
        self.answers = iter(answers)
        self.logprob = logprob

    def translate(self, request, cancelled):
        source, translation, transcript = next(self.answers)
        outcomes = tuple(Outcome((Piece((1,), text, self.logprob),), 0, "end") for text in (translation, transcript))
        return Hypothesis(0, source, OTHER.get(source, UNKNOWN), {}, outcomes)


def answers_of(row, language, n):
    return [(language, case.translation, case.transcript) for case in cases(row, language, n)]


def scored(answers, language, n=4, row=CLEAN):
    task = Task(row.name, language, 0, n)
    return figures.result(list(answer_row(Oracle(answers), row, task)), language)


def right(confidence=-0.01):
    return Answer(True, TEXT, "b", TEXT, "b", confidence)


def wrong(confidence=-0.01):
    return Answer(True, f"{TEXT} and more", "b", TEXT, "b", confidence)


def test_every_row_draws_held_out_sentences_alone():
    assert all(row.split != "train" for row in ROWS.values())


def test_no_voice_of_the_calibration_is_trained_on_or_scored():
    own = set(foreign.CALIBRATION_VARIANTS)
    assert not own & {*speech.VARIANTS, *speech.HELD_VARIANTS, *speech.FLITE_VARIANTS, *speech.FLITE_HELD_VARIANTS}
    for row in ROWS.values():
        assert bool(own & set(row.variants)) == row.name.startswith("calibration")


def test_a_batchs_items_are_the_same_each_time_and_no_other_batchs():
    first, again, other = ([(c.transcript, c.translation) for c in cases(CLEAN, "zh", 5, b)] for b in (0, 0, 1))
    assert first == again
    assert len({*first, *other}) == 10


def test_fewer_items_are_the_first_of_more():
    assert answers_of(CLEAN, "en", 3) == answers_of(CLEAN, "en", 5)[:3]
    few, many = (list(batches("x", "en", n)) for n in (BATCH + 1, 3 * BATCH))
    assert [task.n for task in few] == [BATCH, 1]
    assert few[0] == many[0]


def test_items_hold_as_many_sentences_as_their_row_says_and_are_no_longer_than_twenty_seconds():
    for case in cases(Row("pairs of them", n_sentences=(2, 3)), "en", 4):
        assert sum(case.transcript.count(mark) for mark in ".?!") >= 2
        assert 2 * SAMPLE_RATE < len(case.samples) <= items.LONGEST_S * SAMPLE_RATE


def test_right_answers_score_a_hundred():
    result = scored(answers_of(CLEAN, "en", 4), "en")
    assert (result.bleu, result.exact, result.transcript_exact, result.language) == pytest.approx((100,) * 4)


def test_wrong_answers_and_wrong_languages_are_counted():
    answers = answers_of(CLEAN, "zh", 4)
    answers[0] = ("zh", "Nothing of the kind.", answers[0][2])
    answers[1] = ("en", answers[1][1], "nothing")
    result = scored(answers, "zh")
    assert (result.exact, result.transcript_exact, result.language) == (75, 75, 75)
    assert result.bleu < 100


@pytest.mark.parametrize(("row", "most", "is_met"), [(QUIET, 0.0, False), (BUSY, 1.0, False), (BUSY, 25.0, True)])
def test_text_written_for_non_speech_is_counted(row, most, is_met):
    oracle = Oracle([(UNKNOWN, "", "")] * 3 + [("en", "", "Hello.")])
    line = figures.sounds_line(row, list(ANSWERERS[row](oracle, Task(row, "zh", 0, 4))), most)
    assert "25.0 %" in line.figures
    assert line.is_met is is_met


def test_a_prefix_that_is_taken_back_counts_against_stability():
    (case,) = cases(items.GROWING, "en", 1)
    n = len(range(6400, len(case.samples), 6400))
    oracle = Oracle([("en", "we meet today", "")] + [("en", "we", "")] * (n - 1) + [("en", "you", "")])
    answers = list(ANSWERERS[items.GROWING.name](oracle, Task(items.GROWING.name, "en", 0, 1)))
    line = figures.growing_line(items.GROWING.name, "en", answers)
    assert line.n == n
    assert f"{100 * (n - 1) / n:.1f} %" in line.figures


def test_a_target_is_met_only_where_every_figure_reaches_it():
    exact = [right()] * 9 + [wrong()] * 2
    assert figures.speech_line(items.SENTENCES.name, "zh", [right()], None).is_met
    assert figures.speech_line(items.SENTENCES.name, "zh", exact, None).is_met is False
    assert figures.speech_line(items.PATTERNS.name, "zh", exact, None).is_met is None
    assert figures.speech_line(items.SECOND.name, "en", exact, None).is_met


def test_several_sentences_are_measured_by_single_ones():
    several = [right()]
    assert figures.speech_line(items.SEVERAL.name, "zh", several, 100.0).is_met
    assert figures.speech_line(items.SEVERAL.name, "zh", several, None).is_met is None
    assert figures.speech_line(items.SEVERAL.name, "zh", [wrong()], 95.0).is_met is False


def test_marks_on_right_captions_are_told_from_those_on_wrong_ones():
    answers = [right(-0.01)] * 30 + [right(-0.5)] + [wrong(-0.5)] * 3 + [wrong(-0.01)]
    line = figures.doubt_line("zh", answers, -0.1)
    assert line.n == 31
    assert line.is_met is False
    assert "3.2 % marked; of 4 wrong ones 75 %" in line.figures


def test_a_foreign_sentence_for_which_nothing_is_written_misleads_nobody():
    told = [Answer(translation="x", confidence=c, kind="news") for c in (-0.5, -0.01, -0.5)]
    line = figures.foreign_line(FOREIGN, "en", [*told, Answer(kind="near")], -0.1)
    assert "75.0 % marked (news 67, near 100; 1 without text)" in line.figures
    assert line.is_met is False


def test_rows_that_need_others_come_once_those_are_there():
    board = table._Board(-0.1)
    assert board.take(items.SEVERAL.name, "zh", [right()]) == []
    assert [line.what for line in board.take(items.SENTENCES.name, "zh", [right()] * 5)] == [items.SENTENCES.name]
    assert [(line.what, line.is_met) for line in board.rest()] == [
        (items.SEVERAL.name, True),
        ("language named right", True),
        ("right captions marked uncertain", True),
    ]


def test_every_row_of_the_table_has_its_tasks_but_those_about_speed():
    for name in table.NAMES:
        tasks = list(table._tasks(name, 24))
        assert bool(tasks) != (name in table.speed.NAMES)
        assert sum(task.n for task in tasks) in (0, 6, 24, 48)
    assert {task.language for task in table._tasks(items.SECOND.name, 1)} == {"en"}
    assert len(list(table._tasks(TABLE[0].name, 1000))) == 2 * 1000 / BATCH


def test_progress_is_told_by_cost(monkeypatch):
    shown: list[str] = []
    progress = table._Progress(10.0, shown.append, began_s=0.0, shown_s=0.0)
    monkeypatch.setattr(table.time, "monotonic", lambda: 60.0)
    progress.add(5.0, "rooms")
    progress.add(1.0, "too soon to say")
    assert shown == ["50 % done, 1.0 min left (rooms)"]


def test_the_table_says_which_checkpoint_it_is_of(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text(json.dumps({"tongchuan": {"name": "embedded", "steps": 7}}), "utf-8")
    told = table.described(tmp_path)
    assert told.startswith("model.safetensors 9a129038d9a0, steps 7; ")
    assert table.below_of(tmp_path) == table.DEFAULT_UNCERTAIN_BELOW


def test_the_reference_clips_are_short_held_out_and_of_every_kind():
    clips = score.reference_clips()
    assert [(language, task) for _, language, task in clips] == [
        ("zh", "translate"),
        ("en", "transcribe"),
        ("en", "translate"),
        ("zh", "transcribe"),
    ]
    seconds = [len(samples) / SAMPLE_RATE for samples, _, _ in clips]
    assert seconds[3] < 1 < seconds[0]
    assert seconds[2] > seconds[1]


def test_the_shipped_folder_describes_itself():
    config = json.loads((export.FOLDER / export.CONFIG).read_text("utf-8"))
    assert config["tongchuan"].items() >= export.DESCRIPTION.items()
    assert -1 < config["tongchuan"]["uncertain_below"] < 0
    assert config["architectures"] == ["Qwen2AudioForConditionalGeneration"]
    assert config["audio_config"]["num_mel_bins"] == 80
