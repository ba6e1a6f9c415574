"""What "auto" stands for: by the GPU's free memory, by what is here, by the published scores of the directions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models import catalogue, choice
from models.choice import choose, fit_text
from models.memory import Gpu, NoGpu

ZH_EN = (("zh", "en"), ("en", "zh"))
LARGE = Gpu("NVIDIA H100", 80_000_000_000)
SMALL = Gpu("NVIDIA RTX 3060", 12_000_000_000)


@pytest.fixture
def computer(monkeypatch):
    """Fakes the GPU, and which of the large models are here."""

    def make(gpu, *here):
        entries = [replace(entry, is_here=entry.name in here) for entry in catalogue.large()]
        monkeypatch.setattr(choice, "find_gpu", lambda _device: gpu)
        monkeypatch.setattr(choice, "large", lambda _device: entries)

    return make


def test_without_a_gpu_it_is_the_embedded_model(computer):
    computer(NoGpu("no NVIDIA GPU was found"), "qwen-audio")
    chosen = choose(ZH_EN)
    assert chosen.entry.name == "embedded"
    assert chosen.entry.reason == ("The embedded model: no NVIDIA GPU was found, and the larger models need a GPU.")
    assert chosen.better is None


def test_on_a_gpu_with_too_little_memory_it_is_the_embedded_model(computer):
    computer(SMALL, "qwen-audio")
    chosen = choose(ZH_EN)
    assert chosen.entry.name == "embedded"
    assert "NVIDIA RTX 3060 has 12.0 GB free, too little for the larger models" in chosen.entry.reason
    assert chosen.better is None


def test_a_large_model_that_is_here_is_used_where_the_gpu_holds_it(computer):
    computer(LARGE, "qwen-audio")
    chosen = choose(ZH_EN)
    assert chosen.entry.name == "qwen-audio"
    assert "NVIDIA H100 has 80.0 GB free and it needs 18.3 GB" in chosen.entry.reason
    assert chosen.better is None


def test_a_large_model_that_is_not_here_is_only_offered(computer):
    computer(LARGE)
    chosen = choose(ZH_EN)
    assert chosen.entry.name == "embedded"
    assert "`tongchuan models fetch qwen2-audio`" in chosen.entry.reason
    assert chosen.better is not None
    assert chosen.better.name == "qwen2-audio"


@pytest.mark.parametrize(
    ("directions", "best"),
    [
        (ZH_EN, "qwen2-audio"),
        ((("en", "zh"),), "qwen2-audio"),
        ((("en", "zh_tr"),), "qwen2-audio"),
        ((("de", "en"),), "qwen-audio"),
        ((("fr", "en"),), "qwen-audio"),
        ((("en", "de"),), "qwen2-audio"),
    ],
)
def test_among_large_ones_the_published_score_of_the_directions_decides(computer, directions, best):
    computer(LARGE, "qwen-audio", "qwen2-audio", "qwen-audio-chat", "qwen2-audio-instruct")
    assert choose(directions).entry.name == best


def test_a_direction_without_published_scores_is_still_given_a_model_and_claims_no_figure(computer):
    computer(LARGE, "qwen-audio")
    chosen = choose((("ja", "ko"),))
    assert chosen.entry.name == "qwen-audio"
    assert "BLEU" not in chosen.entry.reason


def test_memory_just_enough_is_enough(computer):
    needed = catalogue.large()[0].memory_bytes
    for free, name in ((needed, "qwen-audio"), (needed - 1, "embedded")):
        computer(Gpu("a GPU", free), "qwen-audio")
        assert choose(ZH_EN).entry.name == name


def test_whether_a_model_fits_is_said_with_both_figures():
    entry = catalogue.large()[0]
    assert fit_text(entry, LARGE) == "fits: it needs 18.3 GB, NVIDIA H100 has 80.0 GB free"
    assert fit_text(entry, SMALL) == "does not fit: it needs 18.3 GB, NVIDIA RTX 3060 has 12.0 GB free"
    assert fit_text(entry, NoGpu("none is here")) == "does not fit: it needs 18.3 GB of a GPU, and none is here"
    assert fit_text(catalogue.known()[0], NoGpu("none is here")) == "fits any computer"


def test_of_a_model_whose_needs_are_not_known_no_fit_is_claimed():
    unknown = replace(catalogue.large()[0], memory_bytes=None)
    assert fit_text(unknown, LARGE) == "whether it fits is not known"
