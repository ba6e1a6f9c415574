"""The model process itself: quiet, offline, ended with the app and by it."""

from __future__ import annotations

import os
import queue
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from working import (
    FOREVER_S,
    PATIENCE_S,
    ask,
    fake,
    model_processes,
    needs_posix,
    next_of,
    working,
)

from models.base import (
    Done,
    Failed,
    Loading,
    Ready,
    TranslatorFactory,
    WorkerDied,
)
from models.worker import Deadlines, ModelWorker
from models.worker_child import MAX_LOG_BYTES, Job, packed
from models.worker_process import ModelProcess


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    with working(log=tmp_path / "nowhere" / "model.log", noisy=True) as worker:
        assert worker.submit(ask()) == next_of(worker, Done).ticket


def test_a_log_is_added_to_until_it_is_long(tmp_path):
    log = tmp_path / "model.log"
    for content, is_kept in (("before\n", True), ("x" * (MAX_LOG_BYTES + 1), False)):
        log.write_text(content)
        with working(log=log, noisy=True) as worker:
            next_of(worker, Ready)
        assert "fake 假: loading" in log.read_text()
        assert (content in log.read_text()) == is_kept


@needs_posix
@pytest.mark.parametrize("hang_on", [None, 1], ids=["idle", "stuck in a job"])
def test_the_process_ends_when_the_app_is_killed(hang_on, log_pipe):
    app = (
        "import threading, numpy; from models.base import *; from models.worker import ModelWorker\n"
        f"worker = ModelWorker(TranslatorFactory('models.fake:FakeTranslator', dict(noisy=True, hang_on={hang_on})),"
        f" log_path={str(log_pipe.path)!r})\n"
        "worker.submit(Request(1, 0, numpy.ones(9, numpy.float32), None, {}, (Branch('translate'),)))\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", app]) as process:
        log_pipe.wait_for("translating")
        process.kill()
    log_pipe.wait_for_end()


APP = """
import numpy
from models.base import *
from models.worker import ModelWorker
if __name__ == "__main__":
    with ModelWorker(TranslatorFactory("models.fake:FakeTranslator", {"noisy": True}), log_path=LOG) as worker:
        worker.submit(Request(1, 0, numpy.ones(9, numpy.float32), None, {}, (Branch("translate"),)))
        while not isinstance(reply := worker.replies.get(timeout=60), Done):
            assert isinstance(reply, Loading | Ready), reply
"""


@pytest.mark.parametrize("way", ["command", "script", "module", "code"])
def test_whatever_starts_the_app_what_libraries_print_stays_in_the_log(way, tmp_path):
    log = tmp_path / "model.log"
    code = f"LOG = {str(log)!r}\n{APP}"
    (tmp_path / "app").write_text(code)
    (tmp_path / "app.py").write_text(code)
    arguments = {"command": ["app"], "script": ["app.py"], "module": ["-m", "app"], "code": ["-c", code]}[way]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"},  # the log is UTF-8 all the same
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = log.read_text("utf-8").splitlines()
    for what in ("loading", "translating"):
        assert lines.count(f"fake 假: {what}") == 2  # print to both streams
        assert f"fake 假: {what} (descriptor 1)" in lines
        assert f"fake 假: {what} (descriptor 2)" in lines
    if sys.platform != "win32":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


@needs_posix
def test_ctrl_c_does_not_reach_the_process_from_its_first_moment():
    process = ModelProcess(fake(), os.devnull)
    try:
        os.kill(model_processes()[0].pid, signal.SIGINT)
        assert process.receive() == Loading(0.0)
    finally:
        process.dismiss(PATIENCE_S)
        assert process.bury(PATIENCE_S) == 0


@needs_posix
def test_a_process_that_does_not_leave_is_told_by_signal():
    process = ModelProcess(fake(hang_on=1), os.devnull)
    while not isinstance(process.receive(), Ready):
        pass
    process.send(packed(Job(1, ask())), PATIENCE_S)
    process.dismiss(0.2)
    assert process.bury(PATIENCE_S) == -signal.SIGTERM


@needs_posix
def test_a_process_that_lingers_is_killed_before_it_is_buried():
    process = ModelProcess(fake(), os.devnull)
    os.kill(model_processes()[0].pid, signal.SIGSTOP)
    assert process.bury(0.1) == -signal.SIGKILL
    process.kill()  # too late, and harmless
    assert model_processes() == []


def test_the_process_leaves_cores_free_and_asks_no_hub(tmp_path, monkeypatch):
    (tmp_path / "probe_translator.py").write_text(
        "import os\n"
        "from models.base import Capabilities\n"
        "class Probe:\n"
        "    def load(self, progress):\n"
        "        names = ('OMP_NUM_THREADS', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'TOKENIZERS_PARALLELISM')\n"
        "        return Capabilities('probe', ' '.join(os.environ[name] for name in names), frozenset(), 1)\n"
        "    def close(self): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1000")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ModelWorker(TranslatorFactory("probe_translator:Probe")) as worker:
        ready = next_of(worker, Ready)
        assert ready.capabilities.device == f"{max(1, cores - 2)} 1 1 false"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with ModelWorker(TranslatorFactory("probe_translator:Probe")) as worker:
        assert next_of(worker, Ready).capabilities.device == "1 1 1 false"


FRUGAL = """
from dataclasses import replace
from models import worker_child
from models.fake import FakeTranslator
given_back = []
worker_child.give_back = lambda: given_back.append(1)
class Frugal(FakeTranslator):
    def translate(self, request, cancelled):
        return replace(super().translate(request, cancelled), source=str(len(given_back)))
"""


def test_memory_is_given_back_after_finals_alone(tmp_path, monkeypatch):
    (tmp_path / "frugal.py").write_text(FRUGAL)
    monkeypatch.syspath_prepend(tmp_path)
    with ModelWorker(TranslatorFactory("frugal:Frugal")) as worker:
        given_back = []
        for is_final in (False, True, False, False):
            worker.submit(replace(ask(), is_final=is_final))
            given_back.append(next_of(worker, Done).hypothesis.source)
    assert given_back == ["0", "0", "1", "1"]


def test_a_closed_worker_takes_nothing_and_says_nothing():
    with working() as worker:
        next_of(worker, Ready)
    worker.close()
    with pytest.raises(WorkerDied, match="closed"):
        worker.submit(ask())
    worker.cancel(1)
    with pytest.raises(queue.Empty):
        worker.replies.get_nowait()
    assert model_processes() == []


def test_closing_gives_up_what_is_running_at_once():
    with working(Deadlines(leave_s=FOREVER_S), delay_s=FOREVER_S) as worker:
        worker.submit(ask())
        next_of(worker, Ready)
    assert model_processes() == []


@needs_posix
def test_closing_ends_a_process_that_does_not_leave(log_pipe):
    with working(Deadlines(leave_s=0.2), log=log_pipe.path, noisy=True, hang_on=1) as worker:
        worker.submit(ask())
        log_pipe.wait_for("translating")
    assert model_processes() == []


@needs_posix
@pytest.mark.parametrize("seconds", [None, 25.0], ids=["idle", "with a job that does not fit the pipe"])
def test_closing_kills_a_process_that_does_not_even_end(seconds):
    with working(Deadlines(leave_s=0.2, end_s=0.2)) as worker:
        next_of(worker, Ready)
        os.kill(model_processes()[0].pid, signal.SIGSTOP)
        if seconds is not None:
            worker.submit(ask(seconds=seconds))
    assert model_processes() == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
def test_a_worker_leaves_no_open_file_behind():
    def run_one() -> int:
        with working(crash_on=1) as worker:
            worker.submit(ask())
            next_of(worker, Failed)
        return len(list(Path("/proc/self/fd").iterdir()))

    before = run_one()  # what multiprocessing opens once for all is open now
    assert run_one() == before
