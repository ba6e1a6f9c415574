"""`tongchuan bench capture`: how long sound takes into the program, and how steadily it comes while a model computes.

On Linux, through the sound server that runs: clicks are played into a null sink of the bench's own, whose monitor is
listened to as a microphone is. No sound is heard, and the sink is gone afterwards.
"""

from __future__ import annotations

import argparse
import bisect
import dataclasses
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from live.audio import BLOCK_S, AudioChunk
from live.capture import open_source
from live.errors import LiveError
from live.events import Event, LevelChanged
from live.lane import LaneEnded
from live.lanes import Lanes
from live.queues import JobQueue
from live.settings import Settings
from models.base import SAMPLE_RATE
from ui.commands.figures import write_json
from ui.commands.options import Commands, count
from ui.exits import DONE, endings_to
from ui.saying import say

SINK, MICROPHONE = "tongchuan_bench", "tongchuan_bench_microphone"
SECONDS = 20
THREADS = (0, 1, 2, 3)
"""Threads of the embedded model beside; 0: it rests."""
STEP_S = 0.01
"""How much is written to the server at once."""
CLICK_EVERY = 65
"""Steps between clicks: no multiple of a block or of a level, so that they fall everywhere in them."""
LOUD, LOUD_DBFS = 0.2, -40.0
LATE_S = 2 * BLOCK_S
"""PortAudio's buffer: a sound card would have dropped what comes later than this after the block before."""
LONGEST_S = 0.6
"""What takes longer is another click's."""
STOP_S = 10.0
READY_S = 120.0
_NEEDED = ("pactl", "pacat")
_BUSY = """
import sys
import numpy as np
import torch
from models.base import Branch, Request
from models.catalogue import find
translator = find("embedded").factory()
translator.load(lambda _: None)
torch.set_num_threads(int(sys.argv[1]))
sound = np.random.default_rng(0).normal(0, 0.05, 80_000).astype(np.float32)
branches = (Branch("transcribe"), Branch("translate"))
request = Request(0, 0, sound, "en", {"en": "zh"}, branches)
while True:
    translator.translate(request, lambda: False)
    print("done", flush=True)
"""


@dataclass(slots=True)
class Figures:
    """What was measured with the model on so many threads."""

    threads: int
    n_answers: int = 0
    """Of the model, in clips of five seconds."""
    gaps_s: list[float] = field(default_factory=list)
    """Between one block's arrival and the next one's."""
    callback_s: list[float] = field(default_factory=list)
    """From a click's being played to its block's arrival..."""
    segmenter_s: list[float] = field(default_factory=list)
    """...to its chunk's, in the segmenter thread..."""
    event_s: list[float] = field(default_factory=list)
    """...and to the LevelChanged that tells of it."""

    @property
    def n_late(self) -> int:
        """Blocks that came too late for a sound card."""
        return sum(gap_s > LATE_S for gap_s in self.gaps_s)


def add_parser(actions: Commands) -> None:
    """Add the action's words."""
    parser = actions.add_parser(
        "capture",
        help="time sound from the sound server into the program (Linux)",
        description="Play clicks into a null sink of the bench's own, listen to it as to a microphone, and print how "
        "long they take, and how steadily sound comes while the embedded model computes on 1, 2 and 3 threads.",
        allow_abbrev=False,
    )
    parser.add_argument("--seconds", type=count, default=SECONDS, metavar="S", help=f"for each line ({SECONDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures here")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        LiveError: there is no sound server, or the figures cannot be written.
    """
    measured = []
    # Ctrl-C would end the process at once, and leave its devices in the sound server.
    with endings_to(signal.default_int_handler), _microphone():
        print(
            f"{'model':14} {'answers':>7}  {'blocks, ms apart: p50/p99/most':>30} {'late':>5}  clicks, ms: p50/p95 to"
        )
        print(f"{'':14} {'':7}  {'':30} {'':5}  {'callback':>11} {'segmenter':>11} {'level event':>11}")
        for n_threads in THREADS:
            say(f"Listening for {arguments.seconds} s ...")
            with _busy(n_threads) as answers:
                figures = measure(n_threads, arguments.seconds)
                figures.n_answers = len(answers)
            print(_row(figures), flush=True)
            measured.append(figures)
    if arguments.json is not None:
        write_json(arguments.json, [dataclasses.asdict(figures) for figures in measured])
    return DONE


def _row(figures: Figures) -> str:
    model = f"{figures.threads} thread{'s' if figures.threads > 1 else ''}" if figures.threads else "rests"
    gaps = "/".join(f"{1000 * each:.1f}" for each in (*_quantiles(figures.gaps_s, 50, 99), max(figures.gaps_s)))
    late = f"{figures.n_late}/{len(figures.gaps_s)}"
    times = (figures.callback_s, figures.segmenter_s, figures.event_s)
    clicks = " ".join(
        "{:>5.1f}/{:<5.1f}".format(*(1000 * each for each in _quantiles(each_s, 50, 95))) for each_s in times
    )
    return f"{model:14} {figures.n_answers:7}  {gaps:>30} {late:>5}  {clicks} of {len(figures.callback_s)}"


def _quantiles(values: list[float], *shares: float) -> list[float]:
    return [float(each) for each in np.percentile(values, shares)] if values else [float("nan")] * len(shares)


def measure(n_threads: int, seconds: int) -> Figures:
    """Play clicks and listen, on one lane as a session has it.

    Raises:
        CaptureError: the microphone cannot be listened to.
    """
    figures = Figures(n_threads)
    ear = Ear(figures)
    jobs = JobQueue()
    ended = threading.Event()

    def report(_end: LaneEnded) -> None:
        ended.set()

    lanes = Lanes(Settings(), jobs, ear.emit, report, pace="live", hear=[ear.hear], ignores=ear.note)
    lanes.open([open_source("microphone", MICROPHONE)])
    try:
        ear.played_s = _play(seconds)
    finally:
        lanes.close()
        ended.wait(STOP_S)
        jobs.close()
    ear.count()
    return figures


class Ear:
    """Notes when what came; called from the lane's thread."""

    def __init__(self, figures: Figures) -> None:
        self.played_s: list[float] = []
        self._figures = figures
        self._stamps_s: list[float] = []
        self._clicks: list[tuple[float, float, float]] = []
        """When each came to the callback, the segmenter and the event."""
        self._open: tuple[float, float] | None = None

    def note(self, stamp_s: float) -> bool:
        """Take a block's stamp; no block is the program's own."""
        self._stamps_s.append(stamp_s)
        return False

    def hear(self, chunk: AudioChunk) -> None:
        """See whether a click is in a chunk, that of the newest stamp."""
        if self._open is None and np.abs(chunk.samples).max(initial=0.0) > LOUD:
            self._open = self._stamps_s[-1], time.monotonic()

    def emit(self, event: Event) -> None:
        """Take the event that tells of a click."""
        if isinstance(event, LevelChanged) and self._open is not None and event.level_dbfs > LOUD_DBFS:
            self._clicks.append((*self._open, time.monotonic()))
            self._open = None

    def count(self) -> None:
        """Put down what was noted."""
        self._figures.gaps_s += np.diff(self._stamps_s).tolist()
        for stamp_s, chunk_s, event_s in self._clicks:
            at = bisect.bisect(self.played_s, stamp_s) - 1
            if at >= 0 and event_s - self.played_s[at] < LONGEST_S:
                self._figures.callback_s.append(stamp_s - self.played_s[at])
                self._figures.segmenter_s.append(chunk_s - self.played_s[at])
                self._figures.event_s.append(event_s - self.played_s[at])


def _play(seconds: int) -> list[float]:
    """Write silence and clicks to the sink in real time; returns when each click was written."""
    form = ("--raw", "--format=s16le", f"--rate={SAMPLE_RATE}", "--channels=1", "--latency-msec=10")
    n = round(STEP_S * SAMPLE_RATE)
    click = np.random.default_rng(0).integers(-16_000, 16_000, n).astype("<i2").tobytes()
    played_s = []
    with subprocess.Popen(["pacat", f"--device={SINK}", *form], stdin=subprocess.PIPE) as player:
        assert player.stdin is not None
        due_s = time.monotonic()
        for step in range(round(seconds / STEP_S)):
            due_s += STEP_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            is_click = step % CLICK_EVERY == CLICK_EVERY - 1
            if is_click:
                played_s.append(time.monotonic())
            player.stdin.write(click if is_click else bytes(2 * n))
            player.stdin.flush()
        player.kill()
    return played_s


@contextmanager
def _microphone() -> Iterator[None]:
    """A null sink, and a microphone that hears what is played into it.

    Raises:
        LiveError: there is no sound server, or it refuses.
    """
    if missing := [command for command in _NEEDED if shutil.which(command) is None]:
        raise LiveError(f"This bench needs {' and '.join(missing)}: install pulseaudio-utils.")
    sink = _pactl("load-module", "module-null-sink", f"sink_name={SINK}", "norewinds=1", "rate=48000")
    try:
        source = _pactl("load-module", "module-remap-source", f"source_name={MICROPHONE}", f"master={SINK}.monitor")
        try:
            yield
        finally:
            _pactl("unload-module", source)
    finally:
        _pactl("unload-module", sink)


def _pactl(*words: str) -> str:
    try:
        done = subprocess.run(["pactl", *words], capture_output=True, text=True, timeout=STOP_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise LiveError("This bench needs a PulseAudio or PipeWire server that runs and may load modules.") from error
    return done.stdout.strip()


@contextmanager
def _busy(n_threads: int) -> Iterator[list[str]]:
    """Has the embedded model compute without a pause on so many threads; yields the answers it has given by then.

    Raises:
        LiveError: it does not begin to.
    """
    answers: list[str] = []
    if not n_threads:
        yield answers
        return
    command = [sys.executable, "-c", _BUSY, str(n_threads)]
    has_begun = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as model:
        assert model.stdout is not None
        lines = iter(model.stdout)

        def read() -> None:
            for line in lines:
                answers.append(line)
                has_begun.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            if not has_begun.wait(READY_S):
                raise LiveError("The embedded model does not start: `tongchuan doctor` says more.")
            answers.clear()
            yield answers
        finally:
            model.kill()
            reader.join()
