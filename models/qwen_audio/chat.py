"""Conversations about sound in ChatML, as Qwen-Audio-Chat and Qwen2-Audio-Instruct were taught them.

In: turns, and how many audio tokens each of their sounds has. Out: ids. What to ask is not its business, nor reading
the answer.
Source: QwenLM/Qwen-Audio qwen_generation_utils.py and tokenization_qwen.py; transformers' Qwen2AudioProcessor, whose
chat template this equals.

What a user types is spelt out: a tag in it stays text and ends no turn.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.base import ModelLoadError, Turn
from models.qwen_audio.prompts import AUDIO_START
from models.qwen_audio.tokenizer import Tokenizer

_SYSTEM = "You are a helpful assistant."
_BEGIN, _END = "<|im_start|>", "<|im_end|>"


def check(tokenizer: Tokenizer) -> None:
    """Look whether a vocabulary can hold a conversation about sound.

    Raises:
        ModelLoadError: it has no tags for sound, or none for turns.
    """
    _ = tokenizer.audio
    if lacking := [tag for tag in (_BEGIN, _END) if tag not in tokenizer.tags]:
        raise ModelLoadError(f"The vocabulary has no {', '.join(lacking)}: it is not of a chat model.")


def conversation(tokenizer: Tokenizer, turns: Sequence[Turn], spans: Sequence[int]) -> list[int]:
    """Ids of a conversation, up to where the assistant's next turn begins.

    Sounds are numbered through the whole conversation, so that "Audio 2" stays one sound.

    Args:
        tokenizer: the checkpoint's.
        turns: what was said so far.
        spans: audio tokens of each sound, in the order of the turns.
    """
    prompt = _Prompt(tokenizer)
    prompt.turn("system", _SYSTEM)
    sounds = iter(enumerate(spans, start=1))
    for turn in turns:
        prompt.begin(turn.role)
        for _, (number, n_tokens) in zip(turn.audios, sounds, strict=False):
            prompt.hear(number, n_tokens)
        prompt.say(turn.text)
        prompt.end()
    prompt.begin("assistant")
    return prompt.ids()


def opening(tokenizer: Tokenizer, n_tokens: int) -> list[int]:
    """Ids of a conversation about one sound, up to where its question begins."""
    prompt = _Prompt(tokenizer)
    prompt.turn("system", _SYSTEM)
    prompt.begin("user")
    prompt.hear(1, n_tokens)
    return prompt.ids()


def question(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of a question behind an opening, up to where its answer begins."""
    prompt = _Prompt(tokenizer)
    prompt.say(text)
    prompt.end()
    prompt.begin("assistant")
    return prompt.ids()


class _Prompt:
    """Ids of text and tags as they are put one behind the other; text between two tags is encoded as one."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._text = ""
        self._label = "Audio {}:" if tokenizer.audio.start == AUDIO_START else "Audio {}: "

    def turn(self, role: str, text: str) -> None:
        self.begin(role)
        self.say(text)
        self.end()

    def begin(self, role: str) -> None:
        self._tag(_BEGIN)
        self.say(f"{role}\n")

    def end(self) -> None:
        self._tag(_END)
        self.say("\n")

    def say(self, text: str) -> None:
        self._text += text

    def hear(self, number: int, n_tokens: int) -> None:
        tags = self._tokenizer.audio
        self.say(self._label.format(number))
        self._tag(tags.start, *(tags.pad,) * n_tokens, tags.end)
        self.say("\n")

    def ids(self) -> list[int]:
        self._tag()
        return self._ids

    def _tag(self, *names: str) -> None:
        self._ids += self._tokenizer.encode(self._text)
        self._text = ""
        self._ids += [self._tokenizer.tags[name] for name in names]
