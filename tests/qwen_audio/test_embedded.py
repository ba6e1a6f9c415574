"""The checkpoint that ships, which really translates: its texts are what its tags alone make it write."""

from __future__ import annotations

import importlib.resources
from itertools import takewhile
from pathlib import Path

import pytest
import torch
from audio_clips import speech

from models.base import Branch, ModelLoadError, Request
from models.qwen_audio.answerer import QwenAudioAnswerer
from models.qwen_audio.decoder import Decoder
from models.qwen_audio.offtarget import found_instead
from models.qwen_audio.prompts import START, audio_span, task_tags
from models.qwen_audio.translator import QwenAudioTranslator

FOLDER = Path(str(importlib.resources.files("models.embedded")))
SAID = {
    "en": ("Good morning everyone", "The budget is two million dollars", "Can you hear me"),
    "zh": ("大家早上好", "我们明天上午十点开会", "预算是两百万元"),
}


@pytest.fixture(scope="module")
def translator():
    translator = QwenAudioTranslator(str(FOLDER), device="cpu")
    translator.load(lambda _: None)
    return translator


def heard(language: str, sentence: str):
    return speech(sentence.split() if language == "en" else list(sentence), language)


@pytest.mark.parametrize(("language", "sentence"), [(code, text) for code, texts in SAID.items() for text in texts])
def test_a_text_is_the_greedy_one_behind_its_tags(translator, language, sentence):
    samples = heard(language, sentence)
    target = "zh" if language == "en" else "en"
    branches = (Branch("translate"), Branch("transcribe"))
    request = Request(1, 0, samples, language, {language: target}, branches)
    outcomes = translator.translate(request, lambda: False).outcomes
    for branch, outcome in zip(branches, outcomes, strict=True):
        assert outcome.stop == "end"
        assert outcome.text == greedy(translator, samples, task_tags(branch.task, language, target))
    assert found_instead(outcomes[0].text, target) is None


def greedy(translator: QwenAudioTranslator, samples, tags: tuple[str, ...]) -> str:
    """Nothing but the decoder: no second try, no draft, no limits."""
    loaded = translator._ready.loaded
    front_end, tokenizer = loaded.checkpoint.front_end, loaded.tokenizer
    with torch.inference_mode():
        decoder = Decoder(loaded.checkpoint, loaded.text)
        prompt = loaded.ids((*audio_span(front_end.audio_tokens(len(samples))), START))
        decoder.listen([front_end.log_mel(samples)], prompt)
        steps = takewhile(lambda step: step.token != tokenizer.end, decoder.write(loaded.ids(tags), ()))
        return tokenizer.decode(step.token for step in steps)


def test_it_is_no_answerer_and_says_which_models_are():
    with pytest.raises(ModelLoadError, match="embedded only transcribes and translates; qwen-audio-chat"):
        QwenAudioAnswerer(str(FOLDER), device="cpu").load(lambda _: None)
