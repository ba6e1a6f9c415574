"""Exports in other people's programs: ffprobe reads their times, libass draws them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from session_folders import caption, transcript

from live.recording.export.export import export
from live.recording.export.subtitles import SCREEN, SIZES

SHOTS = Path(__file__).parents[2] / "test-results"
PROGRAMS = ("ffprobe", "ffmpeg")
_LACKING = [program for program in PROGRAMS if shutil.which(program) is None]
pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(_LACKING), reason=f"not installed: {', '.join(_LACKING)}"),
]


@pytest.fixture
def talk(tmp_path):
    return transcript(
        tmp_path / "sessions",
        [
            caption(1, 1, 3, "The budget is {fifteen} percent.", "预算是百分之十五。"),
            caption(
                2,
                4,
                8,
                "We decide what to do with the offices, and then we go home.",
                "我们决定怎么处理办公室，然后回家。",
            ),
        ],
    )


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_ffprobe_reads_every_cue_at_its_time(talk, tmp_path, form):
    path = tmp_path / f"talk.{form}"
    export(talk, path)
    command = ["ffprobe", "-v", "error", "-show_packets", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    packets = json.loads(done.stdout)["packets"]
    starts = [float(packet["pts_time"]) for packet in packets]
    assert starts[0] == 1.0
    assert starts[1] == 4.0
    assert starts == sorted(starts)
    ends = [start + float(packet["duration_time"]) for start, packet in zip(starts, packets, strict=True)]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


def drawn(path: Path, at_s: float, shot: Path) -> np.ndarray:
    """What libass draws on black at a time, (height, width) grey."""
    width, height = SCREEN
    source = f"color=c=black:s={width}x{height}:d=10"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-vf", f"ass={path.name}"]
    command += ["-ss", str(at_s), "-frames:v", "1"]
    subprocess.run([*command, str(shot)], cwd=path.parent, check=True, capture_output=True, timeout=60)
    raw = [*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run(raw, cwd=path.parent, check=True, capture_output=True, timeout=60)
    return np.frombuffer(done.stdout, np.uint8).reshape(height, width)


def rows_of_text(picture: np.ndarray) -> list[tuple[int, int]]:
    """The first and the row after the last of each line of text, top first."""
    lit = (picture > 128).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lit, [False]]).astype(int)))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    lines: list[tuple[int, int]] = []
    for start, end in runs:  # the dots of an i are not a line of their own
        if lines and start - lines[-1][1] < min(SIZES.values()) / 8:
            lines[-1] = (lines[-1][0], end)
        else:
            lines.append((start, end))
    return lines


def test_libass_draws_the_translation_large_on_top_of_the_transcript(talk, tmp_path):
    path = tmp_path / "talk.ass"
    export(talk, path)
    SHOTS.mkdir(exist_ok=True)
    picture = drawn(path, 2.0, SHOTS / "ass.png")
    top, below = rows_of_text(picture)
    assert SCREEN[1] * 0.8 < top[0] < below[0] < SCREEN[1]
    assert top[1] - top[0] > below[1] - below[0]
    left, right = np.flatnonzero((picture > 128).any(axis=0))[[0, -1]]
    assert abs((left + right) / 2 - SCREEN[0] / 2) < 20
    assert not (drawn(path, 3.5, SHOTS / "ass-between.png") > 128).any()
