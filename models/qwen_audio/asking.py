"""What a translator has to know of how its checkpoint is told what to do: by task tags, or by sentences.

tagged.py and instructed.py are the two ways; translator.py does with both the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from models.base import Branch, Request, Score
from models.qwen_audio.decoder import Decoder, Text
from models.qwen_audio.loading import Loaded
from models.qwen_audio.offtarget import leads_astray
from models.qwen_audio.prompts import spoken
from models.qwen_audio.stopping import Builder

Direction = tuple[str, str]
"""Source and target: codes of languages."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How one text is asked for, behind a sound that has been listened to."""

    ids: list[int]
    """What stands before the text."""
    builder: Callable[[], Builder]
    """Reads it, from behind what was committed on."""
    allowed: torch.Tensor | None = None
    """Tokens that it may hold; None: any text."""
    share: int = 1
    """How many times the tokens of a plain text it may have."""


class Asking(Protocol):
    """One way to ask a checkpoint for texts."""

    languages: tuple[str, ...]
    """Codes of what can be heard, then of what can only be written."""
    names_language: bool
    word_times: bool

    def listen(
        self, decoder: Decoder, mel: torch.Tensor, request: Request, texts: Sequence[Text] = ()
    ) -> tuple[str, Score]:
        """Read the sound into the decoder, and name its language unless the request does.

        Args:
            decoder: has read nothing yet.
            mel: the sound, as the front end makes it.
            request: what is asked.
            texts: what will be written next, where the request names the language.

        Returns:
            Code of the language, or UNKNOWN for no speech; and the scores of a Hypothesis.
        """
        ...

    def ask(self, branch: Branch, direction: Direction, request: Request) -> Ask:
        """How a branch's text is asked for.

        Raises:
            TranslateError: the checkpoint has no such text.
        """
        ...

    def ask_again(self, branch: Branch, direction: Direction, request: Request, found: str) -> Ask:
        """The same once more, with the language forced, after a text in the language `found`."""
        ...


class Forcing:
    """Keeps a text to its language: the tokens that would lead to the one that was found instead are left out.

    It can only take tokens away. What is written then is still the model's own, and may be a poor text, or in a third
    language: whoever asks has to look at it again.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._allowed: dict[Direction, torch.Tensor] = {}

    def tokens(self, language: str, found: str) -> torch.Tensor:
        """(vocabulary rows,) bool: what a text may hold that shall be in `language` and not in the one found."""
        if (language, found) not in self._allowed:
            spelling = self._loaded.tokenizer.spelling
            allowed = self._loaded.text.clone()
            astray = [i for i in range(self._loaded.tokenizer.n_text) if leads_astray(spelling(i), language, found)]
            allowed[astray] = False
            self._allowed[language, found] = allowed
        return self._allowed[language, found]


def directions_between(languages: tuple[str, ...]) -> frozenset[Direction]:
    """Every language that can be heard into every other that can be written.

    A request may also name a way of writing as the source: its speech is heard, and its transcript is written so.
    """
    heard = [language for language in languages if spoken(language) == language]
    return frozenset((source, target) for source in heard for target in languages if spoken(target) != source)


def expected(request: Request, languages: tuple[str, ...]) -> list[str]:
    """Languages that may be heard: those that have a target; any if none does."""
    return list(request.targets) or [language for language in languages if spoken(language) == language]
