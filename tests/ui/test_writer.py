"""The thread that writes what was chosen."""

from __future__ import annotations

import threading

import pytest

from live.errors import SettingsError
from ui.writer import Writer

WAIT_S = 20.0


def test_jobs_are_done_in_order_in_a_thread_of_their_own() -> None:
    done: list[object] = []
    writer = Writer()
    for number in range(5):
        writer(lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]
    assert writer.close(WAIT_S)
    assert done == [(number, "choices writer") for number in range(5)]


def test_a_disk_that_hangs_holds_up_nobody() -> None:
    gate = threading.Event()
    writer = Writer()
    writer(gate.wait)
    assert not writer.close(0.01)
    gate.set()
    assert writer.close(WAIT_S)


def test_a_choice_that_cannot_be_kept_is_a_line_in_the_log_and_the_next_is(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def refuse() -> None:
        raise SettingsError("Settings cannot be written.")

    def fail() -> None:
        raise ValueError(" ".join(["what", "was", "chosen"]))

    writer = Writer()
    for job in (refuse, fail, lambda: done.append("next")):
        writer(job)
    assert writer.close(WAIT_S)
    assert done == ["next"]
    assert "A choice is not kept: Settings cannot be written." in caplog.text
    assert "ValueError" in caplog.text
    assert "what was chosen" not in caplog.text
