"""What "auto" stands for: by free memory, by what is here, by the published scores of the directions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models import catalogue, choice
from models.base import ModelLoadError
from models.catalogue import RUNNING_BYTES
from models.choice import choose, fit_text, needed_bytes, with_precision
from models.memory import Gpu, NoGpu, Processor
from models.precision import QUANTS

ZH_EN = (("zh", "en"), ("en", "zh"))
LARGE = Gpu("NVIDIA H100", 80_000_000_000)
SMALL = Gpu("NVIDIA T1000", 3_500_000_000)
NONE = NoGpu("none is here")


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Fakes which precisions' packages are not here."""
    lacking: set[str] = set()
    monkeypatch.setattr(choice, "missing", lambda quant, _device: f"pip install {quant}" if quant in lacking else "")
    return lacking


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
    assert "NVIDIA T1000 has 3.5 GB free, too little for the larger models" in chosen.entry.reason
    assert chosen.better is None


def test_a_package_that_would_make_room_is_named(computer, installed):
    installed.update({"int8", "int4", "nf4"})
    computer(Gpu("NVIDIA RTX 4080", 15_500_000_000), "qwen-audio")
    assert choose(ZH_EN).entry.reason == (
        "The embedded model: NVIDIA RTX 4080 has 15.5 GB free, too little for the larger models as they are; "
        "after `pip install int8` there is room for qwen-audio as int8."
    )


def test_a_large_model_that_is_here_is_used_where_the_gpu_holds_it(computer):
    computer(LARGE, "qwen-audio")
    chosen = choose(ZH_EN)
    assert chosen.entry.name == "qwen-audio"
    assert "NVIDIA H100 has 80.0 GB free" in chosen.entry.reason
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


def test_memory_just_enough_for_the_smallest_precision_is_enough(computer):
    needed = needed_bytes(catalogue.large()[0], "nf4", LARGE)
    for free, name in ((needed, "qwen-audio"), (needed - 1, "embedded")):
        computer(Gpu("a GPU", free), "qwen-audio")
        assert choose(ZH_EN).entry.name == name


def test_who_asks_for_a_precision_has_the_model_chosen_for_that_one(computer):
    computer(Gpu("a GPU", 10_000_000_000), "qwen-audio")
    assert choose(ZH_EN, wish="int4").entry.name == "qwen-audio"
    assert choose(ZH_EN, wish="int8").entry.name == "embedded"


def test_in_which_precisions_a_model_fits_is_said_with_all_figures(installed):
    entry = catalogue.large()[0]
    assert fit_text(entry, Gpu("NVIDIA RTX 4080", 15_500_000_000)) == (
        "fits: int8 needs 11.8 GB, int4 needs 8.8 GB, nf4 needs 7.1 GB; NVIDIA RTX 4080 has 15.5 GB free"
    )
    assert fit_text(entry, SMALL) == (
        "does not fit: bf16 needs 18.3 GB; int8 needs 11.8 GB; int4 needs 8.8 GB; nf4 needs 7.1 GB; "
        "NVIDIA T1000 has 3.5 GB free"
    )
    assert fit_text(entry, NONE) == "does not fit: it needs 7.1 GB to 18.3 GB of a GPU, and none is here"
    assert fit_text(catalogue.known()[0], NONE) == "fits any computer"
    installed.add("nf4")
    assert "nf4 needs 7.1 GB and `pip install nf4`" in fit_text(entry, SMALL)


def test_of_a_model_whose_needs_are_not_known_no_fit_is_claimed():
    unknown = replace(catalogue.large()[0], parts=None)
    assert fit_text(unknown, LARGE) == "whether it fits is not known"


@pytest.fixture
def room(monkeypatch):
    """Fakes what is free."""

    def make(gpu, main_memory=0):
        monkeypatch.setattr(choice, "find_gpu", lambda _device: gpu)
        monkeypatch.setattr(choice, "processor", lambda: Processor(main_memory))

    return make


def quant_of(entry):
    return entry.factory.arguments.get("quant", "none")


@pytest.mark.parametrize(
    ("card", "free", "quant"),
    [
        ("24 GB", 23_300_000_000, "none"),
        ("16 GB", 15_700_000_000, "int8"),
        ("12 GB", 11_500_000_000, "int4"),
        ("8 GB", 7_500_000_000, "nf4"),
    ],
)
def test_auto_takes_the_most_exact_precision_that_fits_the_card_beside_a_desktop(room, card, free, quant):
    room(Gpu(card, free))
    entry = with_precision(catalogue.large()[0], "auto")
    assert quant_of(entry) == quant
    assert entry.answerer.arguments.get("quant", "none") == quant
    assert f"{card} has" in entry.held


def test_why_no_more_exact_one_is_taken_is_said_with_its_need(room):
    room(Gpu("a GPU", 11_500_000_000))
    assert with_precision(catalogue.large()[0], "auto").held == (
        "Weights as int4: int4 needs 8.8 GB, a GPU has 11.5 GB free; bf16 needs 18.3 GB; int8 needs 11.8 GB."
    )


def test_a_precision_whose_package_is_not_here_is_passed_over_and_the_command_is_said(room, installed):
    installed.add("int8")
    room(Gpu("a GPU", 15_500_000_000))
    entry = with_precision(catalogue.large()[0], "auto")
    assert quant_of(entry) == "int4"
    assert "int8 needs 11.8 GB and `pip install int8`" in entry.held


def test_a_card_without_bfloat16_passes_int4_over(room):
    room(Gpu("NVIDIA RTX 2080 Ti", 11_000_000_000, has_bf16=False))
    entry = with_precision(catalogue.large()[0], "auto")
    assert quant_of(entry) == "nf4"
    assert "int4 needs 8.8 GB and a GPU with bfloat16" in entry.held


def test_just_enough_is_the_weights_and_a_gigabyte_and_a_half(room):
    entry = catalogue.large()[0]
    needed = entry.parts.n_bytes("int8") + 1_500_000_000
    for free, quant in ((needed, "int8"), (needed - 1, "int4")):
        room(Gpu("a GPU", free))
        assert quant_of(with_precision(entry, "auto")) == quant


def test_a_model_without_room_is_refused_before_it_is_loaded_with_the_remedy(room):
    room(SMALL)
    with pytest.raises(
        ModelLoadError, match=r"no room for qwen-audio: .*3\.5 GB free\. Close .*--quant nf4 tries"
    ) as no:
        with_precision(catalogue.large()[0], "auto")
    assert "\n" not in str(no.value)


def test_on_a_processor_what_is_not_quantized_counts_twice(room):
    entry = catalogue.large()[0]
    assert needed_bytes(entry, "none", Processor(0)) == 4 * 8_396_222_464 + RUNNING_BYTES
    for free, quant in ((40_000_000_000, "none"), (20_000_000_000, "int8"), (9_000_000_000, "nf4")):
        room(NONE, free)
        assert quant_of(with_precision(entry, "auto", "cpu")) == quant


@pytest.mark.parametrize("wish", QUANTS)
def test_who_names_a_precision_has_it_whatever_is_free(room, wish):
    room(SMALL)
    assert quant_of(with_precision(catalogue.large()[0], wish)) == wish
    assert quant_of(with_precision(catalogue.known()[0], wish)) == wish


def test_a_precision_that_is_asked_for_and_not_installed_is_one_line(room, installed):
    room(LARGE)
    installed.add("nf4")
    with pytest.raises(ModelLoadError, match="nf4 needs a package that is not installed: pip install nf4"):
        with_precision(catalogue.known()[0], "nf4")


@pytest.mark.parametrize("name", ["embedded", "fake"])
def test_a_small_model_and_no_model_stay_as_they_are(room, name):
    room(SMALL)
    entry = catalogue.find(name)
    assert with_precision(entry, "auto").factory == entry.factory
    assert catalogue.find("fake").factory == with_precision(catalogue.find("fake"), "int8").factory
