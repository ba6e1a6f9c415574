"""The channel by which `tongchuan send` reaches a program that runs: for its own user, on this computer.

In: an action's words. Out: whether it was done, or the sentence that says why not. A program listens on a socket in a
folder that its user alone may enter (on Windows, untried: a named pipe, and a file there that tells of it). Messages
are JSON, never pickled objects. What actions do is not its business.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import stat
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import platformdirs

from live.actions import Handle, parse_action
from live.errors import LiveError, unworded
from live.files import OWNER_ONLY, OWNER_ONLY_FOLDER

SUFFIX = ".sock"
MAX_BYTES = 4096
"""A longer message is nobody's action."""
MAX_CLIENTS = 8
"""Senders served at once; further ones are sent away."""
REQUEST_S = 2.0
"""How long a sender may take to say what it wants."""
ANSWER_S = 5.0
"""How long the program may take to say what came of it."""
CLOSE_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an action."""

    program: str
    """The one that took it."""
    others: tuple[str, ...]
    """Programs that run besides and were not asked."""
    refusal: str | None
    """Why it was not done; None: it was."""


def control_folder() -> Path:
    """Where the sockets are; it need not exist.

    Raises:
        LiveError: the system has no safe place for it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR there is another place, as good
            return platformdirs.user_runtime_path("tongchuan", appauthor=False)
    except OSError as error:
        raise LiveError(f"There is no folder for `tongchuan send` that is yours alone ({error.strerror}).") from error


@contextlib.contextmanager
def reachable(command: str, handle: Handle) -> Iterator[None]:
    """Take actions from `tongchuan send` meanwhile; where that cannot be, go on without and log why.

    Args:
        command: The word that started the program, part of its name.
        handle: Takes actions, on the channel's threads.
    """
    try:
        server = ControlServer(f"{command}-{os.getpid()}", handle)
    except LiveError as error:
        _log.warning("`tongchuan send` does not reach this program: %s", error)
        yield
        return
    try:
        yield
    finally:
        server.close()


class ControlServer:
    """Listens in a thread of its own until it is closed."""

    def __init__(self, name: str, handle: Handle) -> None:
        """Begin to listen.

        Args:
            name: The program's, as --session takes it; nobody else's.
            handle: Takes actions, each on a thread of its own.

        Raises:
            LiveError: it cannot listen there.
        """
        folder = control_folder()
        self._handle = handle
        self._path = folder / (name + SUFFIX)
        self._slots = threading.BoundedSemaphore(MAX_CLIENTS)
        self._is_closing = threading.Event()
        try:
            folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            _check_private(folder)
            self._path.unlink(missing_ok=True)  # a killed program's that had this number
            self._listener = Listener(_address(self._path), backlog=MAX_CLIENTS)
            self._path.touch(OWNER_ONLY)
            self._path.chmod(OWNER_ONLY)
        except OSError as error:
            raise LiveError(f"{self._path} cannot be listened on ({error.strerror or error}).") from error
        self._thread = threading.Thread(target=self._listen, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; who is being served still gets an answer."""
        self._is_closing.set()
        with contextlib.suppress(OSError):
            Client(_address(self._path)).close()  # accept() ends by nothing else
        self._thread.join(CLOSE_S)
        with contextlib.suppress(OSError):
            self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _listen(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError as error:
                _log.error("`tongchuan send` reaches this program no more: %s", error)
                return
            if self._is_closing.is_set() or not self._slots.acquire(blocking=False):
                connection.close()
            else:
                threading.Thread(target=self._serve, args=(connection,), name="control client", daemon=True).start()
            if self._is_closing.is_set():
                return

    def _serve(self, connection: Connection) -> None:
        try:
            with connection:
                if connection.poll(REQUEST_S):
                    refusal = self._carry_out(connection.recv_bytes(MAX_BYTES))
                    connection.send_bytes(json.dumps({"refusal": refusal}).encode())
        except (OSError, EOFError):
            _log.info("a sender went away, or sent too much")
        except Exception as error:  # noqa: BLE001 - the top of a thread
            _log.error("The control channel failed:\n%s", unworded(error))
        finally:
            self._slots.release()

    def _carry_out(self, message: bytes) -> str | None:
        """Have an action carried out; returns why it was not."""
        words = _words(message)
        if words is None:
            return "This is no action: it is sent by `tongchuan send` of the same version."
        try:
            action = parse_action(words)
        except LiveError as error:
            return str(error)
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._handle(action, answers.put)
        try:
            return answers.get(timeout=ANSWER_S)
        except queue.Empty:
            return f"The program has not come to it within {ANSWER_S:.0f} s."


def send(words: Sequence[str], wanted: str = "") -> Reply:
    """Have a running program carry an action out.

    Args:
        words: The action's.
        wanted: A program's name or a part of it; empty is the one started last.

    Raises:
        LiveError: the action is none, no such program runs, or it does not answer.
    """
    parse_action(words)  # what is wrong is said whether a program runs or not
    running = _running()
    try:
        if not running:
            raise LiveError("No Tongchuan is running: start one with `tongchuan` or `tongchuan listen`.")
        name = next((name for name in running if wanted == name), None) or next(
            (name for name in running if wanted in name), None
        )
        if name is None:
            raise LiveError(f"No running program is named '{wanted}'; there is {', '.join(running)}.")
        return Reply(name, tuple(other for other in running if other != name), _ask(name, running[name], words))
    finally:
        for connection in running.values():
            connection.close()


def _ask(name: str, connection: Connection, words: Sequence[str]) -> str | None:
    try:
        connection.send_bytes(json.dumps(list(words)).encode())
        if not connection.poll(REQUEST_S + ANSWER_S):
            raise LiveError(f"The program {name} does not answer.")
        reply = json.loads(connection.recv_bytes(MAX_BYTES))
    except (OSError, EOFError, ValueError) as error:
        raise LiveError(f"The program {name} has not answered: it ended, or is busy with other senders.") from error
    refusal = reply.get("refusal") if isinstance(reply, dict) else None
    return str(refusal) if refusal is not None else None


def _running() -> dict[str, Connection]:
    """Connections to the programs that run, the one started last first; what killed ones left is cleaned away."""
    folder = control_folder()
    try:
        _check_private(folder)
        paths = sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    except FileNotFoundError:
        return {}
    running = {}
    for path in paths:
        try:
            running[path.stem] = Client(_address(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("%s does not answer: %s", path.name, error)
    return running


def _address(path: Path) -> str:
    return rf"\\.\pipe\tongchuan-{path.stem}" if sys.platform == "win32" else str(path)


def _check_private(folder: Path) -> None:
    """See that nobody else can have put a socket there.

    Raises:
        LiveError: somebody can.
        OSError: there is no such folder.
    """
    if sys.platform == "win32":
        return  # a user's own folders are
    state = folder.lstat()
    is_private = state.st_uid == os.getuid() and not state.st_mode & 0o077
    if not (stat.S_ISDIR(state.st_mode) and is_private):
        raise LiveError(f"{folder} is not a folder of yours alone: remove it, or `chmod 700` it.")


def _words(message: bytes) -> list[str] | None:
    """The words of a message; None where it is none."""
    try:
        words = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, list):
        return None
    return [word for word in words if isinstance(word, str)] if all(isinstance(w, str) for w in words) else None
