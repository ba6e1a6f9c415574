"""The English sentences that ask checkpoints without task tags for a text or an analysis.

In: a task and its languages. Out: a sentence. Tags, turns and ids are not its business.

What is known of them: the README of Qwen2-Audio asks the base model for a caption in these words. Its evaluation reads
every other prompt from files that are not in its repository; "Detect the language and recognize the speech", the same
for translating, each with the tag of the language heard, and the one for the emotion are as others who run that
evaluation quote them. For the chat models no prompt for translation was found ("Recognize the speech" is in the
tutorial of Qwen-Audio-Chat): theirs are this project's own. None has been tried here on the published weights.
Source: QwenLM/Qwen2-Audio README.md and eval_audio/; QwenLM/Qwen-Audio TUTORIAL.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.base import LANGUAGES, Analysis, Task
from models.qwen_audio.prompts import language_tag, spoken

_PROMPT_NAMES = {"zh": "Mandarin"}
"""What the base model's prompts call a language, where that is not its English name."""
WHICH_LANGUAGE = "Which language is spoken? Answer with the name of the language."
"""Its answer is read up to the name alone."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """How one kind of checkpoint is asked; {source} and {target} stand for languages."""

    translate: str
    transcribe: str
    analyses: Mapping[Analysis, str]


TABLE: Mapping[Literal["chatml", "prompt"], Sentences] = {
    "chatml": Sentences(
        translate="Translate the speech from {source} into {target}. Answer with the translation only.",
        transcribe="Recognize the speech in {source}. Answer with its words only.",
        analyses={
            "caption": "Describe the sound in one English sentence.",
            "event": "Which sounds are heard? Name each in English.",
            "scene": "In what kind of place was this recorded? Name it in English.",
            "emotion": "What is the emotion of the speaker? Name it in English.",
        },
    ),
    "prompt": Sentences(
        translate="Detect the language and translate the speech into {target}: {tag}",
        transcribe="Detect the language and recognize the speech: {tag}",
        analyses={
            "caption": "Generate the caption in English:",
            # This project's own, by analogy with that of the emotion.
            "event": "Recognize the sound events with keywords in English:",
            "scene": "Recognize the acoustic scene with keywords in English:",
            "emotion": "Recognize the emotion with keywords in English:",
        },
    ),
}
_STRICTLY = (
    "Translate what is said from {source} into {target}. Write every word of the answer in {target} and none in "
    "{found}: the translation, and nothing else."
)


def instruction(mode: Literal["chatml", "prompt"], task: Task, source: str, target: str) -> str:
    """The sentence that asks for a text.

    Translating a language into itself, or into another way of writing it, is transcribing it.

    Args:
        mode: how the checkpoint is told what to do.
        task: what is wanted.
        source: code of the language heard; of a way of writing, where a transcript is wanted in that.
        target: code of the translation's language.
    """
    heard = spoken(source)
    is_translation = task == "translate" and spoken(target) != heard
    written = target if task == "translate" else source
    names = _names(mode)
    if not is_translation:
        return TABLE[mode].transcribe.format(source=names[written], tag=language_tag(written))
    return TABLE[mode].translate.format(source=names[heard], target=names[target], tag=language_tag(heard))


def stricter(source: str, target: str, found: str) -> str:
    """What a chat model is asked after it has answered in the wrong language."""
    names = _names("chatml")
    return _STRICTLY.format(source=names[spoken(source)], target=names[target], found=names.get(found, "another one"))


def _names(mode: Literal["chatml", "prompt"]) -> dict[str, str]:
    names = {code: english for code, (english, _) in LANGUAGES.items()}
    return names | _PROMPT_NAMES if mode == "prompt" else names
