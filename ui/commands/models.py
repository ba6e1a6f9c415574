"""`tongchuan models`: print the models there are, and which one would be used."""

from __future__ import annotations

import argparse

from ui.commands.options import Commands, add_command, load_settings, resolve_model


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    add_command(
        commands,
        "models",
        run,
        "list the models, and which one is used",
        detail="A checkpoint of the Qwen-Audio family in a folder of your own is used by --model FOLDER.",
        examples=("tongchuan models", "tongchuan file talk.mp4 --model embedded"),
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        ModelLoadError: the model asked for does not exist.
        SettingsError: the settings are wrong.
    """
    from models.catalogue import known

    settings, origins = load_settings(arguments)
    chosen = resolve_model(settings)
    listed = known(settings.device)
    if chosen.name not in {entry.name for entry in listed}:
        listed = (*listed, chosen)
    for entry in listed:
        mark = "*" if entry.name == chosen.name else " "
        facts = [entry.title]
        if entry.languages:
            facts.append("languages: " + ", ".join(entry.languages))
        facts += [f"{source} to {target}: {score:.1f} BLEU" for (source, target), score in entry.bleu.items()]
        for name, n_bytes in (("files", entry.size_bytes), ("memory while running", entry.memory_bytes)):
            if n_bytes:
                facts.append(f"{name}: {n_bytes / 1e6:,.0f} MB")
        if entry.licence:
            facts.append(f"licence: {entry.licence}")
        if not entry.is_here:
            facts.append("its files are not on this computer")
        print(f"{mark} {entry.name}")
        for fact in facts:
            print(f"      {fact}")
    why = chosen.reason or f'model = "{settings.model}", from the {origins["model"]}'
    print(f"\n* is used. {why}")
    return 0
