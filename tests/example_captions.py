"""Captions for tests, from as little as possible."""

from __future__ import annotations

from live.audio import Lane
from live.events import Caption, Line, Word
from models.base import SAMPLE_RATE


def caption(
    start_s: float,
    end_s: float,
    translation: str,
    transcript: str = "",
    *,
    number: int = 1,
    lane: Lane = "file",
    direction: tuple[str, str] = ("zh", "en"),
    is_uncertain: bool = False,
    is_final: bool = True,
) -> Caption:
    """A caption, settled where it is final and tentative where it is not; its words without times."""

    def line(text: str) -> Line:
        if not text:
            return Line()
        return Line((Word(text),)) if is_final else Line((), text)

    return Caption(
        id=number,
        lane=lane,
        source=direction[0],
        target=direction[1],
        translation=line(translation),
        transcript=line(transcript),
        start=round(start_s * SAMPLE_RATE),
        end=round(end_s * SAMPLE_RATE),
        logprob=-0.25,
        is_uncertain=is_uncertain,
        is_final=is_final,
    )
