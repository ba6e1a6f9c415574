"""What reaches a session that runs in the terminal: its keys, and `tongchuan send`.

In: keys and actions, from their own threads. Out: commands for the session, lines for the clipboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from live.actions import Action, Answer, CopyLines
from live.control import reachable
from live.events import Command
from ui.commands.follow import Followed
from ui.commands.outputs import TerminalDisplay
from ui.copying import NO_CLIPBOARD
from ui.keys import HELP, action_of, has_keys, keys


def help_line() -> str:
    """The keys there are, to be shown; empty where nobody types."""
    return HELP if has_keys() else ""


@contextmanager
def controlled(session: Followed, display: TerminalDisplay | None, name: str) -> Iterator[None]:
    """Let keys, where there are any, and `tongchuan send` reach a session meanwhile.

    Args:
        session: Takes the commands.
        display: What shows it in a terminal; None: nothing does.
        name: The word that started the program.
    """

    def handle(action: Action, answer: Answer) -> None:
        if isinstance(action, CopyLines):
            answer(display.copy(action.n) if display else NO_CLIPBOARD)
        else:
            session.send(action, lambda refusal: answered(action, answer, refusal))

    def answered(command: Command, answer: Answer, refusal: str | None) -> None:
        if refusal is None and display:
            display.adopt(command)
        answer(refusal)

    def typed(key: str) -> None:
        if display and (action := action_of(key, is_paused=display.is_paused)):
            handle(action, lambda _refusal: None)  # the session says it

    with ExitStack() as stack:
        stack.enter_context(reachable(name, handle))
        if display and has_keys():
            stack.enter_context(keys(typed))
        yield
