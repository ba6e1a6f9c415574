"""What a command tells its user beside its output."""

import sys


def say(sentence: str) -> None:
    """Print one line on standard error, which begins with the program's name."""
    print(f"tongchuan: {sentence}", file=sys.stderr, flush=True)
