"""`tongchuan settings`: print every setting with its value and origin, or write one."""

from __future__ import annotations

import argparse

from live.settings import RULES, parse_value, set_value, settings_path
from ui.commands.options import Commands, add_command, load_settings

_KEYS_WIDTH = max(map(len, RULES))


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "settings",
        run,
        "print the settings, their values and where each comes from; or write one",
        examples=(
            "tongchuan settings",
            "tongchuan settings set endpoint_ms 600",
            "tongchuan settings set pair zh,en",
        ),
    )
    parser.set_defaults(key=None)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    keys = "\n".join(f"  {key:{_KEYS_WIDTH}}  {rule.help} Must be {rule.expected}." for key, rule in RULES.items())
    setting = actions.add_parser(
        "set",
        help="write one setting into the file, its comments kept",
        description="Write one setting into the settings file; its comments are kept.",
        epilog="settings:\n" + keys.replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    setting.add_argument("key", metavar="KEY", help="which setting")
    setting.add_argument("value", metavar="VALUE", help="its new value")


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        SettingsError: the file or the value is wrong.
    """
    if arguments.key is not None:
        value = parse_value(arguments.key, arguments.value)
        set_value(None, arguments.key, value)
        print(f"{arguments.key} = {_shown(value)}   written to {settings_path()}")
        return 0
    _print_all(arguments)
    return 0


def _print_all(arguments: argparse.Namespace) -> None:
    values, origins = load_settings(arguments)
    path = settings_path()
    print(f"{path}{'' if path.exists() else '   (does not exist: all is as by default)'}\n")
    lines = {key: _shown(getattr(values, key)) for key in RULES}
    width = max(map(len, lines.values()))
    for key, value in lines.items():
        print(f"{key:{_KEYS_WIDTH}} = {value:{width}}   {origins[key]:12}  {RULES[key].help}")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(_shown(item) for item in value)}]" if isinstance(value, tuple) else str(value)
