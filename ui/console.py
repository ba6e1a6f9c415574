"""The rich console of standard output.

Out: a Console that reports a reader that went away (`| head`) as Python does, where rich would end the process itself.
"""

from __future__ import annotations

import sys

from rich.console import Console


class OutputConsole(Console):
    """Draws on standard output."""

    def __init__(self) -> None:
        super().__init__(file=sys.stdout, highlight=False)

    def on_broken_pipe(self) -> None:
        """Have the command's `main` decide what that means."""
        raise BrokenPipeError
