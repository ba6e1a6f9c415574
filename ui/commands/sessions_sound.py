"""`tongchuan sessions play | resume | retranslate`: what is done with a session's recorded sound.

In: parsed words. Out: sound and captions; further captions in the session's journal.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from live.errors import LiveError
from live.settings import Settings
from ui.commands.options import add_setting, load_settings, resolve_model
from ui.exits import DONE
from ui.saying import say

if TYPE_CHECKING:
    from live.recording.journal import Transcript
    from live.recording.records import By
    from live.recording.resume import Outcome

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_actions(add: Add, add_name: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the actions' words."""
    play = add("play", run_play, "play a session's sound, its captions following")
    add_name(play)
    play.add_argument("--from", dest="first", type=int, metavar="NUMBER", help="the caption to begin with")
    resume = add("resume", run_resume, "translate what was heard and not translated, from its recorded sound")
    resume.add_argument("name", nargs="?", metavar="NAME", help="a session; without it, every one that was cut off")
    retranslate = add(
        "retranslate",
        run_retranslate,
        "translate a recorded session again, but for captions edited by hand; what was there is kept",
    )
    add_name(retranslate)
    for action in (resume, retranslate):
        group = action.add_argument_group("model")
        # Without a default of their own: it would hide what was said before the action.
        add_setting(group, "--model", "model", metavar="NAME|PATH", default=argparse.SUPPRESS)
        add_setting(group, "--device", "device", default=argparse.SUPPRESS)
        add_setting(group, "--quant", "quant", default=argparse.SUPPRESS)


def run_play(arguments: argparse.Namespace) -> int:
    """Play it.

    Raises:
        LiveError: there is no such session or caption, no sound of it, or nothing to play it on.
    """
    from live.events import CaptionUpdated
    from live.loudspeaker import Loudspeaker
    from live.recording.library_playback import Playback
    from ui.commands.sessions import opened, read_named
    from ui.console import OutputConsole
    from ui.terminal import TerminalView

    with opened(arguments) as library:
        transcript = read_named(library, arguments.name)
    playback = Playback(transcript, _start(transcript, arguments.first))
    view = TerminalView(console=OutputConsole())  # never entered: it draws nothing that changes
    playback.run(Loudspeaker(), lambda caption: view.apply(CaptionUpdated(caption)))
    return DONE


def _start(transcript: Transcript, first: int | None) -> int:
    captions = [entry.caption for entry in transcript.entries]
    if first is None:
        return captions[0].start if captions else 0
    for caption in captions:
        if caption.id == first:
            return caption.start
    raise LiveError(
        f"The session {transcript.folder.name} has no caption {first}: `tongchuan sessions show` lists them."
    )


def run_resume(arguments: argparse.Namespace) -> int:
    """Translate what was left.

    Raises:
        LiveError: there is no such session, or it cannot be written.
        ModelError: there is no such model, or it failed.
    """
    from live.recording.folder import sessions_root
    from live.recording.journal import read
    from live.recording.resume import rest, resumable
    from ui.commands.sessions import opened

    settings, _ = load_settings(arguments)
    waiting = rest(sessions_root(settings.sessions_folder))  # takes in what was being said
    if arguments.name is None:
        if not waiting:
            say("Nothing is left to translate.")
        for folder, _n in waiting:
            _translate(settings, folder, None, "resume")
        return DONE
    with opened(arguments) as library:
        folder = library.find(arguments.name)
    transcript = read(folder)
    if not transcript.pending:
        say(f"Nothing is left to translate in {folder.name}.")
    elif not resumable(transcript):
        raise LiveError(
            f"What is left of {folder.name} cannot be translated: its sound was not recorded, or is missing."
        )
    else:
        _translate(settings, folder, None, "resume")
    return DONE


def run_retranslate(arguments: argparse.Namespace) -> int:
    """Translate everything again.

    Raises:
        LiveError: there is no such session, no sound of it, or it cannot be written.
        ModelError: there is no such model, or it failed.
    """
    from live.recording.library_playback import Playback
    from ui.commands.sessions import opened, read_named

    settings, _ = load_settings(arguments)
    with opened(arguments) as library:
        transcript = read_named(library, arguments.name)
    Playback(transcript)  # says why, where there is no sound
    # A model does not take back what a person wrote.
    ids = {entry.caption.id for entry in transcript.entries if entry.by != "edit"}
    ids |= {heard.id for heard in transcript.untranslated}
    _translate(settings, transcript.folder, ids, "retranslation")
    return DONE


def _translate(settings: Settings, folder: Path, ids: Collection[int] | None, by: By) -> None:
    from live.recording.resume import resume
    from models.worker import ModelWorker
    from ui.console import OutputConsole
    from ui.logs import model_log_path
    from ui.terminal import TerminalView

    entry = resolve_model(settings)
    view = TerminalView(console=OutputConsole())

    outcome = resume(
        folder,
        entry.factory,
        entry.name,
        ids=ids,
        by=by,
        show=view.apply,
        start_worker=functools.partial(ModelWorker, log_path=str(model_log_path())),
    )
    say(f"{folder.name}: {_words(outcome)}")


def _words(outcome: Outcome) -> str:
    parts = [f"{outcome.n_translated} translated"]
    parts += [f"{outcome.n_silent} without words"] if outcome.n_silent else []
    parts += [f"{outcome.n_failed} failed"] if outcome.n_failed else []
    parts += [f"{outcome.n_without_sound} without sound"] if outcome.n_without_sound else []
    return ", ".join(parts) + "."
