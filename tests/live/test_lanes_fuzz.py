"""Whatever people and devices do, in any order, a session of two lanes ends in order and keeps what it heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from fakes import FakeSource, Pcm, blocks_of, quiet, tone
from hypothesis import given, settings
from hypothesis import strategies as st
from session_run import Run

from live import lane as lane_module
from live.audio import AudioBlock
from live.capture import Lost
from live.errors import CaptureError
from live.events import (
    Pause,
    Resume,
    SessionStopped,
    SetSources,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSilent,
)
from live.queues import AudioQueue
from live.settings import Settings
from models.base import SAMPLE_RATE

GONE = CaptureError("It is not there.")
LANES = ("microphone", "system")
LANE = st.sampled_from(LANES)
STEPS = st.one_of(
    st.tuples(st.just("say"), LANE, st.floats(0.4, 3.0)),
    st.tuples(st.just("hush"), LANE, st.floats(0.0, 2.0)),
    st.tuples(st.just("lose"), LANE, st.booleans()),
    st.tuples(st.just("come back"), LANE, st.floats(0.0, 20.0)),
    st.tuples(st.just("pause"), st.none(), st.none()),
    st.tuples(st.just("resume"), st.none(), st.none()),
    st.tuples(st.just("choose"), st.sampled_from(["microphone", "system", "both"]), st.booleans()),
)


class Room:
    """Two devices that come and go, a session that listens to them, and what it heard."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.is_there = dict.fromkeys(LANES, True)
        self.devices: dict[str, list[Device]] = {lane: [] for lane in LANES}
        self.said = dict.fromkeys(LANES, 0)
        """Samples of speech that a session took."""
        self.chunks = {lane: [] for lane in LANES}
        first = [self.device(lane) for lane in LANES]
        self.run = Run(
            *first,
            clock=lambda: 0.0,
            settings=Settings(source="both", drop_echo=False),
            open_source=lambda kind, _name: self.device(kind),
            hear=[lambda chunk: self.chunks[chunk.lane].append(chunk)],
        ).listen()

    def device(self, lane: str) -> Device:
        self.devices[lane].append(Device(self, lane))
        return self.devices[lane][-1]

    def open_one(self, lane: str) -> Device | None:
        return next((device for device in self.devices[lane] if device.is_open), None)

    def do(self, step: tuple) -> None:
        match step:
            case "say", lane, seconds:
                self._sound(lane, tone(seconds))
            case "hush", lane, seconds:
                self._sound(lane, quiet(seconds))
            case "lose", lane, comes_back:
                self.is_there[lane] = comes_back
                if device := self.open_one(lane):
                    device.lose("It is gone.")
            case "come back", lane, seconds:
                self.now_s += seconds
                self.is_there[lane] = True
            case "pause", _, _:
                self.run.session.send(Pause())
            case "resume", _, _:
                self.run.session.send(Resume())
            case "choose", kind, is_new:
                name = "another" if is_new else None
                self.run.session.send(SetSources(kind, name, name))

    def _sound(self, lane: str, samples: Pcm) -> None:
        """One lane hears something, the other quiet; time passes for both, and for what is opened meanwhile."""
        openings = [(other, device.opening) for other in LANES if (device := self.open_one(other))]
        self.now_s += len(samples) / SAMPLE_RATE
        for other, opening in openings:
            taken = opening.hear(other, samples if other == lane else np.zeros_like(samples))
            self.said[other] += taken if other == lane and samples.any() else 0


class Opening:
    """A device from being opened to being closed."""

    def __init__(self, queue: AudioQueue, opened_s: float) -> None:
        self._queue, self._opened_s, self._position = queue, opened_s, 0

    def hear(self, lane: str, samples: Pcm) -> int:
        """Deliver sound; returns how much of it was taken."""
        n_before = self._position
        for block in blocks_of(samples):
            stamp_s = self._opened_s + (self._position + len(block)) / SAMPLE_RATE
            if not self._queue.put(AudioBlock(lane, block, self._position, stamp_s)):
                break
            self._position += len(block)
        return self._position - n_before


class Device(FakeSource):
    def __init__(self, room: Room, lane: str) -> None:
        super().__init__(lane)
        self._room = room

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        self.refuses = None if self._room.is_there[self.lane] else GONE
        self.opening = Opening(queue, self._room.now_s)
        super().open(queue, lost)


@contextmanager
def without_delay() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_module, "RETRY_S", 0.001)
        patch.setattr(lane_module, "LONGEST_RETRY_S", 0.001)
        yield


@pytest.mark.usefixtures("deadlines_are_far", "tones_are_speech")
@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_in_any_order_of_events_nothing_is_lost_or_heard_twice_and_the_end_comes_once(steps):
    with without_delay():
        room = Room()
        for step in steps:
            room.do(step)
        room.run.stop()
    recorder = room.run.recorder
    for lane in LANES:
        assert all(after.start >= before.end for before, after in pairwise(room.chunks[lane]))
        shown = [caption for caption in recorder.finals if caption.lane == lane]
        assert sum(caption.end - caption.start for caption in shown) >= 0.9 * room.said[lane]
    closed = [event.id for event in recorder.of(UtteranceClosed)]
    ended = [event.id for event in recorder.of(UtteranceSilent, UtteranceFailed)]
    ended += [caption.id for caption in recorder.finals]
    assert sorted(closed) == sorted(ended)
    assert recorder.stopped == SessionStopped(None)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("segmenter", "translator"))]
    assert not any(device.is_open for devices in room.devices.values() for device in devices)
