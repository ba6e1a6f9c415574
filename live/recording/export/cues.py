"""Subtitles by the trade's rules: captions and marks in, timed cues out.

A cue holds at most two lines: two of one language, or one of each. Long captions become several cues, timed by their
words where those have times and by length where not. Cues never overlap, each stands from 833 ms to 7 s, and as long as
it takes to read where there is room. How a cue is written is the business of live/recording/export/subtitles.py.
Source of the numbers: Netflix's timed text guides, as SubtitleEdit checks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from live.events import Caption, Line, MarkAdded
from live.recording.export.breaking import Text
from live.recording.export.forms import Lines
from live.recording.export.phrases import at_line_end, plain, reading_ms
from live.speakers import Speakers
from models.base import SAMPLE_RATE

MAX_LINES = 2
MIN_MS = 833
MAX_MS = 7000
GAP_MS = 80
"""Two pictures of twenty-five a second: the least between two cues."""
CLOSED_MS = 480
"""Gaps shorter than twelve pictures look like flicker: they are closed to the least."""
LINGER_MS = 480
"""How long a cue may outlast its speech where what follows is not known yet."""
LATE_MS = 1000
"""How late a cue may begin so that the one before can be read, where two people talk at once."""
MARK_SIGN = "⚑"
UNCERTAIN_MARK = "[?]"
"""Stands before the text of an uncertain caption: SRT and WebVTT have no way of their own that players show."""
MARK_LANGUAGE = "en"
"""Whose line width holds for labels."""


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one language in a cue."""

    kind: Literal["translation", "transcript", "mark"]
    language: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at once."""

    start_ms: int
    end_ms: int
    blocks: tuple[Block, ...]
    """One a language, top first; none is empty."""

    @property
    def text(self) -> str:
        """All lines, joined by line breaks."""
        return "\n".join(line for block in self.blocks for line in block.lines)

    @property
    def reading_ms(self) -> int:
        """How long it takes to read: people read one of the languages."""
        return max(reading_ms("".join(block.lines), block.language) for block in self.blocks)


def lay_out(captions: Sequence[Caption], marks: Sequence[MarkAdded] = (), lines: Lines = "both") -> list[Cue]:
    """Make the cues of a whole session.

    Args:
        captions: final ones, in any order.
        marks: in any order.
        lines: which languages.

    Returns:
        Cues in order of time that do not overlap.
    """
    waiting = sorted(marks, key=lambda mark: mark.at)
    speakers = Speakers(caption.lane for caption in captions)
    wanted: list[Cue] = []
    for caption in sorted(captions, key=lambda caption: (caption.start, caption.id)):
        taken = [mark for mark in waiting if mark.at < caption.end]
        del waiting[: len(taken)]
        wanted += caption_cues(caption, taken, lines, speakers.of(caption))
    wanted += mark_cues(waiting)
    wanted.sort(key=lambda cue: cue.start_ms)
    placing = Placing()
    nexts = [*(cue.start_ms for cue in wanted[1:]), None]
    return [placing.place(cue, next_ms) for cue, next_ms in zip(wanted, nexts, strict=False)]


def caption_cues(caption: Caption, marks: Sequence[MarkAdded], lines: Lines, speaker: str = "") -> list[Cue]:
    """The cues of one caption as its sound wants them, with the marks set in it or before it; not yet placed.

    Args:
        caption: a final one.
        marks: in any order.
        lines: which languages.
        speaker: who says it, where that is to be written.
    """
    before = [mark for mark in marks if mark.at < caption.start]
    inside = [mark for mark in marks if mark.at >= caption.start]
    blocks = _texts(caption, inside, lines, speaker)
    said = list(_timed(caption, blocks)) if blocks else mark_cues(inside)
    return [*mark_cues(before), *said]


class Placing:
    """Gives cues their times, one after another: once placed, a cue stays."""

    def __init__(self) -> None:
        self._end_ms: int | None = None

    def place(self, cue: Cue, next_ms: int | None) -> Cue:
        """Time a cue so that it can be read and is over before the next.

        Args:
            cue: with the times its sound wants.
            next_ms: when the next one wants to begin; None where there is none yet.
        """
        start = cue.start_ms if self._end_ms is None else max(cue.start_ms, self._end_ms + GAP_MS)
        read_by = start + cue.reading_ms
        end = cue.end_ms
        if next_ms is None:
            end = max(end, min(read_by, cue.end_ms + LINGER_MS))
        else:
            room = next_ms - GAP_MS
            if end > room:
                end = max(room, min(read_by, end, next_ms + LATE_MS - GAP_MS))
            else:
                end = max(end, min(read_by, room))
                if next_ms - end < CLOSED_MS:
                    end = room
        end = min(max(end, start + MIN_MS), start + MAX_MS)
        self._end_ms = end
        return Cue(start, end, cue.blocks)


def _texts(caption: Caption, marks: Sequence[MarkAdded], lines: Lines, speaker: str) -> list[tuple[Block, Text]]:
    """The languages that say something, the first with marks, the speaker and the sign of doubt before it."""
    chosen: tuple[tuple[Literal["translation", "transcript"], str, Line], ...] = (
        ("translation", caption.target, caption.translation),
        ("transcript", caption.source, caption.transcript),
    )
    signs = [*map(mark_text, marks), *([f"[{speaker}]"] if speaker else [])]
    signs += [UNCERTAIN_MARK] if caption.is_uncertain else []
    found = []
    for kind, language, line in chosen:
        said = plain(line.text)
        if lines in ("both", kind) and at_line_end(said, language):
            text = Text.of(" ".join([*signs, said]), language)
            signs = []
            found.append((Block(kind, language, ()), text))
    return found


def _timed(caption: Caption, texts: Sequence[tuple[Block, Text]]) -> Iterator[Cue]:
    """Break the texts into as many parts as the longest needs, and time these."""
    n_lines = MAX_LINES // len(texts)
    start, end = (_ms(sample) for sample in (caption.start, caption.end))
    n = max(*(text.n_parts(n_lines) for _, text in texts), -(-(end - start) // MAX_MS), 1)
    broken = [(block, text.parts(n, n_lines)) for block, text in texts]
    n = max(len(parts) for _, parts in broken)
    _, leading = max(broken, key=lambda pair: len(pair[1]))
    sizes = [sum(len(phrase.text) for phrase in part.phrases) for part in leading]
    times = [start, *_times(caption, np.cumsum(sizes)[:-1] / sum(sizes)), end]
    for index, (begins, ends) in enumerate(pairwise(times)):
        blocks = []
        for block, parts in broken:
            of_this = [part for number, part in enumerate(parts) if number * n // len(parts) == index]
            if shown := tuple(line for part in of_this for line in part.lines(n_lines)):
                blocks.append(Block(block.kind, block.language, shown))
        if blocks:
            yield Cue(begins, ends, tuple(blocks))


def _times(caption: Caption, shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    """When shares of a caption's text, 0 to 1, are said: by its words' times, evenly between them."""
    sizes = [len(word.text) for word in caption.transcript.settled]
    total = max(sum(sizes), 1)
    known_shares, known_times = [0.0], [float(caption.start)]
    before = 0
    for word, size in zip(caption.transcript.settled, sizes, strict=True):
        if word.start is not None and before:
            known_shares.append(before / total)
            known_times.append(float(min(max(word.start, known_times[-1]), caption.end)))
        before += size
    found = np.interp(shares, [*known_shares, 1.0], [*known_times, float(caption.end)])
    return [_ms(sample) for sample in found]


def mark_cues(marks: Sequence[MarkAdded]) -> list[Cue]:
    """Marks that no caption carries; not yet placed."""
    return [
        Cue(_ms(mark.at), _ms(mark.at) + MIN_MS, (Block("mark", MARK_LANGUAGE, tuple(part.lines(MAX_LINES))),))
        for mark in marks
        for part in Text.of(mark_text(mark), MARK_LANGUAGE).parts(1, MAX_LINES)
    ]


def mark_text(mark: MarkAdded) -> str:
    """A mark in words."""
    return f"{MARK_SIGN} {plain(mark.label)}".strip()


def _ms(sample: float) -> int:
    return round(1000 * sample / SAMPLE_RATE)
