"""How fast a model of some shape is on this computer, beside what its memory and its arithmetic would allow."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Size = Literal["qwen-audio", "embedded", "tiny"]
"""The published shape, this project's own, and one with every part of them that computes in no time."""
SIZES: Final[tuple[Size, ...]] = get_args(Size)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of a script."""

    start: int
    """Session sample at which it begins."""
    end: int
    language: str
    text: str
    translation: str
