"""Which model "auto" stands for on this computer, and why.

In: the compute device asked for and the directions wanted. Out: a Choice. Asking the user, and fetching, is `ui`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import fmean

from models.base import WRITTEN_ONLY
from models.catalogue import EMBEDDED, Entry, large, resolve
from models.memory import Gpu, NoGpu, find_gpu, size_text


@dataclass(frozen=True, slots=True)
class Choice:
    """The model to use, and one that would be better."""

    entry: Entry
    """On this computer; its `reason` says why it is chosen."""
    better: Entry | None = None
    """A large model that the GPU holds and that could be fetched; None where a large one is here, or none fits."""


def choose(directions: Iterable[tuple[str, str]], device: str = "auto") -> Choice:
    """Choose by free memory: the best large model that is here and that the GPU holds, else the embedded one.

    Args:
        directions: (source, target) codes of what is to be translated.
        device: compute device: "auto", "cuda", "mps" or "cpu".

    Raises:
        ModelLoadError: the embedded model is the one, and its files are missing.
    """
    wanted = tuple((source, WRITTEN_ONLY.get(target, target)) for source, target in directions)
    gpu = find_gpu(device)
    if isinstance(gpu, NoGpu):
        return _embedded(f"{gpu.reason}, and the larger models need a GPU", device)
    fitting = sorted(
        (entry for entry in large(device) if fits(entry, gpu)), key=lambda entry: score(entry, wanted), reverse=True
    )
    if not fitting:
        return _embedded(f"{gpu.name} has {size_text(gpu.free_bytes)} free, too little for the larger models", device)
    best = next((entry for entry in fitting if entry.is_here), None)
    if best is None:
        name = fitting[0].name
        offer = f"{gpu.name} would hold {name}, which is not here (`tongchuan models fetch {name}` brings it)"
        return replace(_embedded(offer, device), better=fitting[0])
    figure = f", and of the large ones here its published BLEU is best ({score(best, wanted):.1f})"
    reason = (
        f"{best.name}: {gpu.name} has {size_text(gpu.free_bytes)} free and it needs {size_text(best.memory_bytes or 0)}"
    )
    return Choice(replace(best, reason=f"{reason}{figure if score(best, wanted) else ''}."))


def fits(entry: Entry, gpu: Gpu) -> bool:
    """Whether a GPU has room for a model now; one whose needs are not known is taken to have."""
    return (entry.memory_bytes or 0) <= gpu.free_bytes


def fit_text(entry: Entry, gpu: Gpu | NoGpu) -> str:
    """Whether a model fits this computer, and why not: a clause.

    Args:
        entry: the model.
        gpu: what `find_gpu` found.
    """
    if entry.name == EMBEDDED:
        return "fits any computer"
    if entry.memory_bytes is None:
        return "whether it fits is not known"
    need = f"it needs {size_text(entry.memory_bytes)}"
    if isinstance(gpu, NoGpu):
        return f"does not fit: {need} of a GPU, and {gpu.reason}"
    room = f"{gpu.name} has {size_text(gpu.free_bytes)} free"
    return f"fits: {need}, {room}" if fits(entry, gpu) else f"does not fit: {need}, {room}"


def score(entry: Entry, directions: Iterable[tuple[str, str]]) -> float:
    """The mean of the published BLEU of a model over directions, 0 for one without a figure."""
    return fmean([entry.bleu.get(direction, 0.0) for direction in directions] or [0.0])


def _embedded(why: str, device: str) -> Choice:
    return Choice(replace(resolve(EMBEDDED, device), reason=f"The embedded model: {why}."))
