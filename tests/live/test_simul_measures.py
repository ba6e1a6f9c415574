"""Figures of playbacks that are short enough to be worked out by hand."""

import math

import pytest

from live.evaluation.simul import measures
from live.evaluation.simul.measures import segments_of
from live.evaluation.simul.player import Call, Played
from models.base import Cost
from tests.live.simul_captions import caption, playback, shown, talk

ABCD = talk((1.0, 3.0, "甲乙丙丁"), (8.0, 9.0, "戊己"), length_s=10.0)
"""Of its second sentence nothing is ever shown."""


def settled_at(text: str, *heard_s: float):
    """A caption that grows by one character at each of these times."""
    return [
        shown(caption(1, text[: n + 1], start_s=1.0, end_s=3.0, is_final=n + 1 == len(text)), time)
        for n, time in enumerate(heard_s)
    ]


def test_text_that_keeps_pace_with_the_speaker_has_no_lag():
    segments = segments_of(playback(ABCD, *settled_at("甲乙丙丁", 1.0, 1.5, 2.0, 2.5)), "reading")

    assert measures.longyaal_s(segments, lambda emission: emission.emitted_s) == pytest.approx(0.0)
    assert measures.streamlaal_s(segments) == pytest.approx(0.0)


def test_text_at_the_end_lags_by_what_was_waited():
    segments = segments_of(playback(ABCD, shown(caption(1, "甲乙丙丁", is_final=True), 3.0)), "reading")

    # 2 s, 1.5 s, 1 s and 0.5 s behind; StreamLAAL counts up to the first unit that is late, which is the first
    assert measures.longyaal_s(segments, lambda emission: emission.heard / 16_000) == pytest.approx(1.25)
    assert measures.streamlaal_s(segments) == pytest.approx(2.0)


def test_waiting_and_computing_count_by_the_clock_alone():
    segments = segments_of(playback(ABCD, shown(caption(1, "甲乙丙丁", is_final=True), 3.0, 5.0)), "reading")

    assert measures.longyaal_s(segments, lambda emission: emission.emitted_s) == pytest.approx(3.25)


def test_what_is_written_after_the_last_sentence_is_left_out():
    updates = settled_at("甲乙丙丁", 1.0, 1.5, 2.0, 9.0)
    segments = segments_of(playback(ABCD, *updates), "reading")

    assert measures.longyaal_s(segments, lambda emission: emission.emitted_s) == pytest.approx(0.0)


def test_without_any_text_there_is_no_lag_to_name():
    segments = segments_of(playback(ABCD), "reading")

    assert math.isnan(measures.longyaal_s(segments, lambda emission: emission.emitted_s))
    assert math.isnan(measures.streamlaal_s(segments))


def test_erasure_counts_displayed_characters_that_were_taken_back():
    updates = [
        shown(caption(1, "", "甲乙"), 1.0),
        shown(caption(1, "甲", "丙丁"), 2.0),
        shown(caption(1, "甲丙丁", is_final=True), 3.0),
    ]

    assert measures.erasure([playback(ABCD, *updates)], "follow") == pytest.approx(1 / 3)
    assert measures.erasure([playback(ABCD, *updates)], "reading") == 0.0


def test_a_mark_behind_a_word_takes_nothing_back():
    played = talk((0.0, 1.0, "Yes."), target="en")
    updates = [shown(caption(1, "Yes"), 1.0), shown(caption(1, "Yes.", is_final=True), 2.0)]

    assert measures.erasure([playback(played, *updates)], "reading") == 0.0


def test_text_that_was_all_taken_back_is_erasure():
    updates = [shown(caption(1, "", "甲"), 1.0), shown(caption(1, "", is_final=True), 2.0)]

    assert measures.erasure([playback(ABCD, *updates)], "follow") == 1.0


def test_first_text_counts_from_where_speech_began():
    updates = [
        shown(caption(1, "", "甲", start_s=0.7, end_s=2.0), 2.0, 2.25),
        shown(caption(1, "甲乙丙丁", start_s=0.7, end_s=3.2, is_final=True), 3.5, 3.75),
    ]

    assert measures.first_text_s(playback(ABCD, *updates), "follow") == [1.25]
    assert measures.first_text_s(playback(ABCD, *updates), "reading") == [2.75]


def test_the_final_counts_from_where_speech_ended_to_the_last_change():
    updates = [
        shown(caption(1, "甲乙丙丁", start_s=0.7, end_s=3.1), 3.25, 3.5),
        shown(caption(1, "甲乙丙丁", start_s=0.7, end_s=3.2, is_final=True), 3.5, 3.75),
    ]

    assert measures.final_s(playback(ABCD, *updates), "reading") == [0.5]


def test_where_an_utterance_was_cut_speech_neither_ended_nor_began():
    played = talk((1.0, 3.0, "甲乙"), (3.2, 5.0, "丙丁"))
    updates = [
        shown(caption(1, "甲乙", start_s=0.7, end_s=3.1, is_final=True), 3.5),
        shown(caption(2, "丙丁", start_s=3.1, end_s=5.2, is_final=True), 5.5),
    ]

    assert measures.first_text_s(playback(played, *updates), "reading") == [2.5]
    assert measures.final_s(playback(played, *updates), "reading") == [0.5]


def test_a_caption_of_no_speech_has_no_times():
    updates = [shown(caption(1, "甲", start_s=5.0, end_s=6.0, is_final=True), 6.0)]

    assert measures.first_text_s(playback(ABCD, *updates), "reading") == []
    assert measures.final_s(playback(ABCD, *updates), "reading") == []


def test_a_line_of_the_table_adds_up_talks_and_calls():
    perfect = [
        shown(caption(1, "甲乙丙丁", start_s=1.0, end_s=3.0, is_final=True), 3.0),
        shown(caption(2, "戊己", start_s=8.0, end_s=9.0, is_final=True), 9.0),
    ]
    call = Call(1, 3.0, 4.0, 48_000, True, Cost(prefilled_tokens=30, decoded_tokens=5))
    played = [
        Played(playback(ABCD, *perfect), "measured", (call,)),
        Played(playback(ABCD, *perfect), "measured", (call,)),
    ]

    row = measures.measure(played, "reading", vad_final_bleu=200.0)

    assert (row.bleu, row.chrf, row.bleu_share) == (pytest.approx(100.0), pytest.approx(100.0), pytest.approx(0.5))
    assert (row.realtime_factor, row.prefilled_per_s, row.decoded_per_s) == pytest.approx((0.1, 3.0, 0.5))
    assert row.direction == "en-zh"
