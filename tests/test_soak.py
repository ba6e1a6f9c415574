"""An hour of real speech through the embedded model. Takes many minutes: `make soak`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import av
import pytest

from live.demo import load_script, meeting_sound

ROOT = Path(__file__).parents[1]
HOUR_S = 3600
GROWTH_KB = 64 * 1024
"""What a process may grow by once it has warmed up: caches of libraries, not sound."""


def write_hour(path: Path) -> int:
    """The demonstration meeting over and over; returns how often."""
    with meeting_sound() as meeting, av.open(str(meeting)) as source:
        meeting_s = float(source.duration / av.time_base)
        blocks = [block.to_ndarray() for block in source.decode(audio=0)]
    times = int(HOUR_S / meeting_s) + 1
    with av.open(str(path), "w") as sound:
        stream = sound.add_stream("flac", rate=16_000, layout="mono")
        for samples in blocks * times:
            block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            block.sample_rate = 16_000
            sound.mux(stream.encode(block))
        sound.mux(stream.encode(None))
    return times


def resident_kb(pid: int) -> dict[int, int]:
    """Resident memory of a process and of those it started."""
    sizes = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue  # it has just ended
        if str(pid) in (fields["Pid"], fields["PPid"]) and "VmRSS" in fields:
            sizes[int(fields["Pid"])] = int(fields["VmRSS"].split()[0])
    return sizes


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_an_hour_of_speech_is_captioned_whole_in_flat_memory(tmp_path: Path) -> None:
    hour, log = tmp_path / "hour.flac", tmp_path / "events.jsonl"
    times = write_hour(hour)
    command = [sys.executable, "-m", "ui.cli", "file", str(hour), "--jsonl", str(log), "--no-progress"]
    peaks: list[dict[int, int]] = []
    ended = threading.Event()
    program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    def watch() -> None:
        while not ended.wait(1.0):
            peaks.append(resident_kb(program.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert program.wait() == 0
    finally:
        program.kill()
        ended.set()
        watcher.join()
    warm = peaks[len(peaks) // 10]
    for pid, size in warm.items():
        grown = max(sizes.get(pid, 0) for sizes in peaks[len(peaks) // 10 :]) - size
        assert grown < GROWTH_KB, f"a process grew by {grown} kB in an hour of sound"
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    finals = [e["caption"] for e in events if e["event"] == "CaptionUpdated" and e["caption"]["is_final"]]
    assert len(finals) >= times * len(load_script().turns)
    assert not [e for e in events if e["event"] in ("UtteranceFailed", "AudioDropped")]
    print(f"\n{len(finals)} captions of {times} meetings; resident kB when warm {sorted(warm.values())}")
