"""What crosses the pipe to the model process arrives as it was sent."""

from __future__ import annotations

import pickle
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from models.base import (
    Branch,
    Cost,
    Failed,
    Hypothesis,
    ModelError,
    ModelLoadError,
    Outcome,
    Piece,
    Request,
    TranslateError,
    TranslatorFactory,
    WorkerDied,
)

HELLO = Piece(ids=(5,), text="hello", logprob=-0.1)
WORLD = Piece(ids=(6, 7), text=" world", logprob=-0.3, at=1600, tail_mass=0.25)


def test_the_text_of_an_outcome_is_its_pieces_joined():
    assert Outcome((HELLO, WORLD), n_agreed=1, stop="end").text == "hello world"


def test_the_total_cost_is_that_of_the_three_stages():
    assert Cost(encode_s=0.5, prefill_s=0.25, decode_s=1.0, decoded_tokens=9).total_s == 1.75


def test_a_hypothesis_survives_the_pipe():
    hypothesis = Hypothesis(3, "en", "zh", {"en": 0.9}, (Outcome((HELLO, WORLD), 1, "budget"),), Cost(decode_s=0.1))
    assert pickle.loads(pickle.dumps(hypothesis)) == hypothesis


def test_a_request_survives_the_pipe_with_its_samples():
    samples = np.linspace(-1, 1, 7, dtype=np.float32)
    request = Request(3, 160, samples, None, {"en": "zh"}, (Branch("translate", (HELLO,), (WORLD,), 4),), {"en": 0.2})
    arrived = pickle.loads(pickle.dumps(request))
    np.testing.assert_array_equal(arrived.samples, samples)
    assert arrived.samples.dtype == np.float32
    assert arrived.branches == request.branches
    assert (arrived.start, arrived.source, arrived.targets, arrived.priors) == (160, None, {"en": "zh"}, {"en": 0.2})


@pytest.mark.parametrize("kind", [ModelLoadError, TranslateError, WorkerDied])
def test_an_error_survives_the_pipe_with_its_kind_and_its_sentence(kind):
    arrived = pickle.loads(pickle.dumps(Failed(4, kind("It broke: mend it.")))).error
    assert type(arrived) is kind
    assert isinstance(arrived, ModelError)
    assert str(arrived) == "It broke: mend it."


def test_what_crosses_the_pipe_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        HELLO.text = "goodbye"


def test_a_factory_imports_its_module_only_when_called(tmp_path, monkeypatch):
    (tmp_path / "lazily_imported.py").write_text("def build(size):\n    return ['built', size]\n")
    monkeypatch.syspath_prepend(tmp_path)
    factory = pickle.loads(pickle.dumps(TranslatorFactory("lazily_imported:build", {"size": 3})))
    assert "lazily_imported" not in sys.modules
    assert factory() == ["built", 3]
    assert sys.modules.pop("lazily_imported")
