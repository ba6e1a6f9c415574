"""What commands have in common: the words they all take, and what those words mean as settings.

In: parsed words. Out: Settings, the model's catalogue entry. What is done with them is the command's business.
"""

from __future__ import annotations

import argparse
import logging
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from live.errors import LiveError, SettingsError
from live.settings import AUTO, RULES, Origins, Settings, load
from models.base import LANGUAGES
from ui.commands.fetching import bring, bring_better, show_notices

if TYPE_CHECKING:
    from models.catalogue import Entry
    from models.choice import Choice

log = logging.getLogger(__name__)

WIDTH = 100
"""Columns of a command's description in its help."""

_NAMED = {"input": "microphone", "output": "system"}
"""The options that name a device, and the sources that these are."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` returns; argparse names it only privately."""


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    sentence: str,
    *,
    detail: str = "",
    examples: Sequence[str] = (),
) -> argparse.ArgumentParser:
    """Add a command with the options that every command takes.

    Args:
        commands: What `add_subparsers` returned.
        name: The command's word.
        run: Takes the parsed words and returns an exit status.
        sentence: What it does, for the list of commands.
        detail: What else to know, for its own help.
        examples: Lines for the end of its help.
    """
    parser = commands.add_parser(
        name,
        help=sentence,
        description=textwrap.fill(f"{sentence[0].upper()}{sentence[1:]}. {detail}".strip(), WIDTH),
        epilog="examples:\n" + "\n".join(f"  {line}" for line in examples) if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    group = parser.add_argument_group("model")
    add_setting(group, "--model", "model", metavar="NAME|PATH")
    add_setting(group, "--device", "device")
    add_setting(group, "--quant", "quant")
    return parser


def add_setting(
    group: argparse._ActionsContainer, word: str, key: str, *, metavar: str | None = None, default: str | None = None
) -> None:
    """Add an option that stands for a setting, for this run."""
    rule = RULES[key]
    is_pair = rule.kind is tuple
    group.add_argument(
        word,
        dest=key,
        type=rule.parse if is_pair else str,
        choices=None if is_pair else rule.choices or None,
        metavar=metavar or "|".join(rule.choices),
        default=default,
        help=rule.help.replace("%", "%%"),
    )


def count(word: str) -> int:
    """A number from 1 on, for argparse.

    Raises:
        argparse.ArgumentTypeError: the word is none.
    """
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number from 1 on")
    return int(word)


def add_speech(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that translate speech."""
    names = ", ".join(f"{code} {english}" for code, (english, _) in LANGUAGES.items())
    known = f"Languages: {names}. `tongchuan models` says which a model knows."
    group = parser.add_argument_group("speech", textwrap.fill(known, WIDTH))
    add_setting(group, "--from", "from_language", metavar="LANGUAGE")
    add_setting(group, "--to", "to_language", metavar="LANGUAGE")
    add_setting(group, "--pair", "pair", metavar="A,B")
    add_setting(group, "--detector", "detector")


def add_microphone(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that listen."""
    group = parser.add_argument_group("sound")
    add_setting(group, "--source", "source")
    add_setting(group, "--input", "input", metavar="NAME")
    add_setting(group, "--output", "output", metavar="NAME")


def load_settings(arguments: argparse.Namespace) -> tuple[Settings, Origins]:
    """Return the settings of this run, and where each comes from.

    Raises:
        SettingsError: the settings file or an option is wrong.
    """
    given = {key: value for key in RULES if (value := getattr(arguments, key, None)) is not None}
    settings, origins = load(overrides=given)
    for key, source in _NAMED.items():
        if key in given and settings.source not in ("both", source):
            raise SettingsError(
                f"--{key} names what is not listened to: add `--source both`, or `--source {source}` for it alone."
            )
    return settings, origins


def resolve_model(settings: Settings, *, may_ask: bool = True, may_offer: bool = True) -> Entry:
    """Return the model to use, fetched where the user agrees, in its precision; say once what is to be known of it.

    Args:
        settings: name the model, the compute device, the precision and the languages.
        may_ask: otherwise nothing is asked, fetched or said.
        may_offer: "auto" may ask whether to fetch a larger model.

    Raises:
        LiveError: none is named.
        ModelError: there is no such model, there is no room for it, or it is not here and cannot or shall not be
            fetched.
    """
    from models.catalogue import find, resolve
    from models.choice import with_precision

    device = settings.device
    if settings.model == AUTO:
        choice = choose_model(settings)
        entry = bring_better(choice, device) if may_ask and may_offer else choice.entry
    else:
        name = named_model(settings)
        entry = bring(find(name, device), device) if may_ask else resolve(name, device)
    entry = with_precision(entry, settings.quant, device)
    if may_ask:
        show_notices(entry)
    log.info("model: %s. %s %s", entry.name, entry.reason or "It was asked for.", entry.held)
    return entry


def named_model(settings: Settings) -> str:
    """The name or folder asked for.

    Raises:
        LiveError: it is empty.
    """
    if not settings.model.strip():
        raise LiveError("Give --model a name or a folder.")
    return settings.model


def choose_model(settings: Settings) -> Choice:
    """What "auto" stands for on this computer.

    Raises:
        ModelLoadError: the program's own model is missing.
    """
    from live.policy import Direction
    from models.choice import choose

    source, target = (None if code == AUTO else code for code in (settings.from_language, settings.to_language))
    return choose(Direction.between(source, target, settings.pair).targets.items(), settings.device, settings.quant)
