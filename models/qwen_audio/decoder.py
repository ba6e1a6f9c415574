"""Audio and prompt to tokens: greedy decoding of several texts at once, that checks a draft of each first.

In: a loaded checkpoint, log-mels, ids. Out: steps (token, log-probability) as long as somebody asks. When to stop is
not its business (stopping.py), nor which tags make a prompt (prompts.py), nor how the layers run (runner.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch

from models.base import Cost, TranslateError
from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.encoder import encode, splice
from models.qwen_audio.runner import HIDDEN, Runner, likeliest


class Step(NamedTuple):
    """The likeliest next token."""

    token: int
    logprob: float
    seen: torch.Tensor | None = None
    """What the observer saw of the position that this token was predicted at; None without an observer."""


Taker = Callable[[Step], bool]
"""Takes a text's next token; gives back whether the text goes on."""


class Observer(Protocol):
    """Sees what the model looks at, in the very forwards that decode: an attention function writes down, this reads.

    Every forward has the batch 1. Its queries are the new tokens of all texts, one behind the other; its keys are all
    slots used, the sound's first. The attention mask that layers get is None where every query sees all before it
    (the sound's own forward, in which nobody reads), else (1, 1, queries, keys), 0 or -inf, to be added to the scores.
    """

    def begin(self, spans: Sequence[slice]) -> None:
        """Told which keys are the sound of each clip, before the first forward of a request."""
        ...

    def look(self, queries: Sequence[int]) -> Sequence[torch.Tensor]:
        """Asked right after a forward: of each of these queries what is to become its step's `seen`.

        Copies, for the next forward may come before they are read; and without waiting for the device.
        """
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be written behind the sound."""

    forced: Sequence[int]
    """At least one id: tags, then what has been committed."""
    draft: Sequence[int] = ()
    """Ids that may come next."""
    allowed: torch.Tensor | None = None
    """(vocabulary rows,) bool: tokens that it may hold, where they are others than the decoder's own."""


@dataclass(slots=True)
class _Row:
    """A text as far as it was written."""

    forbidden: torch.Tensor
    """(vocabulary rows,) bool."""
    length: int
    """Tokens read, those of the prompt included."""
    slots: list[int]
    """Where those behind the prompt are."""
    steps: list[Step]
    """Not yet handed out; the last is not yet read."""


class Decoder:
    """One request's decoding: the sound is read once, then any number of texts go on from it.

    Texts that are written together take one forward for each token of the longest. What a text becomes does not
    depend on those beside it.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        allowed: torch.Tensor,
        runner: Runner | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Start with nothing read.

        Args:
            checkpoint: the model.
            allowed: (vocabulary rows,) bool on the model's device: the tokens that a text may hold.
            runner: what the requests of a model share, one after the other; None is one of its own.
            observer: sees what the model looks at.
        """
        self._checkpoint = checkpoint
        self._runner = runner or Runner(checkpoint)
        self._forbidden = ~allowed
        self._observer = observer
        self._n_kept = 0
        self.cost = Cost()

    def listen(self, mels: Sequence[torch.Tensor], prompt_ids: Sequence[int]) -> torch.Tensor:
        """Read the sound and the prompt around it; they stay in the cache.

        Args:
            mels: of each clip, (mels, columns) as the checkpoint's front end makes it.
            prompt_ids: with a span of audio pads for each clip, as many as it has audio tokens.

        Returns:
            (vocabulary rows,) float32: the logits after the prompt, nothing forbidden.

        Raises:
            TranslateError: the prompt's spans are not those of the clips, or it is longer than the model holds.
        """
        started = time.perf_counter()
        self._check_length(len(prompt_ids))
        audios = [encode(self._checkpoint, mel) for mel in mels]
        embeddings = splice(self._checkpoint, prompt_ids, audios)
        n_audio = sum(audio.shape[1] for audio in audios)
        self.cost += Cost(encode_s=self._since(started), audio_tokens=n_audio)
        started = time.perf_counter()
        if self._observer is not None:
            self._observer.begin(self._checkpoint.audio_spans(prompt_ids))
        self._runner.slots.used = 0
        positions = torch.arange(len(prompt_ids), device=self._checkpoint.device)
        logits = self._runner.logits(self._runner.forward(embeddings, positions)[-1:])[0]
        self._n_kept = len(prompt_ids)
        self.cost += Cost(prefill_s=self._since(started), prefilled_tokens=len(prompt_ids))
        return logits

    def write(self, forced: Sequence[int], draft: Sequence[int], allowed: torch.Tensor | None = None) -> Iterator[Step]:
        """The greedy text behind the sound, the forced ids and itself, token by token, without end.

        One forward reads the forced ids and the draft; as far as the draft is what the model would have written
        itself, its tokens are had at no further cost. The steps are the same as without a draft.

        Args:
            forced: at least one id: tags, then what has been committed.
            draft: ids that may come next.
            allowed: tokens that this text may hold, where they are others than the decoder's own.

        Yields:
            The next token; stop asking to stop. Another text ends this one.

        Raises:
            TranslateError: the text has grown longer than the model holds.
        """
        (row,) = self._read([Text(forced, draft, allowed)])
        while True:
            yield from row.steps
            self._advance([row])

    def write_together(self, texts: Sequence[Text], takers: Sequence[Taker]) -> None:
        """The same for several texts, in lock-step, until every taker has enough.

        Args:
            texts: at least one.
            takers: one of each text.

        Raises:
            TranslateError: a text has grown longer than the model holds.
        """
        going = list(zip(self._read(texts), takers, strict=True))
        while going := [(row, take) for row, take in going if all(take(step) for step in row.steps)]:
            self._advance([row for row, _ in going])

    def _read(self, texts: Sequence[Text]) -> list[_Row]:
        """Read what is forced and drafted; each row has the steps that its draft confirms, and the one behind them."""
        started = time.perf_counter()
        first = self._runner.slots.used = self._n_kept
        ids = [[*text.forced, *text.draft] for text in texts]
        n_ids = sum(map(len, ids))
        self._check_length(self._n_kept + max(map(len, ids)))
        # For each text the queries that predict: the last forced id, and every drafted one.
        starts = [sum(map(len, ids[:i])) for i in range(len(ids))]
        asked = [
            range(start + len(text.forced) - 1, start + len(own))
            for start, text, own in zip(starts, texts, ids, strict=True)
        ]
        queries = [query for own in asked for query in own]
        forbidden = [self._forbidden if text.allowed is None else ~text.allowed for text in texts]
        hidden = self._forward([i for own in ids for i in own], _positions(ids, first), self._shown_apart(ids))
        limits = torch.stack([rule for rule, own in zip(forbidden, asked, strict=True) for _ in own])
        steps = self._steps(hidden[queries], limits, queries)
        rows = []
        for text, own, start, rule in zip(texts, ids, starts, forbidden, strict=True):
            mine, steps = steps[: len(text.draft) + 1], steps[len(text.draft) + 1 :]
            n_agreed = _agreed(mine, text.draft)
            n_read = len(own) - len(text.draft) + n_agreed
            slots = list(range(first + start, first + start + n_read))
            rows.append(_Row(rule, first + n_read, slots, mine[: n_agreed + 1]))
        self.cost += Cost(prefill_s=self._since(started), prefilled_tokens=n_ids)
        return rows

    def _advance(self, rows: Sequence[_Row]) -> None:
        """Read the last step of each row, and put the one behind it in its place."""
        started = time.perf_counter()
        first = self._runner.slots.used
        self._check_length(max(row.length for row in rows) + 1)
        for i, row in enumerate(rows):
            row.slots.append(first + i)
        hidden = self._forward([row.steps[-1].token for row in rows], [row.length for row in rows], self._shown(rows))
        limits = torch.stack([row.forbidden for row in rows])
        for row, step in zip(rows, self._steps(hidden, limits, range(len(rows))), strict=True):
            row.length += 1
            row.steps = [step]
        self.cost += Cost(decode_s=self._since(started), decoded_tokens=len(rows), decode_steps=1)

    def _forward(self, ids: Sequence[int], positions: Sequence[int], mask: torch.Tensor) -> torch.Tensor:
        device = self._checkpoint.device
        embeddings = self._runner.embed(torch.tensor(ids, device=device))
        return self._runner.forward(embeddings, torch.tensor(positions, device=device), mask)

    def _steps(self, hidden: torch.Tensor, forbidden: torch.Tensor, queries: Sequence[int]) -> list[Step]:
        best = likeliest(self._runner.logits(hidden), forbidden)
        seen = [None] * len(queries) if self._observer is None else self._observer.look(queries)
        return [Step(*step) for step in zip(best.tokens.tolist(), best.logprobs.tolist(), seen, strict=True)]

    def _shown_apart(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """What each id of several texts may see: the prompt, and what stands before it in its own text."""
        n_kept, n_ids = self._n_kept, sum(map(len, ids))
        mask = self._hidden(n_ids, n_kept + n_ids)
        mask[:, :n_kept] = 0
        start = 0
        for own in ids:
            stop = start + len(own)
            mask[start:stop, n_kept + start : n_kept + stop].triu_(diagonal=1)
            start = stop
        return mask

    def _shown(self, rows: Sequence[_Row]) -> torch.Tensor:
        mask = self._hidden(len(rows), self._runner.slots.used + len(rows))
        mask[:, : self._n_kept] = 0
        for i, row in enumerate(rows):
            mask[i, row.slots] = 0
        return mask

    def _hidden(self, n_queries: int, n_keys: int) -> torch.Tensor:
        return torch.full((n_queries, n_keys), HIDDEN, device=self._checkpoint.device, dtype=self._checkpoint.dtype)

    def _check_length(self, n_tokens: int) -> None:
        most = self._checkpoint.max_tokens
        if n_tokens > most:
            raise TranslateError(f"The model holds {most} tokens, text and sound together; start anew, or with less.")

    def _since(self, started: float) -> float:
        if self._checkpoint.device.type == "cuda":
            torch.cuda.synchronize(self._checkpoint.device)
        return time.perf_counter() - started


def _positions(ids: Sequence[Sequence[int]], first: int) -> list[int]:
    return [first + i for own in ids for i in range(len(own))]


def _agreed(steps: Sequence[Step], draft: Sequence[int]) -> int:
    """How many of the draft's ids are the model's own, from the first on."""
    for count, (step, guess) in enumerate(zip(steps, draft, strict=False)):
        if step.token != guess:
            return count
    return len(draft)
