"""`tongchuan models`: the models there are, which fit this computer and which is used; `fetch` brings one here."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from live.settings import AUTO, Settings
from models.base import LANGUAGES, ModelLoadError
from models.memory import size_text
from ui.commands.options import Commands, add_command, choose_model, load_settings, named_model
from ui.exits import DONE

if TYPE_CHECKING:
    from models.catalogue import Entry
    from models.memory import Gpu, NoGpu


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "models",
        run,
        "list the models, and which one is used; fetch one",
        detail="Besides those listed, --model takes the folder of a checkpoint of the Qwen-Audio family, or a "
        "repository as OWNER/NAME. Fetching is the one thing for which this program connects: to huggingface.co, or "
        "where HF_ENDPOINT points.",
        examples=(
            "tongchuan models",
            "tongchuan models fetch qwen-audio",
            "tongchuan file talk.mp4 --model qwen-audio",
        ),
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    fetch = actions.add_parser(
        "fetch",
        help="bring a model onto this computer; what broke off goes on where it was",
        description="Bring a model onto this computer. Ctrl-C stops it; the same command goes on from there.",
        allow_abbrev=False,
    )
    fetch.add_argument("name", metavar="NAME", help="one of those listed, or a repository as OWNER/NAME")
    fetch.set_defaults(run=run_fetch)


def run(arguments: argparse.Namespace) -> int:
    """List them.

    Raises:
        LiveError: the settings are wrong, or name no model.
        ModelLoadError: the model asked for does not exist.
    """
    from models.catalogue import find, known
    from models.memory import find_gpu

    settings, origins = load_settings(arguments)
    chosen = choose_model(settings).entry if settings.model == AUTO else find(named_model(settings), settings.device)
    gpu = find_gpu(settings.device)
    listed = known(settings.device)
    if chosen.name not in {entry.name for entry in listed}:
        listed = (*listed, chosen)
    for entry in listed:
        print(f"{'*' if entry.name == chosen.name else ' '} {entry.name}")
        for fact in _facts(entry, gpu):
            print(f"      {fact}")
    why = chosen.reason or f'model = "{settings.model}", from the {origins["model"]}'
    print(f"\n* is used{'' if chosen.is_here else ' once it is fetched'}. {why}")
    print(_held(chosen, settings))
    return DONE


def run_fetch(arguments: argparse.Namespace) -> int:
    """Bring one here.

    Raises:
        ModelError: there is no such model, or it cannot be fetched.
        KeyboardInterrupt: the user stopped it.
    """
    from models.catalogue import find
    from ui.commands.fetching import fetch_shown

    settings, _ = load_settings(arguments)
    entry = find(arguments.name, settings.device)
    if entry.is_here:
        print(f"{entry.name} is here: {_place(entry)}")
        return DONE
    entry = fetch_shown(entry, settings.device)
    print(f"{entry.name} is here now: {_place(entry)}\nUse it with --model {entry.name}")
    return DONE


def _facts(entry: Entry, gpu: Gpu | NoGpu) -> Iterator[str]:
    from models.catalogue import RUNNING_BYTES
    from models.choice import fit_text
    from models.precision import QUANTS, label

    yield entry.title
    if entry.notice:
        yield entry.notice
    where = "here" if entry.is_here else f"not here whole: {entry.problem}" if entry.problem else "not here"
    yield f"{where}; {fit_text(entry, gpu)}"
    if entry.languages:
        yield "languages: " + ", ".join(LANGUAGES[code][0] for code in entry.languages)
    if entry.bleu:
        scores = ", ".join(f"{source}-{target} {score:.1f}" for (source, target), score in entry.bleu.items())
        yield f"BLEU on CoVoST 2, published: {scores} ({entry.bleu_source})"
    if entry.size_bytes:
        yield f"files: {size_text(entry.size_bytes)}"
    if entry.parts:
        needs = ", ".join(f"{label(q)} {size_text(entry.parts.n_bytes(q) + RUNNING_BYTES)}" for q in QUANTS)
        yield f"memory on a GPU: {needs} (computed, not measured)"
    elif entry.memory_bytes:
        yield f"memory while running: {size_text(entry.memory_bytes)}"
    if entry.licence:
        yield f"licence: {entry.licence}"
    if entry.licence_notice:
        yield entry.licence_notice


def _held(entry: Entry, settings: Settings) -> str:
    """In which precision it would be loaded now, or why in none: one sentence."""
    from models.choice import with_precision

    try:
        return with_precision(entry, settings.quant, settings.device).held
    except ModelLoadError as error:
        return str(error)


def _place(entry: Entry) -> str:
    return str(entry.factory.arguments.get("folder", "part of the program"))
