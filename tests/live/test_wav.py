import stat
import wave
from pathlib import Path

import numpy as np
import pytest

from live.errors import RecordingError
from live.recording.wav import WavFile


def test_sound_is_16_bit_mono_and_for_the_owner_only(tmp_path):
    path = tmp_path / "talk.wav"
    file = WavFile(path)
    file.write(np.array([0, 32767, -32768], np.int16))
    file.write(np.array([5], np.int16))
    file.close()
    file.close()
    with wave.open(str(path)) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, 2, 16_000)
        assert np.frombuffer(read.readframes(10), "<i2").tolist() == [0, 32767, -32768, 5]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_heard_can_be_played_before_the_file_is_closed(tmp_path):
    file = WavFile(tmp_path / "talk.wav", rate=48_000)
    file.write(np.ones(480, np.int16))
    file.write(np.ones(480, np.int16))
    with wave.open(str(tmp_path / "talk.wav")) as read:
        assert (read.getnframes(), read.getframerate()) == (960, 48_000)
    file.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_a_recording_error():
    file = WavFile(Path("/dev/full"))
    with pytest.raises(RecordingError, match="/dev/full cannot be written: No space left on device"):
        file.write(np.zeros(16, np.int16))
    file.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(RecordingError, match="cannot be written: Is a directory"):
        WavFile(tmp_path)
