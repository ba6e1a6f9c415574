"""A few of the kills of `make crash-test`: enough to see that nothing is lost, and that loss would be seen."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from killing import Loss, kill_model, kill_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and /proc")

SPEED = 6.0


def test_killing_the_program_loses_no_caption_and_no_second_of_sound():
    with ThreadPoolExecutor(3) as pool:
        running = [
            pool.submit(kill_program, "fake", SPEED, random.Random(f"seed {n}"), 6.0, is_resumed=n == 0)
            for n in range(3)
        ]
    total = Loss()
    for done in running:
        total.add(done.result())
    assert (total.troubles, total.n_lost) == ([], 0)
    assert total.n_settled > 0


def test_killing_the_model_process_loses_no_caption_and_no_utterance_untold():
    loss, n_killed = kill_model("fake", 8.0, random.Random("seed"), 2)
    assert (loss.troubles, loss.n_lost) == ([], 0)
    assert loss.n_settled > 0
    assert n_killed == 2
