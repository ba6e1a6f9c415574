"""Where speech without a pause is cut, and what is settled meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from live.audio import Utterance
from live.policy.lines import Seen, StreamLine
from live.policy.monologue import HOLD_FROM, place, settle_up_to
from live.segmenter import LONG, MIN_CUT
from models.base import SAMPLE_RATE, Piece

START = 5 * SAMPLE_RATE
QUIET = 6 * SAMPLE_RATE
"""Where in an utterance the only quiet place is."""


def utterance(n: int = MIN_CUT) -> Utterance:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, n).astype(np.float32)
    samples[QUIET - 800 : QUIET + 800] = 0.0
    return Utterance(1, "file", samples, START, is_final=False)


def line(committed: str, rest: str, *, born: int = START + QUIET + 4000, at: int | None = None) -> StreamLine:
    seen = tuple(Seen(Piece((1,), word, -0.1, at=at), 1, born, at) for word in rest.split())
    pieces = tuple(Piece((1,), word, -0.1) for word in committed.split())
    return StreamLine(pieces, seen, settled_to=START + QUIET)


def test_a_short_utterance_is_settled_as_far_as_it_can_be():
    assert settle_up_to(line("a .", "b c"), 2, utterance(HOLD_FROM - 1), 1) == 2
    assert place([line("a .", "b c")], utterance(MIN_CUT - 1)) is None


def test_a_long_one_is_settled_to_the_end_of_the_sentence():
    assert settle_up_to(line("a", "b . c d"), 4, utterance(), 0) == 2
    assert settle_up_to(line("a", "b c d"), 3, utterance(), 0) == 3
    assert settle_up_to(line("a .", "b . c d"), 4, utterance(), 1) == 0


def test_a_text_that_is_a_sentence_behind_follows_the_other():
    assert settle_up_to(line("a .", "b . c d"), 4, utterance(), 2) == 2


def test_nothing_is_settled_that_the_segmenters_own_cut_could_leave_behind():
    late = line("a", "b c", born=START + LONG + 1)
    assert settle_up_to(late, 2, utterance(LONG + SAMPLE_RATE), 0) == 0


def test_the_cut_is_at_the_quietest_place_between_two_sentences():
    cut = place([line("A .", "B c"), line("a .", "b c")], utterance())
    assert abs(cut - START - QUIET) <= 800


def test_where_pieces_point_the_cut_is_between_what_they_point_to():
    pointing = StreamLine(
        line("a .", "").committed, line("", "b", at=START + QUIET + 3000).rest, reach=START + QUIET - 3000
    )
    assert abs(place([pointing], utterance()) - START - QUIET) <= 800


@pytest.mark.parametrize(
    ("translation", "transcript"),
    [(("A", "B c"), ("a .", "b c")), (("A . B .", "C"), ("a .", "b c")), (("A .", "B"), ("a .", ""))],
    ids=["one text is in a sentence", "one text is ahead", "no other sentence has begun"],
)
def test_nothing_is_cut_where_no_sentence_ends_in_both_texts(translation, transcript):
    assert place([line(*translation), line(*transcript)], utterance()) is None
