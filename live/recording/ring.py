"""The last minute of every lane, in memory alone: what was just said can be heard again, recorded or not.

In: AudioChunks and events. Out: the samples of the sentence that ended last. Playing them is not its business.
"""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from live.audio import AudioChunk, Lane
from live.events import Event, UtteranceClosed, UtteranceSilent
from models.base import SAMPLE_RATE, Samples

RING = 60 * SAMPLE_RATE
"""Samples kept of each lane."""
MOST_SENTENCES = 256
"""More than end in that time on all lanes together."""


class Ring:
    """Takes events when called, and sound through `hear`; any thread.

    Args:
        length: Samples kept of each lane.
    """

    def __init__(self, length: int = RING) -> None:
        self._length = length
        self._chunks: dict[Lane, deque[AudioChunk]] = {}
        self._closed: deque[UtteranceClosed] = deque(maxlen=MOST_SENTENCES)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take an event: an utterance that closed is a lane's last sentence, unless it held no words after all."""
        with self._lock:
            if isinstance(event, UtteranceClosed):
                self._closed.append(event)
            elif isinstance(event, UtteranceSilent):
                kept = [closed for closed in self._closed if closed.id != event.id]
                self._closed = deque(kept, maxlen=MOST_SENTENCES)

    def hear(self, chunk: AudioChunk) -> None:
        """Take a lane's sound."""
        with self._lock:
            chunks = self._chunks.setdefault(chunk.lane, deque())
            chunks.append(chunk)
            while chunks[0].end <= chunk.end - self._length:
                chunks.popleft()

    def last_sentence(self, lane: Lane | None = None) -> Samples:
        """The sound of the utterance that closed last, on a lane or (None) on any.

        Returns:
            (n,) float32 in [-1, 1] at 16 kHz, read-only; empty where there was none, or none within the ring.
        """
        with self._lock:
            said = next((closed for closed in reversed(self._closed) if lane in (None, closed.lane)), None)
            chunks = tuple(self._chunks.get(said.lane, ())) if said else ()
        start, end = (said.start, said.end) if said else (0, 0)
        start = max(start, chunks[0].start) if chunks else end
        samples = np.zeros(max(0, end - start), np.float32)  # what was never heard is silence
        for chunk in chunks:
            first, last = max(start, chunk.start), min(end, chunk.end)
            if first < last:
                samples[first - start : last - start] = chunk.samples[first - chunk.start : last - chunk.start]
        samples.flags.writeable = False
        return samples
