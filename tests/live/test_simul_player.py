"""A session without threads: what it asks, when answers come, and what gives way to what."""

import itertools

import numpy as np
import pytest

from live.evaluation.simul.costs import Measured
from live.evaluation.simul.memo import Memo
from live.evaluation.simul.player import HeardBefore, Played, hear, play
from live.evaluation.simul.policies import Baseline, LocalAgreement, Retranslation, VadFinal
from live.evaluation.simul.record import Talk
from live.policy import Direction
from live.policy.load import Level
from models.base import SAMPLE_RATE
from tests.live.fakes import EnergyDetector
from tests.live.simul_captions import CAN, Scripted, at

EN_ZH = Direction("en", {"en": "zh"})


def spoken(*stretches: tuple[float, float], length_s: float = 20.0) -> Talk:
    """Tones from and to these seconds."""
    samples = np.zeros(at(length_s), np.float32)
    for start, end in stretches:
        samples[at(start) : at(end)] = 0.5
    return Talk("tones", "en", "zh", samples, ())


def played(talk: Talk, policy: Baseline, model: Scripted, factor: float = 1.0) -> Played:
    return play(talk, policy, model.translate, costs=Measured(factor=factor), detector=EnergyDetector(), name="policy")


def test_vad_final_asks_once_an_utterance_after_its_endpoint():
    result = played(spoken((1, 3), (5, 8)), VadFinal(CAN, EN_ZH), Scripted(0.5))
    finals = result.playback.shown

    assert [update.caption.is_final for update in finals] == [True, True]
    assert [call.began_s for call in result.calls] == pytest.approx([3.55, 8.55], abs=0.1)
    assert [update.emitted_s for update in finals] == pytest.approx([call.began_s + 0.5 for call in result.calls])
    assert result.busy_s == pytest.approx(1.0)


def test_heard_is_the_sound_at_which_an_utterance_was_handed_out():
    result = played(spoken((1, 3)), VadFinal(CAN, EN_ZH), Scripted(5.0))

    assert result.playback.shown[0].heard / SAMPLE_RATE == pytest.approx(3.55, abs=0.1)


def test_partials_that_wait_give_way_to_the_newest():
    model = Scripted(1.0)
    played(spoken((1, 6)), Retranslation(CAN, EN_ZH), model)
    ends = [(request.start + len(request.samples)) / SAMPLE_RATE for request in model.requests]

    assert all(later - earlier > 0.75 for earlier, later in itertools.pairwise(ends[:-1]))
    assert model.requests[-1].is_final


def test_a_running_partial_is_given_up_for_a_final_and_its_time_counts():
    result = played(spoken((1, 3)), Retranslation(CAN, EN_ZH), Scripted(10.0))
    partial, final = result.calls

    assert not partial.is_final
    assert final.is_final
    assert partial.ended_s == final.began_s
    assert partial.ended_s == pytest.approx(3.55, abs=0.1)
    assert [update.caption.is_final for update in result.playback.shown] == [True]


def test_a_model_far_too_slow_still_gives_every_final_in_order():
    result = played(spoken((1, 2), (3, 4), (5, 6), (7, 8)), LocalAgreement(CAN, EN_ZH), Scripted(1.0), factor=8.0)
    finals = [update.caption.start for update in result.playback.shown if update.caption.is_final]

    assert len(finals) == 4
    assert finals == sorted(finals)
    assert result.calls[-1].lag_s > 20


def test_settled_text_only_grows():
    result = played(spoken((1, 9)), LocalAgreement(CAN, EN_ZH), Scripted(0.1))
    texts = [update.caption.translation.settled_text for update in result.playback.shown]

    assert len(set(texts)) > 5
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))


def test_captions_that_somebody_takes_are_not_kept():
    talk, taken = spoken((1, 3), (5, 8)), []
    kept = played(talk, Retranslation(CAN, EN_ZH), Scripted())
    policy, translate = Retranslation(CAN, EN_ZH), Scripted().translate
    costs, detector = Measured(), EnergyDetector()
    given = play(talk, policy, translate, costs=costs, detector=detector, name="policy", show=taken.append)

    assert tuple(taken) == kept.playback.shown != ()
    assert given.playback.shown == ()
    assert given.calls == kept.calls


def test_policies_are_told_what_the_clock_says_a_call_cost():
    class Charged(Retranslation):
        costs: list[float] = []  # noqa: RUF012

        def caption(self, utterance, hypothesis):
            self.costs.append(hypothesis.cost.total_s)
            return super().caption(utterance, hypothesis)

    played(spoken((1, 2)), policy := Charged(CAN, EN_ZH), Scripted(0.25), factor=2.0)

    assert set(policy.costs) == {0.5}


def test_policies_are_told_how_long_finals_wait_and_not_what_they_take():
    class Told(VadFinal):
        levels: list[Level] = []  # noqa: RUF012

        def keep_to(self, level):
            self.levels.append(level)

    played(spoken((1, 2), (3, 4)), policy := Told(CAN, EN_ZH), Scripted(4.0))

    assert {*policy.levels[:-1]} == {Level.NORMAL}
    assert policy.levels[-1] is Level.THINNED


def test_an_utterance_is_cut_where_the_policy_asks_and_goes_on():
    class Cutting(Retranslation):
        def cut_after(self, utterance_id):
            return at(10) if utterance_id == 1 else None

    result = played(spoken((1, 18)), Cutting(CAN, EN_ZH), Scripted(0.1))
    finals = [update.caption for update in result.playback.shown if update.caption.is_final]

    assert finals[0].end == at(10)
    assert finals[1].start == at(10)


def test_what_a_detector_said_once_makes_the_same_utterances():
    talk = spoken((1, 3), (5, 8))
    probabilities = hear(talk, EnergyDetector())
    again = HeardBefore(probabilities, EnergyDetector.window)
    first = played(talk, VadFinal(CAN, EN_ZH), Scripted())
    second = play(talk, VadFinal(CAN, EN_ZH), Scripted().translate, costs=Measured(), detector=again, name="policy")

    assert first == second


def test_the_same_question_is_asked_of_the_model_once_and_others_again():
    model = Scripted()

    class Model:
        def translate(self, request, cancelled):
            return model.translate(request)

    memo = Memo(Model())
    talk = spoken((1, 5))
    for policy in (Retranslation(CAN, EN_ZH), Retranslation(CAN, EN_ZH), LocalAgreement(CAN, EN_ZH)):
        play(talk, policy, memo.translate, costs=Measured(), detector=EnergyDetector(), name="policy")

    assert memo.n_made == len(model.requests)
    assert memo.n_made < memo.n_asked
    n_whole = len({len(request.samples) for request in model.requests if not request.branches[0].committed})
    assert memo.n_made > n_whole  # what forces text is another question
