"""Translation mode: the tags that tell a task-tag checkpoint what to write.

In: a task and its languages. Out: tags, in the order of the paper: audio, transcription tag, language of the audio,
task, language of the text, timestamps, output instruction. Ids are the tokenizer's business.
Source: arXiv 2311.07919 section 3.2; QwenLM/Qwen-Audio eval_audio/evaluate_st.py, evaluate_asr.py.
"""

from __future__ import annotations

from models.base import UNKNOWN, Task

AUDIO_START = "<audio>"
AUDIO_PAD = "[[[AUDIO:modality]]]"
AUDIO_END = "</audio>"
START = "<|startoftranscript|>"
"""After this one the model names the language."""


def audio_span(n_tokens: int) -> tuple[str, ...]:
    """The tags that stand for a clip of so many audio tokens; their embeddings are replaced by the sound's."""
    return (AUDIO_START, *(AUDIO_PAD,) * n_tokens, AUDIO_END)


def language_tag(language: str) -> str:
    """Tag of a language code, or of UNKNOWN: no speech."""
    return f"<|{language}|>"


def task_tags(task: Task, source: str, target: str) -> tuple[str, ...]:
    """What follows START: the text itself comes next.

    Translating a language into itself is transcribing it.
    """
    is_translation = task == "translate" and source != target
    written = target if is_translation else source
    work = "<|translate|>" if is_translation else "<|transcribe|>"
    return (language_tag(source), work, language_tag(written), "<|notimestamps|>", "<|itn|>")


def candidate_tags(languages: tuple[str, ...]) -> dict[str, str]:
    """What may follow START: each language's tag, and UNKNOWN's."""
    return {language: language_tag(language) for language in (*languages, UNKNOWN)}
