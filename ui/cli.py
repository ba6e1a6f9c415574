"""The command `tongchuan`: words in, an exit status out.

Each command stands in ui/commands; here they are found, and whatever they fail at becomes one line and a status:
0 done, 1 a LiveError or ModelError, 2 wrong usage, 130 Ctrl-C. What a command does is not this file's business.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from live.errors import LiveError, unworded
from models.base import ModelError
from ui import logs
from ui.commands import demo, devices, doctor, file, listen, models, run, settings
from ui.commands.follow import DONE, FAILED, INTERRUPTED

COMMANDS = (run, demo, file, listen, devices, models, settings, doctor)
DEFAULT = "run"

log = logging.getLogger(__name__)

_DESCRIPTION = "Live speech translation on your own computer: Mandarin and English subtitles on the desktop."
_EXAMPLES = """\
examples:
  tongchuan                          subtitles of the microphone on the desktop
  tongchuan demo                     a short two-language meeting, through the whole program
  tongchuan listen                   captions in the terminal
  tongchuan file talk.mp4 --srt talk.srt
  tongchuan doctor                   what works here, and what to do about the rest

Nothing leaves this computer: sound and text are neither sent nor logged.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Words after the program's name; None is those of this process.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _make_output_robust()
    arguments = build_parser().parse_args(_with_command(words))
    log_path = logs.configure()
    log.info("tongchuan %s", arguments.command)  # never the whole line: file names are the user's own
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()
    except (LiveError, ModelError) as error:
        log.info("ended by %s", type(error).__name__)
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has what it wanted (`| head`)
        _discard_output()
        return DONE
    except Exception as error:  # noqa: BLE001 - top of the process: no traceback on a user's screen
        log.error("crashed:\n%s", unworded(error))
        return _crash(error, log_path)
    return status


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="tongchuan",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


class _PrintVersion(argparse.Action):
    """Looks the version up only when it is asked for: of a program that is not installed there is none."""

    def __call__(self, parser: argparse.ArgumentParser, *_parsed: object) -> None:
        print(f"tongchuan {importlib.metadata.version('tongchuan')}")
        parser.exit()


def _with_command(words: list[str]) -> list[str]:
    """The words with the default command where none is named."""
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        return [DEFAULT, *words]
    return words


def _make_output_robust() -> None:
    """Hanzi reach a pipe or a file as UTF-8, and no console's code page stops a session."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # replaced by something that is no text file
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="replace")  # type: ignore[union-attr]


def _discard_output() -> None:
    """Let the interpreter's last flush go nowhere, not into the closed pipe."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str) -> int:
    with contextlib.suppress(OSError):
        print(f"tongchuan: {' '.join(sentence.split())}", file=sys.stderr, flush=True)
    return FAILED


def _crash(error: Exception, log_path: Path) -> int:
    return _fail(f"a defect of the program stopped it ({type(error).__name__}); the details are in {log_path}")


if __name__ == "__main__":
    sys.exit(main())
