"""Captions and a clock for the interface's tests."""

from __future__ import annotations

from dataclasses import dataclass

from live.audio import Lane
from live.events import Caption, CaptionUpdated, Line, Word


@dataclass
class Clock:
    """Time that passes when told."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def line(settled: str, tentative: str = "") -> Line:
    return Line((Word(settled),) if settled else (), tentative)


def caption(
    number: int = 1,
    settled: str = "",
    tentative: str = "",
    *,
    source: str = "zh",
    target: str = "en",
    transcript: str = "",
    is_uncertain: bool = False,
    lane: Lane = "microphone",
) -> Caption:
    """A caption that is final where nothing of it is tentative."""
    is_final = not tentative
    return Caption(
        id=number,
        lane=lane,
        source=source,
        target=target,
        translation=line(settled, tentative),
        transcript=line(transcript) if is_final else line("", transcript),
        start=number * 16_000,
        end=(number + 1) * 16_000,
        logprob=-0.1,
        is_uncertain=is_uncertain,
        is_final=is_final,
    )


def update(*arguments: object, **keywords: object) -> CaptionUpdated:
    return CaptionUpdated(caption(*arguments, **keywords))  # type: ignore[arg-type]
