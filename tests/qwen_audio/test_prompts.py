"""Prompts of the published evaluation, and ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.base import UNKNOWN
from models.qwen_audio.prompts import START, audio_span, candidate_tags, task_tags

GOLDEN = json.loads((Path(__file__).parents[1] / "assets" / "qwen_audio_golden.json").read_text())["prompts_span5"]
N_AUDIO = 3
"""A span of five ids."""


def ids(tokenizer, tags) -> list[int]:
    return [tokenizer.tags[tag] for tag in (*audio_span(N_AUDIO), START, *tags)]


@pytest.mark.parametrize("direction", [name.removeprefix("st:") for name in GOLDEN if name.startswith("st:")])
def test_translation_has_the_ids_of_the_published_evaluation(v1_tokenizer, direction):
    source, target = direction.split("-")
    assert ids(v1_tokenizer, task_tags("translate", source, target)) == GOLDEN[f"st:{direction}"]


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("asr:")])
def test_transcription_differs_from_the_published_one_only_in_asking_for_written_form(v1_tokenizer, name):
    source = name.removeprefix("asr:").split("-")[0]
    *tags, last = task_tags("transcribe", source, "en")
    assert last == "<|itn|>"
    assert ids(v1_tokenizer, [*tags, "<|wo_itn|>"]) == GOLDEN[name]


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("srwt:")])
def test_transcription_with_word_times_can_be_asked_for_in_these_tags(v1_tokenizer, name):
    source = name.removeprefix("srwt:").split("-")[0]
    tags = task_tags("transcribe", source, "en")[:3]
    assert ids(v1_tokenizer, [*tags, "<|timestamps|>", "<|0.00|>"]) == GOLDEN[name]


def test_every_golden_prompt_is_of_a_known_task():
    assert {name.split(":")[0] for name in GOLDEN} == {"st", "asr", "srwt"}


def test_translating_a_language_into_itself_is_transcribing_it():
    assert task_tags("translate", "en", "en") == task_tags("transcribe", "en", "zh")


def test_no_speech_is_a_candidate_beside_the_languages():
    assert candidate_tags(("zh", "en")) == {"zh": "<|zh|>", "en": "<|en|>", UNKNOWN: "<|unknown|>"}
