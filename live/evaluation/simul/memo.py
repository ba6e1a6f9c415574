"""Calls of a translator, each made once: policies played on the same talk ask much alike.

In: Requests. Out: Hypotheses, with the cost that the one call had. A result depends on its request alone, so keeping it
changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import replace

from models.base import Branch, Hypothesis, Piece, Request, Translator


class Memo:
    """A translator that remembers.

    Args:
        translator: loaded.
    """

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._answers: dict[Hashable, Hypothesis] = {}
        self.n_asked = 0
        """Calls asked for."""
        self.n_made = 0
        """Calls that were really made."""

    def translate(self, request: Request) -> Hypothesis:
        """The answer to a request.

        Raises:
            TranslateError: the translator failed.
        """
        self.n_asked += 1
        key = _key(request)
        answer = self._answers.get(key)
        if answer is None:
            self.n_made += 1
            answer = self._answers[key] = self._translator.translate(request, lambda: False)
        return replace(answer, utterance_id=request.utterance_id)

    def forget(self) -> None:
        """Drop all answers: those to come are of another talk."""
        self._answers.clear()


def _key(request: Request) -> Hashable:
    """All that an answer depends on."""
    return (
        hashlib.blake2b(request.samples.tobytes(), digest_size=16).digest(),
        request.start,
        request.source,
        tuple(sorted(request.targets.items())),
        tuple(sorted(request.priors.items())),
        tuple(_branch(branch) for branch in request.branches),
        request.hold,
        request.context,
        request.terms,
        request.is_final,
    )


def _branch(branch: Branch) -> Hashable:
    settings = replace(branch, committed=(), draft=())
    return settings, _texts(branch.committed), _texts(branch.draft)


def _texts(pieces: tuple[Piece, ...]) -> Hashable:
    """What the translator reads of pieces: their ids, or their texts where they have none."""
    return tuple((piece.ids, piece.text) for piece in pieces)
