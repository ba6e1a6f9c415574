"""The model process: loaded, supervised, restarted, cancelled, closed, and gone when the app is."""

from __future__ import annotations

import multiprocessing
import os
import queue
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models.base import (
    SAMPLE_RATE,
    Branch,
    Died,
    Done,
    Failed,
    Loading,
    ModelLoadError,
    Ready,
    Reply,
    Request,
    TranslateError,
    TranslatorFactory,
    WorkerDied,
)
from models.fake import pieces_of
from models.worker import Deadlines, ModelWorker
from models.worker_child import MAX_LOG_BYTES
from models.worker_process import ModelProcess

PATIENCE_S = 60
"""How long a test waits for what should come at once, on a machine that is busy."""
FOREVER_S = 3600.0
SOON = Deadlines(job_s=1.5, per_audio_s=0.0)

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and named pipes")


def sound(seconds: float) -> np.ndarray:
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (np.sin(2 * np.pi * 2000 * time_s) * (0.1 + np.sin(2.1 * time_s) ** 2) / 2).astype(np.float32)


def ask(utterance_id: int = 1, seconds: float = 2.0) -> Request:
    return Request(utterance_id, 0, sound(seconds), None, {"en": "zh", "zh": "en"}, (Branch("translate"),))


def fake(**options: object) -> TranslatorFactory:
    return TranslatorFactory("models.fake:FakeTranslator", options)


@contextmanager
def working(deadlines: Deadlines | None = None, log: Path | None = None, **options: object) -> Iterator[ModelWorker]:
    log_path = str(log or os.devnull)
    with ModelWorker(fake(**options), deadlines=deadlines, log_path=log_path) as worker:
        yield worker


def next_of(worker: ModelWorker, *kinds: type) -> Reply:
    """The next reply of these kinds; others before it are passed over."""
    while True:
        reply = worker.replies.get(timeout=PATIENCE_S)
        if isinstance(reply, kinds):
            return reply


def next_but_loading(worker: ModelWorker) -> Reply:
    return next_of(worker, Ready, Done, Failed, Died)


def model_processes() -> list[multiprocessing.process.BaseProcess]:
    return [process for process in multiprocessing.active_children() if process.name == "tongchuan-model"]


class NamedPipe:
    """A log that tells a test, without waiting for a clock, what the model process does and that it is gone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"
        os.mkfifo(self.path)
        self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._text = ""

    def wait_for(self, text: str) -> None:
        while text not in self._text:
            assert self._read(), f"the process ended without saying {text!r}"

    def wait_for_end(self) -> None:
        while self._read():
            pass

    def _read(self) -> bytes:
        assert select.select([self._fd], [], [], PATIENCE_S)[0], "the process goes on"
        heard = os.read(self._fd, 65536)
        self._text += heard.decode(errors="replace")
        return heard

    def close(self) -> None:
        os.close(self._fd)


@pytest.fixture
def log_pipe(tmp_path: Path) -> Iterator[NamedPipe]:
    pipe = NamedPipe(tmp_path)
    yield pipe
    pipe.close()


def test_a_worker_loads_says_what_it_can_and_answers():
    with working() as worker:
        ticket = worker.submit(ask(utterance_id=7))
        assert next_of(worker, Loading, Ready) == Loading(0.0)
        ready = next_but_loading(worker)
        assert isinstance(ready, Ready)
        assert ("zh", "en") in ready.capabilities.directions
        done = next_but_loading(worker)
        assert isinstance(done, Done)
        assert (done.ticket, done.hypothesis.utterance_id) == (ticket, 7)
        assert done.hypothesis.outcomes[0].pieces == pieces_of(sound(2.0), "zh")


def test_answers_come_in_the_order_of_the_tickets_which_increase():
    with working() as worker:
        tickets = [worker.submit(ask(utterance_id)) for utterance_id in range(5)]
        assert tickets == sorted(set(tickets))
        assert [next_of(worker, Done).ticket for _ in tickets] == tickets


def test_a_request_can_be_submitted_while_the_model_loads_and_loading_can_be_broken_off():
    patient = Deadlines(leave_s=FOREVER_S)  # closing would take as long if the process were waited for
    with working(patient, load_s=FOREVER_S) as worker:
        assert next_of(worker, Loading) == Loading(0.0)
        worker.submit(ask())
    assert model_processes() == []


def test_a_model_that_cannot_be_loaded_is_given_up_with_its_sentence():
    with working(fail_load=True) as worker:
        ticket = worker.submit(ask())
        failed = next_but_loading(worker)
        assert isinstance(failed, Failed)
        assert failed.ticket is None
        assert isinstance(failed.error, ModelLoadError)
        assert "leave out fail_load" in str(failed.error)
        waiting = next_but_loading(worker)
        assert isinstance(waiting, Failed)
        assert waiting.ticket == ticket
        assert isinstance(waiting.error, WorkerDied)
        died = next_but_loading(worker)
        assert died == Died(str(failed.error), None, is_final=True)
        later = worker.submit(ask())
        refused = next_but_loading(worker)
        assert isinstance(refused, Failed)
        assert refused.ticket == later


def test_a_translator_that_cannot_be_built_is_a_load_error():
    with ModelWorker(TranslatorFactory("models.nowhere:Translator")) as worker:
        failed = next_but_loading(worker)
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, ModelLoadError)
        assert "models.nowhere" in str(failed.error)


def test_a_process_that_ends_while_loading_is_tried_twice():
    with working(crash_load=True) as worker:
        first = next_but_loading(worker)
        assert isinstance(first, Died)
        assert not first.is_final
        assert "exit code 3" in first.reason
        failed = next_but_loading(worker)
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, ModelLoadError)
        assert "exit code 3" in str(failed.error)
        last = next_but_loading(worker)
        assert isinstance(last, Died)
        assert last.is_final


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


def test_an_error_in_one_job_leaves_the_others_alone():
    with working(fail_on=2) as worker:
        tickets = [worker.submit(ask()) for _ in range(3)]
        replies = [next_of(worker, Done, Failed) for _ in tickets]
        assert [type(reply) for reply in replies] == [Done, Failed, Done]
        assert [reply.ticket for reply in replies] == tickets
        assert isinstance(replies[1].error, TranslateError)


def test_a_librarys_error_becomes_one_sentence_that_does_not_quote_what_was_said(tmp_path):
    log = tmp_path / "model.log"
    with working(raise_on=1, log=log) as worker:
        worker.submit(ask())
        worker.submit(ask())
        failed = next_of(worker, Failed)
        assert isinstance(failed.error, TranslateError)
        assert "RuntimeError" in str(failed.error)
        assert "fake.py" in str(failed.error)
        assert isinstance(next_of(worker, Done), Done)
    said = pieces_of(sound(2.0), "en")
    assert "RuntimeError" in log.read_text()
    for text in (str(failed.error), log.read_text()):
        assert "".join(piece.text for piece in said) not in text


def test_a_process_that_ends_is_restarted_and_gives_the_same_text():
    with working() as steady:
        steady.submit(ask(2, seconds=3.0))
        expected = next_of(steady, Done).hypothesis
    with working(crash_on=2) as worker:
        first, second = worker.submit(ask(1)), worker.submit(ask(2, seconds=3.0))
        assert next_of(worker, Done).ticket == first
        died = next_but_loading(worker)
        assert died == Died("it ended with exit code 3", second)
        assert isinstance(next_but_loading(worker), Ready)
        assert next_but_loading(worker) == Done(second, expected)


def test_a_ticket_that_ends_the_process_twice_is_given_up_and_the_others_go_on():
    with working(crash_utterance=13) as worker:
        poison, healthy = worker.submit(ask(13)), worker.submit(ask(14))
        assert isinstance(next_but_loading(worker), Ready)
        assert next_but_loading(worker) == Died("it ended with exit code 3", poison)
        assert isinstance(next_but_loading(worker), Ready)
        failed = next_but_loading(worker)
        assert isinstance(failed, Failed)
        assert failed.ticket == poison
        assert isinstance(failed.error, WorkerDied)
        assert next_but_loading(worker) == Died("it ended with exit code 3", None)
        assert isinstance(next_but_loading(worker), Ready)
        assert next_but_loading(worker).ticket == healthy


def test_a_process_that_dies_idle_is_restarted():
    with working() as worker:
        next_of(worker, Ready)
        model_processes()[0].kill()
        died = next_but_loading(worker)
        assert isinstance(died, Died)
        assert died.ticket is None
        assert not died.is_final
        ticket = worker.submit(ask())
        assert next_of(worker, Done).ticket == ticket


def test_a_job_that_hangs_is_ended_at_its_deadline_and_sent_again():
    with working(SOON, hang_on=2) as worker:
        first, second = worker.submit(ask()), worker.submit(ask())
        assert next_of(worker, Done).ticket == first
        assert next_but_loading(worker) == Died("it did not answer in time", second)
        assert next_of(worker, Done).ticket == second


def test_a_job_that_hangs_twice_is_given_up():
    with working(SOON, hang_on=1) as worker:
        ticket = worker.submit(ask())
        failed = next_of(worker, Failed)
        assert failed.ticket == ticket
        assert isinstance(failed.error, WorkerDied)


def test_loading_without_a_word_has_a_deadline():
    with working(Deadlines(load_silence_s=1.0), load_s=FOREVER_S) as worker:
        assert next_but_loading(worker) == Died("it did not answer in time", None)
        failed = next_but_loading(worker)
        assert isinstance(failed, Failed)
        assert "did not answer" in str(failed.error)


def test_a_job_may_take_ten_seconds_and_twice_its_audio():
    assert Deadlines().of(ask(seconds=4.0)) == 18.0


@needs_posix
def test_a_process_that_takes_no_job_is_ended_at_the_deadline():
    with working(SOON) as worker:
        next_of(worker, Ready)
        os.kill(model_processes()[0].pid, signal.SIGSTOP)
        ticket = worker.submit(ask(seconds=25.0))  # more than a pipe holds: sending it blocks
        assert next_but_loading(worker) == Died("it did not answer in time", ticket)
        assert next_of(worker, Done).ticket == ticket


def test_a_waiting_ticket_that_is_cancelled_gets_no_reply():
    with working(load_s=0.1) as worker:
        first, second, third = (worker.submit(ask()) for _ in range(3))
        worker.cancel(second)
        assert [next_of(worker, Done, Failed).ticket for _ in range(2)] == [first, third]


@needs_posix
def test_a_running_ticket_that_is_cancelled_gives_way_to_the_next(log_pipe):
    with working(log=log_pipe.path, noisy=True, delay_s=FOREVER_S, fail_on=2) as worker:
        running = worker.submit(ask())
        log_pipe.wait_for("translating")
        worker.cancel(running)
        following = worker.submit(ask())
        assert isinstance(next_but_loading(worker), Ready)
        assert next_but_loading(worker).ticket == following


@needs_posix
def test_a_cancelled_ticket_that_hangs_is_not_sent_again(log_pipe):
    with working(SOON, log=log_pipe.path, noisy=True, hang_on=1) as worker:
        ticket = worker.submit(ask())
        log_pipe.wait_for("translating")
        worker.cancel(ticket)
        assert isinstance(next_but_loading(worker), Ready)
        assert next_but_loading(worker) == Died("it did not answer in time", None)
        assert isinstance(next_but_loading(worker), Ready)


def test_cancelling_what_is_answered_or_was_never_asked_does_nothing():
    with working() as worker:
        ticket = worker.submit(ask())
        next_of(worker, Done)
        worker.cancel(ticket)
        worker.cancel(99)
        assert worker.submit(ask()) == next_of(worker, Done).ticket


def test_two_workers_run_side_by_side():
    with working() as one, working(crash_on=1) as other:
        ticket = one.submit(ask(1))
        poison = other.submit(ask(2))
        assert next_of(other, Failed).ticket == poison
        assert next_of(one, Done).ticket == ticket


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
        process.dismiss(leave_s=PATIENCE_S, terminate_s=1.0)
        assert process.bury() == 0


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
    with working(Deadlines(leave_s=0.2, terminate_s=0.2)) as worker:
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
