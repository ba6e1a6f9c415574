"""`tongchuan bench capture` on a real sound server: it hears its clicks, and leaves nothing behind."""

import json
import signal
import subprocess
import sys

import pytest
from pulse import PulseServer, missing

from ui.commands import bench_capture
from ui.commands.parser import parse

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]


def test_clicks_are_heard_with_and_without_the_model_and_the_sink_is_gone_afterwards(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench_capture, "THREADS", (0, 1))
    figures = tmp_path / "capture.json"
    with PulseServer() as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        arguments = parse(["bench", "capture", "--seconds", "4", "--json", str(figures)])
        assert arguments.run(arguments) == 0
        assert bench_capture.SINK not in server.control("list", "short", "modules")
    resting, busy = json.loads(figures.read_text())

    assert (resting["threads"], resting["n_answers"], busy["threads"]) == (0, 0, 1)
    assert busy["n_answers"] > 0
    for row in (resting, busy):
        assert len(row["gaps_s"]) > 100
        assert len(row["callback_s"]) >= 2
        assert all(
            0 < callback_s <= segmenter_s <= event_s
            for callback_s, segmenter_s, event_s in zip(
                row["callback_s"], row["segmenter_s"], row["event_s"], strict=True
            )
        )
    assert "1 thread" in capsys.readouterr().out


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_interrupted_the_sink_is_gone_too(ending):
    command = [sys.executable, "-m", "ui.cli", "bench", "capture", "--seconds", "60"]
    with PulseServer() as server, subprocess.Popen(command, env=server.env, stderr=subprocess.PIPE, text=True) as bench:
        assert bench.stderr is not None
        assert "Listening" in bench.stderr.readline()
        server.waits_for_recordings_of(bench_capture.MICROPHONE, 1)
        bench.send_signal(ending)
        assert (bench.wait(60), bench.stderr.read()) == (130, "")
        assert bench_capture.SINK not in server.control("list", "short", "modules")
