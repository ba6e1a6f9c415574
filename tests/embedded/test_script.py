"""The demonstration meeting: drawn from what is held out, and its sound made of it."""

from __future__ import annotations

import av
import numpy as np
import pytest

from live.demo import load_script, meeting_sound
from models.base import SAMPLE_RATE
from models.embedded.recipe import speech
from models.embedded.recipe.grammar import split_of
from models.embedded.recipe.render_demo import SEATS, perform, write_flac
from models.embedded.recipe.script import DEMO_SEED, draw
from models.embedded.recipe.segments import OTHER


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
