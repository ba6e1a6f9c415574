"""The last sentence heard once more, while the session goes on.

In: a session's events and sound. Out: the sentence on the default output, from a thread of its own; and when that is
heard, so that no lane takes it for speech. Which sound is kept is the business of live/recording/ring.py.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from live.audio import LANE_NAMES, AudioChunk, Lane, seconds
from live.errors import LiveError, PlaybackError, unworded
from live.events import Event
from live.loudspeaker import Loudspeaker
from live.recording.ring import Ring
from models.base import SAMPLE_RATE, Samples

START_S = 3.0
"""How long an output may take to open."""
STEP = SAMPLE_RATE // 10
"""Samples handed over at once: how soon it stops when it is told to."""
TAIL_S = 0.3
"""What follows the last sample: the device's own buffer, and the room's echo."""
SLACK_S = 2.0
"""How much longer than its sound a replay counts as heard, where the output hangs."""
CLOSE_S = 1.0

_log = logging.getLogger(__name__)


class Output(Protocol):
    """What is used of a Loudspeaker."""

    def write(self, samples: Samples) -> None: ...
    def close(self, *, at_once: bool) -> None: ...


class Replayer:
    """Takes events when called, and sound through `hear`; any thread.

    Args:
        open_output: opens what is played on.
        clock: monotonic seconds, those of blocks.
    """

    def __init__(
        self, open_output: Callable[[], Output] = Loudspeaker, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_output, self._clock = open_output, clock
        self._ring = Ring()
        self._heard_s = (0.0, 0.0)
        """From when until when the replay is in the air."""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self._ring(event)

    def hear(self, chunk: AudioChunk) -> None:
        """Take a lane's sound."""
        self._ring.hear(chunk)

    def start(self, lane: Lane | None) -> float:
        """Play a lane's last sentence, or (None) that of the lane that spoke last; returns its seconds as it begins.

        Raises:
            LiveError: there is none, one is being played, or there is no output; the sentence says which.
        """
        if self._thread is not None and self._thread.is_alive():
            raise PlaybackError("The last sentence is being played already.")
        samples = self._ring.last_sentence(lane)
        if not len(samples):
            where = f" on the {LANE_NAMES[lane]}" if lane else ""
            raise PlaybackError(f"There is nothing to replay: no sentence has ended{where} in the last minute.")
        self._stop.clear()
        begun: queue.SimpleQueue[LiveError | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(samples, begun), name="replay", daemon=True)
        self._thread.start()
        try:
            error = begun.get(timeout=START_S)
        except queue.Empty:
            self._stop.set()
            raise PlaybackError("The sound output does not answer: choose another in the system's settings.") from None
        if error is not None:
            raise error
        return seconds(len(samples))

    def is_heard(self, at_s: float) -> bool:
        """Whether what arrives at a time holds the replay. Any thread; never waits."""
        start_s, end_s = self._heard_s
        return start_s <= at_s < end_s

    def close(self) -> None:
        """Play no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _run(self, samples: Samples, begun: queue.SimpleQueue[LiveError | None]) -> None:
        try:
            output = self._open_output()
            now_s = self._clock()
            self._heard_s = (now_s, now_s + seconds(len(samples)) + SLACK_S)
            begun.put(None)
            self._play(samples, output)
        except LiveError as error:
            _log.warning("%s", error)
            begun.put(error)
        except Exception as error:  # noqa: BLE001 - the top of a thread
            _log.error("The replay failed:\n%s", unworded(error))
            begun.put(PlaybackError(f"Playing failed on an error of the program ({type(error).__name__})."))
        finally:
            start_s, end_s = self._heard_s
            self._heard_s = (start_s, min(end_s, self._clock() + TAIL_S))

    def _play(self, samples: Samples, output: Output) -> None:
        is_whole = False
        try:
            for start in range(0, len(samples), STEP):
                if self._stop.is_set():
                    return
                output.write(samples[start : start + STEP])
            is_whole = True
        finally:
            output.close(at_once=not is_whole)
