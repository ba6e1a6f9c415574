"""Where the sound of a device lands on its lane, whatever the device does; time here is made up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from audio_clips import tone
from fakes import FakeSource

from live.audio import AudioBlock, AudioChunk
from live.clock import SessionClock
from live.events import AudioDropped
from live.queues import AudioQueue
from live.timeline import AWAY, LATE, SLOW, STALLED, Timeline
from models.base import SAMPLE_RATE

RATE = SAMPLE_RATE
SECOND = SAMPLE_RATE


class Lane:
    """A timeline, what it gave out, and what it said was missing."""

    def __init__(self, lane="microphone", rate=RATE, *, heard=0, was_away=False, clock=None) -> None:
        self.clock = clock or SessionClock()
        self.lane, self.rate = lane, rate
        self.dropped: list[AudioDropped] = []
        self.chunks: list[AudioChunk] = []
        source = FakeSource(lane, rate=rate)
        self.queue = AudioQueue(0.0, rate)  # it only counts
        self.timeline = Timeline(source, self.queue, self.clock, self.dropped.append, heard=heard, was_away=was_away)

    def push(self, samples, first, stamp_s) -> None:
        self.chunks += self.timeline.push(AudioBlock(self.lane, samples[:, None], first, stamp_s))

    def lose(self, n_samples) -> None:
        """The queue takes so many samples no more."""
        assert not self.queue.offer(AudioBlock(self.lane, np.zeros((n_samples, 1), np.int16), 0, 0.0))

    def flush(self) -> None:
        self.chunks += self.timeline.flush()

    @property
    def sound(self) -> np.ndarray:
        """All of it, from sample 0 of the session; no sample twice."""
        chunks = [chunk for chunk in self.chunks if len(chunk.samples)]
        assert all(after.start >= before.end for before, after in pairwise(chunks))
        sound = np.zeros(chunks[-1].end, np.float32)
        for chunk in chunks:
            sound[chunk.start : chunk.end] = chunk.samples
        return sound

    def click_s(self) -> float:
        return int(np.argmax(np.abs(self.sound))) / SAMPLE_RATE


def loud(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.full(round(seconds * rate), 10_000, np.int16)


def blocks(samples: np.ndarray, rate: int, size_s: float) -> Iterator[tuple[int, np.ndarray]]:
    size = round(size_s * rate)
    for first in range(0, len(samples), size):
        yield first, samples[first : first + size]


def hours(lane: Lane, *, drift: float, clicks_s: tuple[float, ...], length_s: float, seed: int) -> list[float]:
    """A device whose clock runs `drift` slow, clicks at true times; returns where they land on the session's clock.

    Of the sound only what stands around the clicks is looked at.
    """
    rng = np.random.default_rng(seed)
    size = lane.rate  # blocks of a second, so that hours pass quickly
    device_rate = lane.rate / (1 + drift)
    clicks = [round(at_s * device_rate) for at_s in clicks_s]
    found = []
    for first in range(0, round(length_s * device_rate), size):
        samples = np.zeros(size, np.int16)
        for click in clicks:
            if first <= click < first + size:
                samples[click - first] = 30_000
        late_s = rng.exponential(0.005) + (rng.random() < 0.02) * rng.uniform(0, 0.2)
        lane.push(samples, first, (first + size) / device_rate + late_s)
        for chunk in lane.chunks:
            if len(chunk.samples) and np.abs(chunk.samples).max() > 0.5:
                found.append((chunk.start + int(np.argmax(np.abs(chunk.samples)))) / SAMPLE_RATE)
        lane.chunks.clear()
    return found


def test_two_clicks_three_hours_apart_on_two_devices_that_drift_apart_are_less_than_100_ms_off():
    clock = SessionClock()
    clicks_s = (60.0, 10_860.0)
    mine = hours(Lane(clock=clock), drift=50e-6, clicks_s=clicks_s, length_s=10_870, seed=1)
    theirs = hours(Lane("system", clock=clock), drift=-50e-6, clicks_s=clicks_s, length_s=10_870, seed=2)
    assert len(mine) == len(theirs) == 2
    for here, there in zip(mine, theirs, strict=True):
        assert abs(here - there) < 0.05
    assert mine[1] - mine[0] == pytest.approx(10_800, abs=0.05)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("drift", [-200e-6, 200e-6])
def test_correcting_drift_leaves_a_tone_clean(rate, drift):
    lane = Lane(rate=rate)
    hz, seconds = 1_000.0, 60.0
    samples = np.round(tone(seconds, hz, 0.3, rate) * 32_767).astype(np.int16)
    for first, block in blocks(samples, rate, 0.02):
        lane.push(block, first, (first + len(block)) / rate * (1 + drift))
    lane.flush()
    sound = lane.sound[20 * SECOND : 59 * SECOND]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    at_hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    near = spectrum[np.abs(at_hz - hz) < 15].sum()
    assert 0.2 < (len(lane.sound) - seconds * SECOND) / (seconds * drift * SECOND) < 1.0  # it was corrected
    assert 10 * np.log10(near / (spectrum.sum() - near)) > 35
    assert lane.dropped == []


def test_what_a_device_swallowed_is_said_and_costs_no_time():
    lane = Lane()
    for first, block in blocks(loud(3.0), RATE, 0.02):
        lane.push(block, first, (first + len(block)) / RATE + (2.0 if first >= SECOND else 0.0))
    lane.flush()
    assert len(lane.sound) == 5 * SECOND
    assert not lane.sound[SECOND + 320 : 3 * SECOND - 320].any()
    assert lane.sound[3 * SECOND + 320 :].all()
    assert [(event.n_samples, event.reason) for event in lane.dropped] == [(2 * SECOND, STALLED)]


@pytest.mark.parametrize("lane", ["microphone", "system"])
@pytest.mark.parametrize("held_s", [0.3, 0.45, 0.6, 3.0])
def test_sound_that_was_held_up_and_comes_all_at_once_stays_where_it_was(lane, held_s):
    lane = Lane(lane)
    for first, block in blocks(loud(8.0), RATE, 0.02):
        end_s = (first + len(block)) / RATE
        lane.push(block, first, max(end_s, 2.0 + held_s if end_s > 2.0 else 0.0))
    lane.flush()
    assert len(lane.sound) == 8 * SECOND
    assert lane.sound.all()
    assert lane.dropped == []


def test_of_sound_that_was_held_up_the_end_is_not_kept_back():
    lane = Lane()
    for first, block in blocks(loud(2.04), RATE, 0.02):
        lane.push(block, first, (first + len(block)) / RATE if first < 2 * SECOND else 3.0)
    lane.flush()
    assert len(lane.sound) == round(2.04 * SECOND)
    assert lane.sound.all()


def test_after_a_pause_computer_sound_is_kept_back_for_a_moment_only():
    lane = Lane("system")
    lane.push(loud(1.0), 0, 1.0)
    for n in range(1, 6):
        lane.push(loud(0.02), SECOND + 320 * (n - 1), 3.0 + 0.02 * n)
    assert lane.chunks[-1].end == round(3.1 * SECOND)
    assert not lane.sound[SECOND + 320 : 3 * SECOND - 320].any()


def test_computer_sound_that_pauses_is_silence_and_no_loss():
    lane = Lane("system")
    for first, block in blocks(loud(3.0), RATE, 0.02):
        lane.push(block, first, (first + len(block)) / RATE + (2.0 if first >= SECOND else 0.0))
    lane.flush()
    assert len(lane.sound) == 5 * SECOND
    assert lane.dropped == []


def test_silence_let_pass_while_nothing_came_is_not_passed_again():
    lane = Lane("system")
    lane.push(loud(1.0), 0, 1.0)
    for _ in range(20):
        lane.chunks += lane.timeline.wait(0.1)
    assert lane.chunks[-1].end == 3 * SECOND
    lane.push(loud(1.0), SECOND, 4.5)
    lane.flush()
    assert len(lane.sound) == pytest.approx(4.5 * SECOND, abs=1)
    assert not lane.sound[SECOND + 1 : 3 * SECOND].any()
    assert lane.dropped == []


def test_after_a_long_silence_time_goes_on_without_sound_in_its_place():
    lane = Lane()
    lane.push(loud(1.0), 0, 1.0)
    lane.push(loud(1.0), SECOND, 8 * 3600.0)
    lane.flush()
    assert [(chunk.start, chunk.end) for chunk in lane.chunks if len(chunk.samples)] == [
        (0, SECOND),
        ((8 * 3600 - 1) * SECOND, 8 * 3600 * SECOND),
    ]
    assert [(event.start, event.n_samples) for event in lane.dropped] == [(SECOND, (8 * 3600 - 2) * SECOND)]


def test_sound_whose_time_has_passed_is_left_out_and_said():
    lane = Lane()
    for first, block in blocks(loud(3.0), RATE, 0.02):
        lane.push(block, first, (first + len(block)) / RATE + (0.5 if first < SECOND else 0.0))
    lane.flush()
    assert len(lane.sound) == pytest.approx(2.5 * SECOND, abs=0.1 * SECOND)
    assert {event.reason for event in lane.dropped} == {LATE}
    assert sum(event.n_samples for event in lane.dropped) == pytest.approx(0.5 * SECOND, abs=0.1 * SECOND)


@pytest.mark.parametrize(("was_away", "reasons"), [(True, [AWAY]), (False, [])])
def test_the_time_before_a_device_came_back_is_said_only_where_it_was_lost(was_away, reasons):
    clock = SessionClock()
    clock.begin(100.0)
    lane = Lane(heard=2 * SECOND, was_away=was_away, clock=clock)
    lane.push(loud(1.0), 0, 106.0)
    assert (lane.chunks[0].start, lane.chunks[0].end) == (5 * SECOND, 6 * SECOND)
    assert [event.reason for event in lane.dropped] == reasons
    assert [(event.start, event.n_samples) for event in lane.dropped] == [(2 * SECOND, 3 * SECOND)] * len(reasons)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_sound_of_a_time_heard_before_is_left_out(rate):
    clock = SessionClock()
    clock.begin(0.0)
    lane = Lane(rate=rate, heard=2 * SECOND, clock=clock)
    lane.push(loud(2.0, rate), 0, 3.0)
    lane.flush()
    assert (lane.chunks[0].start, lane.chunks[-1].end) == (2 * SECOND, 3 * SECOND)


def test_what_found_no_room_in_the_queue_is_said_once():
    lane = Lane()
    for first, block in blocks(loud(1.0), RATE, 0.02):
        lane.push(block, first, (first + len(block)) / RATE)
    lane.lose(SECOND)
    lane.push(loud(0.02), 2 * SECOND, 2.02)
    lane.flush()
    assert [(event.start, event.n_samples, event.reason) for event in lane.dropped] == [(SECOND, SECOND, SLOW)]


def test_what_found_no_room_at_the_end_is_said_too():
    lane = Lane()
    lane.push(loud(1.0), 0, 1.0)
    lane.lose(SECOND)
    lane.flush()
    assert [(event.start, event.n_samples, event.reason) for event in lane.dropped] == [(SECOND, SECOND, SLOW)]


def test_a_file_has_no_clock_but_its_samples():
    lane = Lane("file")
    for first, block in blocks(loud(3.0), RATE, 1.0):
        lane.push(block, first, 0.0)
    assert [(chunk.start, chunk.end) for chunk in lane.chunks] == [(i * SECOND, (i + 1) * SECOND) for i in range(3)]
    assert lane.dropped == []
