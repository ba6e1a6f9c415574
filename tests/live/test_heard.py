import wave
from pathlib import Path

import numpy as np
import pytest

from live.audio import AudioBlock
from live.queues import AudioQueue
from live.recording.heard import Heard


class Stereo:
    """A file source that puts two blocks at once and closes its queue."""

    lane, name, is_live, rate, channels = "file", "talk.wav", False, 48_000, 2

    def open(self, queue, lost):
        for first in (0, 3):
            queue.put(AudioBlock("file", np.array([[100, 300], [-5, 5], [7, 7]], np.int16), first, 0.0))
        queue.close()

    def close(self):
        pass


def blocks_in(queue):
    blocks = []
    while (block := queue.get(0)) is not None:
        blocks.append(block)
    return blocks


def test_the_session_hears_every_block_and_the_file_holds_them_as_one_channel(tmp_path):
    queue, failures = AudioQueue(10), []
    source = Heard(Stereo(), tmp_path / "demo.wav", failures.append)
    source.open(queue, failures.append)
    source.close()
    assert [block.first for block in blocks_in(queue)] == [0, 3]
    assert queue.is_closed
    with wave.open(str(tmp_path / "demo.wav")) as read:
        assert (read.getframerate(), read.getnchannels()) == (48_000, 1)
        assert np.frombuffer(read.readframes(99), "<i2").tolist() == [200, 0, 7, 200, 0, 7]
    assert failures == []


def test_it_looks_like_the_source_it_stands_for():
    source = Heard(Stereo(), Path("unused.wav"), print)
    assert (source.lane, source.name, source.is_live) == ("file", "talk.wav", False)
    assert (source.rate, source.channels) == (48_000, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_once_and_the_session_hears_on():
    queue, failures = AudioQueue(10), []
    source = Heard(Stereo(), Path("/dev/full"), failures.append)
    source.open(queue, failures.append)
    source.close()
    assert len(blocks_in(queue)) == 2
    assert [str(error) for error in failures] == ["The sound in /dev/full cannot be written: No space left on device."]
