"""What is left of a session after its program, or its model process, was killed.

In: how to run tests/crash/program.py, and when it dies. Out: a Loss, to be empty.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from live.recording.encoder import PAGE_US
from live.recording.folder import is_in_use
from live.recording.journal import JOURNAL_NAME, Transcript, read
from live.recording.resume import rest, resumable, resume
from live.recording.sound import RecordedSound
from models.base import SAMPLE_RATE, TranslatorFactory

ROOT = Path(__file__).parents[2]
GRACE_S = 1.0
"""What settled so long before the end is to be there, and all sound but so much at the end."""
PAGE_S = PAGE_US / 1e6
LOOK_S = 0.05
START_S = 120.0
"""How long the program may take until it listens, on a busy machine."""
END_S = 60.0
"""How long the model process may live on without its program."""
RESUMED_EVERY = 10
"""One session of so many is translated to its end afterwards; of all of them it is seen that they could be."""


@dataclass(slots=True)
class Loss:
    """What was expected of sessions, and what of it was not there."""

    n_settled: int = 0
    n_lost: int = 0
    n_sessions: int = 0
    n_offered: int = 0
    n_resumed: int = 0
    longest_sound_s: float = 0.0
    """Between the end of what was heard and the end of what can be read."""
    troubles: list[str] = field(default_factory=list)

    def add(self, other: Loss) -> None:
        self.n_settled += other.n_settled
        self.n_lost += other.n_lost
        self.n_sessions += other.n_sessions
        self.n_offered += other.n_offered
        self.n_resumed += other.n_resumed
        self.longest_sound_s = max(self.longest_sound_s, other.longest_sound_s)
        self.troubles += other.troubles


class Program:
    """The program, running, and what it has said."""

    def __init__(self, root: Path, model: str, speed: float) -> None:
        self.speed = speed
        self.steps: list[dict] = []
        self.is_listening = threading.Event()
        command = [sys.executable, str(ROOT / "tests" / "crash" / "program.py"), str(root), model, str(speed)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.steps.append(json.loads(line))
                if self.steps[-1]["what"] in ("listening", "stopped"):
                    self.is_listening.set()
        self.is_listening.set()

    def kill(self) -> float:
        """Kill it; returns the monotonic time at which it still lived."""
        at_s = time.monotonic()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return at_s

    def works_since(self, n_deaths: int) -> bool:
        """Wait for a caption after so many deaths of the model process: killed while it loads, it is soon given up."""
        began_s = time.monotonic()
        while time.monotonic() < began_s + START_S and self.process.poll() is None:
            if len(self.said("restarted")) >= n_deaths and self.said("settled", after_s=began_s):
                return True
            time.sleep(LOOK_S)
        return False

    def kill_model(self) -> int:
        """Kill its model process; returns how many there were."""
        n_killed = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
                command = (status.parent / "cmdline").read_bytes()
                if int(fields[1]) == self.process.pid and b"spawn_main" in command:
                    os.kill(int(status.parent.name), signal.SIGKILL)
                    n_killed += 1
            except (OSError, IndexError):
                continue  # it has just ended
        return n_killed

    def gather(self) -> bool:
        """Wait until nothing of it is left, its model process either; False where something stays."""
        self._reader.join(END_S)  # the pipe ends with the last process that holds it
        return not self._reader.is_alive()

    def said(self, what: str, before_s: float = float("inf"), after_s: float = 0.0) -> list[dict]:
        return [step for step in self.steps if step["what"] == what and after_s <= step["at_s"] <= before_s]


def kill_program(model: str, speed: float, chance: random.Random, longest_s: float, *, is_resumed: bool) -> Loss:
    """Kill the program at a moment drawn by chance, at the latest so many seconds after it listens."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        root = Path(folder)
        program = Program(root, model, speed)
        if chance.random() > 0.05:  # a few die while they start
            program.is_listening.wait(START_S)
            time.sleep(chance.uniform(0, longest_s))
        else:
            time.sleep(chance.uniform(0, 3))
        killed_s = program.kill()
        loss = Loss(n_sessions=1)
        if not program.gather():
            loss.troubles.append("the model process outlived its program")
        _judge(program, root, killed_s, loss, is_resumed=is_resumed)
        return loss


def kill_model(model: str, speed: float, chance: random.Random, n_kills: int) -> tuple[Loss, int]:
    """Kill the model process again and again while a session runs; returns also how often it was."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        root = Path(folder)
        program = Program(root, model, speed)
        n_done = 0
        while n_done < n_kills and program.works_since(n_done):
            time.sleep(chance.uniform(0, 1.5))
            n_done += program.kill_model()
        loss = Loss(n_sessions=1)
        program.process.terminate()
        try:
            program.process.wait(START_S)
        except subprocess.TimeoutExpired:
            loss.troubles.append("the session did not end")
            program.kill()
        program.gather()
        _judge(program, root, float("inf"), loss, is_resumed=False)
        for session in _sessions(root):
            if unknown := _unaccounted(program, read(session)):
                loss.troubles.append(f"nothing is known of the utterances {unknown}")
        return loss, n_done


def _judge(program: Program, root: Path, killed_s: float, loss: Loss, *, is_resumed: bool) -> None:
    """Compare what is left with what was said."""
    due = program.said("settled", killed_s - GRACE_S)
    heard = program.said("heard")
    loss.n_settled += len(due)
    sessions = _sessions(root)
    if not sessions:
        loss.n_lost += len(due)
        if heard:
            loss.troubles.append("no session was left")
        return
    (session,) = sessions
    transcript = read(session)
    found = {entry.caption.id: entry.caption for entry in transcript.entries}
    for step in due:
        caption = found.get(step["id"])
        texts = (caption.translation.text, caption.transcript.text) if caption else None
        loss.n_lost += texts != (step["translation"], step["transcript"])
    loss.troubles += transcript.warnings
    journal = (session / JOURNAL_NAME).read_bytes()
    if journal and not journal.endswith(b"\n"):  # a program killed before its first line leaves none
        loss.troubles.append("the last line is torn")
    if is_in_use(session):
        loss.troubles.append("the lock outlived its program")
    if heard:
        _judge_sound(transcript, heard[-1]["end"], program.speed, loss)
    _judge_rest(root, session, loss, is_resumed=is_resumed)


def _judge_sound(transcript: Transcript, end: int, speed: float, loss: Loss) -> None:
    samples, n_recorded = RecordedSound(transcript).read("file", 0, end)
    missing_s = (len(samples) - n_recorded) / SAMPLE_RATE
    # What waits for the disk is counted by the clock on the wall: of a meeting that is played faster it is more sound.
    missing_s = min(missing_s, PAGE_S) + max(0.0, missing_s - PAGE_S) / speed
    loss.longest_sound_s = max(loss.longest_sound_s, missing_s)
    if missing_s > GRACE_S:
        loss.troubles.append(f"the last {missing_s:.2f} s of sound are missing")


def _judge_rest(root: Path, session: Path, loss: Loss, *, is_resumed: bool) -> None:
    """The next start offers what is left, and it can be done."""
    offered = rest(root)  # takes in what was being said
    left = resumable(read(session))
    if offered != ([(session, len(left))] if left else []):
        loss.troubles.append(f"{len(left)} utterances are left, and {offered} were offered")
    loss.n_offered += bool(left)
    if left and is_resumed:
        resume(session, TranslatorFactory("models.fake:FakeTranslator"), "fake")
        loss.n_resumed += 1
        if still := resumable(read(session)):
            loss.troubles.append(f"{len(still)} utterances stay without a caption")


def _unaccounted(program: Program, transcript: Transcript) -> list[int]:
    """Utterances that were closed and of which the journal does not say what became of them."""
    untold = {heard.id for heard in transcript.untranslated if not heard.message}
    return [step["id"] for step in program.said("closed") if step["id"] in untold]


def _sessions(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir()]
