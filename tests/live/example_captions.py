"""Captions for tests, from as little as possible."""

from __future__ import annotations

from live.events import Caption, Line, Word
from models.base import SAMPLE_RATE


def caption(
    start_s: float,
    end_s: float,
    translation: str,
    transcript: str = "",
    *,
    number: int = 1,
    direction: tuple[str, str] = ("zh", "en"),
    is_final: bool = True,
) -> Caption:
    """A caption of the file lane, settled where it is final and tentative where it is not."""

    def line(text: str) -> Line:
        return Line((Word(text),)) if is_final else Line((), text)

    return Caption(
        id=number,
        lane="file",
        source=direction[0],
        target=direction[1],
        translation=line(translation),
        transcript=line(transcript),
        start=round(start_s * SAMPLE_RATE),
        end=round(end_s * SAMPLE_RATE),
        logprob=-0.1,
        is_uncertain=False,
        is_final=is_final,
    )
