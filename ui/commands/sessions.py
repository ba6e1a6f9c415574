"""`tongchuan sessions`: past sessions listed, shown, searched, exported, corrected, renamed, deleted.

Sound and models come in with ui/commands/sessions_sound.py. On a terminal columns are aligned; into a pipe they are
separated by tabs, for scripts.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from live.audio import clock_text
from live.errors import LiveError
from live.recording.export.forms import FORMS, LINES
from ui.commands import sessions_sound
from ui.commands.options import Commands, add_command, count, load_settings
from ui.exits import DONE
from ui.saying import say

if TYPE_CHECKING:
    from live.recording.journal import Transcript
    from live.recording.library import Library, Session

STANDARD_OUTPUT = "-"
NAME_HELP = "a session: its name or the beginning of it, its title or a part of it, or last"


def add_parser(commands: Commands) -> None:
    """Add the command's words."""
    parser = add_command(
        commands,
        "sessions",
        run_list,
        "past sessions: list, show, search, play, export, edit, rename, delete; translate what was left",
        detail="Without an action it lists them.",
        examples=(
            "tongchuan sessions",
            "tongchuan sessions search 预算",
            "tongchuan sessions show last",
            "tongchuan sessions export last talk.srt",
            "tongchuan sessions play last --from 12",
        ),
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    _add(actions, "list", run_list, "list all sessions, newest first")
    show = _add(actions, "show", run_show, "print what was said, each caption with its number")
    _add_name(show)
    _add_lines(show)
    search = _add(actions, "search", run_search, "find captions and titles, in both languages, in all sessions")
    search.add_argument("words", nargs="+", metavar="WORD", help="hanzi or words; all of them must be there")
    search.add_argument("--most", type=count, default=None, metavar="N", help="so many at most (50)")
    sessions_sound.add_actions(lambda name, run, sentence: _add(actions, name, run, sentence), _add_name)
    _add_export(actions)
    _add(actions, "window", run_window, "open them in a window")
    edit = _add(actions, "edit", run_edit, "correct a caption; what was there is kept")
    _add_name(edit)
    edit.add_argument("caption", type=int, metavar="NUMBER", help="of the caption, as `sessions show` prints it")
    edit.add_argument("--translation", metavar="TEXT", help="its new translation")
    edit.add_argument("--transcript", metavar="TEXT", help="its new transcript")
    rename = _add(actions, "rename", run_rename, "give a session a title")
    _add_name(rename)
    rename.add_argument("title", metavar="TITLE", help="the title; empty takes it away")
    delete = _add(actions, "delete", run_delete, "delete a session for good: text, sound, and its place in the search")
    _add_name(delete)
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _add(
    actions: Commands, name: str, run: Callable[[argparse.Namespace], int], sentence: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(
        name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}.", allow_abbrev=False
    )
    action.set_defaults(run=run)
    return action


def _add_name(action: argparse.ArgumentParser) -> None:
    action.add_argument("name", metavar="NAME", help=NAME_HELP)


def _add_lines(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--lines", choices=LINES, default="both", help="the translation with the transcript (default), or one of them"
    )


def _add_export(actions: Commands) -> None:
    export = _add(actions, "export", run_export, "write a session as subtitles, a text or a document")
    _add_name(export)
    export.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=f"where; its ending says how: {', '.join(FORMS)}. - is standard output; without it, the session's title",
    )
    export.add_argument("--as", dest="form", choices=FORMS, help="how, whatever the file is called")
    _add_lines(export)


@contextlib.contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Library]:
    """The library of the sessions folder.

    Raises:
        LiveError: the settings are wrong.
    """
    from live.recording.folder import sessions_root
    from live.recording.library import Library

    settings, _ = load_settings(arguments)
    library = Library(sessions_root(settings.sessions_folder))
    try:
        yield library
    finally:
        library.close()


def read_named(library: Library, name: str) -> Transcript:
    """A session, with what is wrong with it said.

    Raises:
        LiveError: there is no such session, or it cannot be read.
    """
    from live.recording.journal import read

    transcript = read(library.find(name))
    for warning in transcript.warnings:
        say(warning)
    return transcript


def run_list(arguments: argparse.Namespace) -> int:
    """Print a line for each session."""
    with opened(arguments) as library:
        sessions = library.sessions()
    for session in sessions:
        if session.known.problem:
            say(f"{session.name}: {session.known.problem}")
    print_rows([_row(session) for session in sessions])
    if not sessions:
        say("There are no sessions yet: each one of `tongchuan` and `tongchuan listen` is kept from its first second.")
    return DONE


def _row(session: Session) -> tuple[str, ...]:
    known = session.known
    notes = [known.title, f"({known.n_pending} not translated)" if known.n_pending else ""]
    captions = "1 caption" if known.n_captions == 1 else f"{known.n_captions} captions"
    return session.name, clock_text(known.end), captions, session.size_text, " ".join(filter(None, notes))


def run_show(arguments: argparse.Namespace) -> int:
    """Print a session."""
    from live.recording.export.documents import heading, paragraphs

    with opened(arguments) as library:
        transcript = read_named(library, arguments.name)
    title, facts = heading(transcript)
    print(f"{title}\n{facts}\n")
    for paragraph in paragraphs(transcript, arguments.lines):
        number = "" if paragraph.caption is None else str(paragraph.caption)
        print(f"{number:>4}  {paragraph.when}  {' | '.join(paragraph.texts)}")
    for heard in transcript.untranslated:
        print(f"{heard.id:>4}  {clock_text(heard.start)}  -- {heard.message or 'not translated'}")
    return DONE


def run_search(arguments: argparse.Namespace) -> int:
    """Print what is found, newest session first."""
    from live.recording.library import FOUND_AT_MOST

    most = arguments.most or FOUND_AT_MOST
    with opened(arguments) as library:
        found = library.search(" ".join(arguments.words), most)
    print_rows(
        [
            (
                each.folder,
                "" if each.caption is None else str(each.caption),
                "title" if each.caption is None else clock_text(each.start),
                " | ".join(filter(None, (each.translation, each.transcript))),
            )
            for each in found
        ]
    )
    if not found:
        say("Nothing was found.")
    elif len(found) == most:
        say(f"These are the newest {most}; --most N shows more.")
    return DONE


def run_window(arguments: argparse.Namespace) -> int:
    """Open the library's window until it is closed.

    Raises:
        LiveError: there is no screen, or the settings are wrong.
    """
    from live.recording.folder import sessions_root
    from ui.library_window import run_library

    settings, _ = load_settings(arguments)
    return run_library(sessions_root(settings.sessions_folder))


def run_export(arguments: argparse.Namespace) -> int:
    """Write a session to a file, or to standard output."""
    from live.recording.export.export import export, file_name, rendered

    with opened(arguments) as library:
        transcript = read_named(library, arguments.name)
    if arguments.file is not None and str(arguments.file) == STANDARD_OUTPUT:
        sys.stdout.buffer.write(rendered(transcript, arguments.form or "txt", arguments.lines))
        return DONE
    path = arguments.file or Path(file_name(transcript, arguments.form or "srt"))
    export(transcript, path, arguments.form, arguments.lines)
    say(f"Written: {path}")
    return DONE


def run_edit(arguments: argparse.Namespace) -> int:
    """Correct a caption."""
    if arguments.translation is None and arguments.transcript is None:
        raise LiveError("Say what to correct: --translation TEXT, --transcript TEXT, or both.")
    with opened(arguments) as library:
        caption = library.edit(
            library.find(arguments.name),
            arguments.caption,
            translation=arguments.translation,
            transcript=arguments.transcript,
        )
    print(" | ".join(filter(None, (caption.translation.text, caption.transcript.text))))
    return DONE


def run_rename(arguments: argparse.Namespace) -> int:
    """Give a session a title."""
    with opened(arguments) as library:
        folder = library.find(arguments.name)
        library.rename(folder, arguments.title)
    say(f"The session {folder.name} is called '{arguments.title}' now." if arguments.title else "Its title is gone.")
    return DONE


def run_delete(arguments: argparse.Namespace) -> int:
    """Delete a session, once a person has agreed."""
    from ui.commands.fetching import agrees, is_conversation

    with opened(arguments) as library:
        folder = library.find(arguments.name)
        if not arguments.yes:
            if not is_conversation():
                raise LiveError(f"The session {folder.name} would be deleted for good: add --yes.")
            (session,) = (each for each in library.sessions() if each.folder == folder)
            if not agrees(f"Delete {'  '.join(filter(None, _row(session)))} for good?"):
                say("Nothing was deleted.")
                return DONE
        library.delete(folder)
    say(f"The session {folder.name} is deleted.")
    return DONE


def print_rows(rows: Sequence[Sequence[str]]) -> None:
    """Print columns: aligned where somebody reads them, with tabs where a program does."""
    from rich.cells import cell_len

    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
