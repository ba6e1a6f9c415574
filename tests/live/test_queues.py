"""What waits, what gives way and what is never lost between the threads of a session."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

from live.audio import AudioBlock, Lane, Utterance
from live.queues import AudioQueue, JobQueue

RATE = 16_000
BLOCK = 320
WAIT_S = 10.0


def block(index: int = 0, n: int = BLOCK) -> AudioBlock:
    return AudioBlock("microphone", np.zeros((n, 1), np.int16), index * n, float(index))


def utterance(identity: int, lane: Lane = "microphone", *, n: int = BLOCK, final: bool = False) -> Utterance:
    return Utterance(identity, lane, np.zeros(n, np.float32), 0, final)


def in_thread(call) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def taken(jobs: JobQueue) -> list[tuple[str, int, bool]]:
    order = []
    while (job := jobs.get(0)) is not None:
        order.append((job.utterance.lane, job.utterance.id, job.utterance.is_final))
        jobs.done()
    return order


def test_blocks_come_out_in_the_order_they_were_offered():
    queue = AudioQueue(1.0, RATE)
    for index in range(5):
        assert queue.offer(block(index))
    assert [queue.get(0).first for _ in range(5)] == [0, 320, 640, 960, 1280]
    assert queue.get(0) is None


def test_a_full_queue_drops_what_is_offered_and_counts_it():
    queue = AudioQueue(0.1, RATE)  # five blocks
    assert [queue.offer(block(index)) for index in range(7)] == [True] * 5 + [False] * 2
    assert queue.n_dropped == 2 * BLOCK
    assert queue.waiting_s == pytest.approx(0.1)


def test_a_queue_takes_blocks_again_once_there_is_room():
    queue = AudioQueue(0.1, RATE)
    for index in range(6):
        queue.offer(block(index))
    queue.get(0)
    assert queue.offer(block(6))
    assert [queue.get(0).first // BLOCK for _ in range(5)] == [1, 2, 3, 4, 6]


def test_its_capacity_follows_the_rate_the_source_says():
    queue = AudioQueue(0.1)
    queue.rate = 8_000
    assert [queue.offer(block(index)) for index in range(4)] == [True, True, False, False]


def test_a_file_reader_waits_for_room_and_drops_nothing():
    queue = AudioQueue(0.1, RATE)
    n = 200
    reader = in_thread(lambda: [queue.put(block(index)) for index in range(n)] and queue.close())
    firsts = [got.first for got in iter(lambda: queue.get(WAIT_S), None)]
    reader.join(WAIT_S)
    assert firsts == [index * BLOCK for index in range(n)]
    assert queue.n_dropped == 0
    assert queue.is_closed


def test_a_block_longer_than_the_queue_still_goes_through():
    queue = AudioQueue(0.01, RATE)
    assert queue.put(block(n=RATE))
    assert len(queue.get(0).samples) == RATE


def test_a_waiting_reader_gives_up_when_it_is_told_to_stop():
    queue = AudioQueue(0.02, RATE)
    queue.put(block())
    assert not queue.put(block(1), stop=lambda: True)


def test_a_waiting_reader_gives_up_when_the_queue_closes():
    queue = AudioQueue(0.02, RATE)
    queue.put(block())
    answers: list[bool] = []
    reader = in_thread(lambda: answers.append(queue.put(block(1))))
    queue.close()
    reader.join(WAIT_S)
    assert answers == [False]
    assert not queue.offer(block(2))


def test_a_closed_queue_gives_what_is_inside_and_then_nothing_without_waiting():
    queue = AudioQueue(1.0, RATE)
    queue.offer(block())
    queue.close()
    assert not queue.offer(block(1))
    assert queue.n_dropped == 0
    assert queue.get(WAIT_S) is not None
    assert in_and_out(lambda: queue.get(1e6)) is None


def test_a_waiting_consumer_wakes_for_an_offered_block():
    queue = AudioQueue(1.0, RATE)
    got: list[AudioBlock | None] = []
    consumer = in_thread(lambda: got.append(queue.get(WAIT_S)))
    queue.offer(block(3))
    consumer.join(WAIT_S)
    assert got[0].first == 3 * BLOCK


def in_and_out(call):
    """The result of a call that must return by itself."""
    results = []
    thread = in_thread(lambda: results.append(call()))
    thread.join(WAIT_S)
    assert results, "the call did not return"
    return results[0]


def test_only_the_newest_partial_of_a_lane_waits():
    jobs = JobQueue()
    for n in (1, 2, 3):
        jobs.put_partial(utterance(1, n=n))
    job = jobs.get(0)
    assert len(job.utterance.samples) == 3
    assert jobs.get(0) is None


def test_a_final_takes_the_place_of_its_own_partial_only():
    jobs = JobQueue()
    jobs.put_partial(utterance(1))
    jobs.put_final(utterance(1, final=True))
    assert taken(jobs) == [("microphone", 1, True)]
    jobs.put_partial(utterance(2))
    jobs.put_final(utterance(1, final=True))
    assert taken(jobs) == [("microphone", 1, True), ("microphone", 2, False)]


def test_every_final_comes_out_in_order():
    jobs = JobQueue()
    for identity in range(50):
        jobs.put_partial(utterance(identity))
        jobs.put_final(utterance(identity, final=True))
    assert jobs.n_finals == 50
    assert [identity for _, identity, _ in taken(jobs)] == list(range(50))


def test_lanes_take_turns_with_finals_and_with_partials():
    jobs = JobQueue(clock=lambda: 0.0)
    for identity in range(3):
        jobs.put_final(utterance(identity, "microphone", final=True))
    for identity in range(10, 12):
        jobs.put_final(utterance(identity, "system", final=True))
    assert [identity for _, identity, _ in taken(jobs)] == [0, 10, 1, 11, 2]
    served = []
    for identity in range(6):
        jobs.put_partial(utterance(identity, "microphone"))
        jobs.put_partial(utterance(identity, "system"))
        job = jobs.get(0)
        served.append(job.utterance.lane)
    assert served == list(itertools.islice(itertools.cycle(["system", "microphone"]), 6))


def test_a_final_of_any_lane_goes_before_a_partial():
    jobs = JobQueue()
    jobs.put_partial(utterance(1, "microphone"))
    jobs.put_final(utterance(2, "system", final=True))
    assert taken(jobs) == [("system", 2, True), ("microphone", 1, False)]


def test_a_job_says_since_when_it_waits():
    now = itertools.count(100)
    jobs = JobQueue(clock=lambda: float(next(now)))
    jobs.put_partial(utterance(1))
    jobs.put_partial(utterance(1))
    jobs.put_final(utterance(2, final=True))
    assert [jobs.get(0).since_s, jobs.get(0).since_s] == [102.0, 101.0]


def test_closing_drops_partials_and_keeps_finals():
    jobs = JobQueue()
    jobs.put_final(utterance(1, final=True))
    jobs.put_partial(utterance(2))
    jobs.close()
    jobs.put_partial(utterance(3))
    assert not jobs.put_final(utterance(3, final=True))
    assert taken(jobs) == [("microphone", 1, True)]
    assert in_and_out(lambda: jobs.get(1e6)) is None


def test_a_reader_waits_while_too_many_finals_wait():
    jobs = JobQueue()
    for identity in range(4):
        jobs.put_final(utterance(identity, final=True))
    assert not jobs.wait_below(4, stop=lambda: True)
    answers: list[bool] = []
    reader = in_thread(lambda: answers.append(jobs.wait_below(4)))
    jobs.get(0)
    reader.join(WAIT_S)
    assert answers == [True]


def test_the_queue_is_idle_only_when_the_last_job_is_done():
    jobs = JobQueue()
    jobs.put_final(utterance(1, final=True))
    assert not jobs.wait_idle(stop=lambda: True)
    jobs.get(0)
    assert not jobs.wait_idle(stop=lambda: True)
    jobs.done()
    assert jobs.wait_idle(stop=lambda: True)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shares_of_a_slow_model(lengths_s: dict[Lane, float], slowness: float, until_s: float) -> dict[Lane, float]:
    """Time that a model gives each lane, all of which speak without end, and whether all came out in order."""
    clock, used = Clock(), dict.fromkeys(lengths_s, 0.0)
    jobs, ended = JobQueue(clock), dict.fromkeys(lengths_s, 0)
    order: dict[Lane, list[int]] = {lane: [] for lane in lengths_s}
    while clock.now < until_s:
        for lane, length_s in lengths_s.items():
            while (ended[lane] + 1) * length_s <= clock.now:
                ended[lane] += 1
                jobs.put_final(utterance(ended[lane], lane, final=True))
            jobs.put_partial(utterance(ended[lane] + 1, lane))
        job = jobs.get(0)
        lane = job.utterance.lane
        cost_s = slowness * lengths_s[lane] if job.utterance.is_final else 0.1
        clock.now += cost_s
        used[lane] += cost_s
        jobs.done()
        if job.utterance.is_final:
            order[lane].append(job.utterance.id)
    assert all(ids == list(range(1, len(ids) + 1)) for ids in order.values())
    assert sum(map(len, order.values())) + jobs.n_finals == sum(ended.values())
    return used


@pytest.mark.parametrize("lengths_s", [(2.0, 2.0), (2.0, 12.0), (25.0, 1.0)])
def test_two_lanes_share_a_slow_model_by_time_and_lose_nothing(lengths_s):
    used = shares_of_a_slow_model(dict(zip(("microphone", "system"), lengths_s, strict=True)), 1.5, 600.0)
    assert 0.4 <= used["microphone"] / sum(used.values()) <= 0.6


def test_time_in_which_a_lane_asked_for_nothing_is_not_kept_for_later():
    clock = Clock()
    jobs = JobQueue(clock)
    for identity in range(20):
        jobs.put_final(utterance(identity, "microphone", final=True))
    for _ in range(10):
        jobs.get(0)
        clock.now += 5.0
        jobs.done()
    for identity in range(20, 30):
        jobs.put_final(utterance(identity, "system", final=True))
    served = []
    for _ in range(8):
        served.append(jobs.get(0).utterance.lane)
        clock.now += 5.0
        jobs.done()
    assert served.count("system") == 4


def test_the_oldest_final_that_nobody_has_begun_can_be_skipped():
    clock = Clock()
    jobs = JobQueue(clock)
    for identity, lane in ((1, "microphone"), (2, "system"), (3, "microphone")):
        clock.now += 1.0
        jobs.put_final(utterance(identity, lane, final=True))
    assert jobs.skip({1}.__contains__).id == 2
    assert jobs.skip({1}.__contains__).id == 3
    assert jobs.skip({1}.__contains__) is None
    assert taken(jobs) == [("microphone", 1, True)]
