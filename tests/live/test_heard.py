import wave
from pathlib import Path

import numpy as np
import pytest

from live.audio import AudioChunk
from live.recording.heard import HeardFile
from live.recording.recorder import Recorder


def chunk(start, *values):
    return AudioChunk("file", np.array(values, np.float32) / 32_767, start)


def test_the_file_holds_what_was_heard_and_silence_for_what_was_not(tmp_path):
    failures = []
    sink = HeardFile(tmp_path / "demo.wav")
    recorder = Recorder([sink], failures.append)
    assert not sink.has_begun
    for heard in (chunk(0, 1, 2), chunk(2, 3), chunk(5, -32_767)):
        recorder.hear(heard)
    assert recorder.close(10)
    assert sink.has_begun
    with wave.open(str(tmp_path / "demo.wav")) as read:
        assert (read.getframerate(), read.getnchannels()) == (16_000, 1)
        assert np.frombuffer(read.readframes(99), "<i2").tolist() == [1, 2, 3, 0, 0, -32_767]
    assert failures == []


def test_a_session_without_sound_leaves_no_file(tmp_path):
    Recorder([HeardFile(tmp_path / "demo.wav")], print).close(10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_once():
    failures = []
    recorder = Recorder([HeardFile(Path("/dev/full"))], failures.append)
    for start in range(3):
        recorder.hear(chunk(start, 1))
    recorder.close(10)
    assert [str(error) for error in failures] == ["The sound in /dev/full cannot be written: No space left on device."]
