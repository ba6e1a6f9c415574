"""Where measured figures go besides the terminal: files that a command's options name.

In: figures or text. Out: files, the owner's alone.
"""

from __future__ import annotations

import json
from pathlib import Path

from live.errors import RecordingError


def write_json(path: Path, figures: object) -> None:
    """Write figures to a file.

    Raises:
        RecordingError: it cannot be written.
    """
    write_text(path, json.dumps(figures, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write what is to be read of them to a file.

    Raises:
        RecordingError: it cannot be written.
    """
    from live.files import replace_private

    try:
        replace_private(path, text)
    except OSError as error:
        raise RecordingError(f"The figures cannot be written to {path}: {error.strerror}.") from error
