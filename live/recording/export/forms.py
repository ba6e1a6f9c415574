"""What there is to choose in an export; names alone, for those who only offer them."""

from __future__ import annotations

from typing import Literal, get_args

Form = Literal["srt", "vtt", "ass", "txt", "md", "docx", "json"]
"""As the file's name ends."""
FORMS: tuple[Form, ...] = get_args(Form)
Lines = Literal["both", "translation", "transcript"]
"""Which languages are written; of both, the translation stands on top."""
LINES: tuple[Lines, ...] = get_args(Lines)
