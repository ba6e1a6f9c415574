"""Qwen-Audio as an Answerer: questions about sound, and what is to be heard in it.

In: turns of a conversation, or one sound and a task. Out: the answer, part by part as it is written. Cutting long sound
and showing answers are not its business.

Chat models hold conversations of several turns about several sounds. The base models answer one question about one
sound, Qwen-Audio by its tags. A checkpoint taught translation alone, as the embedded one, can do neither.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch

from models.base import (
    Analysis,
    AnswererCapabilities,
    Mode,
    ModelLoadError,
    Progress,
    Samples,
    TranslateError,
    Turn,
)
from models.precision import Quant
from models.qwen_audio import chat
from models.qwen_audio.decoder import Decoder
from models.qwen_audio.instructions import TABLE
from models.qwen_audio.loading import Loaded, computing, free_memory, load_folder
from models.qwen_audio.prompts import TASKS, stamp_tags
from models.qwen_audio.sound import checked
from models.qwen_audio.stopping import looped

MAX_NEW = 512
"""Tokens of an answer, as the published checkpoints' own generation has it."""
CUT = "…"
"""Stands at the end of an answer that reached its longest."""
_ANALYSES: tuple[Analysis, ...] = ("caption", "event", "scene", "emotion")
_CHAT_MODELS = "qwen-audio-chat and qwen2-audio-instruct"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One prompt with its sounds."""

    ids: list[int]
    sounds: tuple[Samples, ...]
    max_new: int


class QwenAudioAnswerer:
    """One loaded checkpoint that answers about sound."""

    def __init__(self, folder: str, device: str = "auto", mode: Mode | None = None, quant: Quant = "none") -> None:
        """Nothing is read before `load`.

        Args:
            folder: a checkpoint with its vocabulary.
            device: one of device.DEVICES.
            mode: how the checkpoint is told what to do; None is what its files say.
            quant: how its weights are held.
        """
        self._folder = Path(folder)
        self._device = device
        self._mode = mode
        self._quant = quant
        self._loaded: Loaded | None = None

    def load(self, progress: Progress) -> AnswererCapabilities:
        """Read the weights and the vocabulary.

        Raises:
            ModelLoadError: the checkpoint is missing, broken or of another kind, or was taught no answers.
        """
        loaded = load_folder(self._folder, self._device, self._mode, progress, self._quant)
        checkpoint = loaded.checkpoint
        if checkpoint.mode == "chatml":
            chat.check(loaded.tokenizer)
        if checkpoint.mode == "task_tags" and not loaded.has(_tags()):
            raise ModelLoadError(
                f"The model {checkpoint.name} only transcribes and translates; {_CHAT_MODELS} answer about sound."
            )
        self._loaded = loaded
        return AnswererCapabilities(
            name=checkpoint.name,
            device=loaded.device,
            max_samples=checkpoint.front_end.max_samples,
            converses=checkpoint.mode == "chatml",
            analyses=frozenset(_ANALYSES),
        )

    def answer(self, turns: Sequence[Turn]) -> Iterator[str]:
        """The answer to the last turn, the user's, as it is written: whole characters, joined by concatenation.

        Each answer reads the whole conversation anew. One that reaches its longest ends with CUT.

        Raises:
            TranslateError: this conversation cannot be answered; before the first part, whatever can be told before.
        """
        loaded = self._get_loaded()
        turns = [_checked(turn, loaded) for turn in turns]
        _check_order(turns)
        if loaded.checkpoint.mode == "chatml":
            sounds = tuple(chain.from_iterable(turn.audios for turn in turns))
            ids = chat.conversation(loaded.tokenizer, turns, [_n_tokens(loaded, sound) for sound in sounds])
            return _stream(loaded, _Asked(ids, sounds, MAX_NEW))
        if len(turns) > 1 or len(turns[0].audios) != 1 or not turns[0].text:
            raise TranslateError(
                f"The model {loaded.checkpoint.name} answers one question about one sound; "
                f"{_CHAT_MODELS} hold conversations about several."
            )
        return _stream(loaded, _about(loaded, turns[0].audios[0], turns[0].text))

    def analyse(self, task: Analysis, samples: Samples) -> Iterator[str]:
        """What is to be heard in one sound, in English, as it is written.

        Raises:
            TranslateError: the sound cannot be analysed, or there is no such task.
        """
        loaded = self._get_loaded()
        if task not in _ANALYSES:
            raise TranslateError(f"There is no analysis {task!r}; choose one of {', '.join(_ANALYSES)}.")
        sound = _checked_sound(samples, loaded)
        return _stream(loaded, _analysis(loaded, task, sound))

    def close(self) -> None:
        """Free memory."""
        self._loaded = None
        free_memory()

    def _get_loaded(self) -> Loaded:
        if self._loaded is None:
            raise TranslateError("The model has not been loaded.")
        return self._loaded


def _tags() -> list[str]:
    """Those that a checkpoint needs which answers by tags."""
    prompts = [TASKS["question"], *(TASKS[task] for task in _ANALYSES)]
    return [*(prompt.start for prompt in prompts), *chain.from_iterable(prompt.tags for prompt in prompts)]


def _about(loaded: Loaded, sound: Samples, question: str) -> _Asked:
    """A question to a base model; what the user typed is spelt out, tags are not taken for tags."""
    written = loaded.tokenizer.encode(question)
    if loaded.checkpoint.mode == "prompt":
        return _Asked([*_span(loaded, sound), *written], (sound,), MAX_NEW)
    task = TASKS["question"]
    *before, last = loaded.ids((task.start, *task.tags))
    return _Asked([*_span(loaded, sound), *before, *written, last], (sound,), task.max_new or MAX_NEW)


def _analysis(loaded: Loaded, task: Analysis, sound: Samples) -> _Asked:
    mode, tokenizer = loaded.checkpoint.mode, loaded.tokenizer
    if mode == "task_tags":
        prompt = TASKS[task]
        ids = [*_span(loaded, sound), *loaded.ids((prompt.start, *prompt.tags))]
        return _Asked(ids, (sound,), prompt.max_new or MAX_NEW)
    sentence = TABLE[mode].analyses[task]
    if mode == "prompt":
        return _Asked([*_span(loaded, sound), *tokenizer.encode_tagged(sentence)], (sound,), MAX_NEW)
    ids = chat.conversation(tokenizer, [Turn("user", sentence, (sound,))], [_n_tokens(loaded, sound)])
    return _Asked(ids, (sound,), MAX_NEW)


def _span(loaded: Loaded, sound: Samples) -> list[int]:
    tags = loaded.tokenizer.audio
    return loaded.ids((tags.start, *(tags.pad,) * _n_tokens(loaded, sound), tags.end))


def _n_tokens(loaded: Loaded, sound: Samples) -> int:
    return loaded.checkpoint.front_end.audio_tokens(len(sound))


def _checked(turn: Turn, loaded: Loaded) -> Turn:
    if turn.role == "assistant":
        if turn.audios:
            raise TranslateError("Only the user's turns can hold sounds.")
        return turn
    return Turn(turn.role, turn.text.strip(), tuple(_checked_sound(audio, loaded) for audio in turn.audios))


def _checked_sound(samples: Samples, loaded: Loaded) -> Samples:
    sound = checked(samples, loaded.checkpoint.front_end.max_samples)
    if not len(sound):
        raise TranslateError("The sound is empty; there is nothing to be heard in it.")
    return sound


def _check_order(turns: Sequence[Turn]) -> None:
    if not turns or turns[-1].role != "user":
        raise TranslateError("A conversation has to end with the user's turn, which is to be answered.")
    if not turns[-1].text and not turns[-1].audios:
        raise TranslateError("The question is empty; ask something.")


def _stream(loaded: Loaded, asked: _Asked) -> Iterator[str]:
    room = loaded.checkpoint.max_tokens - len(asked.ids)
    if room < 1:
        raise TranslateError(
            f"The conversation has {len(asked.ids)} tokens and the model reads at most "
            f"{loaded.checkpoint.max_tokens - 1}; begin a new one, or ask about fewer or shorter sounds."
        )
    return _written(loaded, asked, min(asked.max_new, room))


def _written(loaded: Loaded, asked: _Asked, max_new: int) -> Iterator[str]:
    stamps = _stamps(loaded)
    taken: list[int] = []
    characters = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    has_begun = False
    with computing("this question"):
        mels = [loaded.checkpoint.front_end.log_mel(sound) for sound in asked.sounds]
        decoder = Decoder(loaded.checkpoint, _allowed(loaded, stamps))
        decoder.listen(mels, asked.ids[:-1])
        steps = decoder.write(asked.ids[-1:], ())
    while not looped(taken):
        with computing("this question"):  # entered for each token: who takes the parts does so in a mode of its own
            token = next(steps).token
        if token in loaded.ends:
            return
        if len(taken) >= max_new:
            yield CUT
            return
        taken.append(token)
        part = characters.decode(stamps.get(token, b"") or loaded.tokenizer.spelling(token))
        part = part if has_begun else part.lstrip()
        if part:
            has_begun = True
            yield part


def _stamps(loaded: Loaded) -> Mapping[int, bytes]:
    """What each time stamp reads as: Qwen-Audio-Chat says when a word begins by one, "at <|2.33|> seconds"."""
    tags = stamp_tags()
    if not loaded.has(tags):
        return {}
    return {token: tag.strip("<|>").encode() for token, tag in zip(loaded.ids(tags), tags, strict=True)}


def _allowed(loaded: Loaded, stamps: Mapping[int, bytes]) -> torch.Tensor:
    allowed = loaded.text.clone()
    allowed[list(stamps)] = True
    return allowed
