"""How much computing a second of sound takes: what is asked, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest

from models.base import SAMPLE_RATE, Hypothesis, Outcome, Piece
from models.embedded.recipe.score import speed


class Asked:
    """Notes its requests; each takes a second of the clock it was given."""

    def __init__(self, clock):
        self.requests = []
        self.clock = clock

    def translate(self, request, cancelled):
        self.requests.append(request)
        self.clock[0] += 1.0
        piece = Piece((len(self.requests),), "x", -0.1)
        return Hypothesis(0, "zh", "en", {}, tuple(Outcome((piece,), 0, "end") for _ in request.branches))


@pytest.fixture
def asked(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(speed.time, "perf_counter", lambda: clock[0])
    return Asked(clock)


CLIPS = [np.zeros(round(seconds * SAMPLE_RATE), np.float32) for seconds in (1.6, 2.4)]


def test_finals_alone_are_asked_once_each_without_a_draft(asked):
    assert speed.realtime_factor(asked, CLIPS, None) == pytest.approx(2 / 4.0)
    assert [len(request.samples) for request in asked.requests] == [25_600, 38_400]
    assert all(not branch.draft for request in asked.requests for branch in request.branches)


def test_live_both_lines_are_asked_of_every_part_with_the_last_answer_as_draft(asked):
    assert speed.realtime_factor(asked, CLIPS, 0.5) == pytest.approx((4 + 5) / 4.0)
    seconds = [len(request.samples) / SAMPLE_RATE for request in asked.requests]
    assert seconds == pytest.approx([0.5, 1.0, 1.5, 1.6, 0.5, 1.0, 1.5, 2.0, 2.4])
    assert [branch.task for branch in asked.requests[0].branches] == ["translate", "transcribe"]
    first = [request.branches[0].draft for request in asked.requests]
    drafts = [draft[0].ids[0] if draft else 0 for draft in first]
    assert drafts == [0, 1, 2, 0, 0, 5, 6, 7, 0]


def test_utterances_are_as_long_as_they_are_said_to_be(monkeypatch):
    monkeypatch.setattr(speed, "N_CLIPS", 3)
    lengths = [len(clip) / SAMPLE_RATE for clip in speed.utterances()]
    assert lengths
    assert all(speed.LENGTHS_S[0] <= length <= speed.LENGTHS_S[1] for length in lengths)
