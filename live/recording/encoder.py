"""Sound encoded into a file that stays readable however the program ends: Ogg/Opus, FLAC or WAV, by FFmpeg.

In: 16-bit samples at 16 kHz. Out: bytes in a DiskFile. FLAC and WAV learn their length only when they are closed; after
a crash FFmpeg reads them all the same, and `mend` puts the length in for the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from live.audio_file import SoundFile
from live.errors import CaptureError, RecordingError
from live.recording.disk import Disk, DiskFile
from live.settings import SoundFormat
from models.base import SAMPLE_RATE

PAGE_US = 250_000
"""Sound in a page of Ogg: what killing the program costs."""
OPUS_BITS = 32_000
"""Bits a second: speech at 16 kHz that nobody tells from the original."""
MEND_BLOCK_S = 1.0

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Kind:
    container: str
    codec: str
    options: Mapping[str, str]


_KINDS: Mapping[SoundFormat, _Kind] = {
    "opus": _Kind("ogg", "libopus", {"page_duration": str(PAGE_US)}),
    "flac": _Kind("flac", "flac", {"flush_packets": "1"}),
    "wav": _Kind("wav", "pcm_s16le", {"flush_packets": "1"}),
}


class Encoder:
    """One file of sound being written; used from one thread. Its methods raise OSError.

    Args:
        file: An empty file; closed by this class.
        kind: How it is encoded.
    """

    def __init__(self, file: DiskFile, kind: SoundFormat) -> None:
        self._file = file
        self._n = 0
        chosen = _KINDS[kind]
        with _as_os_error():
            self._container: Any = av.open(_Seekable(file), "w", format=chosen.container, options=dict(chosen.options))
            self._stream = self._container.add_stream(chosen.codec, rate=SAMPLE_RATE, layout="mono")
        if kind == "opus":
            self._stream.bit_rate = OPUS_BITS

    def write(self, samples: Pcm) -> None:
        """Append samples, (n,)."""
        stretch = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        stretch.sample_rate, stretch.pts = SAMPLE_RATE, self._n
        self._n += len(samples)
        with _as_os_error():
            self._container.mux(self._stream.encode(stretch))

    @property
    def is_empty(self) -> bool:
        """Whether nothing has reached the file."""
        return not self._file.length

    def sync(self) -> None:
        """Return once what has been encoded would survive a power cut."""
        self._file.sync()

    def close(self) -> None:
        """Finish the file; what cannot be written is left out, and the file closed all the same."""
        try:
            with _as_os_error():
                try:
                    self._container.mux(self._stream.encode(None))
                finally:
                    self._container.close()
            self._file.sync()
        finally:
            self._file.close()


class _Seekable:
    """A DiskFile as FFmpeg takes it: it goes back only to put a length into what is written already."""

    def __init__(self, file: DiskFile) -> None:
        self._file = file
        self._at = file.length

    def write(self, data: bytes) -> int:
        inside = min(len(data), self._file.length - self._at)
        if inside:
            self._file.patch(self._at, data[:inside])
        if inside < len(data):
            self._file.write(data[inside:])
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.length}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at


def mend(folder: Path) -> int:
    """Put the length into each file of a folder that was never closed.

    Returns:
        How many were mended.

    Raises:
        RecordingError: one cannot be written; all can be read as before.
    """
    n_mended = 0
    try:
        for kind in _KINDS:
            for path in sorted(folder.glob(f"*.{kind}")):
                if _lacks_length(path):
                    n_mended += _rewrite(path, kind)
    except OSError as error:
        raise RecordingError(f"The sound in {folder} cannot be mended: {error.strerror}.") from error
    return n_mended


def _lacks_length(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(26)
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little") + 8 != path.stat().st_size
    if head[:4] == b"fLaC":  # the last 36 bits of STREAMINFO's 8 bytes at 18 count its samples
        return int.from_bytes(head[18:26], "big") & (2**36 - 1) == 0
    return False


def _rewrite(path: Path, kind: SoundFormat) -> bool:
    """Write a file anew, in its own place; False where it holds no sound."""
    fresh = path.with_name(path.name + ".mended")
    fresh.unlink(missing_ok=True)
    try:
        sound = SoundFile(path)
    except CaptureError:
        return False
    try:
        encoder = Encoder(Disk().append_to(fresh), kind)
        for block in sound.blocks(MEND_BLOCK_S):
            encoder.write(block[:, 0])
        encoder.close()
        fresh.replace(path)
    finally:
        sound.close()
        fresh.unlink(missing_ok=True)
    return True


@contextmanager
def _as_os_error() -> Iterator[None]:
    """What FFmpeg fails at, as the failure of a file."""
    try:
        yield
    except OSError:
        raise
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
