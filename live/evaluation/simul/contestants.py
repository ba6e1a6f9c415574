"""The policies that can be compared, by name, and how each is shown to a reader.

In: names. Out: Contestants, which build a policy for a talk. What a policy does is its own module's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from live.evaluation.simul import policies
from live.evaluation.simul.whisper_streaming import WhisperStreaming
from live.events import Mode
from live.policy import Direction
from live.policy.base import LivePolicy
from live.policy.commit import Agreed
from live.policy.streaming import Streaming
from models.base import Capabilities

Build = Callable[[Capabilities, Direction], LivePolicy]

VAD_FINAL = "VAD-final"
LOCAL_AGREEMENT = "LocalAgreement-2"
REDECODING = "re-decoding"
SLOW = " at 1 s"
"""Behind the name of a policy that is updated once a second instead of as often as ours."""
WITH_CUTS = " with our cuts"
"""Behind the name of a policy that may cut long speech where ours does."""
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A policy in the comparison."""

    name: str
    title: str
    """What it is: one line below the table."""
    build: Build
    modes: tuple[Mode, ...] = ("reading",)
    """How it is displayed: each is a line of the table."""
    must_point: bool = False
    """Whether it needs a translator that points."""


_OWN = "re-implemented here"


def _slow(policy: Callable[[Capabilities, Direction, int], LivePolicy]) -> Build:
    return lambda capabilities, direction: policy(capabilities, direction, policies.SLOW_INTERVAL)


def _agreeing(capabilities: Capabilities, direction: Direction) -> LivePolicy:
    """Ours with LocalAgreement-2's rule in the place of its own: what differs then is when text settles, no more."""
    return Streaming(capabilities, direction, rules=(Agreed(times=1),))


ALL: Mapping[str, Contestant] = {
    each.name: each
    for each in (
        Contestant(VAD_FINAL, f"each utterance once, at its end; {_OWN}", policies.VadFinal),
        Contestant(
            "re-translation",
            f"each update decodes everything anew (follow: as it comes; balanced: the last units hidden); {_OWN}",
            policies.Retranslation,
            modes=("follow", "balanced"),
        ),
        Contestant(LOCAL_AGREEMENT, f"what two answers agree on is forced; {_OWN}", policies.LocalAgreement),
        Contestant(LOCAL_AGREEMENT + SLOW, "the same, updated once a second", _slow(policies.LocalAgreement)),
        Contestant(LOCAL_AGREEMENT + WITH_CUTS, "ours, settled by agreement alone", _agreeing),
        Contestant(
            "attention gate",
            f"what points away from the end of the sound is forced at first sight; {_OWN}",
            policies.AttentionGate,
            must_point=True,
        ),
        Contestant(
            REDECODING,
            f"whisper_streaming's: LocalAgreement, nothing forced, all decoded anew; {_OWN}",
            policies.Redecoding,
        ),
        Contestant(
            REDECODING + SLOW, "the same, updated once a second as it is by default", _slow(policies.Redecoding)
        ),
        Contestant(
            OURS,
            "the session's own: drafts verified first, settled when the model is sure of them or says them again",
            Streaming,
            modes=("reading", "balanced", "follow"),
        ),
    )
}
"""In the order of the table."""


def peer(checkout: Path) -> Contestant:
    """whisper_streaming's own class, from a checkout, in the place of what is re-implemented of it."""
    return Contestant(
        REDECODING + SLOW,
        f"whisper_streaming's own OnlineASRProcessor, unchanged, from {checkout}",
        lambda capabilities, direction: WhisperStreaming(capabilities, direction, checkout),
    )
