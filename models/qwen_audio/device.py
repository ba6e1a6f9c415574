"""Where to compute, and why there.

In: what the user asked for. Out: a torch device and a sentence. Which model fits is not its business.
"""

from __future__ import annotations

import torch

from models.base import ModelLoadError

DEVICES = ("auto", "cuda", "mps", "cpu")
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
    """Compute a small model in one thread; a large one keeps those its process was given. Returns their number."""
    if n_parameters < _SMALL:
        torch.set_num_threads(1)
    return torch.get_num_threads()
