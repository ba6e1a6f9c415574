"""Which attention heads of a checkpoint point into the sound, and how far its pieces can be trusted while it grows.

In: what a calibration measured, as it is kept with the checkpoint. Out: a Pointer for each text. How attention is read
is qwen_audio.pointing's business, what is held back by it the policy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, get_args

from models.base import Gate, GateKey, ModelLoadError, Task
from models.calibration import POINTING, stored

MIN_AUC = 0.7
"""Under this a gate tells too little to hold anything back by it, and stays off."""

Head = tuple[int, int]
"""Layer and head, from 0."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What was measured of one text: of the transcripts of a language, or of one direction's translations."""

    heads: tuple[Head, ...]
    """Their mean points."""
    gate: Gate
    sure_above: float | None
    """The log-probability above which a piece rarely changes; None where it tells too little."""

    @property
    def is_trusted(self) -> bool:
        """Whether the gate may hold pieces back."""
        return self.gate.auc >= MIN_AUC


def gate_key(task: Task, source: str, target: str) -> GateKey:
    """What a text's pointer is kept under: its target is the language it is written in."""
    return (task, source, target if task == "translate" else source)


def stored_pointers(folder: Path) -> dict[GateKey, Pointer]:
    """What was measured of a checkpoint; empty where nothing was.

    Raises:
        ModelLoadError: the file that holds it is broken.
    """
    found = stored(folder, POINTING)
    if found is None:
        return {}
    entries, path = found
    try:
        return dict(map(_read, entries))
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise ModelLoadError(f"{path} has a {POINTING!r} that is no calibration's; calibrate the model again.") from e


def as_stored(pointers: Mapping[GateKey, Pointer]) -> list[dict[str, Any]]:
    """Pointers as JSON takes them, in a fixed order."""
    return [
        {
            "task": task,
            "source": source,
            "target": target,
            "heads": [list(head) for head in pointer.heads],
            "hold": pointer.gate.hold,
            "tail_mass_below": pointer.gate.tail_mass_below,
            "auc": pointer.gate.auc,
            "sure_above": pointer.sure_above,
        }
        for (task, source, target), pointer in sorted(pointers.items())
    ]


def _read(entry: Mapping[str, Any]) -> tuple[GateKey, Pointer]:
    task, source, target = entry["task"], entry["source"], entry["target"]
    if task not in get_args(Task) or not isinstance(source, str) or not isinstance(target, str):
        raise ValueError("of no text")
    heads = tuple((_whole(layer), _whole(head)) for layer, head in entry["heads"])
    if not heads:
        raise ValueError("without a head")
    sure_above = None if entry["sure_above"] is None else _finite(entry["sure_above"])
    gate = Gate(_whole(entry["hold"]), _finite(entry["tail_mass_below"]), _finite(entry["auc"]))
    return (task, source, target), Pointer(heads, gate, sure_above)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no whole number")
    return value


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError("no number")
    return float(value)
