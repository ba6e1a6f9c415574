"""What a running program can be asked for, as words: `tongchuan send` sends them, keys and menu mean the same.

In: words as a person wrote them. Out: an Action, or a sentence that names the nearest. Carrying it out is the business
of the session, and copying that of the interface.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from live.audio import Lane
from live.errors import LiveError
from live.events import (
    AddMark,
    Command,
    Mode,
    Pause,
    Replay,
    Resume,
    SetDirection,
    SetMode,
    SetSources,
    SourceKind,
    Stop,
)
from live.settings import AUTO
from models.base import LANGUAGES

COPIED_LINES = 5
"""Lines copied where no number is given."""
MOST_LINES = 100
"""Lines that are remembered for copying."""
LONGEST_LABEL = 200
"""Characters of a mark's label."""


@dataclass(frozen=True, slots=True)
class CopyLines:
    """Put the newest lines of the conversation on the clipboard; a matter of the interface, not of the session."""

    n: int = COPIED_LINES


Action = Command | CopyLines
Answer = Callable[[str | None], None]
"""Told once what came of an action: None, or the sentence that says why not."""
Handle = Callable[[Action, Answer], None]
"""Has an action carried out; returns at once, from any thread."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command for a session, and who waits for what comes of it."""

    command: Command
    answer: Answer


USAGE: Mapping[str, str] = {
    "mark": "mark [LABEL]",
    "replay": "replay [microphone|system|file]",
    "pause": "pause",
    "resume": "resume",
    "stop": "stop",
    "copy": "copy [N]",
    "mode": "mode follow|balanced|reading",
    "direction": "direction auto|FROM-TO",
    "source": "source microphone|system|both",
}


def parse_action(words: Sequence[str]) -> Action:
    """Return what the words ask for.

    Raises:
        LiveError: they ask for nothing that there is.
    """
    name, *rest = words or [""]
    if name not in USAGE:
        raise LiveError(f"There is no action '{name}'; the nearest is `{USAGE[_nearest(name, USAGE)]}`.")
    if name == "mark":
        return _mark(rest)
    plain: dict[str, Action] = {"pause": Pause(), "resume": Resume(), "stop": Stop(), "replay": Replay()}
    if not rest:
        if name == "copy":
            return CopyLines()
        if name in plain:
            return plain[name]
    elif len(rest) == 1 and (argument := _ARGUMENTS.get(name)) is not None:
        return argument(rest[0])
    raise LiveError(f"The action is written `{USAGE[name]}`.")


def _mark(label: Sequence[str]) -> AddMark:
    text = " ".join(" ".join(label).split())
    if len(text) > LONGEST_LABEL:
        raise LiveError(f"A mark's label has at most {LONGEST_LABEL} characters, and this one has {len(text)}.")
    return AddMark(text)


def _copy(number: str) -> CopyLines:
    if number in map(str, range(1, MOST_LINES + 1)):
        return CopyLines(int(number))
    raise LiveError(f"Lines to copy are a number from 1 to {MOST_LINES}, not '{number}'.")


def _replay(lane: str) -> Replay:
    lanes: dict[str, Lane] = {each: each for each in get_args(Lane)}
    return Replay(lanes[_known(lane, lanes, "lane")])


def _mode(mode: str) -> SetMode:
    modes: dict[str, Mode] = {each: each for each in get_args(Mode)}
    return SetMode(modes[_known(mode, modes, "mode")])


def _source(source: str) -> SetSources:
    sources: dict[str, SourceKind] = {"microphone": "microphone", "system": "system", "both": "both"}
    return SetSources(sources[_known(source, sources, "source")])


def _direction(direction: str) -> SetDirection:
    if direction == AUTO:
        return SetDirection(None, None)
    source, dash, target = direction.partition("-")
    if not dash:
        raise LiveError(f"A direction is written zh-en or {AUTO}, not '{direction}'.")
    return SetDirection(_language(source), _language(target))


def _language(code: str) -> str | None:
    return None if code == AUTO else _known(code, LANGUAGES, "language")


_ARGUMENTS: Mapping[str, Callable[[str], Action]] = {
    "copy": _copy,
    "replay": _replay,
    "mode": _mode,
    "direction": _direction,
    "source": _source,
}


def _known(word: str, known: Collection[str], kind: str) -> str:
    if word not in known:
        raise LiveError(f"There is no {kind} '{word}'; the nearest is '{_nearest(word, known)}'.")
    return word


def _nearest(word: str, known: Collection[str]) -> str:
    return difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)[0]
