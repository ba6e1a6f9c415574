"""A transcript as DOCX: a heading, and a paragraph for each caption; python-docx writes it."""

from __future__ import annotations

import io

import docx
from docx.document import Document
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph

from live.recording.export.documents import heading, paragraphs
from live.recording.export.forms import Lines
from live.recording.journal import Transcript

GREY = RGBColor(0x60, 0x60, 0x60)
SMALL = Pt(9)
LATIN_FONT, CHINESE_FONT = "Calibri", "Microsoft YaHei"
"""Names that office programs know on every system, or put another in the place of."""


def word_document(transcript: Transcript, lines: Lines) -> bytes:
    """The file's bytes."""
    document = docx.Document()
    _set_fonts(document)
    title, facts = heading(transcript)
    document.core_properties.title = title[:255]  # the format's own limit
    document.core_properties.author = ""
    document.add_heading(title, 1)
    _small(document.add_paragraph(), facts)
    for paragraph in paragraphs(transcript, lines):
        first, *others = paragraph.texts
        written = document.add_paragraph()
        _small(written, f"{paragraph.when}  ")
        written.add_run(first).bold = paragraph.caption is None
        for text in others:
            written.add_run().add_break()
            _small(written, text)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _set_fonts(document: Document) -> None:
    style = document.styles["Normal"]
    style.font.name = LATIN_FONT
    style.element.rPr.rFonts.set(qn("w:eastAsia"), CHINESE_FONT)


def _small(paragraph: Paragraph, text: str) -> None:
    run = paragraph.add_run(text)
    run.font.size = SMALL
    run.font.color.rgb = GREY
