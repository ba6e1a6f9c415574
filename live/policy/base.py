"""What every policy is: the protocol between the translator thread and whoever decides what is asked and shown."""

from __future__ import annotations

from typing import Protocol

from live.audio import Utterance
from live.events import Caption
from live.policy.direction import Direction
from live.policy.load import Level
from models.base import Hypothesis, Request


class Policy(Protocol):
    """How a session turns growing utterances into captions. Called from the translator thread; `turn` from any."""

    def turn(self, direction: Direction) -> None:
        """Use a direction from the next utterance on."""
        ...

    def request(self, utterance: Utterance) -> Request | None:
        """What to ask of the translator about an utterance as heard so far; None, never of a final: nothing is due."""
        ...

    def caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption | None:
        """What is to be read after this answer; None where nothing is, and nothing was."""
        ...

    def cut_after(self, utterance_id: int) -> int | None:
        """The session sample before which the segmenter should end a growing utterance; asked after each answer."""
        ...

    def forget(self, utterance_id: int) -> Caption | None:
        """Drop what is kept of an utterance that was given up.

        Returns:
            Its last caption, with what had been settled; None where nothing had.
        """
        ...


class LivePolicy(Policy, Protocol):
    """A policy that a session keeps up with the sound."""

    stability_s: float
    """How long after it was heard the text that was settled last had settled; 0 where all waits for the end."""

    def keep_to(self, level: Level) -> None:
        """Leave out of what is asked what a level of load leaves out; from the next request on."""
        ...
