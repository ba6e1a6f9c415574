import pytest
from example_captions import caption

from live.demo import Line, Script, Turn
from live.evaluation.summary import Summary
from live.events import (
    AudioDropped,
    CaptionUpdated,
    LagChanged,
    SessionStopped,
    StateChanged,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSkipped,
)

SCRIPT = Script(
    seed=1,
    turns=(
        Turn("a", "zh", 0.0, 4.0, (Line(0.0, 2.0, "一", "one ."), Line(2.0, 4.0, "二", "two ."))),
        Turn("b", "en", 5.0, 9.0, (Line(5.0, 9.0, "three", "三。"),)),
    ),
)
STARTED_S = 1000.0


def summary_of(*items):
    summary = Summary()
    for event, at_s in items:
        summary.take(event, at_s)
    summary.close()
    return summary


def final(start_s, end_s, text, **options):
    return CaptionUpdated(caption(start_s, end_s, text, **options))


def test_delay_is_counted_from_the_end_of_speech_that_the_script_knows():
    summary = summary_of(
        (final(0, 4.2, "one . two ."), STARTED_S + 4.75),
        (final(4.8, 9.2, "三。", direction=("en", "zh")), STARTED_S + 10.0),
    )
    report = summary.report(SCRIPT, 10.0, STARTED_S)
    assert (report.delay_p50_s, report.delay_p95_s) == pytest.approx((0.875, 0.9875))
    assert report.n_utterances == 2


def test_delay_of_a_sentence_cut_in_the_middle_is_counted_from_the_cut():
    summary = summary_of((final(4.8, 7.0, "三", direction=("en", "zh")), STARTED_S + 7.5))
    assert summary.report(SCRIPT, 10.0, STARTED_S).delay_p50_s == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("paused_s", "closed_s", "captioned_s"),
    [
        (2.0, 64.6, 64.7),  # in the middle of the speech
        (4.3, 64.6, 64.7),  # in the quiet after it
        (4.65, 4.6, 4.7),  # while it was translated, which goes on
        (-65.0, 4.6, 4.7),  # before anything was played
    ],
)
def test_a_pause_is_no_delay(paused_s, closed_s, captioned_s):
    summary = summary_of(
        (StateChanged("listening"), STARTED_S - 70.0),
        (StateChanged("paused"), STARTED_S + paused_s),
        (StateChanged("paused", "The mode is another."), STARTED_S + paused_s + 1.0),
        (StateChanged("listening"), STARTED_S + paused_s + 60.0),
        (StateChanged("listening", "The mode is another."), STARTED_S + paused_s + 61.0),
        (UtteranceClosed("file", 0, 64_000, 1), STARTED_S + closed_s),
        (final(0, 4.2, "one . two ."), STARTED_S + captioned_s),
    )
    assert summary.report(SCRIPT, 10.0, STARTED_S).delay_p50_s == pytest.approx(0.7)


def test_partial_captions_and_speech_that_was_made_up_have_no_delay():
    summary = summary_of(
        (final(0, 1, "on", is_final=False), STARTED_S + 1),
        (final(20, 21, "hm"), STARTED_S + 30),
    )
    report = summary.report(SCRIPT, 30.0, STARTED_S)
    assert (report.delay_p50_s, report.n_utterances) == (None, 1)


def test_sound_that_came_faster_than_it_plays_has_no_delay():
    summary = summary_of((final(0, 4, "one . two ."), STARTED_S))
    assert summary.report(SCRIPT, 10.0, None).delay_p50_s is None


def test_computing_losses_and_dropped_sound_are_added_up():
    summary = summary_of(
        (LagChanged(0.5, 0.25, 0.0), 1.0),
        (LagChanged(0.0, 0.75, 0.0), 2.0),
        (UtteranceFailed("file", 3, 0, 16_000, "lost"), 3.0),
        (UtteranceSkipped("file", 4, 0, 16_000), 3.0),
        (AudioDropped("file", 0, 8_000, "full"), 4.0),
        (SessionStopped(), 5.0),
    )
    report = summary.report(SCRIPT, 4.0, STARTED_S)
    assert (report.realtime_factor, report.n_lost, report.dropped_s) == (0.25, 2, 0.5)


def test_scores_come_for_both_directions():
    assert set(summary_of().report(SCRIPT, 4.0, None).scores) == {("zh", "en"), ("en", "zh")}
