"""The least time of a stage: counted by hand on a shape small enough for that."""

from __future__ import annotations

import pytest
import torch

from models.bench.floors import Speeds, Work, measure_speeds, weight_bytes
from models.bench.shapes import layout
from models.qwen_audio.random_weights import random_checkpoint

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def checkpoint():
    return random_checkpoint(layout("tiny"), CPU, torch.float32)


@pytest.fixture(scope="module")
def work(checkpoint):
    return Work.of(checkpoint, Speeds(bytes_per_s=1.0, operations_per_s=1e-9))


BLOCKS = 2 * (4 * 128**2 + 3 * 128 * 256)
HEAD = 128 * 4096
ENCODER = 2 * (4 * 64**2 + 2 * 64 * 256)


def test_a_token_multiplies_by_every_weight_of_the_blocks_and_the_head_once(work):
    assert work.token_s(0) == pytest.approx(1e9 * 2 * (BLOCKS + HEAD))


def test_where_the_memory_is_slower_a_token_takes_as_long_as_all_that_it_reads(checkpoint):
    work = Work.of(checkpoint, Speeds(bytes_per_s=1.0, operations_per_s=1e30))
    kept = 2 * 2 * 128 * 4
    norms_and_biases = 4 * (2 * 2 * 128 + 2 * 3 * 128)
    assert work.token_s(0) == pytest.approx(4 * (BLOCKS + HEAD) + norms_and_biases)
    assert work.token_s(10) - work.token_s(0) == pytest.approx(10 * kept)


def test_a_prompt_computes_the_head_once_and_attention_with_the_square_of_its_length(work):
    assert work.prefill_s(1) == pytest.approx(1e9 * (2 * BLOCKS + 2 * HEAD + 2 * 256))
    assert work.prefill_s(20) - work.prefill_s(10) == pytest.approx(1e9 * (2 * BLOCKS * 10 + 2 * 256 * 300))


def test_the_encoder_costs_its_positions(work):
    assert work.encoder_s(100) == pytest.approx(1e9 * (2 * ENCODER * 100 + 4 * 128 * 100**2))


def test_bytes_are_those_held_not_those_of_the_exact_weights(checkpoint):
    exact = weight_bytes(checkpoint.model.model.language_model.layers)
    quantized = random_checkpoint(layout("tiny"), CPU, torch.float32, "int8")
    held = weight_bytes(quantized.model.model.language_model.layers)
    assert BLOCKS < held < BLOCKS + (exact - 4 * BLOCKS) + 0.1 * BLOCKS


def test_speeds_are_measured_on_the_device():
    speeds = measure_speeds(CPU, torch.float32)
    assert speeds.bytes_per_s > 0
    assert speeds.operations_per_s > 0
    assert speeds.seconds(speeds.bytes_per_s, 0.0) == pytest.approx(1.0)
    assert speeds.seconds(0.0, 2 * speeds.operations_per_s) == pytest.approx(2.0)
