"""The command `tongchuan`: words in, an exit status out.

Each command stands in ui/commands; whatever it fails at becomes one line and a status here:
0 done, 1 a LiveError or ModelError, 2 wrong usage, 130 Ctrl-C. What a command does is not this file's business.
All but the standard library's lightest is imported once Ctrl-C is in hand.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from ui.exits import DONE, FAILED, INTERRUPTED
from ui.saying import say


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    From here to the end of the process Ctrl-C ends it at once, except while a session runs, which has its own way.

    Args:
        argv: Words after the program's name; None is those of this process.

    Returns:
        The exit status.

    Raises:
        SystemExit: the words are wrong, or ask for help or the version; it has been printed.
    """
    signal.signal(signal.SIGINT, lambda _number, _place: leave(INTERRUPTED))
    _make_output_robust()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return leave(INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has what it wanted (`| head`)
        return leave(DONE)
    except OSError as error:
        return leave(_fail(f"Standard output cannot be written: {error.strerror}."))


def _run(words: list[str]) -> int:
    """Run a command; raises what main knows, and OSError only of standard output."""
    from ui import logs
    from ui.commands.parser import parse

    try:
        arguments = parse(words)
    except SystemExit:
        sys.stdout.flush()  # here, where a refusal gets a sentence
        raise
    log_path = logs.configure()

    import logging

    from live.errors import LiveError, unworded
    from models.base import ModelError

    log = logging.getLogger(__name__)
    log.info("tongchuan %s", arguments.command)  # never the whole line: file names are the user's own
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()
    except (LiveError, ModelError) as error:
        log.info("ended by %s", type(error).__name__)
        return _fail(str(error))
    except Exception as error:  # the top of the process: no traceback on a user's screen
        if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and _is_output_refused()):
            raise
        log.error("crashed:\n%s", unworded(error))
        _fail(f"a defect of the program stopped it ({type(error).__name__}); the details are in {log_path}")
        return leave(FAILED)
    return status


def leave(status: int) -> int:
    """End the process where a session may still run, without a wait for it.

    What its threads do inside libraries would abort the interpreter's own way out. Processes of its own end with it:
    those of a pool would wait for work for ever.
    """
    if processes := sys.modules.get("multiprocessing"):
        for child in processes.active_children():
            child.kill()
    os._exit(status)


def _make_output_robust() -> None:
    """Hanzi reach a pipe or a file as UTF-8, no console's code page stops a session, and both outputs exist."""
    if sys.stdout is None:  # closed: it refuses what is printed, as a full disk does, and only that
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):  # a stream of another kind is its owner's business
            reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _is_output_refused() -> bool:
    """Whether standard output takes nothing any more; where it does, that costs an empty line."""
    try:
        print(flush=True)
    except OSError:
        return True
    return False


def _fail(sentence: str) -> int:
    say(" ".join(sentence.split()))
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
