import json

import av
import numpy as np
import pytest

from live.demo import load_script, meeting_sound
from models.base import SAMPLE_RATE, UNKNOWN, Hypothesis, Outcome, Piece
from models.embedded.recipe import export, score, speech
from models.embedded.recipe.augment import Conditions
from models.embedded.recipe.grammar import split_of
from models.embedded.recipe.render_demo import SEATS, perform, write_flac
from models.embedded.recipe.score import ROWS, Row, cases, score_non_speech, score_prefixes, score_row
from models.embedded.recipe.script import DEMO_SEED, draw
from models.embedded.recipe.segments import OTHER

CLEAN = Row("test", n_sentences=(1,), conditions=lambda _: Conditions(gain_db=-6))


class Oracle:
    """Answers with the texts of the cases it was built from, in their order, or with what is given."""

    def __init__(self, answers):
        self.answers = iter(answers)

    def translate(self, request, cancelled):
        source, translation, transcript = next(self.answers)
        outcomes = tuple(Outcome((Piece((1,), text, -0.1),), 0, "end") for text in (translation, transcript))
        return Hypothesis(0, source, OTHER.get(source, UNKNOWN), {}, outcomes)


def answers_of(row, language, n):
    return [(language, case.translation, case.transcript) for case in cases(row, language, n)]


def test_every_row_draws_held_out_sentences_alone():
    for row in ROWS:
        assert row.split != "train"


def test_a_rows_items_are_the_same_each_time():
    first, second = ([(c.transcript, c.translation) for c in cases(CLEAN, "zh", 5)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 5


def test_items_hold_as_many_sentences_as_their_row_says():
    for case in cases(Row("pairs of them", n_sentences=(2,)), "en", 4):
        assert sum(case.transcript.count(mark) for mark in ".?!") >= 2
        assert len(case.samples) > 2 * SAMPLE_RATE


def test_right_answers_score_a_hundred():
    result = score_row(Oracle(answers_of(CLEAN, "en", 6)), CLEAN, "en", 6)
    assert (result.bleu, result.exact, result.transcript_exact, result.language) == pytest.approx((100,) * 4)


def test_wrong_answers_and_wrong_languages_are_counted():
    answers = answers_of(CLEAN, "zh", 4)
    answers[0] = ("zh", "Nothing of the kind.", answers[0][2])
    answers[1] = ("en", answers[1][1], "nothing")
    result = score_row(Oracle(answers), CLEAN, "zh", 4)
    assert (result.exact, result.transcript_exact, result.language) == (75, 75, 75)
    assert result.bleu < 100


def test_text_written_for_non_speech_is_counted():
    answers = [(UNKNOWN, "", "")] * 3 + [("en", "", "Hello.")]
    assert score_non_speech(Oracle(answers), ("tones", "bursts"), 4) == 25


def test_a_prefix_that_is_taken_back_counts_against_stability():
    (case,) = cases(Row("prefixes", variants=speech.HELD_VARIANTS), "en", 1)
    n = len(range(6400, len(case.samples), 6400))
    answers = [("en", "we meet today", "")] + [("en", "we", "")] * (n - 1) + [("en", "you", "")]
    count, share = score_prefixes(Oracle(answers), "en", 1)
    assert count == n
    assert share == pytest.approx(100 * (n - 1) / n)


def test_no_sentence_and_no_voice_of_the_demonstration_is_in_training():
    turns = draw(DEMO_SEED)
    assert all(split_of(sentence) != "train" for turn in turns for sentence in turn.sentences)
    assert all(turn.voice.partition("+")[2] in speech.HELD_VARIANTS for turn in turns)
    assert sum(len(turn.sentences) > 1 for turn in turns) >= len(turns) / 4


def test_the_demonstrations_script_is_the_drawn_one_and_its_sound_fits_it():
    script = load_script()
    drawn = draw(script.seed)
    assert script.seed == DEMO_SEED
    assert [[line.text for line in turn.lines] for turn in script.turns] == [
        [sentence.side(turn.language).written for sentence in turn.sentences] for turn in drawn
    ]
    assert [[line.translation for line in turn.lines] for turn in script.turns] == [
        [sentence.side(OTHER[turn.language]).written for sentence in turn.sentences] for turn in drawn
    ]
    with meeting_sound() as path, av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels) == (SAMPLE_RATE, 1)
        n = sum(frame.samples for frame in container.decode(stream))
    assert script.turns[-1].end_s < n / SAMPLE_RATE < script.turns[-1].end_s + 2


def test_sentences_are_where_the_script_says_and_speakers_differ_in_level(tmp_path):
    turns = draw(DEMO_SEED)[:4]
    samples, told = perform(turns)
    peaks = set()
    for turn, told_turn in zip(turns, told, strict=True):
        for line in told_turn["sentences"]:
            inside = samples[int(line["start_s"] * SAMPLE_RATE) : int(line["end_s"] * SAMPLE_RATE)]
            assert np.abs(inside).max() == pytest.approx(10 ** (SEATS[turn.speaker].peak_db / 20), rel=0.1)
            peaks.add(turn.speaker)
    assert len(peaks) == 3
    assert 0 < np.abs(samples[: SAMPLE_RATE // 2]).max() < 0.02
    write_flac(tmp_path / "meeting.flac", samples)
    with av.open(str(tmp_path / "meeting.flac")) as container:
        read = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0] / 32767
    assert np.abs(read - samples).max() < 1e-4


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
