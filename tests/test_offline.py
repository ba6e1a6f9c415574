"""Nothing leaves the machine: commands run with every outside connection refused and recorded, in every process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from audio_clips import noise, silence, to_pcm, write_audio

ROOT = Path(__file__).parents[1]
HOOK = Path(__file__).parent / "offline"
NAMESPACE = ["unshare", "--net", "--map-root-user"]


def run_watched(
    command: list[str], cwd: Path, **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[str], list[str]]:
    """Run a command; return it with the processes seen and the connections refused."""
    log = cwd / "audit.log"
    environment = os.environ | {"PYTHONPATH": str(HOOK), "TONGCHUAN_AUDIT": str(log)} | variables
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=110, check=False)
    lines = log.read_text().splitlines()
    return done, [x for x in lines if x.startswith("start")], [x for x in lines if x.startswith("refused")]


def test_the_watch_itself_refuses_and_records_an_outside_connection(tmp_path: Path) -> None:
    attempt = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    done, _, refused = run_watched([sys.executable, "-c", attempt], tmp_path)
    assert done.returncode == 1
    assert len(refused) == 1
    assert "192.0.2.1" in refused[0]


def test_the_watch_reaches_spawned_processes(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(
        "import multiprocessing, socket\n"
        "def child():\n"
        "    try: socket.getaddrinfo('example.invalid', 80)\n"
        "    except PermissionError: pass\n"
        "if __name__ == '__main__':\n"
        "    p = multiprocessing.get_context('spawn').Process(target=child); p.start(); p.join()\n"
    )
    _, started, refused = run_watched([sys.executable, "parent.py"], tmp_path)
    assert len(started) >= 2
    assert any("example.invalid" in line for line in refused)


DEMO = [sys.executable, "-m", "ui.cli", "demo", "--terminal", "--pace", "fast"]
"""The demonstration as fast as it computes: the same pipeline, without waiting for its sound to play."""


@pytest.mark.timeout(180)
def test_the_demo_tries_no_connection_in_any_process(tmp_path: Path) -> None:
    done, started, refused = run_watched(DEMO, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(started) >= 2, "the model process was not watched"
    assert refused == []


def test_a_session_tries_no_connection_in_any_process(tmp_path: Path) -> None:
    talk = write_audio(tmp_path / "talk.wav", to_pcm(np.concatenate([silence(0.5), noise(2.0), silence(1.0)])))
    command = [sys.executable, "-m", "ui.cli", "file", str(talk), "--as-live", "--detector", "webrtc", "--jsonl", "-"]
    done, started, refused = run_watched(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "UtteranceClosed" in done.stdout
    assert len(started) >= 2, "the model process was not watched"
    assert refused == []


def test_the_voice_detector_s_runtime_collects_nothing_to_report(tmp_path: Path) -> None:
    # Its uploader is native code that no hook of Python's sees: where it works, it keeps an identifier and its reports.
    suppressing = {"CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}
    environment = {key: value for key, value in os.environ.items() if key not in suppressing}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    hear = "import numpy, live.vad; live.vad.make_detector('silero').probabilities(numpy.zeros(512, 'float32'))"
    done = subprocess.run([sys.executable, "-c", hear], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "words", [["models"], ["file", "talk.wav", "--model", "qwen-audio"], ["listen", "--model", "someone/some-audio"]]
)
def test_looking_for_a_model_that_is_not_here_tries_no_connection(tmp_path: Path, words: list[str]) -> None:
    write_audio(tmp_path / "talk.wav", to_pcm(noise(1.0)))
    words = [str(tmp_path / word) if word == "talk.wav" else word for word in words]
    online = {"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0"}
    done, _, refused = run_watched([sys.executable, "-m", "ui.cli", *words], tmp_path, **online)
    assert ("tongchuan models fetch" in done.stderr) == (words != ["models"])
    assert refused == []


def test_fetching_a_model_is_the_one_connection_and_goes_where_the_user_s_endpoint_is(tmp_path: Path) -> None:
    online = {"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "0", "HF_ENDPOINT": "https://hub.invalid"}
    command = [sys.executable, "-m", "ui.cli", "models", "fetch", "qwen2-audio"]
    done, _, refused = run_watched(command, tmp_path, **online)
    assert done.returncode == 1
    assert "hub.invalid" in done.stderr
    assert refused
    assert all("hub.invalid" in line for line in refused)


def can_unshare() -> bool:
    """Whether this user may make an empty network namespace."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="network namespaces are not allowed here")
@pytest.mark.timeout(180)
def test_the_demo_runs_in_an_empty_network_namespace(tmp_path: Path) -> None:
    done = subprocess.run(NAMESPACE + DEMO, cwd=tmp_path, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tongchuan-demo" / "demo.srt").stat().st_size > 0
