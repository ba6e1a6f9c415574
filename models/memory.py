"""What a model may fill: the memory that is free where it would compute, on a GPU or on the processor.

In: the compute device asked for. Out: a Gpu, or the reason why there is none; the processor's memory. torch is not
imported to learn it, since that takes seconds: the driver's own tool is asked. Which model fits is `models.choice`'s
business.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

_TIMEOUT_S = 10.0
"""A driver that wakes its cards takes seconds; one that hangs is not waited for."""
_MIB = 2**20
_APPLE_SHARE = 2 / 3
"""Of a Mac's memory, what Metal recommends a program to use at most; the rest is the system's and other programs'."""
_AMPERE = 8.0
"""Compute capability from which on NVIDIA's cards have bfloat16."""
_FIELDS = "index,uuid,name,memory.total,memory.free,compute_cap"
_QUERY: Final = ("nvidia-smi", f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that this program can compute on."""

    name: str
    free_bytes: int
    """What a model may fill."""
    device: Literal["cuda", "mps"] = "cuda"
    has_bf16: bool = True
    """Whether it computes in bfloat16; NVIDIA's do from Ampere on."""


@dataclass(frozen=True, slots=True)
class Processor:
    """What a model computes on where there is no GPU, or where it was asked for."""

    free_bytes: int
    """Of main memory, what other programs leave."""

    name = "this computer"
    device = "cpu"


@dataclass(frozen=True, slots=True)
class NoGpu:
    """That there is none to compute on, and why: a clause."""

    reason: str


def size_text(n_bytes: int) -> str:
    """Bytes as people read them."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def give_back() -> None:
    """Return freed memory to the system, where the C library keeps it (glibc); elsewhere nothing.

    Sounds of ever other lengths leave the heap in pieces: answering 1,800 of up to 20 s, the embedded model's process
    grew from 470 to 602 MB without this, and from 460 to 494 MB with it after every tenth. It takes 3 ms.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def find_gpu(device: str = "auto") -> Gpu | NoGpu:
    """The GPU that a model would be put on.

    Args:
        device: compute device asked for: "auto", "cuda", "mps" or "cpu".
    """
    if device == "cpu":
        return NoGpu("the processor was asked for")
    if device == "mps":
        return _apple()
    return _nvidia()


def processor() -> Processor:
    """The processor and its memory."""
    return Processor(psutil.virtual_memory().available)


def _nvidia() -> Gpu | NoGpu:
    try:
        done = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError:
        return NoGpu("no NVIDIA GPU was found")
    except (OSError, subprocess.TimeoutExpired):
        return NoGpu("NVIDIA's driver does not answer")
    if done.returncode != 0:
        return NoGpu("NVIDIA's driver finds no GPU")
    visible = [row for row in map(_read_row, done.stdout.splitlines()) if row and _is_visible(row)]
    if not visible:
        return NoGpu("no NVIDIA GPU is free to use, or its driver does not say how much memory it has")
    if not _torch_has_cuda():
        return NoGpu("an NVIDIA GPU is here, but the installed torch computes on the processor alone")
    # CUDA's first device, where models go, is the fastest; the driver's tool does not say which, but size does.
    best = max(visible, key=lambda row: row.total)
    return Gpu(best.name, best.free, has_bf16=best.capability >= _AMPERE)


@dataclass(frozen=True, slots=True)
class _Row:
    index: str
    uuid: str
    name: str
    total: int
    free: int
    capability: float


def _read_row(line: str) -> _Row | None:
    """One GPU as the tool prints it; None where it does not say its memory (a card that is divided up does not)."""
    fields = [field.strip() for field in line.split(",")]
    try:
        index, uuid, *name, total, free, capability = fields
        return _Row(index, uuid, ", ".join(name), int(total) * _MIB, int(free) * _MIB, float(capability))
    except ValueError:
        return None


def _is_visible(row: _Row) -> bool:
    """Whether CUDA_VISIBLE_DEVICES lets programs use it; the tool itself pays no heed to that."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return True
    return any(word == row.index or (word and row.uuid.startswith(word)) for word in map(str.strip, chosen.split(",")))


def _torch_has_cuda() -> bool:
    """Whether the installed torch was built for CUDA, told by its files."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    return any((Path(spec.origin).parent / "lib").glob("*torch_cuda*"))


def _apple() -> Gpu | NoGpu:
    if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return NoGpu("this is no Mac with an Apple GPU")
    try:
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "hw.memsize"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
        return Gpu("the Apple GPU", int(int(done.stdout) * _APPLE_SHARE), "mps")
    except (OSError, subprocess.SubprocessError, ValueError):
        return NoGpu("this Mac does not say how much memory it has")
