"""What the streaming policy settles, and where it asks for a cut, while somebody makes no pause."""

from __future__ import annotations

import numpy as np
import pytest
from test_streaming import STEP, answer, policy, texts

from live.audio import Utterance
from live.events import Caption
from live.policy import Streaming
from live.policy.monologue import GIVE_UP, PATIENCE
from models.base import SAMPLE_RATE

QUIET = 6 * SAMPLE_RATE
FIRST, ENDED, NEXT, AGREED = (round(seconds * SAMPLE_RATE) for seconds in (5.6, 6.0, 6.8, 7.2))
"""Where the sound ends when the first sentence is said, is said again, and the next one is said, once and again."""


def said(held: Streaming, n: int, translation: str, transcript: str, *, lull: bool) -> Caption | None:
    """What is shown of sound that is loud but for its beginning and, perhaps, a moment behind the first sentence."""
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, n).astype(np.float32)
    samples[:4800] = 0.0
    if lull:
        samples[QUIET - 1600 : QUIET + 1600] = 0.0
    growing = Utterance(1, "microphone", samples, 0, is_final=False)
    request = held.request(growing)
    assert request is not None
    return held.caption(growing, answer(request, translation, transcript))


def up_to_the_next_sentence(*, lull: bool, mark: str = ".") -> tuple[Streaming, Caption | None]:
    held = policy("zh")
    said(held, FIRST, "A b", "a b", lull=lull)
    said(held, ENDED, f"A b{mark}", "a b.", lull=lull)
    said(held, NEXT, f"A b{mark} C d", "a b. c d", lull=lull)
    return held, said(held, AGREED, f"A b{mark} C d e", "a b. c d e", lull=lull)


def test_a_cut_is_asked_for_between_two_sentences_and_told_once():
    held, caption = up_to_the_next_sentence(lull=True)
    assert texts(caption)[::2] == (" A b.", " a b.")
    assert held.cut_after(1) == pytest.approx(QUIET, abs=100)
    assert held.cut_after(1) is None
    assert held.cut_after(2) is None


def test_nothing_behind_the_cut_is_settled_while_it_is_waited_for_and_a_refused_one_is_asked_for_again():
    held, _ = up_to_the_next_sentence(lull=True)
    held.cut_after(1)
    for n in range(AGREED + STEP, AGREED + PATIENCE + 1, STEP):
        caption = said(held, n, "A b. C d e", "a b. c d e", lull=True)
        assert texts(caption)[::2] == (" A b.", " a b.")
        assert held.cut_after(1) is None
    said(held, AGREED + PATIENCE + STEP, "A b. C d e", "a b. c d e", lull=True)
    assert held.cut_after(1) == pytest.approx(QUIET, abs=100)


@pytest.mark.parametrize("mark", [".", ""], ids=["both texts", "one text has no end of a sentence"])
def test_sentences_without_a_lull_between_them_are_settled_together_after_a_while(mark):
    held, caption = up_to_the_next_sentence(lull=False, mark=mark)
    assert held.cut_after(1) is None
    assert texts(caption)[2] == " a b."
    last = NEXT + PATIENCE + GIVE_UP
    for n in range(AGREED + STEP, last + 1, STEP):
        caption = said(held, n, f"A b{mark} C d e", "a b. c d e", lull=False)
        assert texts(caption)[2] == " a b."
    said(held, last + STEP, f"A b{mark} C d e", "a b. c d e", lull=False)
    caption = said(held, last + 2 * STEP, f"A b{mark} C d e", "a b. c d e", lull=False)
    assert texts(caption)[2] == " a b. c d"
    assert held.cut_after(1) is None
