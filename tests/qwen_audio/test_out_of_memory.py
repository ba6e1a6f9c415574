"""Memory that runs out: one clear line with the remedy, and the model goes on with the next utterance."""

from __future__ import annotations

import importlib.resources

import pytest
import torch
from audio_clips import speech

from models.base import Branch, Died, Done, Failed, ModelLoadError, Request, TranslateError, TranslatorFactory
from models.qwen_audio import loading
from models.qwen_audio.frontend import FrontEnd
from models.qwen_audio.loading import is_memory_full
from models.qwen_audio.translator import QwenAudioTranslator
from models.worker import ModelWorker

FOLDER = str(importlib.resources.files("models.embedded"))
FULL = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    MemoryError(),
)


@pytest.fixture(scope="module")
def translator():
    translator = QwenAudioTranslator(FOLDER, device="cpu")
    translator.load(lambda _: None)
    return translator


@pytest.fixture
def allocator(monkeypatch):
    """Fakes an allocator that is full for as many requests."""
    heard = FrontEnd.log_mel

    def fail(n_times: int, error: BaseException):
        left = [error] * n_times

        def log_mel(self, samples):
            if left:
                raise left.pop()
            return heard(self, samples)

        monkeypatch.setattr(FrontEnd, "log_mel", log_mel)

    return fail


def ask() -> Request:
    samples = speech(["Good", "morning", "everyone"], "en")
    return Request(1, 0, samples, "en", {"en": "zh"}, (Branch("translate"),))


def text(translator) -> str:
    return translator.translate(ask(), lambda: False).outcomes[0].text


def answer_of(worker: ModelWorker) -> Done | Failed | Died:
    while True:
        reply = worker.replies.get(timeout=60)
        if isinstance(reply, Done | Failed | Died):
            return reply


@pytest.mark.parametrize("error", FULL, ids=lambda error: str(error)[:20] or "MemoryError")
def test_an_utterance_for_which_memory_ran_out_once_is_translated_all_the_same(translator, allocator, error):
    wanted = text(translator)
    allocator(1, error)
    assert text(translator) == wanted


def test_one_for_which_it_runs_out_again_is_given_up_in_one_line_and_the_next_is_translated(translator, allocator):
    wanted = text(translator)
    allocator(2, FULL[0])
    with pytest.raises(TranslateError, match=r"no memory for this utterance: close .* smaller model or --quant\.$"):
        text(translator)
    assert text(translator) == wanted


def test_what_the_first_try_made_is_given_back_before_the_second(translator, allocator, monkeypatch):
    freed = []
    monkeypatch.setattr(loading, "free_memory", lambda: freed.append(True))
    allocator(1, FULL[0])
    text(translator)
    assert freed == [True]


def test_another_error_is_not_taken_for_it(translator, allocator, monkeypatch):
    freed = []
    monkeypatch.setattr(loading, "free_memory", lambda: freed.append(True))
    allocator(1, RuntimeError("shapes do not fit"))
    with pytest.raises(TranslateError, match=r"\(RuntimeError\); the log says where"):
        text(translator)
    assert freed == []
    assert not is_memory_full(ValueError("out of memory"))


@pytest.mark.parametrize(
    ("quant", "remedy"),
    [
        ("none", "choose --quant int8 or int4 or nf4, choose a smaller model"),
        ("int8", "choose --quant int4 or nf4, choose a smaller model"),
        ("nf4", ": choose a smaller model, or close other programs"),
    ],
)
def test_weights_that_do_not_fit_are_one_line_that_names_the_next_precisions(monkeypatch, quant, remedy):
    def full(*_args, **_options):
        raise FULL[0]

    monkeypatch.setattr(loading, "load", full)
    with pytest.raises(ModelLoadError, match=r"does not fit into the memory of cpu \(asked for\)") as refused:
        QwenAudioTranslator(FOLDER, device="cpu", quant=quant).load(lambda _: None)
    assert remedy in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_model_process_lives_on_and_the_utterance_before_and_after_are_translated():
    with ModelWorker(TranslatorFactory("starved:Starved")) as worker:
        tickets = [worker.submit(ask()) for _ in range(3)]
        first, failed, last = (answer_of(worker) for _ in tickets)
    assert isinstance(first, Done)
    assert isinstance(last, Done)
    assert (first.ticket, failed.ticket, last.ticket) == tuple(tickets)
    assert isinstance(failed, Failed)
    assert "no memory for this utterance" in str(failed.error)
    assert first.hypothesis.outcomes == last.hypothesis.outcomes
