"""Many talks through many policies, in processes: each talk goes to one, which asks the translator everything once.

In: talks, contestants, cost models. Out: Played, in the order of the table. Torch comes in only with the translator's
own package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from live.evaluation.simul import contestants
from live.evaluation.simul.contestants import Contestant
from live.evaluation.simul.costs import CostModel
from live.evaluation.simul.memo import Memo
from live.evaluation.simul.player import Call, HeardBefore, Played, hear, play
from live.evaluation.simul.record import Playback, Shown, Talk
from live.policy import Direction
from live.vad import make_detector
from models.base import Capabilities, Translator, TranslatorFactory
from models.worker_child import set_environment


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played of each talk."""

    factory: TranslatorFactory
    policies: tuple[str, ...]
    costs: tuple[CostModel, ...]
    detector: str = "silero"
    peer: Path | None = None
    """A checkout of whisper_streaming."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one talk, policy and cost model; small enough to travel."""

    policy: str
    cost_model: str
    shown: tuple[Shown, ...]
    calls: tuple[Call, ...]


def found(plan: Plan) -> list[Contestant]:
    """The policies of a plan, as asked for."""
    named = dict(contestants.ALL)
    if plan.peer is not None:
        other = contestants.peer(plan.peer)
        named[other.name] = other
    return [named[name] for name in plan.policies]


def play_all(talks: Sequence[Talk], plan: Plan, n_processes: int) -> Iterator[list[Played]]:
    """Play all talks; yields what came of each, as it is done.

    Raises:
        LiveError: a policy cannot be built.
        ModelError: the model cannot be loaded, or failed.
    """
    with ProcessPoolExecutor(n_processes, mp_context=get_context("spawn")) as processes:
        waiting = {processes.submit(play_talk, talk, plan): talk for talk in talks}
        try:
            for done in as_completed(waiting):
                talk = waiting[done]
                yield [
                    Played(Playback(talk, each.policy, each.shown), each.cost_model, each.calls)
                    for each in done.result()
                ]
        finally:
            processes.shutdown(wait=False, cancel_futures=True)


def play_talk(talk: Talk, plan: Plan) -> list[Result]:
    """Play one talk through all of a plan, in this process."""
    translator, can = _loaded(plan.factory.target, tuple(sorted(plan.factory.arguments.items())))
    detector = make_detector(plan.detector)
    probabilities = hear(talk, detector)
    memo = Memo(translator)
    results = []
    for contestant in found(plan):
        if contestant.must_point and not can.points:
            continue
        for costs in plan.costs:
            policy = contestant.build(can, Direction(talk.source, {talk.source: talk.target}))
            played = play(
                talk,
                policy,
                memo.translate,
                costs=costs,
                detector=HeardBefore(probabilities, detector.window),
                name=contestant.name,
            )
            results.append(Result(contestant.name, costs.name, played.playback.shown, played.calls))
    return results


@cache
def _loaded(target: str, arguments: tuple[tuple[str, object], ...]) -> tuple[Translator, Capabilities]:
    """The translator of this process."""
    set_environment()  # as in a session's model process
    translator = TranslatorFactory(target, dict(arguments))()
    return translator, translator.load(lambda _share: None)
