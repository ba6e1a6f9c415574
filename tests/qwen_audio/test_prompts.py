"""Prompts of the published evaluation, and ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.base import LANGUAGES, UNKNOWN
from models.qwen_audio.prompts import (
    ANALYSIS,
    PAUSE,
    START,
    TASKS,
    audio_span,
    candidate_tags,
    language_tag,
    stamp_tags,
    task_tags,
)
from models.qwen_audio.vocabulary import v1_tags

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
def test_transcription_with_word_times_has_the_ids_of_the_published_evaluation(v1_tokenizer, name):
    source = name.removeprefix("srwt:").split("-")[0]
    assert ids(v1_tokenizer, task_tags("transcribe", source, "en", word_times=True)) == GOLDEN[name]


def test_every_golden_prompt_is_of_a_known_task():
    assert {name.split(":")[0] for name in GOLDEN} == {"st", "asr", "srwt"}


@pytest.mark.parametrize(
    ("task", "suffix"),
    [
        ("caption", "<|startofanalysis|><|unknown|><|caption|><|en|><|notimestamps|><|caption_clotho|>"),
        ("scene", "<|startofanalysis|><|unknown|><|keyword|><|en|><|notimestamps|><|scene|>"),
        ("emotion", "<|startofanalysis|><|en|><|keyword|><|en|><|notimestamps|><|emotion_recognition|>"),
        ("event", "<|startofanalysis|><|unknown|><|keyword|><|en|><|notimestamps|><|event|>"),
        ("question", "<|startofanalysis|><|en|><|question|><|answer|>"),
        ("language", "<|startoftranscript|>"),
    ],
)
def test_the_other_tasks_have_the_tags_of_the_published_evaluation(task, suffix):
    assert TASKS[task].start + "".join(TASKS[task].tags) == suffix


def test_every_tag_of_every_task_is_in_the_published_vocabulary():
    known = set(v1_tags())
    for prompt in TASKS.values():
        tags = [tag for tag in prompt.tags if tag not in ("{heard}", "{written}")]
        assert {prompt.start, *tags} <= known
        assert prompt.writes
    assert set(stamp_tags()) < known
    assert (stamp_tags()[0], stamp_tags()[54], stamp_tags()[-1]) == ("<|0.00|>", "<|0.54|>", "<|30.00|>")
    assert {PAUSE, ANALYSIS, *map(language_tag, LANGUAGES)} < known


def test_translating_a_language_into_itself_is_transcribing_it():
    assert task_tags("translate", "en", "en") == task_tags("transcribe", "en", "zh")


def test_traditional_chinese_is_a_way_to_write_and_nothing_to_hear():
    assert task_tags("translate", "en", "zh_tr")[:3] == ("<|en|>", "<|translate|>", "<|zh_tr|>")
    assert task_tags("translate", "zh", "zh_tr")[:3] == ("<|zh|>", "<|transcribe|>", "<|zh_tr|>")
    assert task_tags("transcribe", "zh_tr", "en")[:3] == ("<|zh|>", "<|transcribe|>", "<|zh_tr|>")
    assert task_tags("translate", "zh_tr", "en")[:3] == ("<|zh|>", "<|translate|>", "<|en|>")


def test_word_times_are_of_what_was_said_and_not_of_its_translation():
    assert task_tags("translate", "en", "de", word_times=True) == task_tags("translate", "en", "de")


def test_no_speech_is_a_candidate_beside_the_languages():
    assert candidate_tags(("zh", "en")) == {"zh": "<|zh|>", "en": "<|en|>", UNKNOWN: "<|unknown|>"}
