"""When a text is over, and what of a draft counts as said again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from models.base import Branch, Cancelled, Piece
from models.qwen_audio.decoder import Step
from models.qwen_audio.frontend import AUDIO_TOKEN
from models.qwen_audio.pointing import Sight
from models.qwen_audio.stopping import (
    CANCEL_EVERY,
    HELD_PIECES,
    LOOP_TIMES,
    LOOP_TOKENS,
    Collector,
    Reading,
    looped,
    max_tokens,
)


def never() -> bool:
    return False


@pytest.fixture
def said(toy_tokenizer):
    """Collects a scripted text as if the model had said it; its end is said after it without end."""

    def reading(limit: int) -> Reading:
        return Reading(toy_tokenizer.builder, frozenset({toy_tokenizer.end}), limit)

    def collected(text: str, branch: Branch, limit: int = 10_000, cancelled=never):
        def steps() -> Iterator[Step]:
            yield from (Step(i, -0.25) for i in toy_tokenizer.encode(text))
            while True:
                yield Step(toy_tokenizer.end, 0.0)

        collector = Collector(branch, reading(limit), cancelled)
        said = steps()
        while collector.take(next(said)):
            pass
        return collector.outcome

    return collected


@pytest.fixture
def drafted(toy_tokenizer):
    def pieces(text: str) -> tuple[Piece, ...]:
        ids = toy_tokenizer.encode(text)
        return toy_tokenizer.pieces(ids, [-1.0] * len(ids))

    return pieces


def texts(outcome) -> list[str]:
    return [piece.text for piece in outcome.pieces]


def test_a_text_ends_at_its_end_tag(said):
    outcome = said("we agree", Branch("translate"))
    assert (texts(outcome), outcome.n_agreed, outcome.stop) == (["we", " agree"], 0, "end")


def test_an_empty_text_is_an_empty_outcome(said):
    outcome = said("", Branch("translate"))
    assert (outcome.pieces, outcome.n_agreed, outcome.stop) == ((), 0, "end")


@pytest.mark.parametrize(
    ("draft", "n_agreed"),
    [
        ("we agree with you", 4),
        ("we agree", 2),
        ("we agreed with", 1),
        ("we agree wit", 2),  # the piece goes on: it is not the draft's
        ("I agree", 0),
        ("we agree with you all", 4),
        ("", 0),
    ],
)
def test_a_draft_counts_piece_by_piece_up_to_the_first_that_differs(said, drafted, draft, n_agreed):
    outcome = said("we agree with you", Branch("translate", draft=drafted(draft)))
    assert outcome.n_agreed == n_agreed
    assert outcome.pieces == said("we agree with you", Branch("translate")).pieces


@pytest.mark.parametrize("max_new", [0, 1, 2, 3])
def test_only_so_many_pieces_are_added_to_those_of_the_draft(said, drafted, max_new):
    outcome = said("we agree with you all", Branch("translate", draft=drafted("we agree if"), max_new=max_new))
    assert texts(outcome) == ["we", " agree", " with", " you", " all"][: 2 + max_new]
    assert (outcome.n_agreed, outcome.stop) == (2, "end" if max_new == 3 else "budget")


def test_a_draft_can_be_verified_alone(said, drafted):
    whole = said("好的。", Branch("translate", draft=drafted("好的。"), max_new=0))
    assert (texts(whole), whole.n_agreed, whole.stop) == (["好", "的", "。"], 3, "end")
    part = said("好的。", Branch("translate", draft=drafted("好的"), max_new=0))
    assert (texts(part), part.n_agreed, part.stop) == (["好", "的"], 2, "budget")
    grown = said("translate", Branch("translate", draft=drafted("trans"), max_new=0))
    assert (texts(grown), grown.n_agreed, grown.stop) == ([], 0, "budget")


def test_a_text_longer_than_anybody_speaks_is_stopped(said):
    assert said("abc def ghi", Branch("translate"), limit=8).stop == "budget"
    assert texts(said("abc def ghi", Branch("translate"), limit=8)) == ["abc", " def", " "]
    assert said("abc def ghi", Branch("translate"), limit=11).stop == "end"
    assert max_tokens(16_000) < max_tokens(160_000) < 10_000


def test_a_loop_is_cut_to_what_was_said_once(said):
    outcome = said("yes. " + "no way " * 40, Branch("translate"))
    assert (outcome.text, outcome.stop) == ("yes. no way", "loop")
    assert said("ha" + "哈" * 50, Branch("translate")).text == "ha哈"


def test_half_a_character_is_left_out_where_a_loop_is_cut(said):
    assert "\ufffd" not in said("好" * 30, Branch("translate")).text


def test_a_loop_goes_on_from_what_was_committed(said, drafted):
    committed = drafted("no way no way no way no")
    outcome = said(" way no way no", Branch("translate", committed=committed))
    assert (outcome.text, outcome.stop) == ("", "loop")


def test_what_was_committed_counts_towards_the_longest_text(said, drafted):
    outcome = said(" def ghi", Branch("translate", committed=drafted("abc")), limit=7)
    assert (texts(outcome), outcome.stop) == ([" def"], "budget")


@pytest.mark.parametrize(
    "text", ["very, very, very, very good", "1,000,000,000,000", "ha ha ha ha", "哈哈哈哈", "no no no"]
)
def test_what_people_say_is_no_loop(said, text):
    assert (said(text, Branch("translate")).text, said(text, Branch("translate")).stop) == (text, "end")


@pytest.mark.parametrize("period", [1, 2, 3, 4, 5, 6, 7, 13, 40])
def test_a_loop_of_any_period_is_seen_as_soon_as_it_is_one(period):
    run = list(range(period))
    times = max(LOOP_TIMES, -(-LOOP_TOKENS // period))
    ids = [99, 98, *run * times]
    assert looped(ids) == period * (times - 1)
    assert looped(ids[:-1]) == 0


def test_nobody_waiting_is_noticed_within_a_few_tokens(said):
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        said("a" * 4 * CANCEL_EVERY, Branch("translate"), cancelled=lambda: next(answers))


N_AUDIO, N_HELD = 20, 5
GUESSED = "abcdefghijklmnop"
"""Said word by word, each a piece and two ids."""


@pytest.fixture
def pointing(toy_tokenizer):
    """Collects words of one letter that point to the audio tokens given, one each."""

    def collected(at: list[int], branch: Branch = Branch("translate"), hold: int = N_HELD * AUDIO_TOKEN):  # noqa: B008
        sight = Sight((0,), 1000, N_AUDIO * AUDIO_TOKEN, hold)
        reading = Reading(toy_tokenizer.builder, frozenset({toy_tokenizer.end}), 10_000, sight)
        collector = Collector(branch, reading, never)
        for word, token in zip(GUESSED, at, strict=False):
            seen = torch.zeros(1, N_AUDIO)
            seen[0, token] = 1.0
            if not all(collector.take(Step(i, -0.25, seen)) for i in toy_tokenizer.encode(f" {word}")):
                return collector.outcome
        collector.take(Step(toy_tokenizer.end, 0.0, seen))
        return collector.outcome

    return collected


def test_a_text_that_goes_on_pointing_to_the_end_of_the_sound_is_over(pointing):
    outcome = pointing([3, 9, *[N_AUDIO - 1] * 14])
    assert (len(outcome.pieces), outcome.stop) == (2 + HELD_PIECES, "hold")
    assert [piece.tail_mass for piece in outcome.pieces] == [0.0, 0.0, *[1.0] * HELD_PIECES]


def test_a_piece_that_points_elsewhere_between_them_lets_it_go_on(pointing):
    late = N_AUDIO - N_HELD
    outcome = pointing([*[late] * (HELD_PIECES - 1), late - 1, *[late] * (HELD_PIECES - 1)])
    assert outcome.stop == "end"
    assert [piece.at for piece in outcome.pieces] == [1000 + late * AUDIO_TOKEN + AUDIO_TOKEN // 2] * 13


def test_what_a_draft_says_again_is_no_guess(pointing, drafted):
    draft = drafted(" a b c d e f g h i j")
    outcome = pointing([N_AUDIO - 1] * 12, Branch("translate", draft=draft))
    assert (len(outcome.pieces), outcome.n_agreed, outcome.stop) == (12, 10, "end")
    outcome = pointing([N_AUDIO - 1] * 16, Branch("translate", draft=draft[:6]))
    assert (len(outcome.pieces), outcome.n_agreed, outcome.stop) == (6 + HELD_PIECES, 6, "hold")


def test_without_a_hold_nothing_ends_for_pointing(pointing):
    assert pointing([N_AUDIO - 1] * 16, hold=0).stop == "end"
