"""Translation by instruction: checkpoints that are told in English what to write behind a sound.

In: a request's sound and branches. Out: the ids that ask for each text. Where the language is not given it is decided
by a short question, which has no answer for "no speech": silence has to be kept away before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from models.base import LANGUAGES, WRITTEN_ONLY, Branch, Request, Score, TranslateError
from models.qwen_audio import chat
from models.qwen_audio.asking import Ask, Direction, Forcing, expected
from models.qwen_audio.decoder import Decoder, Text
from models.qwen_audio.instructions import TABLE, WHICH_LANGUAGE, instruction, stricter
from models.qwen_audio.loading import Loaded
from models.qwen_audio.prompts import language_tag, spoken
from models.qwen_audio.quotes import QuoteBuilder

_WRAPPED = 2
"""An answer with its wrapper may be so many times as long as the text alone."""


class SentenceAsking:
    """Asks by sentences. The sound and what stands before it are read once; each text goes on from there."""

    names_language = False
    word_times = False

    def __init__(self, loaded: Loaded, mode: Literal["chatml", "prompt"]) -> None:
        """Look whether the vocabulary has what the mode needs.

        Raises:
            ModelLoadError: it has no tags for sound, or none for turns.
        """
        self._loaded = loaded
        self._mode = mode
        self._forcing = Forcing(loaded)
        self._span = loaded.tokenizer.audio
        if mode == "chatml":
            chat.check(loaded.tokenizer)
        heard = loaded.checkpoint.languages
        self.languages = (*heard, *(code for code, spoken_as in WRITTEN_ONLY.items() if spoken_as in heard))

    def listen(
        self, decoder: Decoder, mel: torch.Tensor, request: Request, texts: Sequence[Text] = ()
    ) -> tuple[str, Score]:
        """Read the sound; its language, unless given or the only one expected, is asked for. Nothing is scored."""
        n_tokens = self._loaded.checkpoint.front_end.audio_tokens(len(request.samples))
        decoder.listen([mel], self._opening(n_tokens), texts)
        if request.source is not None:
            return request.source, {}
        heard = {spoken(code): code for code in expected(request, self.languages) if request.priors.get(code, 1.0) > 0}
        if not heard:
            raise TranslateError("No language is expected to be heard; name one.")
        named = next(iter(heard)) if len(heard) == 1 else self._named(decoder, list(heard))
        return heard[named], {}

    def _opening(self, n_tokens: int) -> list[int]:
        if self._mode == "chatml":
            return chat.opening(self._loaded.tokenizer, n_tokens)
        return self._loaded.ids((self._span.start, *(self._span.pad,) * n_tokens, self._span.end))

    def _named(self, decoder: Decoder, heard: list[str]) -> str:
        """The language whose name the model begins to write, had it to choose among those expected."""
        answers = [self._answer_that(language) for language in heard]
        n_asked = next(n for n, ids in enumerate(zip(*answers, strict=False)) if len(set(ids)) > 1)
        begun = [ids[n_asked] for ids in answers]
        step = next(decoder.write(answers[0][:n_asked], (), self._loaded.only(begun)))
        return heard[begun.index(step.token)]

    def _answer_that(self, language: str) -> list[int]:
        """Ids of the question for the language, and of its answer if that is this one."""
        tokenizer = self._loaded.tokenizer
        if self._mode == "chatml":
            return [*chat.question(tokenizer, WHICH_LANGUAGE), *tokenizer.encode(LANGUAGES[language][0])]
        return tokenizer.encode_tagged(TABLE["prompt"].transcribe.format(tag=language_tag(language)))

    def ask(self, branch: Branch, direction: Direction, request: Request) -> Ask:
        """The sentence for the branch's text; a draft made for another needs no care: it is checked behind this one.

        Raises:
            TranslateError: word times are wanted.
        """
        if branch.word_times and branch.task == "transcribe":
            raise TranslateError(f"The model {self._loaded.checkpoint.name} gives no word times; ask without them.")
        return self._behind(instruction(self._mode, branch.task, *direction), branch)

    def ask_again(self, branch: Branch, direction: Direction, request: Request, found: str) -> Ask:
        """A chat model is asked more strictly; the base model knows one sentence, so tokens are taken away from it."""
        if self._mode == "chatml":
            return self._behind(stricter(*direction, found), branch)
        first = self.ask(branch, direction, request)
        return Ask(first.ids, first.builder, self._forcing.tokens(direction[1], found), first.share)

    def _behind(self, sentence: str, branch: Branch) -> Ask:
        tokenizer = self._loaded.tokenizer
        ids = chat.question(tokenizer, sentence) if self._mode == "chatml" else tokenizer.encode_tagged(sentence)
        committed = [i for piece in branch.committed for i in piece.ids]
        return Ask(ids, lambda: QuoteBuilder(tokenizer, committed), share=_WRAPPED)
