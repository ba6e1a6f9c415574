"""Translation mode: a checkpoint that is told by task tags what to write behind a sound.

In: a request's sound and branches. Out: the tags that ask for each text, and the language by its tag's own probability.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.base import UNKNOWN, Branch, ModelLoadError, Request, Score, TranslateError
from models.qwen_audio.asking import Ask, Direction, Forcing, expected
from models.qwen_audio.decoder import Decoder, Text
from models.qwen_audio.loading import Loaded
from models.qwen_audio.prompts import PAUSE, START, audio_span, candidate_tags, spoken, stamp_tags, task_tags
from models.qwen_audio.words import WordBuilder

_TRADITIONAL = "zh_tr"
_STAMPED = 3
"""A word with its stamp takes about so many times the tokens of the word; pauses are counted in."""


class TagAsking:
    """Asks by tags. The sound and the start tag are read once; each text goes on from there."""

    names_language = True

    def __init__(self, loaded: Loaded) -> None:
        """Look whether the vocabulary is that of a task-tag checkpoint.

        Raises:
            ModelLoadError: it is not.
        """
        self._loaded = loaded
        self._forcing = Forcing(loaded)
        heard = loaded.checkpoint.languages
        candidates = candidate_tags(heard)
        tags = [START, *audio_span(1), *candidates.values(), *task_tags("transcribe", "en", "en"), "<|translate|>"]
        if lacking := sorted({tag for tag in tags if tag not in loaded.tokenizer.tags}):
            raise ModelLoadError(f"The vocabulary has no {', '.join(lacking)}: it is not of a task-tag checkpoint.")
        self._candidates = dict(zip(candidates, loaded.ids(candidates.values()), strict=True))
        # Stamps are in the published vocabulary alone, whose model was taught every tag; ours lists what it was taught.
        self.word_times = loaded.has((PAUSE, *stamp_tags()))
        writes_traditional = self.word_times and loaded.has([f"<|{_TRADITIONAL}|>"]) and "zh" in heard
        self.languages = (*heard, _TRADITIONAL) if writes_traditional else heard
        self._stamps: dict[int, int] = {}
        self._stamped = loaded.text
        if self.word_times:
            self._stamps = {token: number for number, token in enumerate(loaded.ids(stamp_tags()))}
            self._stamped = loaded.text_and((PAUSE, *stamp_tags()))

    def listen(
        self, decoder: Decoder, mel: torch.Tensor, request: Request, texts: Sequence[Text] = ()
    ) -> tuple[str, Score]:
        """Read sound and start tag; the language is the argmax of its tag's probability times its prior."""
        n_tokens = self._loaded.checkpoint.front_end.audio_tokens(len(request.samples))
        logits = decoder.listen([mel], self._loaded.ids((*audio_span(n_tokens), START)), texts)
        shares = logits[list(self._candidates.values())].softmax(dim=0).tolist()
        scores: Score = dict(zip(self._candidates, shares, strict=True))
        return request.source or self._named(scores, request), scores

    def _named(self, scores: Score, request: Request) -> str:
        heard = [*expected(request, self.languages), UNKNOWN]
        return max(heard, key=lambda language: scores[spoken(language)] * request.priors.get(language, 1.0))

    def ask(self, branch: Branch, direction: Direction, request: Request) -> Ask:
        """Tags behind the start tag; a draft made under others needs no care: it is checked under these.

        Raises:
            TranslateError: word times are wanted of a checkpoint that has none.
        """
        if not branch.word_times or branch.task != "transcribe":
            return Ask(self._loaded.ids(task_tags(branch.task, *direction)), self._loaded.tokenizer.builder)
        if not self.word_times:
            raise TranslateError(f"The model {self._loaded.checkpoint.name} gives no word times; ask without them.")
        committed = [i for piece in branch.committed for i in piece.ids]
        spelling, n_samples = self._loaded.tokenizer.spelling, len(request.samples)
        return Ask(
            self._loaded.ids(task_tags(branch.task, *direction, word_times=True)),
            lambda: WordBuilder(spelling, self._stamps, request.start, n_samples, committed),
            self._stamped,
            _STAMPED,
        )

    def ask_again(self, branch: Branch, direction: Direction, request: Request, found: str) -> Ask:
        """The same tags, without the tokens that led into the language found: the tags leave nothing else to say."""
        first = self.ask(branch, direction, request)
        return Ask(first.ids, first.builder, self._forcing.tokens(direction[1], found))
