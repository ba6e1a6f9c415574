"""A session's sound, as those who hear it get it."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeSource, conversation

from live.events import UtteranceClosed
from models.base import SAMPLE_RATE


@pytest.mark.parametrize("rate", [SAMPLE_RATE, 48_000])
def test_who_hears_a_session_gets_all_of_its_sound_on_the_clock_of_its_captions(run, rate):
    heard = []
    sound = conversation(3)
    source = FakeSource(rate=rate)
    made = run(source, hear=[heard.append]).listen()
    source.say(np.repeat(sound, rate // SAMPLE_RATE))
    made.stop()
    assert [chunk.start for chunk in heard[1:]] == [chunk.end for chunk in heard[:-1]]
    assert heard[0].start == 0
    assert heard[-1].end == len(sound)
    together = np.concatenate([chunk.samples for chunk in heard])
    assert np.corrcoef(together, sound)[0, 1] > 0.99
    for closed in made.recorder.of(UtteranceClosed):
        assert np.abs(together[closed.start : closed.end]).max() > 0.1
