"""Translation mode and the other tasks: the tags that tell a task-tag checkpoint what to write.

In: a task and its languages. Out: tags, in the order of the paper: audio, transcription tag, language of the audio,
task, language of the text, timestamps, output instruction. Ids are the tokenizer's business; checkpoints that are told
by sentences, instructions.py's.
Source: arXiv 2311.07919 section 3.2; QwenLM/Qwen-Audio eval_audio/*.py, whose tags these are, each in its place. The
start tag that its README and the paper print is in no vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.base import UNKNOWN, WRITTEN_ONLY, Analysis, Task

AUDIO_START = "<audio>"
AUDIO_PAD = "[[[AUDIO:modality]]]"
AUDIO_END = "</audio>"
START = "<|startoftranscript|>"
"""After this one the model names the language."""
ANALYSIS = "<|startofanalysis|>"
PAUSE = "<|sil|>"
STAMP_STEP_S = 0.01
N_STAMPS = 3001
"""Time stamps there are, from 0.00 to 30.00."""

_HEARD, _WRITTEN = "{heard}", "{written}"
"""Stand for the tags of the two languages."""


@dataclass(frozen=True, slots=True)
class TaskPrompt:
    """How one task is asked for, and what comes back."""

    start: str
    tags: tuple[str, ...]
    """What follows the start tag."""
    writes: str
    """The expected output."""
    max_new: int | None
    """Tokens of the published evaluation; None: as many as the sound's length allows (stopping.py)."""


TASKS: Mapping[Task | Analysis | Literal["language", "word_times", "question"], TaskPrompt] = {
    "language": TaskPrompt(START, (), "the tag of a language, or of no speech: read from the probabilities", 1),
    "translate": TaskPrompt(
        START,
        (_HEARD, "<|translate|>", _WRITTEN, "<|notimestamps|>", "<|itn|>"),
        "what is said, in another language",
        None,
    ),
    # The published evaluation asks for <|wo_itn|>, spoken form; captions are read, so numbers are wanted in digits.
    "transcribe": TaskPrompt(
        START, (_HEARD, "<|transcribe|>", _WRITTEN, "<|notimestamps|>", "<|itn|>"), "what is said", None
    ),
    "word_times": TaskPrompt(
        START,
        (_HEARD, "<|transcribe|>", _WRITTEN, "<|timestamps|>", "<|0.00|>"),
        "words and pauses (<|sil|>), each followed by the stamp at which it ends",
        None,
    ),
    "caption": TaskPrompt(
        ANALYSIS,
        ("<|unknown|>", "<|caption|>", "<|en|>", "<|notimestamps|>", "<|caption_clotho|>"),
        "an English sentence about all that is heard",
        30,
    ),
    # No evaluation of it was published: its tag in the place that the scene's has.
    "event": TaskPrompt(
        ANALYSIS,
        ("<|unknown|>", "<|keyword|>", "<|en|>", "<|notimestamps|>", "<|event|>"),
        "English names of the sounds heard",
        30,
    ),
    "scene": TaskPrompt(
        ANALYSIS,
        ("<|unknown|>", "<|keyword|>", "<|en|>", "<|notimestamps|>", "<|scene|>"),
        "an English name of the place heard",
        10,
    ),
    "emotion": TaskPrompt(
        ANALYSIS,
        ("<|en|>", "<|keyword|>", "<|en|>", "<|notimestamps|>", "<|emotion_recognition|>"),
        "an English word for the speaker's emotion",
        4,
    ),
    # The question's text stands between the two tags. The evaluation allows 4 tokens, for yes, no or a single word.
    "question": TaskPrompt(ANALYSIS, ("<|en|>", "<|question|>", "<|answer|>"), "the answer, in English", 64),
}


def audio_span(n_tokens: int) -> tuple[str, ...]:
    """The tags that stand for a clip of so many audio tokens; their embeddings are replaced by the sound's."""
    return (AUDIO_START, *(AUDIO_PAD,) * n_tokens, AUDIO_END)


def language_tag(language: str) -> str:
    """Tag of a language code, or of UNKNOWN: no speech."""
    return f"<|{language}|>"


def task_tags(task: Task, source: str, target: str, *, word_times: bool = False) -> tuple[str, ...]:
    """What follows START: the text itself comes next.

    Translating a language into itself, or into another way of writing it, is transcribing it.

    Args:
        task: what is wanted.
        source: code of the language heard; of a way of writing, where a transcript is wanted in that.
        target: code of the translation's language.
        word_times: whether a transcript is wanted with its time stamps.
    """
    heard = spoken(source)
    is_translation = task == "translate" and spoken(target) != heard
    written = target if task == "translate" else source
    kind: Task | Literal["word_times"] = "translate" if is_translation else "transcribe"
    if word_times and task == "transcribe":
        kind = "word_times"
    tags = {_HEARD: language_tag(heard), _WRITTEN: language_tag(written)}
    return tuple(tags.get(tag, tag) for tag in TASKS[kind].tags)


def spoken(language: str) -> str:
    """The language in which speech is written so: nobody speaks traditional Chinese."""
    return WRITTEN_ONLY.get(language, language)


def candidate_tags(languages: tuple[str, ...]) -> dict[str, str]:
    """What may follow START: each language's tag, and UNKNOWN's."""
    return {language: language_tag(language) for language in (*languages, UNKNOWN)}


def stamp_tags() -> tuple[str, ...]:
    """The time stamps, in the order of their times."""
    return tuple(f"<|{i * STAMP_STEP_S:.2f}|>" for i in range(N_STAMPS))
