"""Where to compute, and why there.

In: what the user asked for. Out: a torch device and a sentence. Which model fits is not its business.
"""

from __future__ import annotations

import os

import torch

from models.base import ModelLoadError

DEVICES = ("auto", "cuda", "mps", "cpu")
_SPARE_CORES = 2
"""Left to sound, interface and the meeting itself."""
_SMALL = 100_000_000
"""Parameters below which one thread does: what each thread has to do is shorter than the wait for one that the system
has put aside. docs/log.md has the figures beside a busy program."""


def choose_device(wanted: str) -> tuple[torch.device, str]:
    """The device, and its name with the reason as people read it.

    Raises:
        ModelLoadError: the device wanted is not here, or there is no such device.
    """
    if wanted not in DEVICES:
        raise ModelLoadError(f"There is no device {wanted!r}; choose one of {', '.join(DEVICES)}.")
    has_cuda = torch.cuda.is_available()
    if wanted == "cuda" and not has_cuda:
        raise ModelLoadError("No CUDA device was found, or this torch was built without it; choose --device cpu.")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise ModelLoadError("No MPS device was found; choose --device cpu.")
    if has_cuda and wanted in ("auto", "cuda"):
        return torch.device("cuda", 0), f"cuda ({torch.cuda.get_device_name(0)})"
    if wanted == "auto":
        return torch.device("cpu"), "cpu (no CUDA device found)"
    return torch.device(wanted), f"{wanted} (asked for)"


def limit_threads(n_parameters: int) -> int:
    """Leave cores to everybody else; returns the threads that torch uses for a model of this size."""
    threads = 1 if n_parameters < _SMALL else max(1, _available_cores() - _SPARE_CORES)
    torch.set_num_threads(threads)
    return threads


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # the cores this process may use; not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
