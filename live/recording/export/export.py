"""Exporting a session: a transcript in, a file of a form other programs read out.

Files are owner-only and replaced whole: who reads one meanwhile sees the old or the new.
"""

from __future__ import annotations

import re
from pathlib import Path

from live.errors import RecordingError
from live.files import replace_private
from live.recording.export.cues import lay_out
from live.recording.export.documents import as_json, heading, markdown, txt
from live.recording.export.forms import FORMS, Form, Lines
from live.recording.export.subtitles import ass, srt, vtt
from live.recording.journal import Transcript

LONGEST_NAME = 80
"""Characters of a title that become a file's name; hanzi take three bytes of the 255 that file systems allow."""
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f]+')
"""In names of files, on one system or another."""


def export(transcript: Transcript, path: Path, form: Form | None = None, lines: Lines = "both") -> None:
    """Write a session to a file.

    Args:
        transcript: What is written.
        path: Where; what stood there is replaced.
        form: None: as the name ends.
        lines: Which languages.

    Raises:
        RecordingError: the form is not known or cannot hold the session, or it cannot be written there; what stood
            there is untouched.
    """
    content = rendered(transcript, form or form_of(path), lines)
    if not path.parent.is_dir():
        raise RecordingError(
            f"There is no folder {path.parent}: make it first, or name another file (a name holds no slash)."
        )
    if path.is_dir():
        raise RecordingError(f"{path} is a folder: name a file in it.")
    try:
        replace_private(path, content)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        raise RecordingError(f"The session cannot be exported to {path}: {reason}. Choose another place.") from error


def rendered(transcript: Transcript, form: Form, lines: Lines = "both") -> bytes:
    """The content of the file."""
    if form == "docx":
        from live.recording.export.word_document import word_document

        return word_document(transcript, lines)
    if form == "txt":
        return txt(transcript, lines).encode()
    if form == "md":
        return markdown(transcript, lines).encode()
    if form == "json":
        return as_json(transcript, lines).encode()
    cues = lay_out([entry.caption for entry in transcript.entries], transcript.marks, lines)
    if form == "ass":
        return ass(cues, heading(transcript)[0]).encode()
    return (srt(cues) if form == "srt" else vtt(cues)).encode()


def form_of(path: Path) -> Form:
    """The form that a file's name asks for.

    Raises:
        RecordingError: none is known by that ending.
    """
    ending = path.suffix.lower().removeprefix(".")
    for form in FORMS:
        if form == ending:
            return form
    raise RecordingError(f"'{path.name}' does not say in which form to export: end it in {', '.join(FORMS)}.")


def file_name(transcript: Transcript, form: Form) -> str:
    """A name for an export of a session: its title, or when it was."""
    name = _FORBIDDEN.sub("-", heading(transcript)[0]).strip(" .-")[:LONGEST_NAME].strip(" .-")
    return f"{name or transcript.folder.name}.{form}"
