"""The whole program without a screen, to be killed: the demonstration meeting, recorded, each step said on stdout.

Run by tests/crash/killing.py: program.py SESSIONS MODEL SPEED. A line a step: what, the monotonic second, and more.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from live.audio import AudioChunk
from live.audio_file import FileSource
from live.demo import meeting_sound
from live.events import CaptionUpdated, Event, ModelRestarted, SessionStopped, StateChanged, Stop, UtteranceClosed
from live.recording.folder import sessions_root
from live.recording.keeper import SessionKeeper
from live.recording.recorder import Recorder
from live.recording.session_info import SessionInfo
from live.session import Session
from live.settings import Settings
from models.base import SAMPLE_RATE, TranslatorFactory
from models.catalogue import resolve
from models.worker import ModelWorker

HEARD_EVERY = SAMPLE_RATE // 10
FAKE = TranslatorFactory("models.fake:FakeTranslator", {"delay_s": 0.4})
"""Slow enough that something is left to translate when the program dies."""


def say(what: str, **more: object) -> None:
    line = json.dumps({"what": what, "at_s": time.monotonic(), **more}) + "\n"
    os.write(sys.stdout.fileno(), line.encode())  # at once, and whole


def main(root: Path, model: str, speed: float) -> None:
    over = threading.Event()
    n_said = 0

    def tell(event: Event) -> None:
        recorder(event)
        match event:
            case CaptionUpdated(caption) if caption.is_final:
                say("settled", id=caption.id, translation=caption.translation.text, transcript=caption.transcript.text)
            case ModelRestarted():
                say("restarted")
            case UtteranceClosed():
                say("closed", id=event.id)
            case StateChanged(state, _):
                say(state)
            case SessionStopped():
                over.set()

    def hear(chunk: AudioChunk) -> None:
        nonlocal n_said
        recorder.hear(chunk)
        if chunk.end - n_said >= HEARD_EVERY:
            n_said = chunk.end
            say("heard", end=chunk.end)

    info = SessionInfo(datetime.now().astimezone(), model=model, source="demonstration")
    keeper = SessionKeeper(sessions_root(str(root)), info, "opus")
    recorder = Recorder([keeper], lambda error: say("failed", why=str(error)))
    with meeting_sound() as meeting:
        source = FileSource(
            meeting,
            "live",
            clock=lambda: time.monotonic() * speed,
            wait=lambda sound_s: time.sleep(sound_s / speed),
        )
        session = Session(
            Settings(),
            [source],
            FAKE if model == "fake" else resolve(model, "cpu").factory,
            tell,
            model_name=model,
            hear=[hear],
            start_worker=functools.partial(ModelWorker, log_path=str(root / f"{os.getpid()}.log")),
        )
        signal.signal(signal.SIGTERM, lambda _number, _place: session.send(Stop()))
        session.start()
        over.wait()
        session.join()
    recorder.close()
    say("ended")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
