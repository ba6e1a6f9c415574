"""What tests of sessions stand on: tones for speech, and ends that come by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fakes import WAIT_S, EnergyDetector, FakeSource
from session_run import Run

from live import lane as lane_module
from live import lanes as lanes_module
from live import session as session_module
from live.events import Stop
from live.settings import Settings


@pytest.fixture
def tones_are_speech(monkeypatch) -> None:
    monkeypatch.setattr(lanes_module, "make_detector", lambda _: EnergyDetector())


@pytest.fixture
def deadlines_are_far(monkeypatch) -> None:
    """An end that waits for a deadline fails its test."""
    monkeypatch.setattr(session_module, "DRAIN_S", 10 * WAIT_S)
    monkeypatch.setattr(session_module, "CLOSE_S", 10 * WAIT_S)


@pytest.fixture
def run(tones_are_speech, deadlines_are_far) -> Iterator[Callable[..., Run]]:
    """Makes sessions, and stops them at the end of the test."""
    runs: list[Run] = []

    def make(*args, **options) -> Run:
        runs.append(Run(*args, **options))
        return runs[-1]

    yield make
    for made in runs:
        made.session.send(Stop())
        assert made.session.join(WAIT_S)


@pytest.fixture
def both(run, monkeypatch) -> Callable:
    """Makes sessions of two lanes whose clock stands, and whose devices are looked for without delay."""
    monkeypatch.setattr(lane_module, "RETRY_S", 0.01)
    monkeypatch.setattr(lane_module, "LONGEST_RETRY_S", 0.01)

    def make(me: FakeSource | None = None, them: FakeSource | None = None, **options):
        sources = (me or FakeSource("microphone"), them or FakeSource("system"))
        return run(*sources, clock=lambda: 0.0, settings=Settings(source="both"), **options), *sources

    return make
