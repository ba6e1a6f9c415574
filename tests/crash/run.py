"""Kill the program and its model process again and again, and see what is left: `make crash-test KILLS=200`.

Prints how it goes, and at the end a line: settled captions lost: N of M. Status 1 where anything was not as it should
be.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

from killing import RESUMED_EVERY, Loss, kill_model, kill_program

SPEED = 4.0
"""Of the meeting with the fake model; the embedded one hears it as it was said."""
MODEL_SPEED = 2.0
"""While the model process is killed, so that a session outlives several deaths."""
LONGEST_S = 14.0
"""After the program listens, until it is killed at the latest."""
KILLS_A_SESSION = 8
"""Of the model process, within one session."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of the program, and as many of the model process")
    parser.add_argument("--embedded", type=int, help="of the program with the embedded model; a tenth by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="programs at a time")
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**31)
    n_embedded = arguments.embedded if arguments.embedded is not None else max(1, arguments.kills // 10)
    print(f"seed {seed}, {arguments.jobs} at a time", flush=True)
    total, n_model = Loss(), 0
    began_s = time.monotonic()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        running = [pool.submit(task) for task in _tasks(arguments.kills, n_embedded, seed)]
        for number, done in enumerate(as_completed(running), 1):
            loss, n_killed = done.result()
            total.add(loss)
            n_model += n_killed
            for trouble in loss.troubles:
                print(f"  {trouble}", flush=True)
            if number % 20 == 0:
                print(f"{number} of {len(running)} sessions, {time.monotonic() - began_s:.0f} s", flush=True)
    print(f"kills: {arguments.kills} of the program with the fake model, {n_embedded} with the embedded one, ", end="")
    print(f"{n_model} of the model process, in {total.n_sessions} sessions and {time.monotonic() - began_s:.0f} s")
    print(f"sound missing at the end: at most {total.longest_sound_s:.2f} s")
    print(f"sessions with something left to translate: {total.n_offered}, all offered; resumed to their end: ", end="")
    print(total.n_resumed)
    for trouble, n in Counter(total.troubles).items():
        print(f"not as it should be, {n} times: {trouble}")
    print(f"settled captions lost: {total.n_lost} of {total.n_settled}")
    return 1 if total.n_lost or total.troubles or not total.n_settled else 0


def _tasks(n_kills: int, n_embedded: int, seed: int) -> list[Callable[[], tuple[Loss, int]]]:
    """All that is to be done, the long ones first."""
    tasks: list[Callable[[], tuple[Loss, int]]] = []
    for number in range(n_embedded):
        tasks.append(partial(_app, "embedded", 1.0, f"{seed} embedded {number}", number))
    for number, first in enumerate(range(0, n_kills, KILLS_A_SESSION)):
        n = min(KILLS_A_SESSION, n_kills - first)
        tasks.append(partial(_model, random.Random(f"{seed} model {number}"), n))
    for number in range(n_kills):
        tasks.append(partial(_app, "fake", SPEED, f"{seed} fake {number}", number))
    return tasks


def _model(chance: random.Random, n_kills: int) -> tuple[Loss, int]:
    """As many kills as are asked for, in as many sessions as they take."""
    total, n_done = Loss(), 0
    while n_done < n_kills and total.n_sessions < n_kills:
        loss, n_killed = kill_model("fake", MODEL_SPEED, chance, n_kills - n_done)
        total.add(loss)
        n_done += n_killed
    return total, n_done


def _app(model: str, speed: float, seed: str, number: int) -> tuple[Loss, int]:
    is_resumed = number % RESUMED_EVERY == 0
    return kill_program(model, speed, random.Random(seed), LONGEST_S, is_resumed=is_resumed), 0


if __name__ == "__main__":
    sys.exit(main())
