"""The demonstration meeting: its script and its sound, both package data.

In: nothing. Out: what is said when, with its translation; the path of the sound. Playing it is the command's business.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FILES = importlib.resources.files(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the script."""

    start_s: float
    end_s: float
    text: str
    """As spoken, in the turn's language."""
    translation: str
    """In the other one."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without another in between."""

    speaker: str
    language: str
    start_s: float
    end_s: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """The whole meeting."""

    seed: int
    """What it was drawn by."""
    turns: tuple[Turn, ...]


def load_script() -> Script:
    """Return the meeting's script."""
    data = json.loads(_FILES.joinpath("script.json").read_text(encoding="utf-8"))
    return Script(
        seed=data["seed"],
        turns=tuple(
            Turn(
                speaker=turn["speaker"],
                language=turn["language"],
                start_s=turn["start_s"],
                end_s=turn["end_s"],
                lines=tuple(Line(**sentence) for sentence in turn["sentences"]),
            )
            for turn in data["turns"]
        ),
    )


@contextmanager
def meeting_sound() -> Iterator[Path]:
    """Yield the path of the meeting's sound, a real file while the context lasts."""
    with importlib.resources.as_file(_FILES.joinpath("meeting.flac")) as path:
        yield path
