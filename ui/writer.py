"""What the user chose, written down by a thread of its own: the GUI thread waits for no disk and no lock.

In: jobs, from the GUI thread. Out: the same jobs done, one after the other. What they write is not its business.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from live.errors import LiveError, unworded

Job = Callable[[], object]

log = logging.getLogger(__name__)


class Writer:
    """Runs jobs in order; call it with each."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="choices writer", daemon=True)
        self._thread.start()

    def __call__(self, job: Job) -> None:
        """Have a job done soon; returns at once. A LiveError of it is a line in the log."""
        self._jobs.put(job)

    def close(self, timeout_s: float) -> bool:
        """Do what waits, then end; False where that took too long."""
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except LiveError as error:
                log.warning("A choice is not kept: %s", error)
            except Exception as error:  # noqa: BLE001 - around one job: the thread outlives it
                log.error("keeping a choice failed:\n%s", unworded(error))
