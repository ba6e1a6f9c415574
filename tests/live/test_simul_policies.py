"""The policies ours is compared with: what each asks, forces and settles."""

from dataclasses import replace

import numpy as np
import pytest

from live.audio import Utterance
from live.errors import SettingsError
from live.evaluation.simul import contestants
from live.evaluation.simul.policies import (
    INTERVAL,
    AttentionGate,
    LocalAgreement,
    Redecoding,
    Retranslation,
    VadFinal,
    settled_by_gate,
)
from live.policy import Direction
from models.base import UNKNOWN, Gate, Hypothesis, Outcome, Piece
from tests.live.simul_captions import CAN, at

EN_ZH = Direction("en", {"en": "zh"})


def pieces(text: str, step_s: float = 0.5) -> tuple[Piece, ...]:
    return tuple(Piece((ord(char),), char, -0.1, at=at(n * step_s)) for n, char in enumerate(text))


def heard(seconds: float, *, is_final: bool = False) -> Utterance:
    return Utterance(1, "file", np.zeros(at(seconds), np.float32), 0, is_final)


def answer(text: str) -> Hypothesis:
    return Hypothesis(1, "en", "zh", {}, (Outcome(pieces(text), 0, "end"),))


def settled(policy, *texts: str, last: bool = False) -> str:
    """What is settled after these answers, one each second."""
    caption = None
    for n, text in enumerate(texts, start=1):
        utterance = heard(n, is_final=last and n == len(texts))
        assert policy.request(utterance) is not None
        caption = policy.caption(utterance, answer(text))
    return caption.translation.settled_text if caption else ""


def test_vad_final_asks_nothing_before_the_end():
    policy = VadFinal(CAN, EN_ZH)

    assert policy.request(heard(5.0)) is None
    assert policy.request(heard(5.0, is_final=True)).is_final


def test_updates_are_due_after_enough_new_sound():
    policy = Retranslation(CAN, EN_ZH)
    long = Utterance(1, "file", np.zeros(INTERVAL, np.float32), 0, is_final=False)
    little_more = Utterance(1, "file", np.zeros(2 * INTERVAL - 1, np.float32), 0, is_final=False)

    assert policy.request(long) is not None
    assert policy.request(little_more) is None


def test_retranslation_settles_nothing_before_the_end():
    assert settled(Retranslation(CAN, EN_ZH), "甲乙", "甲乙丙") == ""
    assert settled(Retranslation(CAN, EN_ZH), "甲乙", "甲丙", last=True) == "甲丙"


def test_agreement_with_our_cuts_settles_nothing_at_first_sight_as_ours_does():
    ours, agreeing = (
        contestants.ALL[name].build(CAN, EN_ZH)
        for name in (contestants.OURS, contestants.LOCAL_AGREEMENT + contestants.WITH_CUTS)
    )
    assert settled(ours, "甲乙丙") == "甲乙"
    assert settled(agreeing, "甲乙丙") == ""

    assert agreeing.request(heard(2.0)) is not None
    said_again = Hypothesis(1, "en", "zh", {}, (Outcome(pieces("甲乙丁"), 2, "end"),))
    assert agreeing.caption(heard(2.0), said_again).translation.settled_text == "甲乙"


def test_local_agreement_settles_what_two_answers_share_and_forces_it():
    policy = LocalAgreement(CAN, EN_ZH)

    assert settled(policy, "甲乙丙", "甲乙丁") == "甲乙"
    assert "".join(piece.text for piece in policy.request(heard(3.0)).branches[0].committed) == "甲乙"


def test_redecoding_settles_the_same_and_forces_nothing():
    policy = Redecoding(CAN, EN_ZH)

    assert settled(policy, "甲乙丙", "甲乙丁") == "甲乙"
    assert policy.request(heard(3.0)).branches[0].committed == ()


def test_redecoding_keeps_what_is_settled_where_an_answer_begins_otherwise():
    assert settled(Redecoding(CAN, EN_ZH), "甲乙丙", "甲乙丁", "戊己丁庚", last=True) == "甲乙丁庚"


def test_the_gate_settles_what_points_away_from_the_end_at_first_sight():
    assert settled(AttentionGate(CAN, EN_ZH), "甲乙丙丁") == "甲乙"


def test_the_gate_keeps_to_the_hold_that_was_calibrated():
    can = replace(CAN, gates={("translate", "en", "zh"): Gate(hold=at(1.5), tail_mass_below=0.3, auc=0.8)})

    assert settled(AttentionGate(can, EN_ZH), "甲乙丙丁") == ""


def test_the_last_piece_waits_wherever_it_points():
    assert settled_by_gate(pieces("甲乙"), before=at(100)) == 1
    assert settled_by_gate((), before=at(100)) == 0


def test_a_piece_that_points_nowhere_stops_the_gate():
    assert settled_by_gate((Piece((1,), "甲", 0.0), *pieces("乙丙")), before=at(100)) == 0


def test_an_answer_without_speech_takes_nothing_back_that_is_settled():
    policy = LocalAgreement(CAN, EN_ZH)
    settled(policy, "甲乙", "甲乙")
    caption = policy.caption(heard(3.0), Hypothesis(1, UNKNOWN, UNKNOWN, {}, (Outcome((), 0, "end"),)))

    assert caption.translation.settled_text == "甲乙"
    assert caption.translation.tentative == ""


def test_nothing_is_shown_of_an_utterance_without_words():
    policy = VadFinal(CAN, EN_ZH)
    policy.request(heard(1.0, is_final=True))

    assert (
        policy.caption(heard(1.0, is_final=True), Hypothesis(1, UNKNOWN, UNKNOWN, {}, (Outcome((), 0, "end"),))) is None
    )


def test_a_direction_that_the_model_cannot_do_is_refused():
    with pytest.raises(SettingsError):
        LocalAgreement(CAN, Direction("fr", {"fr": "zh"}))
