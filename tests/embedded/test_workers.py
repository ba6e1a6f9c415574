import os
from functools import partial
from pathlib import Path

import pytest

from models.embedded.recipe import workers


def name_itself(number: int, change: int) -> tuple[int, int]:
    return number, change


def die(folder: Path, deaths: int, number: int, change: int) -> tuple[int, int]:
    """Number 1 kills its process so many times."""
    died = folder / f"died-{len(list(folder.iterdir()))}"
    if number == 1 and not (folder / f"died-{deaths - 1}").exists():
        died.touch()
        os._exit(1)
    return number, change


def refuse(number: int, change: int) -> None:
    raise LookupError(str(number))


def test_every_number_is_done_once():
    assert sorted(workers.each(name_itself, range(5), 2, print)) == [(i, 0) for i in range(5)]


def test_a_job_whose_process_died_is_done_again_and_the_others_go_on(tmp_path):
    lines = []
    done = sorted(workers.each(partial(die, tmp_path, 1), range(4), 2, lines.append))
    assert done == [(i, 0) for i in range(4)]
    assert lines == ["the process that made number 1 died; it is made again"]


def test_a_job_that_died_three_times_in_a_row_is_changed(tmp_path):
    lines = []
    done = sorted(workers.each(partial(die, tmp_path, workers.TRIES), range(3), 1, lines.append))
    assert done == [(0, 0), (1, 1), (2, 0)]
    assert len(lines) == workers.TRIES
    assert "skipped" in lines[-1]


def test_a_job_that_always_dies_ends_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "TRIES", 1)
    monkeypatch.setattr(workers, "MAX_CHANGES", 1)
    with pytest.raises(workers.WorkerError, match="Number 1 ended its process 2 times"):
        list(workers.each(partial(die, tmp_path, 99), [1], 1, lambda _: None))


def test_an_error_of_a_job_is_not_tried_again():
    lines = []
    with pytest.raises(LookupError):
        list(workers.each(refuse, [1], 1, lines.append))
    assert lines == []


def test_no_job_is_begun_once_the_time_is_over():
    answers = iter((False, False, True, True))
    done = list(workers.each(name_itself, range(4), 1, print, lambda: next(answers)))
    assert done == [(0, 0), (1, 0)]
