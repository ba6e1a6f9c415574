"""Which language a lane is expected to speak next: the one it spoke last, unless the sound says otherwise clearly.

In: the languages of ended utterances. Out: priors for the next ones. A word of the other language, or a first half
second that could be either, does not turn a conversation.
"""

from __future__ import annotations

from collections.abc import Mapping

from live.audio import Lane, Utterance
from live.segmenter import PRE_ROLL, TAIL
from models.base import SAMPLE_RATE, UNKNOWN

TURN_PROBABILITY = 0.8
"""Another language than the last must be so likely."""
SHORT_TURN_PROBABILITY = 0.95
"""In speech shorter than ENOUGH."""
ENOUGH = round(0.6 * SAMPLE_RATE)
"""Samples of speech that tell a language; less never makes it a lane's."""

TURN_SETTLES = 3 * SAMPLE_RATE
"""Samples of speech after which a text in another language than the lane's last is settled, and the language with it:
a name at the beginning may be all that is foreign."""


class Conversation:
    """What language each lane spoke last."""

    def __init__(self) -> None:
        self._last: dict[Lane, str] = {}

    def priors(self, utterance: Utterance, expected: Mapping[str, float]) -> dict[str, float]:
        """Those languages that may be named, the lane's last one ahead.

        Args:
            utterance: as heard so far.
            expected: 1 for each language that may be named, 0 for the others.
        """
        last = self._last.get(utterance.lane)
        if not expected.get(last or UNKNOWN):
            return dict(expected)
        likely = TURN_PROBABILITY if speech_length(utterance) >= ENOUGH else SHORT_TURN_PROBABILITY
        other = (1 - likely) / likely
        return {language: share if language == last else share * other for language, share in expected.items()}

    def is_hasty(self, utterance: Utterance, source: str) -> bool:
        """Whether so little was said in another language than the lane's last that it may be a name."""
        is_turn = self._last.get(utterance.lane, source) != source
        return is_turn and speech_length(utterance) < TURN_SETTLES

    def note(self, utterance: Utterance, source: str) -> None:
        """Take the language of an ended utterance."""
        if source != UNKNOWN and speech_length(utterance) >= ENOUGH:
            self._last[utterance.lane] = source


def speech_length(utterance: Utterance) -> int:
    """Samples of an utterance that are speech, about: without the sound kept before its onset and in its last pause."""
    before = PRE_ROLL if utterance.continues is None else 0
    tail = TAIL if utterance.is_final else min(utterance.quiet, TAIL)
    return len(utterance.samples) - before - tail
