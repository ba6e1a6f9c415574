"""What calls cost on the simulated clock."""

import json

import pytest

from live.errors import LiveError
from live.evaluation.simul.costs import Measured, Rates, decode_steps, read_rates
from models.base import Cost, Hypothesis, Outcome, Piece

RATES = Rates("test", encode_s=1.0, prefill_s=0.1, decode_s=0.01)


def outcome(n_agreed: int, *texts: str) -> Outcome:
    return Outcome(tuple(Piece((ord(text[0]),) * len(text), text, 0.0) for text in texts), n_agreed, "end")


def answer(*outcomes: Outcome, decoded: int = 100) -> Hypothesis:
    cost = Cost(0.1, 0.2, 0.3, audio_tokens=50, prefilled_tokens=20, decoded_tokens=decoded)
    return Hypothesis(1, "en", "zh", {}, outcomes, cost)


def test_measured_cost_is_the_calls_own_times_the_slowdown():
    assert Measured().seconds(answer()) == pytest.approx(0.6)
    assert Measured(factor=8.0).seconds(answer()) == pytest.approx(4.8)


def test_rates_charge_sound_tokens_read_and_steps():
    assert RATES.seconds(answer(outcome(1, "甲", "乙", "丙丁"))) == pytest.approx(2.0 + 2.0 + 0.03)


def test_texts_written_side_by_side_take_as_many_steps_as_the_longest():
    assert decode_steps(answer(outcome(0, "甲", "乙"), outcome(0, "word"))) == 4


def test_a_draft_that_was_right_takes_no_steps():
    assert decode_steps(answer(outcome(2, "甲", "乙"))) == 0


def test_steps_are_never_more_than_the_tokens_decoded():
    assert decode_steps(answer(outcome(0, "甲", "乙"), decoded=1)) == 1


def bench(**figures: object) -> str:
    stages = {"encoder_s": 0.02, "prefill_s": 0.05, "first_s": 0.07, "token_s": 0.006, "whole_s": 0.3}
    clips = [{"seconds": 2.0, "ours": dict.fromkeys(stages, 9.0)}, {"seconds": 10.0, "ours": {**stages, **figures}}]
    return json.dumps({"size": "8.4b", "quant": "none", "device": "a GPU", "clips": clips})


def test_rates_are_read_from_what_the_bench_measured_on_a_usual_clip(tmp_path):
    file = tmp_path / "rates.json"
    file.write_text(bench())
    rates = read_rates(file)

    assert rates.name == "8.4b (none) measured on a GPU"
    assert (rates.encode_s, rates.prefill_s, rates.decode_s) == pytest.approx((0.002, 0.0002, 0.006))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"clips": []}', bench(token_s="fast"), bench(encoder_s=-1)])
def test_a_file_that_holds_no_rates_is_said_in_a_sentence(tmp_path, content):
    file = tmp_path / "rates.json"
    file.write_text(content)

    with pytest.raises(LiveError, match=r"rates\.json"):
        read_rates(file)


def test_rates_that_are_not_there_are_said_in_a_sentence(tmp_path):
    with pytest.raises(LiveError, match="cannot be read"):
        read_rates(tmp_path / "rates.json")
