import numpy as np
import pytest
from audio_clips import silence, tone

from live.audio import SILENCE_DBFS, AudioChunk, level_dbfs, seconds


def test_a_full_square_wave_is_at_0_dbfs_and_a_sine_3_db_below():
    assert level_dbfs(np.sign(tone(1.0) + 1e-9)) == pytest.approx(0.0)
    assert level_dbfs(tone(1.0, level=1.0)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(tone(1.0, level=0.1)) == pytest.approx(-23.01, abs=0.01)


def test_silence_and_no_sound_have_a_level_too():
    assert level_dbfs(silence(0.1)) == level_dbfs(silence(0.0)) == SILENCE_DBFS
    assert level_dbfs(np.full(160, 1e-7, np.float32)) == SILENCE_DBFS


def test_a_chunk_ends_after_its_last_sample():
    chunk = AudioChunk("microphone", silence(0.5), 16_000)

    assert seconds(chunk.end) == 1.5
