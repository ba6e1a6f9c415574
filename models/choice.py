"""Which model "auto" stands for on this computer and in which precision a model is held, and why.

In: the compute device asked for, the directions wanted, the precision asked for. Out: a Choice, an Entry with its
precision. Asking the user, and fetching, is `ui`'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import fmean

from models.base import WRITTEN_ONLY, ModelLoadError
from models.catalogue import EMBEDDED, QWEN_AUDIO, RUNNING_BYTES, Entry, large, quantized, resolve
from models.memory import Gpu, NoGpu, Processor, find_gpu, processor, size_text
from models.precision import AUTO, QUANTS, Quant, Wish, label, missing


@dataclass(frozen=True, slots=True)
class Choice:
    """The model to use, and one that would be better."""

    entry: Entry
    """On this computer; its `reason` says why it is chosen."""
    better: Entry | None = None
    """A large model that the GPU holds and that could be fetched; None where a large one is here, or none fits."""


def choose(directions: Iterable[tuple[str, str]], device: str = "auto", wish: Wish = AUTO) -> Choice:
    """Choose by free memory: the best large model that is here and that the GPU holds, else the embedded one.

    Args:
        directions: (source, target) codes of what is to be translated.
        device: compute device: "auto", "cuda", "mps" or "cpu".
        wish: the precision asked for.

    Raises:
        ModelLoadError: the embedded model is the one, and its files are missing.
    """
    wanted = tuple((source, WRITTEN_ONLY.get(target, target)) for source, target in directions)
    gpu = find_gpu(device)
    if isinstance(gpu, NoGpu):
        return _embedded(f"{gpu.reason}, and the larger models need a GPU", device)
    fitting = sorted(
        (entry for entry in large(device) if fitting_quants(entry, gpu, wish)),
        key=lambda entry: score(entry, wanted),
        reverse=True,
    )
    if not fitting:
        return _embedded(f"{_free_text(gpu)}, too little for the larger models{_if_installed(gpu, device)}", device)
    best = next((entry for entry in fitting if entry.is_here), None)
    if best is None:
        name = fitting[0].name
        offer = f"{gpu.name} would hold {name}, which is not here (`tongchuan models fetch {name}` brings it)"
        return replace(_embedded(offer, device), better=fitting[0])
    figure = f", and of the large ones here its published BLEU is best ({score(best, wanted):.1f})"
    reason = f"{best.name}: {gpu.name} has {size_text(gpu.free_bytes)} free, enough for it"
    return Choice(replace(best, reason=f"{reason}{figure if score(best, wanted) else ''}."))


def with_precision(entry: Entry, wish: Wish, device: str = "auto") -> Entry:
    """A model, its weights held as asked for; "auto" is the most exact precision for which there is room.

    Who names a precision has it tried, whatever is free.

    Args:
        entry: the model.
        wish: the precision asked for.
        device: compute device: "auto", "cuda", "mps" or "cpu".

    Raises:
        ModelLoadError: there is no room for it in any precision, or a package that it needs is not here.
    """
    if entry.factory.target != QWEN_AUDIO:
        return entry
    gpu = find_gpu(device)
    room = processor() if isinstance(gpu, NoGpu) else gpu
    if wish != AUTO:
        if command := missing(wish, room.device):
            raise ModelLoadError(f"The precision {wish} needs a package that is not installed: {command}.")
        return replace(quantized(entry, wish), held=f"Weights as {label(wish)}: it was asked for.")
    if entry.parts is None:
        return replace(entry, held="Weights as they are stored.")
    quants = fitting_quants(entry, room)
    if not quants:
        raise ModelLoadError(
            f"There is no room for {entry.name}: {no_room_text(entry, room)}. Close other programs or choose a smaller "
            f"model; --quant {QUANTS[-1]} tries it all the same."
        )
    passed = [_passed(entry, quant, room) for quant in QUANTS[: QUANTS.index(quants[0])]]
    why = "; ".join([f"{_need_text(entry, quants[0], room)}, {_free_text(room)}", *passed])
    return replace(quantized(entry, quants[0]), held=f"Weights as {label(quants[0])}: {why}.")


def needed_bytes(entry: Entry, quant: Quant, room: Gpu | Processor) -> int | None:
    """What a model takes while it runs; None where that is not known."""
    if entry.parts is None:
        return entry.memory_bytes
    return entry.parts.n_bytes(quant, room.device) + RUNNING_BYTES


def fitting_quants(entry: Entry, room: Gpu | Processor, wish: Wish = AUTO) -> list[Quant]:
    """The precisions in which there is room for a model now, the most exact first.

    Args:
        entry: the model; there is taken to be room for one whose needs are not known.
        room: what it may fill.
        wish: only this one is looked at.
    """
    wanted = QUANTS if wish == AUTO else (wish,)
    return [
        quant
        for quant in wanted
        if (needed_bytes(entry, quant, room) or 0) <= room.free_bytes and not _obstacle(quant, room)
    ]


def fits(entry: Entry, gpu: Gpu) -> bool:
    """Whether a GPU has room for a model now, in any precision."""
    return bool(fitting_quants(entry, gpu))


def fit_text(entry: Entry, gpu: Gpu | NoGpu) -> str:
    """Whether a model fits this computer, in which precisions, and why not: a clause.

    Args:
        entry: the model.
        gpu: what `find_gpu` found.
    """
    if entry.name == EMBEDDED:
        return "fits any computer"
    if entry.parts is None:
        return "whether it fits is not known"
    if isinstance(gpu, NoGpu):
        needs = [size_text(entry.parts.n_bytes(quant) + RUNNING_BYTES) for quant in (QUANTS[-1], QUANTS[0])]
        return f"does not fit: it needs {' to '.join(needs)} of a GPU, and {gpu.reason}"
    if quants := fitting_quants(entry, gpu):
        return f"fits: {', '.join(_need_text(entry, quant, gpu) for quant in quants)}; {_free_text(gpu)}"
    return f"does not fit: {no_room_text(entry, gpu)}"


def no_room_text(entry: Entry, room: Gpu | Processor) -> str:
    """Why there is no room for a model in any precision: a clause."""
    return "; ".join([*(_passed(entry, quant, room) for quant in QUANTS), _free_text(room)])


def score(entry: Entry, directions: Iterable[tuple[str, str]]) -> float:
    """The mean of the published BLEU of a model over directions, 0 for one without a figure."""
    return fmean([entry.bleu.get(direction, 0.0) for direction in directions] or [0.0])


def _if_installed(gpu: Gpu, device: str) -> str:
    """Which package would make room for the larger models; empty where none would."""
    for entry, quant in itertools.product(large(device), QUANTS):
        command = missing(quant, gpu.device)
        if command and (needed_bytes(entry, quant, gpu) or 0) <= gpu.free_bytes:
            return f" as they are; after `{command}` there is room for {entry.name} as {label(quant)}"
    return ""


def _need_text(entry: Entry, quant: Quant, room: Gpu | Processor) -> str:
    return f"{label(quant)} needs {size_text(needed_bytes(entry, quant, room) or 0)}"


def _free_text(room: Gpu | Processor) -> str:
    return f"{room.name} has {size_text(room.free_bytes)} free"


def _passed(entry: Entry, quant: Quant, room: Gpu | Processor) -> str:
    """Why a precision is not taken."""
    need, obstacle = _need_text(entry, quant, room), _obstacle(quant, room)
    return f"{need} and {obstacle}" if obstacle else need


def _obstacle(quant: Quant, room: Gpu | Processor) -> str:
    """What a precision needs besides memory that is not here; empty where nothing is missing."""
    if quant == "int4" and isinstance(room, Gpu) and not room.has_bf16:
        return "a GPU with bfloat16"
    command = missing(quant, room.device)
    return command and f"`{command}`"


def _embedded(why: str, device: str) -> Choice:
    return Choice(replace(resolve(EMBEDDED, device), reason=f"The embedded model: {why}."))
