"""`tongchuan send`: have a program that runs do something, from a hotkey, a script or another terminal."""

from __future__ import annotations

import argparse

from live.actions import USAGE
from live.errors import LiveError
from ui.commands.options import Commands, add_command
from ui.exits import DONE
from ui.saying import say

_DONE = "done"


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "send",
        run,
        "have a running Tongchuan mark, replay, pause, copy and more",
        detail="It reaches programs of the same user on this computer, through no network. Actions: "
        + "; ".join(USAGE.values())
        + ". To be bound to keys in the desktop's own settings.",
        examples=(
            "tongchuan send mark",
            "tongchuan send mark Budget agreed",
            "tongchuan send replay",
            "tongchuan send copy 3",
            "tongchuan send direction zh-en",
            "tongchuan send pause --session listen",
        ),
    )
    parser.add_argument("action", metavar="ACTION", nargs="+", help="what to do, and what with")
    parser.add_argument(
        "--session",
        default="",
        metavar="NAME",
        help="where several programs run: the one of this name or part of it, such as listen; else the newest",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: there is no such action, no such program runs, or it has not done it.
    """
    from live.control import send

    reply = send(arguments.action, arguments.session)
    if reply.refusal is not None:
        raise LiveError(reply.refusal)
    print(_DONE)
    if reply.others and not arguments.session:
        say(f"{reply.program} took it; --session reaches {', '.join(reply.others)}.")
    return DONE
