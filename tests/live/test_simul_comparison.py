"""Lines of the table side by side, and targets met and missed."""

from dataclasses import replace

import pytest

from live.evaluation.simul import contestants
from live.evaluation.simul.comparison import masks_of, rows_of, too_easy, verdicts
from live.evaluation.simul.contestants import LOCAL_AGREEMENT, OURS, REDECODING, SLOW, VAD_FINAL, WITH_CUTS
from live.evaluation.simul.player import Played
from live.evaluation.simul.table import Row
from live.policy.modes import hidden_units
from tests.live.simul_captions import caption, playback, shown, talk

LARGE = "a large model"


def row(policy: str, mode="reading", cost_model: str = "measured", **figures: float) -> Row:
    given = {
        "bleu": 80.0, "chrf": 80.0, "bleu_share": 1.0, "streamlaal_s": 2.0, "longyaal_s": 2.0, "longyaal_ca_s": 2.0,
        "erasure": 0.0, "first_text_p50_s": 1.0, "first_text_p95_s": 2.0, "final_p50_s": 0.5, "final_p95_s": 0.7,
        "realtime_factor": 0.2, "prefilled_per_s": 100.0, "decoded_per_s": 5.0,
    }  # fmt: skip
    return Row(policy=policy, mode=mode, cost_model=cost_model, source="en", target="zh", **{**given, **figures})


def judged(*rows: Row) -> dict[tuple[str, str], bool]:
    return {(verdict.what, verdict.cost_model): verdict.is_met for verdict in verdicts(rows)}


def test_every_target_of_ours_is_judged_once():
    peers = [
        row(name, cost_model=cost) for name in (VAD_FINAL, LOCAL_AGREEMENT, REDECODING) for cost in ("measured", LARGE)
    ]
    ours = [row(OURS, mode, cost) for mode in ("reading", "balanced", "follow") for cost in ("measured", LARGE)]
    held = verdicts([*peers, *ours])

    assert len(held) == len({(verdict.what, verdict.cost_model) for verdict in held}) == 13


def test_a_target_is_met_at_its_mark_and_missed_beyond():
    peers = (row(VAD_FINAL, longyaal_s=4.0), row(LOCAL_AGREEMENT))
    at_the_mark = judged(*peers, row(OURS, bleu_share=0.97, longyaal_s=2.0, longyaal_ca_s=2.0, final_p95_s=0.8))
    beyond = judged(
        *peers, row(OURS, bleu_share=0.96, longyaal_s=2.1, longyaal_ca_s=2.1, final_p95_s=0.9, erasure=0.01)
    )

    assert set(at_the_mark.values()) == {True}
    assert set(beyond.values()) == {False}


@pytest.mark.parametrize(
    ("peer", "most"), [(LOCAL_AGREEMENT, 0.95), (LOCAL_AGREEMENT + WITH_CUTS, 0.95), (REDECODING, 0.75)]
)
@pytest.mark.parametrize(("more", "is_met"), [(0.0, True), (0.02, False)])
def test_under_the_large_models_cost_ours_should_be_clearly_ahead(peer, most, more, is_met):
    held = judged(row(peer, cost_model=LARGE), row(OURS, cost_model=LARGE, longyaal_ca_s=2.0 * (most + more)))

    assert held == {
        (f"LongYAAL by the clock at equal BLEU, as a share of that of: {peer}", LARGE): is_met,
        ("end of speech to final p95, s", LARGE): True,
    }


def test_delays_are_compared_at_equal_quality_or_as_near_as_the_peer_comes():
    peers = (
        row(LOCAL_AGREEMENT, bleu=70.0, longyaal_ca_s=1.0),
        row(LOCAL_AGREEMENT + SLOW, bleu=80.0, longyaal_ca_s=2.0),
    )

    def share(bleu: float) -> float | None:
        ours = row(OURS, bleu=bleu, longyaal_ca_s=1.5)
        (verdict,) = (each for each in verdicts([*peers, ours]) if "equal BLEU" in each.what)
        return verdict.figure

    assert [share(bleu) for bleu in (60.0, 75.0, 90.0)] == pytest.approx([1.5, 1.0, 0.75])


@pytest.mark.parametrize(
    ("sooner", "later", "ours"),
    [((70.0, 1.0), (60.0, 3.0), (65.0, 1.0)), ((65.890, 2.55), (65.894, 3.55), (91.0, 2.55))],
    ids=["worse", "hardly better"],
)
def test_a_pace_at_which_the_peer_is_later_and_no_better_does_not_count(sooner, later, ours):
    rows = [
        row(name, bleu=bleu, longyaal_ca_s=delay_s)
        for name, (bleu, delay_s) in ((LOCAL_AGREEMENT, sooner), (LOCAL_AGREEMENT + SLOW, later), (OURS, ours))
    ]
    (verdict,) = (each for each in verdicts(rows) if "equal BLEU" in each.what)

    assert verdict.figure == pytest.approx(1.0)


def test_a_peer_at_the_slower_pace_alone_is_no_comparison():
    assert not any("equal BLEU" in each.what for each in verdicts([row(LOCAL_AGREEMENT + SLOW), row(OURS)]))


def test_a_figure_that_is_missing_meets_nothing():
    held = judged(replace(row(OURS), final_p95_s=None))

    assert not held["end of speech to final p95, s", "measured"]


def test_talks_on_which_waiting_costs_little_are_too_easy():
    assert too_easy([row(VAD_FINAL, longyaal_s=3.9), row(OURS, longyaal_s=1.0)]) == [row(VAD_FINAL, longyaal_s=3.9)]
    assert too_easy([row(VAD_FINAL, longyaal_s=4.0)]) == []


def test_lines_are_by_direction_cost_policy_and_mode():
    def played(policy: str, cost_model: str, target: str) -> Played:
        text = {"zh": "甲乙丙丁戊", "en": "Five words are said here"}[target]
        said = talk((1.0, 3.0, text), target=target)
        update = shown(caption(1, text, start_s=1.0, end_s=3.0, is_final=True), 3.0)
        return Played(playback(said, update, policy=policy), cost_model, ())

    named = [contestants.ALL[name] for name in (VAD_FINAL, OURS)]
    every = [
        played(name, cost, target)
        for target in ("zh", "en")
        for name in (OURS, VAD_FINAL)
        for cost in ("measured", LARGE)
    ]
    rows = rows_of(every, named)

    assert len(rows) == 2 * 2 * 4
    assert [(line.policy, line.mode) for line in rows[:4]] == [
        (VAD_FINAL, "reading"), (OURS, "reading"), (OURS, "balanced"), (OURS, "follow")
    ]  # fmt: skip
    assert all(line.bleu_share == pytest.approx(1.0) for line in rows)


def test_the_smallest_mask_that_keeps_the_promise_is_found():
    said = talk((1.0, 3.0, "甲乙丙丁戊"))
    updates = [
        shown(caption(1, "甲", "乙己庚", start_s=1.0, end_s=2.0), 2.0),
        shown(caption(1, "甲乙丙丁戊", start_s=1.0, end_s=3.0, is_final=True), 3.0),
    ]
    played = Played(playback(said, *updates, policy=OURS), "measured", ())
    (mask,) = masks_of([played])

    assert mask.erasures[:3] == pytest.approx((0.4, 0.2, 0.0))
    assert mask.smallest == 2
    assert mask.hidden == hidden_units("zh")


def test_a_policy_that_is_not_ours_has_no_masks():
    assert masks_of([Played(playback(talk((1.0, 3.0, "甲")), policy=VAD_FINAL), "measured", ())]) == []
