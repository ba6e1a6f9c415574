"""Cues as subtitle files: SRT, WebVTT and ASS.

In: cues. Out: text. SRT and WebVTT are written cue by cue, so that a file can grow; ASS has two styles, the translation
large and the transcript smaller below it, and is pysubs2's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pysubs2

from live.errors import RecordingError
from live.recording.export.cues import Cue

GrowingForm = Literal["srt", "vtt"]
"""Forms that are written cue by cue."""

VTT_HEADER = "WEBVTT\n\n"
ASS_END_MS = 10 * 3600 * 1000 - 10
"""The last time that ASS can write."""
SCREEN = (1920, 1080)
SIZES = {"translation": 64, "transcript": 48}
"""Of letters, in pixels of that screen: 4 to 3."""
FONT = "Noto Sans CJK SC"
"""libass takes another where it is not there."""
_WORD_JOINER = "\u2060"
"""Invisible; keeps a backslash from being read together with what follows."""


def numbered(cue: Cue, number: int, form: GrowingForm) -> str:
    """A cue of an SRT or WebVTT file, the empty line after it included."""
    point = "." if form == "vtt" else ","
    start, end = _stamp(cue.start_ms, point), _stamp(cue.end_ms, point)
    text = cue.text
    if form == "vtt":
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    else:
        text = text.replace("-->", "→")  # would be read as a line of times
    return f"{number}\n{start} --> {end}\n{text}\n\n"


def srt(cues: Sequence[Cue]) -> str:
    """A whole SRT file."""
    return "".join(numbered(cue, number, "srt") for number, cue in enumerate(cues, 1))


def vtt(cues: Sequence[Cue]) -> str:
    """A whole WebVTT file."""
    return VTT_HEADER + "".join(numbered(cue, number, "vtt") for number, cue in enumerate(cues, 1))


def ass(cues: Sequence[Cue], title: str) -> str:
    """A whole ASS file.

    Raises:
        RecordingError: the session is too long for ASS.
    """
    if cues and cues[-1].end_ms > ASS_END_MS:
        raise RecordingError("ASS can tell no time from 10 hours on: export this session as SRT or WebVTT.")
    file = pysubs2.SSAFile()
    file.info |= {"Title": title, "PlayResX": str(SCREEN[0]), "PlayResY": str(SCREEN[1]), "WrapStyle": "2"}
    file.styles = {kind.capitalize(): _style(size) for kind, size in SIZES.items()}
    for cue in cues:
        blocks = [(_style_name(block.kind), r"\N".join(_escaped(line) for line in block.lines)) for block in cue.blocks]
        (style, text), *below = blocks
        text += "".join(rf"\N{{\r{name}}}{lines}" for name, lines in below)
        file.append(pysubs2.SSAEvent(cue.start_ms, cue.end_ms, text, style=style))
    return file.to_string("ass")  # type: ignore[no-any-return]


def _style(size: int) -> pysubs2.SSAStyle:
    return pysubs2.SSAStyle(fontname=FONT, fontsize=size, outline=3.0, shadow=0.0, marginl=60, marginr=60, marginv=50)


def _style_name(kind: str) -> str:
    return "Transcript" if kind == "transcript" else "Translation"


def _escaped(line: str) -> str:
    return line.replace("\\", "\\" + _WORD_JOINER).replace("{", r"\{").replace("}", r"\}")


def _stamp(ms: int, point: str) -> str:
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{ms // 1000:02}{point}{ms % 1000:03}"
