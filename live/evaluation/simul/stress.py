"""Our policy where it is hard: a model far too slow, an hour of speech, and sounds in which nobody speaks.

In: talks, sounds and a translator. Out: Findings. What plays them is player's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from statistics import median

import numpy as np

from live.audio import seconds
from live.evaluation.simul.contestants import ALL, OURS
from live.evaluation.simul.costs import Measured
from live.evaluation.simul.measures import LEAST_SPEECH
from live.evaluation.simul.player import Call, HeardBefore, Played, hear, play
from live.evaluation.simul.record import Sentence, Talk
from live.policy import Direction
from live.vad import Detector
from models.base import SAMPLE_RATE, Capabilities, Hypothesis, Request, Samples, Translator

SLOWER = 8.0
HOUR_S = 3600.0
SETTLED_IN_S = 300.0
"""The hour is held against its fifth minute: by then all is loaded and warm."""
_MINUTE_S = 60.0
LAG_TOLERANCE_S = 0.1
"""Lags of two minutes differ by as much though nothing grows."""
MEMORY_TOLERANCE = 0.05
"""Share by which the process may grow without anything leaking."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one trial."""

    what: str
    figure: str
    wanted: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Model:
    """What all trials are of."""

    translator: Translator
    can: Capabilities
    detector: Callable[[], Detector]
    rest: Callable[[], None] = lambda: None
    """What a model process does after a final."""


def slowed(model: Model, talk: Talk) -> list[Finding]:
    """Every final there and in order though the model is SLOWER times as slow as it is here."""
    normal, slow = (_played(model, talk, Measured(factor=factor)) for factor in (1.0, SLOWER))
    missed, before = (_without_final(result) for result in (slow, normal))
    finals = [update.caption for update in slow.playback.shown if update.caption.is_final]
    is_ordered = all(earlier.start < later.start for earlier, later in pairwise(finals))
    lag_s = max((call.lag_s for call in slow.calls if call.is_final), default=0.0)
    what = f"model {SLOWER:g} times as slow, {talk.name}"
    return [
        Finding(f"{what}: sentences without a final", f"{missed}", f"<= {before} (at full speed)", missed <= before),
        Finding(f"{what}: finals in order", f"{len(finals)}", "all", is_ordered and bool(finals)),
        Finding(f"{what}: longest lag of a final", f"{lag_s:.1f} s", "said", is_met=True),
    ]


def _without_final(result: Played) -> int:
    """Sentences of a talk that no final caption is about."""
    finals = [update.caption for update in result.playback.shown if update.caption.is_final]
    return sum(
        not any(min(final.end, said.end) - max(final.start, said.start) >= LEAST_SPEECH for final in finals)
        for said in result.playback.talk.sentences
    )


def hour(model: Model, talks: Sequence[Talk], resident: Callable[[], int]) -> list[Finding]:
    """No growing lag and no growing memory in an hour without a break.

    Args:
        model: what is played with.
        talks: of one language; they are played one after the other, again and again.
        resident: bytes of memory that this process holds.
    """
    talk = repeated(talks, HOUR_S)
    memory: list[tuple[float, int]] = []

    def translate(request: Request) -> Hypothesis:
        memory.append((seconds(request.start), resident()))
        hypothesis = model.translator.translate(request, lambda: False)
        if request.is_final:
            model.rest()
        return hypothesis

    policy = ALL[OURS].build(model.can, Direction(talk.source, {talk.source: talk.target}))
    costs, detector = Measured(), _heard(model, talk)
    result = play(talk, policy, translate, costs=costs, detector=detector, name=OURS, show=lambda _shown: None)
    end_s = seconds(len(talk.samples))
    early_s, late_s = (_lag_s(result.calls, until_s) for until_s in (SETTLED_IN_S, end_s))
    early = max(held for at_s, held in memory if at_s < SETTLED_IN_S)
    late = max(held for at_s, held in memory if at_s >= end_s - _MINUTE_S)
    what = f"{end_s / 60:.0f} minutes"
    most_s, most = early_s + LAG_TOLERANCE_S, early * (1 + MEMORY_TOLERANCE)
    return [
        Finding(f"{what}: lag at the end", f"{late_s:.2f} s", f"<= {most_s:.2f} s (minute 5, +0.1)", late_s <= most_s),
        Finding(f"{what}: memory at the end", _size(late), f"<= {_size(most)} (minute 5, +5 %)", late <= most),
    ]


def sound(model: Model, kind: str, samples: Samples, direction: Direction) -> Finding:
    """No settled text for sounds in which nobody speaks."""
    (source, target), *_ = direction.targets.items()
    talk = Talk(kind, source, target, samples, ())
    policy = ALL[OURS].build(model.can, direction)
    translate = _asking(model.translator)
    result = play(talk, policy, translate, costs=Measured(), detector=_heard(model, talk), name=OURS)
    texts = {update.caption.id: update.caption.translation.settled_text for update in result.playback.shown}
    n = sum(bool(text.strip()) for text in texts.values())
    what = f"{seconds(len(samples)) / 60:.0f} minutes of {kind}: captions with settled text"
    return Finding(what, f"{n} of {len({call.utterance_id for call in result.calls})} utterances", "0", n == 0)


def repeated(talks: Sequence[Talk], least_s: float) -> Talk:
    """Talks one behind the other, again and again, until they are so long."""
    parts: list[Talk] = []
    while sum(len(part.samples) for part in parts) < least_s * SAMPLE_RATE:
        parts.append(talks[len(parts) % len(talks)])
    starts = np.cumsum([0, *(len(part.samples) for part in parts)]).tolist()
    sentences = chain.from_iterable(
        (Sentence(said.start + start, said.end + start, said.source, said.reference) for said in part.sentences)
        for part, start in zip(parts, starts, strict=False)
    )
    samples = np.concatenate([part.samples for part in parts])
    return Talk("hour", talks[0].source, talks[0].target, samples, tuple(sentences))


def _played(model: Model, talk: Talk, costs: Measured) -> Played:
    policy = ALL[OURS].build(model.can, Direction(talk.source, {talk.source: talk.target}))
    translate = _asking(model.translator)
    return play(talk, policy, translate, costs=costs, detector=_heard(model, talk), name=OURS)


def _asking(translator: Translator) -> Callable[[Request], Hypothesis]:
    return lambda request: translator.translate(request, lambda: False)


def _heard(model: Model, talk: Talk) -> HeardBefore:
    detector = model.detector()
    return HeardBefore(hear(talk, detector), detector.window)


def _lag_s(calls: Sequence[Call], until_s: float) -> float:
    """The median lag of the answers of one minute."""
    return median(call.lag_s for call in calls if until_s - _MINUTE_S <= call.ended_s < until_s)


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e6:.0f} MB"
