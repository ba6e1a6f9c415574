"""Recorded sound played back: from any caption, all lanes together, the captions at their moment."""

import numpy as np
import pytest
from session_folders import caption, record, session_folder

from live.errors import RecordingError
from live.recording.journal import read
from live.recording.library_playback import STEP, Playback
from models.base import SAMPLE_RATE


class Heard:
    """An output that keeps what it is given."""

    def __init__(self):
        self.samples = np.zeros(0, np.float32)
        self.closed = None

    def write(self, samples):
        self.samples = np.concatenate([self.samples, samples])

    def close(self, *, at_once):
        self.closed = at_once


def steps(*levels):
    """A level a second."""
    return np.repeat(np.array(levels, np.float32), SAMPLE_RATE)


@pytest.fixture
def folder(tmp_path):
    return session_folder(
        tmp_path,
        caption(1, 0.5, 1.5, "One."),
        caption(2, 2, 3, "Two.", lane="system"),
        caption(3, 3.1, 4, "Three."),
    )


def test_a_session_is_played_from_a_moment_with_all_lanes_and_captions(folder):
    record(folder, steps(0.1, 0.2, 0.3, 0.4))
    record(folder, steps(0.5, 0.25), "system", start=2 * SAMPLE_RATE)
    heard, shown = Heard(), []
    playback = Playback(read(folder), start=SAMPLE_RATE)
    playback.run(heard, lambda each: shown.append((each.id, len(heard.samples))))
    assert len(heard.samples) == 3 * SAMPLE_RATE
    middles = heard.samples[SAMPLE_RATE // 2 :: SAMPLE_RATE]
    np.testing.assert_allclose(middles, [0.2, 0.8, 0.65], atol=1e-3)
    assert [number for number, _ in shown] == [1, 2, 3]
    for (_, at), start in zip(shown, (1, 2, 3.1), strict=True):
        assert at <= (start - 1) * SAMPLE_RATE < at + STEP
    assert heard.closed is False


def test_playing_can_be_stopped_between_steps(folder):
    record(folder, steps(0.1, 0.2, 0.3, 0.4))
    heard = Heard()
    Playback(read(folder)).run(heard, lambda _: None, stopped=lambda: len(heard.samples) >= 2 * STEP)
    assert len(heard.samples) == 2 * STEP
    assert heard.closed is True


def test_a_session_without_sound_and_one_whose_sound_is_missing_say_which(folder):
    with pytest.raises(RecordingError, match="has no sound: recording is on with --record"):
        Playback(read(folder))
    record(folder, steps(0.1)).unlink()
    with pytest.raises(RecordingError, match=r"is missing: it is not in .* any more"):
        Playback(read(folder))
