"""A file as a source of sound: whatever FFmpeg reads, video included.

In: a path. Out: AudioBlocks, nothing dropped, as fast as they are taken or paced like a microphone.
What cannot be read at all is a CaptureError; what is cut short or damaged is read as far as it goes, with a warning.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from live.audio import BLOCK_S, AudioBlock, Lane
from live.capture import Lost
from live.errors import CaptureError, unworded
from live.queues import AudioQueue
from models.base import SAMPLE_RATE

Pace = Literal["fast", "live"]
Pcm = NDArray[np.int16]

FAST_BLOCK_S = 0.2
"""Sound in one block of a file read fast: handing over blocks of 20 ms costs as much as hearing what is in them."""
_JITTER_S = 0.1
"""Timestamps this close to the count of samples say nothing."""
_MAX_GAP_S = 3600.0
"""A longer hole in the timestamps is a broken timestamp, not a pause."""
_SHORT_BY_S = 0.5
"""So much less than the container promises is worth a warning; codecs pad by less."""
_HELD_UP_S = 0.25
"""A queue that takes a block of a file paced live so late was held: the file's clock stood still meanwhile."""

_log = logging.getLogger(__name__)


class FileSource:
    """Reads a file in a thread of its own, and waits wherever the queue is full."""

    lane: Lane = "file"

    def __init__(
        self,
        path: str | Path,
        pace: Pace = "fast",
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """Args: clock, wait: what the time is and how it is waited for when paced live; tests bring their own."""
        self.name = Path(path).name
        self.is_live = pace == "live"
        self.rate = 0
        self.channels = 0
        self.duration_s: float | None = None
        """What the container promises, once open; None where it does not say."""
        self.warning: str | None = None
        """What was wrong with the file, once the queue is closed; None: nothing."""
        self._path = Path(path)
        self._clock = clock
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._position = 0
        self._thread: threading.Thread | None = None

    @property
    def position(self) -> int:
        """How far it has been read, in samples at 16 kHz."""
        return self._position

    def open(self, queue: AudioQueue, lost: Lost) -> None:
        sound = SoundFile(self._path)
        self.rate, self.channels, self.duration_s = sound.rate, sound.channels, sound.duration_s
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(sound, queue, lost), name="file reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self, sound: SoundFile, queue: AudioQueue, lost: Lost) -> None:
        try:
            self._read(sound, queue)
        except Exception as error:  # noqa: BLE001 - the top of a thread
            _log.error("Reading the file failed:\n%s", unworded(error))
            lost(f"{self.name} cannot be read any further ({type(error).__name__}); the log has the place.")
        finally:
            self.warning = sound.warning
            sound.close()
            queue.close()

    def _read(self, sound: SoundFile, queue: AudioQueue) -> None:
        first = 0
        began_s = self._clock()
        for samples in sound.blocks(BLOCK_S if self.is_live else FAST_BLOCK_S):
            end = first + len(samples)
            if self.is_live:
                # As a device would: a block comes when its last sample has been heard.
                self._wait(max(0.0, began_s + end / self.rate - self._clock()))
            if self._stop.is_set():
                return
            block = AudioBlock(self.lane, samples, first, self._clock())
            if not queue.put(block, self._stop.is_set):
                return
            if (waited_s := self._clock() - block.stamp_s) > _HELD_UP_S:
                began_s += waited_s
            first = end
            self._position = round(first * SAMPLE_RATE / self.rate)


class SoundFile:
    """One pass over a file's first audio stream, as 16-bit samples at the file's own rate."""

    def __init__(self, path: Path) -> None:
        """Open it and decode the first samples.

        Raises:
            CaptureError: there is no such file, it is no sound, or it holds none.
        """
        self.warning: str | None = None
        """What was wrong with it, so far."""
        self._path = path
        self._container = _opened(path)
        if not self._container.streams.audio:
            self.close()
            raise CaptureError(f"{path} has no sound in it.")
        self._stream = self._container.streams.best("audio")
        self._n_damaged = 0
        self._holds_no_numbers = False
        self._n_read = 0
        self._origin_s = (self._container.start_time or 0) / av.time_base
        frames = self._decoded()
        first = next(frames, None)
        if first is None:
            self.close()
            raise CaptureError(f"{path} holds no sound that can be decoded.")
        self._frames = chain([first], frames)
        self._layout = first.layout
        self.rate: int = first.sample_rate
        self.channels = len(first.layout.channels)
        self.duration_s = self._promised_s()

    def close(self) -> None:
        self._container.close()

    def blocks(self, block_s: float) -> Iterator[Pcm]:
        """The sound from beginning to end, once: (n, channels) int16, `block_s` seconds in all blocks but the last."""
        n = round(self.rate * block_s)
        rest: Pcm = np.zeros((0, self.channels), np.int16)
        for samples in self._stretches():
            rest = np.concatenate([rest, samples])
            rest.flags.writeable = False
            n_whole = len(rest) // n
            yield from (rest[i * n : (i + 1) * n] for i in range(n_whole))
            rest = rest[n_whole * n :]
        if len(rest):
            yield rest
        self._judge()

    def _stretches(self) -> Iterator[Pcm]:
        """What the frames hold, and silence where the file's own timeline has a hole."""
        resampler: av.AudioResampler | None = None
        for frame in self._frames:
            yield from self._silence_before(frame)
            self._holds_no_numbers = self._holds_no_numbers or not np.isfinite(frame.to_ndarray()).all()
            if (frame.sample_rate, len(frame.layout.channels)) == (self.rate, self.channels):
                stretches = [to_int16(frame)]
            else:  # broadcasts change from stereo to mono and back: the first format stays
                resampler = resampler or av.AudioResampler("s16", self._layout, self.rate)
                stretches = [to_int16(converted) for converted in resampler.resample(frame)]
            for samples in stretches:
                self._n_read += len(samples)
                yield samples

    def _silence_before(self, frame: av.AudioFrame) -> Iterator[Pcm]:
        if frame.pts is None:
            return
        gap_s = float(frame.pts * frame.time_base) - self._origin_s - self._n_read / self.rate
        if not _JITTER_S < gap_s < _MAX_GAP_S:
            return
        n_missing = round(gap_s * self.rate)
        self._n_read += n_missing
        while n_missing > 0:
            n = min(n_missing, self.rate)
            yield np.zeros((n, self.channels), np.int16)
            n_missing -= n

    def _decoded(self) -> Iterator[av.AudioFrame]:
        """Frames in order; damaged packets are counted and passed over, as FFmpeg itself does."""
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    self._n_damaged += 1
        except av.FFmpegError as error:
            _log.info("a file cannot be decoded any further: %s", type(error).__name__)  # its name is the user's own
            self._n_damaged += 1

    def _promised_s(self) -> float | None:
        if self._stream.duration is not None:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration is not None:
            return float(self._container.duration / av.time_base)
        return None

    def _judge(self) -> None:
        """Say what was wrong, now that everything has been read."""
        read_s = self._n_read / self.rate
        # Of a video only its whole length may be known, and its sound may well be shorter.
        knows_sound = self._stream.duration is not None or not self._container.streams.video
        if knows_sound and self.duration_s is not None and read_s < self.duration_s - _SHORT_BY_S:
            self.warning = f"{self._path.name} is cut short: it ends at {read_s:.1f} s of {self.duration_s:.1f} s."
        elif _is_cut_riff(self._path):
            self.warning = f"{self._path.name} is cut short: it ends at {read_s:.1f} s, and its header promises more."
        elif self._n_damaged:
            self.warning = f"{self._path.name} is damaged: {self._n_damaged} parts of it were passed over."
        elif self._holds_no_numbers:
            self.warning = f"{self._path.name} holds samples that are no numbers: they count as silence."


def check(path: Path) -> None:
    """See that a file can be read as sound; a pipe is not looked at, for it can be read only once.

    Raises:
        CaptureError: it cannot.
    """
    with contextlib.suppress(OSError):  # opening it says what is wrong
        if path.is_fifo():
            return
    SoundFile(path).close()


def to_int16(frame: av.AudioFrame) -> Pcm:
    """A frame's samples as (n, channels) int16; of floating-point ones, what is not finite becomes silence."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    if samples.dtype.kind == "f":
        finite = np.where(np.isfinite(samples), samples, 0.0)
        samples = np.clip(np.rint(finite * 32_768.0), -32_768, 32_767)
    elif samples.dtype == np.uint8:
        samples = (samples.astype(np.int16) - 128) << 8
    else:
        samples = samples >> (8 * samples.itemsize - 16)
    return np.ascontiguousarray(samples.T, np.int16)


def _opened(path: Path) -> av.container.InputContainer:
    """The file as a container of streams.

    Raises:
        CaptureError: it is missing, empty, or nothing FFmpeg knows.
    """
    try:
        if not path.exists():
            raise CaptureError(f"There is no file {path}.")
        if path.is_dir():
            raise CaptureError(f"{path} is a folder: name one file in it.")
        if path.is_file() and not path.stat().st_size:
            raise CaptureError(f"{path} is empty.")
        # `file:` and the whitelist: neither a name nor a playlist may lead to the network.
        return av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"}, metadata_errors="ignore")
    except PermissionError as error:
        raise CaptureError(f"{path} may not be read: see its permissions.") from error
    except (av.FFmpegError, OSError) as error:
        raise CaptureError(
            f"{path} is not a sound or video file that FFmpeg can read, or it was cut off before its index was written."
        ) from error


def _is_cut_riff(path: Path) -> bool:
    """Whether a WAV file is shorter than its header says; FFmpeg passes over that."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(8)
    length = int.from_bytes(header[4:8], "little")
    # A recorder that was killed leaves 0 or the largest number: then the header promises nothing.
    return header[:4] == b"RIFF" and 0 < length < 2**32 - 1 and length + 8 > path.stat().st_size
