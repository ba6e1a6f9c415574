"""A worker answers every ticket: loaded, supervised, restarted, cancelled."""

from __future__ import annotations

import os
import signal

from working import (
    FOREVER_S,
    SOON,
    ask,
    model_processes,
    needs_posix,
    next_but_loading,
    next_of,
    sound,
    working,
)

from models.base import (
    Died,
    Done,
    Failed,
    Loading,
    ModelLoadError,
    Ready,
    TranslateError,
    TranslatorFactory,
    WorkerDied,
)
from models.fake import pieces_of
from models.worker import Deadlines, ModelWorker


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


def test_an_error_in_one_job_leaves_the_others_alone():
    with working(fail_on=2) as worker:
        tickets = [worker.submit(ask()) for _ in range(3)]
        replies = [next_of(worker, Done, Failed) for _ in tickets]
        assert [type(reply) for reply in replies] == [Done, Failed, Done]
        assert [reply.ticket for reply in replies] == tickets
        assert isinstance(replies[1].error, TranslateError)
        assert "leave out fail_on" in str(replies[1].error)


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


STUBBORN = """
import sys
from models.fake import FakeTranslator
class Stubborn(FakeTranslator):
    def translate(self, request, cancelled):
        print("translating", file=sys.stderr)
        while request.utterance_id == 1 and not cancelled():
            pass
        print("answering", request.utterance_id, file=sys.stderr)
        return super().translate(request, lambda: False)
"""


@needs_posix
def test_a_ticket_cancelled_too_late_gets_no_reply_though_it_is_answered(tmp_path, monkeypatch, log_pipe):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    monkeypatch.syspath_prepend(tmp_path)
    with ModelWorker(TranslatorFactory("stubborn:Stubborn"), log_path=str(log_pipe.path)) as worker:
        running = worker.submit(ask(1))
        log_pipe.wait_for("translating")
        worker.cancel(running)
        log_pipe.wait_for("answering 1")
        following = worker.submit(ask(2))
        assert next_of(worker, Done, Failed).ticket == following


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
