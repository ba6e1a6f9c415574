"""Where speech without a pause is cut, and what is settled meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from live.audio import Utterance
from live.policy.lines import Seen, StreamLine
from live.policy.monologue import AHEAD, GIVE_UP, HOLD_FROM, PATIENCE, is_without_place, place, settle_up_to
from live.segmenter import LONG, MIN_CUT
from models.base import SAMPLE_RATE, Piece

START = 5 * SAMPLE_RATE
QUIET = 6 * SAMPLE_RATE
"""Where in an utterance the only quiet place is."""


def utterance(n: int = MIN_CUT, *lulls: tuple[int, int]) -> Utterance:
    """Loud but for its first 0.3 s and the lulls: the middle and the length of each."""
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, n).astype(np.float32)
    samples[:4800] = 0.0
    for middle, length in lulls or [(QUIET, 1600)]:
        samples[middle - length // 2 : middle + length // 2] = 0.0
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


NEAR = pytest.approx(START + QUIET, abs=100)
"""Where the only quiet place is, in the session."""


def test_a_closure_in_a_word_is_no_place_for_a_cut():
    assert place([line("a .", "b c")], utterance(MIN_CUT, (QUIET, 800))) is None


def test_of_several_lulls_the_longest_about_the_end_of_the_sentence_is_cut_in():
    lulls = ((QUIET - 4000, 1300), (QUIET, 2400), (QUIET + 3000, 1300))
    assert place([line("a .", "b c")], utterance(MIN_CUT, *lulls)) == NEAR


def test_where_a_sentence_was_left_out_the_cut_is_before_it():
    late = line("a .", "b c", born=START + QUIET + 4 * SAMPLE_RATE)
    first, second = (QUIET + 12_000, 1600), (QUIET + 32_000, 3200)
    at = place([late], utterance(QUIET + 5 * SAMPLE_RATE, first, second))
    assert at == pytest.approx(START + first[0], abs=100)


def settled_late(by: int) -> StreamLine:
    """A sentence whose last word was said so many samples after the lull behind it."""
    pieces = line("a .", "").committed
    to = START + QUIET + by
    rest = line("", "b c", born=to + 4000).rest
    return StreamLine(pieces, rest, settled_to=to, sentence_from=START + QUIET - 2 * SAMPLE_RATE)


def test_where_the_last_word_was_late_the_cut_is_in_a_clear_lull_before_it():
    grown = QUIET + 3 * SAMPLE_RATE
    assert place([settled_late(16_000)], utterance(grown, (QUIET, 3200))) == NEAR
    assert place([settled_late(16_000)], utterance(grown, (QUIET, 1300))) is None  # as in a long word
    assert place([settled_late(40_000)], utterance(grown + SAMPLE_RATE, (QUIET, 3200))) is None


def test_no_cut_is_before_the_beginning_of_the_sentence_that_is_settled():
    short = StreamLine(
        line("a . b .", "").committed,
        settled_late(16_000).rest,
        settled_to=START + QUIET + 16_000,
        sentence_from=START + QUIET + 4000,
    )
    assert place([short], utterance(QUIET + 3 * SAMPLE_RATE, (QUIET, 3200))) is None


def test_a_text_that_has_a_sentence_fewer_is_waited_for_and_then_cut():
    spoken = line("a . b .", "c d")
    born = spoken.rest[0].born - START
    assert place([line("A .", "B"), spoken], utterance(born + PATIENCE)) is None
    assert place([line("A .", "B"), spoken], utterance(born + PATIENCE + 1)) == NEAR


def test_a_text_that_is_ahead_though_it_has_no_more_sentences_is_not_cut():
    spoken = line("a .", "b c")
    born = spoken.rest[0].born
    same, ahead = (
        StreamLine(line("A .", "").committed, line("", "B").rest, settled_to=born + by) for by in (AHEAD, AHEAD + 1)
    )
    assert place([same, spoken], utterance()) == NEAR
    assert place([ahead, spoken], utterance()) is None


def test_a_sentence_without_a_lull_behind_it_stays_with_the_next_one():
    spoken = line("a .", "b . c")
    born = spoken.rest[0].born - START
    assert not is_without_place(spoken, utterance(born + PATIENCE + GIVE_UP))
    assert is_without_place(spoken, utterance(born + PATIENCE + GIVE_UP + 1))
    assert not is_without_place(line("a", "b . c"), utterance(2 * born))
    assert settle_up_to(spoken, 3, utterance(), 1, n_passed=0) == 0
    assert settle_up_to(spoken, 3, utterance(), 1, n_passed=1) == 2


def test_a_text_knows_when_its_last_settled_sentence_was_first_said():
    said = StreamLine(rest=tuple(Seen(Piece((1,), word, -0.1), 1, born, None) for born, word in enumerate("ab.cd", 10)))
    assert said.commit(1).sentence_from == 10
    assert said.commit(3).sentence_from == 10
    assert said.commit(4).sentence_from == 13
    assert said.commit(3).commit(2).sentence_from == 13
