"""The microphone as a program of its own: says "ready" with the first block, "lost REASON" if it is lost, listens until
standard input ends, then saves what it heard at 16 kHz. Arguments: the input's name, the file to save.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

from live.capture import open_source
from live.queues import AudioQueue
from live.resample import Resampler


def main(name: str, path: str) -> None:
    microphone, queue = open_source("microphone", name), AudioQueue(60.0)
    microphone.open(queue, lambda reason: print("lost", reason, flush=True))
    queue.rate = microphone.rate
    resampler = Resampler("microphone", microphone.rate, microphone.channels)
    heard = []
    threading.Thread(target=lambda: (sys.stdin.read(), microphone.close())).start()
    while not queue.is_closed or queue.waiting_s:
        block = queue.get(0.1)
        if block is not None:
            if not heard:
                print("ready", microphone.name, microphone.rate, microphone.channels, flush=True)
            heard.append(resampler.push(block).samples)
    np.save(path, np.concatenate([*heard, resampler.flush().samples]))


if __name__ == "__main__":
    main(*sys.argv[1:])
