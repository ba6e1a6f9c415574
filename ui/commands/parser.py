"""The words that `tongchuan` takes, all commands together."""

from __future__ import annotations

import argparse
import importlib.metadata

from ui.commands import (
    analyse,
    ask,
    bench,
    demo,
    devices,
    doctor,
    evaluate,
    file,
    listen,
    models,
    run,
    send,
    sessions,
    settings,
)

COMMANDS = (run, demo, file, listen, send, sessions, ask, analyse, evaluate, devices, models, settings, bench, doctor)
DEFAULT = "run"

_DESCRIPTION = "Live speech translation on your own computer: Mandarin and English subtitles on the desktop."
_EXAMPLES = """\
examples:
  tongchuan                          subtitles of the microphone on the desktop
  tongchuan --source both            of the computer's own sound as well
  tongchuan demo                     a short two-language meeting, through the whole program
  tongchuan listen                   captions in the terminal
  tongchuan file talk.mp4 --srt talk.srt
  tongchuan send mark "Budget agreed"
  tongchuan ask talk.mp4 "What is decided?" --model qwen-audio-chat
  tongchuan doctor                   what works here, and what to do about the rest

Nothing leaves this computer: sound and text are neither sent nor logged.
"""


def parse(words: list[str]) -> argparse.Namespace:
    """Return the parsed words; without a command they are the default command's.

    Raises:
        SystemExit: the words are wrong, or ask for help or the version; it has been printed.
    """
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words = [DEFAULT, *words]
    return build_parser().parse_args(words)


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
