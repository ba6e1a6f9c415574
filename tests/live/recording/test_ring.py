"""The last sentence, from memory."""

from __future__ import annotations

import numpy as np
from talks import chunks, sweep

from live.events import UtteranceClosed, UtteranceSilent
from live.recording.ring import Ring

SECOND = 16_000


def heard(ring: Ring, samples, start=0, lane="microphone") -> None:
    for chunk in chunks(samples, start, lane):
        ring.hear(chunk)


def test_the_last_sentence_of_each_lane_is_the_utterance_that_closed_last():
    ring, sound = Ring(), sweep(10 * SECOND)
    heard(ring, sound)
    heard(ring, -sound, lane="system")
    assert len(ring.last_sentence("microphone")) == 0
    ring(UtteranceClosed("microphone", SECOND, 2 * SECOND, 1))
    ring(UtteranceClosed("microphone", 12_345, 99_999, 2))
    ring(UtteranceClosed("system", 5, 50, 3))
    assert np.array_equal(ring.last_sentence("microphone"), sound[12_345:99_999])
    assert np.array_equal(ring.last_sentence("system"), -sound[5:50])


def test_an_utterance_that_held_no_words_is_no_sentence():
    ring, sound = Ring(), sweep(4 * SECOND)
    heard(ring, sound)
    for number, start in ((1, 0), (2, 2 * SECOND)):
        ring(UtteranceClosed("microphone", start, start + SECOND, number))
    ring(UtteranceSilent("microphone", 2, 2 * SECOND, 3 * SECOND))
    assert np.array_equal(ring.last_sentence(), sound[:SECOND])


def test_what_was_not_heard_within_a_sentence_is_silence():
    ring, sound = Ring(), sweep(SECOND)
    heard(ring, sound)
    heard(ring, sound, 2 * SECOND)
    ring(UtteranceClosed("microphone", 0, 3 * SECOND, 1))
    assert np.array_equal(
        ring.last_sentence("microphone"), np.concatenate([sound, np.zeros(SECOND, np.float32), sound])
    )


def test_no_more_than_the_ring_is_kept():
    ring, sound = Ring(length=2 * SECOND), sweep(10 * SECOND)
    heard(ring, sound)
    ring(UtteranceClosed("microphone", SECOND, 2 * SECOND, 1))
    assert len(ring.last_sentence("microphone")) == 0  # too long ago
    ring(UtteranceClosed("microphone", 7 * SECOND, 9 * SECOND, 2))
    assert np.array_equal(ring.last_sentence("microphone"), sound[8 * SECOND : 9 * SECOND])
    assert len(ring.last_sentence("file")) == 0
