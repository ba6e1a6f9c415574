"""Load: both lanes, and a model too slow for all that is asked of it."""

from __future__ import annotations

import gc
from datetime import datetime
from pathlib import Path

import pytest
from long_meeting import LongMeeting

from live import translator_thread
from live.audio import Lane
from live.errors import RecordingError
from live.recording.keeper import SessionKeeper
from live.recording.recorder import Recorder
from live.recording.session_info import SessionInfo
from ui.captions import CaptionModel

HOURS = 8
GROWTH_KB = 64 * 1024
"""What the process may grow by once it has warmed up: the journal's lines are kept, in case its disk comes back."""


@pytest.fixture(autouse=True)
def quick(monkeypatch, tones_are_speech) -> None:
    monkeypatch.setattr(translator_thread, "REPLY_POLL_S", 0.001)


def assert_fair_and_whole(meeting: LongMeeting) -> None:
    tally, busy_s = meeting.tally, meeting.worker.busy_s
    assert tally.captioned == tally.closed
    assert tally.n_lost == 0
    assert tally.dropped_s == 0.0
    lanes: tuple[Lane, Lane] = ("microphone", "system")
    shares = {lane: busy_s[lane] / busy_s.total() for lane in lanes}
    assert all(0.4 <= share <= 0.6 for share in shares.values()), shares


def test_five_minutes_on_a_slow_model_lose_no_final_and_are_fair_to_both_lanes():
    meeting = LongMeeting(300)
    meeting.run()
    assert len(meeting.tally.closed) > 20
    assert_fair_and_whole(meeting)


def resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_eight_hours_on_a_slow_model_lose_no_final_and_are_fair_in_flat_memory(tmp_path):
    sizes_kb: dict[int, int] = {}

    def measure(share: float) -> None:
        hour = share * HOURS
        if hour >= len(sizes_kb) + 1:
            gc.collect()
            sizes_kb[len(sizes_kb) + 1] = resident_kb()

    failures: list[RecordingError] = []
    info = SessionInfo(datetime.now().astimezone(), model="slow", source="both")
    recorder = Recorder([SessionKeeper(tmp_path, info)], failures.append, waits=True)
    meeting = LongMeeting(HOURS * 3600, [recorder, CaptionModel().apply])
    meeting.run(measure)
    assert recorder.close(60.0)
    tally, worker = meeting.tally, meeting.worker
    print(
        f"\n{len(tally.closed)} finals, {tally.n_partials.total()} partial captions, {worker.n_calls} calls, "
        f"{worker.n_cancelled} gave way; the model computed {worker.busy_s.total() / 3600:.2f} h, "
        f"{worker.busy_s['microphone'] / worker.busy_s.total():.1%} of it for the microphone; "
        f"longest wait {tally.longest_wait_s:.0f} s; resident kB by hour {list(sizes_kb.values())}"
    )
    assert failures == []
    assert_fair_and_whole(meeting)
    assert max(sizes_kb.values()) - sizes_kb[1] < GROWTH_KB
