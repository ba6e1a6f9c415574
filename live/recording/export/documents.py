"""A transcript as text: TXT, Markdown and JSON.

In: a session's transcript. Out: text with every caption whole and its time, marks where they were set, uncertain
captions marked. Subtitles are the business of live/recording/export/subtitles.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from live.audio import clock_text, seconds
from live.events import Caption, Line, MarkAdded
from live.recording.export.cues import UNCERTAIN_MARK, mark_text
from live.recording.export.forms import Lines
from live.recording.export.phrases import plain
from live.recording.journal import Transcript
from live.speakers import Speakers

JSON_VERSION = 1
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&]|^[-+=]|^\d+[.)])")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A caption or a mark, ready to be written."""

    when: str
    """Its time, who spoke where there is more than one lane, and whether it is uncertain."""
    texts: tuple[str, ...]
    """One a language, the translation first; of a mark its words."""
    caption: int | None = None
    """Its id; None: it is a mark."""


def heading(transcript: Transcript) -> tuple[str, str]:
    """The title, and a line of facts below it."""
    began = transcript.info.began
    title = plain(transcript.info.title) or f"{began:%Y-%m-%d %H:%M}"
    facts = [f"{began:%Y-%m-%d %H:%M}", clock_text(transcript.end), plain(transcript.info.model)]
    return title, " · ".join(fact for fact in facts if fact)


def paragraphs(transcript: Transcript, lines: Lines) -> Iterator[Paragraph]:
    """Captions and marks by time; captions that say nothing in the languages chosen are left out."""
    captions = [entry.caption for entry in transcript.entries]
    speakers = Speakers(caption.lane for caption in captions)
    marks = list(transcript.marks)
    for caption in captions:
        while marks and marks[0].at < caption.start:
            yield _mark(marks.pop(0))
        chosen = {"both": (caption.translation, caption.transcript)}.get(lines, (getattr(caption, lines, Line()),))
        if texts := tuple(text for line in chosen if (text := plain(line.text))):
            facts = [clock_text(caption.start)]
            facts += [speakers.of(caption)]
            facts += [UNCERTAIN_MARK] if caption.is_uncertain else []
            yield Paragraph(" ".join(filter(None, facts)), texts, caption.id)
    yield from map(_mark, marks)


def txt(transcript: Transcript, lines: Lines) -> str:
    """Plain text: a time and a text a line."""
    blocks = ["\n".join(heading(transcript))]
    for paragraph in paragraphs(transcript, lines):
        first, *others = paragraph.texts
        indent = " " * (len(paragraph.when) + 2)
        blocks.append("\n".join([f"{paragraph.when}  {first}", *(indent + text for text in others)]))
    return "\n\n".join(blocks) + "\n"


def markdown(transcript: Transcript, lines: Lines) -> str:
    """Markdown: the time in bold, the transcript as a quotation."""
    title, facts = heading(transcript)
    blocks = [f"# {_escaped(title)}", _escaped(facts)]
    for paragraph in paragraphs(transcript, lines):
        first, *others = paragraph.texts
        blocks.append(f"**{_escaped(paragraph.when)}** {_escaped(first)}")
        blocks += [f"> {_escaped(text)}" for text in others]
    return "\n\n".join(blocks) + "\n"


def as_json(transcript: Transcript, lines: Lines) -> str:
    """JSON: times in seconds, words with times where they are known.

    {"version": 1, "title": ..., "began": ISO 8601, "model": ..., "captions": [{"id", "lane", "source", "target",
    "start_s", "end_s", "is_uncertain", "logprob", "by", "translation": {"text", "words"}, "transcript": {...}}],
    "marks": [{"at_s", "label"}]}
    """
    info = transcript.info
    data = {
        "version": JSON_VERSION,
        "title": info.title,
        "began": info.began.isoformat(timespec="milliseconds"),
        "model": info.model,
        "captions": [{**_caption(entry.caption, lines), "by": entry.by} for entry in transcript.entries],
        "marks": [{"at_s": _s(mark.at), "label": plain(mark.label)} for mark in transcript.marks],
    }
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _mark(mark: MarkAdded) -> Paragraph:
    return Paragraph(clock_text(mark.at), (mark_text(mark),))


def _caption(caption: Caption, lines: Lines) -> dict[str, Any]:
    data: dict[str, Any] = {name: getattr(caption, name) for name in ("id", "lane", "source", "target")}
    data |= {"start_s": _s(caption.start), "end_s": _s(caption.end), "is_uncertain": caption.is_uncertain}
    data["logprob"] = caption.logprob if math.isfinite(caption.logprob) else None
    for name, line in (("translation", caption.translation), ("transcript", caption.transcript)):
        if lines in ("both", name):
            data[name] = {
                "text": plain(line.text),
                "words": [{"text": w.text, "start_s": _s(w.start), "end_s": _s(w.end)} for w in line.settled],
            }
    return data


def _s(sample: int | None) -> float | None:
    return None if sample is None else round(seconds(sample), 3)


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(lambda match: "".join(_backslashed(character) for character in match.group()), text)


def _backslashed(character: str) -> str:
    return character if character.isalnum() else "\\" + character
