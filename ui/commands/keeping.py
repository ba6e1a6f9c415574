"""How a command keeps its session: the words --record and --keep, and the sink that they stand for.

In: settings. Out: sinks for a session's events and sound. What is written is the business of live/recording.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import platform
from datetime import datetime
from typing import TYPE_CHECKING

from live.settings import RULES, Settings
from ui.saying import say

if TYPE_CHECKING:
    from live.recording.keeper import SessionKeeper
    from models.catalogue import Entry

VERSIONED = ("tongchuan", "torch", "transformers")
"""Distributions whose versions a session names."""


def add_keeping(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is kept of a session."""
    group = parser.add_argument_group("session", "What is kept, for `tongchuan sessions`; in files for you alone.")
    for word, key in (("--record", "record_audio"), ("--keep", "keep_sessions")):
        group.add_argument(word, dest=key, action=argparse.BooleanOptionalAction, help=RULES[key].help)


def keeper(settings: Settings, entry: Entry, source_name: str) -> list[SessionKeeper]:
    """The sink that keeps a session, or none where none is wanted.

    Args:
        settings: Say what is kept, and where.
        entry: The model that translates.
        source_name: What is listened to first.
    """
    from live.recording.folder import sessions_root
    from live.recording.keeper import SessionKeeper
    from live.recording.session_info import SessionInfo

    if not (settings.keep_sessions or settings.record_audio):
        return []
    info = SessionInfo(
        began=datetime.now().astimezone(),
        model=entry.name,
        source=source_name,
        versions={"python": platform.python_version()} | {name: _version(name) for name in VERSIONED},
        settings=dataclasses.asdict(settings),
    )
    sound = settings.record_format if settings.record_audio else None
    return [SessionKeeper(sessions_root(settings.sessions_folder), info, sound)]


def offer_rest(settings: Settings) -> None:
    """Say, in a line each, which sessions were cut off before everything was translated."""
    from live.recording.folder import sessions_root
    from live.recording.resume import rest

    for folder, n_waiting in rest(sessions_root(settings.sessions_folder)):
        utterances = "1 utterance" if n_waiting == 1 else f"{n_waiting} utterances"
        say(f"The session {folder.name} has {utterances} not translated: `tongchuan sessions resume` does it.")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
