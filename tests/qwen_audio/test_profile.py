"""Figures by stage, from a recording that need not be speech."""

from __future__ import annotations

import numpy as np
import pytest
from audio_clips import noise, write_audio

from models.base import SAMPLE_RATE, ModelError
from models.qwen_audio.profile import PLACES, main, measure, read_sound
from models.qwen_audio.translator import QwenAudioTranslator


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "talk.wav"
    write_audio(path, noise(1.5), SAMPLE_RATE)
    return path


def test_an_update_goes_on_from_what_was_said_and_a_final_from_nothing(small_folder, recording):
    translator = QwenAudioTranslator(str(small_folder), device="cpu")
    translator.load(lambda _: None)
    update, final = measure(translator, read_sound(recording), "en", 1.0, repeats=1)
    assert (update.kind, final.kind, update.seconds) == ("update", "final", 1.0)
    assert len(update.costs) == len(final.costs) == PLACES
    # The same sound: what more is read of it is the draft.
    pairs = list(zip(update.costs, final.costs, strict=True))
    assert all(new.audio_tokens == old.audio_tokens == 25 for new, old in pairs)
    assert all(new.prefilled_tokens > old.prefilled_tokens for new, old in pairs)
    assert all(cost.encode_s > 0 and cost.prefill_s > 0 for cost in update.costs)


def test_the_command_prints_a_row_for_each_length_and_answer(small_folder, recording, capsys):
    assert main([str(small_folder), str(recording), "--seconds", "0.8", "1", "9", "--repeats", "1"]) == 0
    rows = [row.split(" | ") for row in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows[2:]] == [[f"| {s} s", kind] for s in ("0.8", "1") for kind in ("update", "final")]
    assert {len(row) for row in rows[2:]} == {8}


def test_what_is_no_sound_or_no_checkpoint_is_one_line(small_folder, recording, tmp_path, capsys):
    other = tmp_path / "notes.txt"
    other.write_text("no sound")
    with pytest.raises(ModelError, match=r"notes\.txt cannot be read as sound"):
        read_sound(other)
    assert main([str(small_folder), str(other)]) == 1
    assert main([str(tmp_path), str(recording)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 2


def test_a_recording_is_read_whole(recording):
    sound = read_sound(recording)
    assert sound.shape == (24_000,)
    assert sound.dtype == np.float32
