"""What a precision takes, and which package makes it."""

from __future__ import annotations

import importlib.util

import pytest

from models import precision
from models.precision import QUANTS, Parts, missing
from models.published import PUBLISHED

PARTS = Parts(blocks=1_280_000, head=128_000, encoder=64_000, rest=10_000)


def test_without_quantization_every_value_takes_what_the_device_computes_in():
    assert PARTS.n_bytes("none") == 2 * 1_482_000
    assert PARTS.n_bytes("none", "cpu") == 4 * 1_482_000


def test_only_what_is_quantized_shrinks():
    assert PARTS.n_bytes("int8") == 1_280_000 + 2 * 202_000
    assert PARTS.n_bytes("int8", "cpu") == 1_280_000 + 4 * 202_000
    assert PARTS.n_bytes("int4") == 640_000 + 4 * 10_000 + 2 * 202_000
    assert PARTS.n_bytes("nf4") == 660_000 + 33_000 + 128_000 + 2 * 10_000


def test_off_cuda_four_bits_take_a_byte():
    assert PARTS.n_bytes("int4", "cpu") == PARTS.n_bytes("int8", "cpu")


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda each: each.name)
def test_the_parts_of_a_published_checkpoint_are_all_of_it_and_each_precision_is_smaller_than_the_one_before(published):
    sizes = [published.parts.n_bytes(quant) for quant in QUANTS]
    assert sizes[0] == published.n_bytes
    assert sizes == sorted(sizes, reverse=True)
    assert [round(size / 1e9, 1) for size in sizes] == [16.8, 10.3, 7.3, 5.6]


@pytest.mark.parametrize(
    ("quant", "device", "module", "extra"),
    [
        ("int8", "cuda", "torchao", "quant"),
        ("int8", "mps", "optimum.quanto", "quant"),
        ("int8", "cpu", "optimum.quanto", "quant"),
        ("int4", "cuda", "torchao", "quant"),
        ("int4", "cpu", "torchao", "quant"),
        ("nf4", "cuda", "bitsandbytes", "nf4"),
    ],
)
def test_a_package_that_is_not_installed_is_named_by_the_command_that_brings_it(
    monkeypatch, quant, device, module, extra
):
    asked = []
    monkeypatch.setattr(precision, "_is_installed", asked.append)
    assert missing(quant, device) == f"pip install 'tongchuan[{extra}]'"
    assert asked == [module]


def test_nothing_is_missing_of_what_is_installed_or_not_needed(monkeypatch):
    monkeypatch.setattr(precision, "_is_installed", lambda _module: True)
    assert missing("nf4", "cpu") == ""
    monkeypatch.setattr(precision, "_is_installed", lambda _module: False)
    assert missing("none", "cuda") == ""


def test_a_package_is_looked_for_without_importing_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "torchao" else None)
    assert missing("int4", "cuda") == ""
    assert missing("nf4", "cuda") != ""


def test_a_package_within_one_that_is_not_there_is_not_there(monkeypatch):
    def find_spec(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert missing("int8", "cpu") != ""
