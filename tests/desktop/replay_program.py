"""A session that listens and replays: says "ready", "closed START END" for each utterance and "played REFUSAL" after a
replay; a line on standard input asks for one, its end for the end of the session. Saves what it heard at 16 kHz.
"""

from __future__ import annotations

import sys

import numpy as np
from fakes import FAKE, FakeWorker

from live.capture import open_source
from live.events import Event, LevelChanged, Replay, Stop, UtteranceClosed
from live.replay import Replayer
from live.session import Session
from live.settings import Settings


def main(path: str) -> None:
    heard: list[np.ndarray] = []
    replayer = Replayer()
    has_begun = False

    def show(event: Event) -> None:
        nonlocal has_begun
        match event:
            case LevelChanged() if not has_begun:
                has_begun = True
                print("ready", flush=True)
            case UtteranceClosed(start=start, end=end):
                print("closed", start, end, flush=True)

    def told(refusal: str | None) -> None:
        if replayer._thread is not None:
            replayer._thread.join()
        print("played", refusal, flush=True)

    session = Session(
        Settings(),
        [open_source("microphone")],
        FAKE,
        show,
        model_name="fake",
        hear=[lambda chunk: heard.append(chunk.samples)],
        start_worker=FakeWorker,
        replayer=replayer,
    )
    session.start()
    for _line in sys.stdin:
        session.send(Replay(), told)
    session.send(Stop())
    session.join()
    np.save(path, np.concatenate(heard))


if __name__ == "__main__":
    main(sys.argv[1])
