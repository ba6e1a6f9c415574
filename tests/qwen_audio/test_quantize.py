"""Weights in fewer bits: which layers, how near the texts stay, what is refused. On the checkpoint that ships."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest
import torch
from audio_clips import speech
from bitsandbytes.nn import Int8Params
from torch import nn

from models.base import Branch, ModelLoadError, Request
from models.precision import QUANTS
from models.qwen_audio import quantize
from models.qwen_audio.checkpoint import load
from models.qwen_audio.translator import QwenAudioTranslator

FOLDER = Path(str(importlib.resources.files("models.embedded")))
CPU = torch.device("cpu")
LOSSY = QUANTS[1:]


@pytest.fixture(scope="module", params=LOSSY)
def quantized(request):
    translator = QwenAudioTranslator(str(FOLDER), device="cpu", quant=request.param)
    translator.quant = request.param
    translator.can = translator.load(lambda _: None)
    yield translator
    translator.close()


def kind(layer: nn.Module) -> tuple[type, type]:
    return type(layer), type(layer.weight)


def test_only_the_layers_that_a_precision_names_are_quantized(quantized):
    model = quantized._ready.loaded.checkpoint.model
    plain = (nn.Linear, nn.Parameter)
    block = model.model.language_model.layers[-1]
    for layer in (block.self_attn.q_proj, block.self_attn.o_proj, block.mlp.gate_proj, block.mlp.down_proj):
        assert kind(layer) != plain
    is_nf4 = quantized.quant == "nf4"
    assert (kind(model.lm_head) != plain) == is_nf4
    assert (kind(model.model.audio_tower.layers[0].fc1) != plain) == is_nf4
    assert kind(model.model.multi_modal_projector.linear) == plain
    assert model.get_input_embeddings().weight.dtype == torch.float32


def test_each_precision_is_made_by_its_own_package(quantized):
    layer = quantized._ready.loaded.checkpoint.model.model.language_model.layers[0].self_attn.q_proj
    makers = {"int8": "optimum.quanto.", "int4": "torchao.", "nf4": "bitsandbytes."}
    made = layer if quantized.quant == "nf4" else layer.weight
    assert type(made).__module__.startswith(makers[quantized.quant])


def test_biases_that_come_after_their_weights_are_kept_exactly(quantized):
    exact = load(FOLDER, CPU).model.model.language_model.layers[0].self_attn.q_proj.bias
    assert exact.abs().sum() > 0
    layer = quantized._ready.loaded.checkpoint.model.model.language_model.layers[0].self_attn.q_proj
    assert torch.equal(layer.bias, exact)


def test_a_clear_sentence_is_still_translated_as_without(quantized):
    request = Request(
        1,
        0,
        speech(["Good", "morning", "everyone"], "en"),
        "en",
        {"en": "zh"},
        (Branch("translate"), Branch("transcribe")),
    )
    texts = [outcome.text for outcome in quantized.translate(request, lambda: False).outcomes]
    exact = QwenAudioTranslator(str(FOLDER), device="cpu")
    exact.load(lambda _: None)
    assert texts == [outcome.text for outcome in exact.translate(request, lambda: False).outcomes]


def test_the_precision_is_said_with_the_device(quantized):
    assert quantized.can.device == f"cpu (asked for), {quantized.quant}"


def test_a_precision_whose_package_is_not_here_is_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(quantize, "missing", lambda _quant, _device: "pip install 'tongchuan[quant]'")
    with pytest.raises(ModelLoadError, match=r"int8 needs a package that is not installed: pip install 'tongchuan\["):
        QwenAudioTranslator(str(FOLDER), device="cpu", quant="int8").load(pytest.fail)


def test_a_gpu_without_bfloat16_is_told_what_to_choose_instead_of_int4(monkeypatch):
    monkeypatch.setattr(quantize, "missing", lambda _quant, _device: "")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    with pytest.raises(ModelLoadError, match="choose --quant int8 or nf4"):
        quantize.check("int4", torch.device("cuda"))


@pytest.mark.parametrize(("width", "group"), [(4096, 128), (11_008, 128), (704, 64), (96, 32)])
def test_rows_are_divided_into_the_largest_groups_that_they_can_be(width, group):
    assert quantize._group(nn.Linear(width, 8, device="meta")) == group


@pytest.mark.parametrize(("quant", "width", "is_taken"), [("int4", 48, False), ("nf4", 96, False), ("int8", 48, True)])
def test_a_layer_whose_rows_cannot_be_divided_stays_as_it_is(quant, width, is_taken):
    model = nn.Module()
    model.model = nn.Module()
    model.model.language_model = nn.Module()
    model.model.language_model.layers = nn.ModuleList([nn.Linear(width, 8)])
    assert quantize.held_as(model, "model.language_model.layers.0", quant) == (quant if is_taken else "none")


def test_the_head_of_nf4_has_its_eight_bits_at_once_also_on_a_device_to_which_nothing_is_moved(monkeypatch):
    monkeypatch.setattr(Int8Params, "to", lambda self, *_args, **_more: self)  # as CUDA's tensors do
    model = nn.Module()
    model.lm_head = nn.Linear(64, 32, bias=False).requires_grad_(False)
    exact, sound = model.lm_head.weight.clone(), torch.randn(3, 64)
    quantize.quantize_layer(model, "lm_head", "nf4")
    assert model.lm_head.weight.dtype == torch.int8
    torch.testing.assert_close(model.lm_head.eval()(sound), sound @ exact.T, atol=0.05, rtol=0)


def test_a_stacked_tensor_of_the_first_generation_is_quantized_slice_by_slice(v1_folder):
    exact = load(v1_folder, CPU)
    model = load(v1_folder, CPU, quant="int8").model.model.language_model.layers[0].self_attn
    for name in ("q_proj", "k_proj", "v_proj"):
        wanted = exact.model.model.language_model.layers[0].self_attn.get_submodule(name).weight
        got = model.get_submodule(name).weight.dequantize()
        assert not torch.equal(got, wanted)
        torch.testing.assert_close(got, wanted, atol=wanted.abs().max().item() / 127, rtol=0)
