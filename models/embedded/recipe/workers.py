"""Numbered jobs in, their results out, made by processes that may die: a job whose process died is done again.

In: a job, numbers, how many processes. Out: results as they come. Each process has a pool of its own, so that one that
dies takes no other's job with it: espeak-ng crashes once in some ten thousand sentences. What a job makes is not this
module's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")
Job = Callable[[int, int], Result]
"""Takes its number, and how many times it has been changed because it kept dying."""

TRIES = 3
"""Deaths in a row after which a job is changed."""
MAX_CHANGES = 3


class WorkerError(RuntimeError):
    """A job killed every process that it was given to."""


class _Lane:
    """One process, replaced when it dies."""

    def __init__(self, is_fresh: bool) -> None:
        self._is_fresh = is_fresh  # the library's own max_tasks_per_child hangs at its end in Python 3.11
        self._pool = self._new_pool()

    @staticmethod
    def _new_pool() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def do(self, job: Job[Result], number: int, show: Callable[[str], None]) -> Result:
        for death in range(TRIES * (1 + MAX_CHANGES)):
            try:
                result = self._pool.submit(job, number, death // TRIES).result()
            except BrokenProcessPool:
                self._renew()
            else:
                if self._is_fresh:
                    self._renew()
                return result
            is_changed = (death + 1) % TRIES == 0
            then = "it is skipped, and another made in its place" if is_changed else "it is made again"
            show(f"the process that made number {number} died; {then}")
        raise WorkerError(
            f"Number {number} ended its process {TRIES * (1 + MAX_CHANGES)} times; nothing more is tried."
        )

    def _renew(self) -> None:
        self.close()
        self._pool = self._new_pool()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def each(
    job: Job[Result],
    numbers: Iterable[int],
    n_processes: int,
    show: Callable[[str], None],
    is_over: Callable[[], bool] = lambda: False,
    *,
    is_fresh: bool = False,
) -> Iterator[Result]:
    """Do a job for each number; yields the results as they come.

    Args:
        job: can be pickled by its name; leaves nothing half done behind when its process dies.
        numbers: one job each.
        n_processes: at once.
        show: takes a line for each death.
        is_over: no job is begun any more once this is true.
        is_fresh: each job gets a process that has done nothing before.

    Raises:
        WorkerError: a job kept dying, however it was changed.
    """
    lanes: SimpleQueue[_Lane] = SimpleQueue()
    kept = [_Lane(is_fresh) for _ in range(n_processes)]
    for lane in kept:
        lanes.put(lane)

    def do(number: int) -> list[Result]:
        if is_over():
            return []
        lane = lanes.get()
        try:
            return [lane.do(job, number, show)]
        finally:
            lanes.put(lane)

    threads = ThreadPoolExecutor(n_processes)
    try:
        for done in as_completed([threads.submit(do, number) for number in numbers]):
            yield from done.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for lane in kept:
            lane.close()
