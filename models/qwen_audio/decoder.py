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
from models.qwen_audio.stepping import N_TEXTS, STEPS_AT_ONCE, Start, Stepper

READ_TOGETHER = 384
"""Longest prompt that is read in one forward with the first of its texts. Behind a longer one the mask costs a CPU more
than the second forward does; docs/log.md has the figures."""


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
    shown: torch.Tensor
    """(at least the slots used,) in the model's dtype: 0 where it may look, else HIDDEN."""
    steps: list[Step]
    """Not yet handed out; the last is not yet read."""


class _Sheet(NamedTuple):
    """The ids of several texts, forced and drafted, one behind the other."""

    ids: list[int]
    spans: list[range]
    """Where each text stands."""
    asked: list[range]
    """Where its tokens are predicted: at the last forced id, and at every drafted one."""

    @classmethod
    def of(cls, texts: Sequence[Text]) -> _Sheet:
        sheet = cls([], [], [])
        for text in texts:
            start = len(sheet.ids)
            sheet.ids.extend((*text.forced, *text.draft))
            sheet.spans.append(range(start, len(sheet.ids)))
            sheet.asked.append(range(start + len(text.forced) - 1, len(sheet.ids)))
        return sheet


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
        self._ahead: list[tuple[Text, _Row]] = []
        self._in_stepper: list[_Row] = []
        self.cost = Cost()

    def listen(
        self, mels: Sequence[torch.Tensor], prompt_ids: Sequence[int], texts: Sequence[Text] = ()
    ) -> torch.Tensor:
        """Read the sound and the prompt around it; they stay in the cache.

        Args:
            mels: of each clip, (mels, columns) as the checkpoint's front end makes it.
            prompt_ids: with a span of audio pads for each clip, as many as it has audio tokens.
            texts: what will be written together next, where that is known: it saves a forward, and changes nothing.

        Returns:
            (vocabulary rows,) float32: the logits after the prompt, nothing forbidden.

        Raises:
            TranslateError: the prompt's spans are not those of the clips, or it is longer than the model holds.
        """
        started = time.perf_counter()
        self._check_length(len(prompt_ids))
        audios = [encode(self._checkpoint, mel, self._runner.encodings) for mel in mels]
        embeddings = splice(self._checkpoint, prompt_ids, audios)
        n_audio = sum(audio.shape[1] for audio in audios)
        self.cost += Cost(encode_s=self._since(started), audio_tokens=n_audio)
        started = time.perf_counter()
        if self._observer is not None:
            self._observer.begin(self._checkpoint.audio_spans(prompt_ids))
        self._runner.slots.clear()
        self._n_kept = len(prompt_ids)
        ahead = texts if self._n_kept <= READ_TOGETHER else ()
        logits, rows = self._read(ahead, embeddings)
        self._ahead = list(zip(ahead, rows, strict=True))
        self.cost += Cost(prefill_s=self._since(started))
        return self._runner.logits(logits)[0]

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
        (row,) = self._begin([Text(forced, draft, allowed)])
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
        going = list(zip(self._begin(texts), takers, strict=True))
        while going := [(row, take) for row, take in going if all(take(step) for step in row.steps)]:
            self._advance([row for row, _ in going])

    def _begin(self, texts: Sequence[Text]) -> list[_Row]:
        """Rows with the steps that each draft confirms, and the one behind them."""
        ahead, self._ahead = self._ahead, []
        if len(ahead) == len(texts) and all(read is text for (read, _), text in zip(ahead, texts, strict=True)):
            return [row for _, row in ahead]
        started = time.perf_counter()
        self._runner.slots.used = self._n_kept
        _, rows = self._read(texts)
        self.cost += Cost(prefill_s=self._since(started))
        return rows

    def _read(self, texts: Sequence[Text], prompt: torch.Tensor | None = None) -> tuple[torch.Tensor, list[_Row]]:
        """Read texts behind the prompt, and the prompt (1, L, D) itself where it has not been read yet.

        Returns:
            (1, D) hidden state at the prompt's end where that was read, and the texts' rows.
        """
        sheet, n_kept = _Sheet.of(texts), self._n_kept
        self._check_length(n_kept + max(map(len, sheet.spans), default=0))
        n_before = 0 if prompt is None else n_kept
        positions = [*range(n_before), *(n_kept + i for span in sheet.spans for i in range(len(span)))]
        parts = [] if prompt is None else [prompt]
        if sheet.ids:
            parts.append(self._runner.embed(torch.tensor(sheet.ids, device=self._checkpoint.device)))
        mask = self._apart(n_before, sheet) if sheet.ids else None
        hidden = self._forward(torch.cat(parts, dim=1), positions, mask)
        self.cost += Cost(prefilled_tokens=len(positions))
        return hidden[n_kept - 1 : n_kept], self._rows(texts, sheet, hidden, n_before) if texts else []

    def _rows(self, texts: Sequence[Text], sheet: _Sheet, hidden: torch.Tensor, n_before: int) -> list[_Row]:
        """What became of each draft.

        Args:
            texts: those read.
            sheet: their ids.
            hidden: (L, D) of the forward that read them, and of `n_before` other tokens before them.
            n_before: how many.
        """
        queries = [n_before + i for asked in sheet.asked for i in asked]
        rules = [self._forbidden if text.allowed is None else ~text.allowed for text in texts]
        forbidden = torch.stack([rule for rule, asked in zip(rules, sheet.asked, strict=True) for _ in asked])
        steps = iter(self._steps(hidden[queries], forbidden, queries))
        rows = []
        for text, span, asked, rule in zip(texts, sheet.spans, sheet.asked, rules, strict=True):
            own = [next(steps) for _ in asked]
            n_agreed = _agreed(own, text.draft)
            n_read = len(text.forced) + n_agreed
            first = self._n_kept + span.start
            shown = self._nothing(1, self._runner.slots.capacity)[0]
            shown[: self._n_kept] = 0
            shown[first : first + n_read] = 0
            rows.append(_Row(rule, self._n_kept + n_read, shown, own[: n_agreed + 1]))
        return rows

    def _advance(self, rows: Sequence[_Row]) -> None:
        """Read the last step of each row, and put what comes behind it in its place."""
        started = time.perf_counter()
        self._check_length(max(row.length for row in rows) + 1)
        stepper = self._runner.stepper if self._observer is None and len(rows) <= N_TEXTS else None
        n_steps = self._step_at_once(rows, stepper) if stepper and stepper.has_room else self._step(rows)
        self.cost += Cost(decode_s=self._since(started), decoded_tokens=n_steps * len(rows), decode_steps=n_steps)

    def _step(self, rows: Sequence[_Row]) -> int:
        self._in_stepper = []
        slots = self._runner.slots
        slots.reserve(slots.used + len(rows))
        for i, row in enumerate(rows):
            self._show(row, slice(slots.used + i, slots.used + i + 1))
        mask = torch.stack([row.shown[: slots.used + len(rows)] for row in rows])
        ids = torch.tensor([row.steps[-1].token for row in rows], device=self._checkpoint.device)
        hidden = self._forward(self._runner.embed(ids), [row.length for row in rows], mask)
        forbidden = torch.stack([row.forbidden for row in rows])
        for row, step in zip(rows, self._steps(hidden, forbidden, range(len(rows))), strict=True):
            row.length += 1
            row.steps = [step]
        return 1

    def _step_at_once(self, rows: Sequence[_Row], stepper: Stepper) -> int:
        """The same several times; a row that goes on keeps its place, whether or not the other does."""
        if not all(any(row is put for put in self._in_stepper) for row in rows):
            self._in_stepper = list(rows)
            stepper.start([Start(row.steps[-1].token, row.length, row.shown, row.forbidden) for row in rows])
        n_steps = min(STEPS_AT_ONCE, self._checkpoint.max_tokens - max(row.length for row in rows))
        first = self._runner.slots.used
        tokens, logprobs = stepper.run(n_steps)
        for place, row in enumerate(self._in_stepper):
            self._show(row, slice(first + place, self._runner.slots.used, N_TEXTS))
            row.length += n_steps
            row.steps = [
                Step(*step) for step in zip([t[place] for t in tokens], [p[place] for p in logprobs], strict=True)
            ]
        return n_steps

    def _show(self, row: _Row, slots: slice) -> None:
        if len(row.shown) < self._runner.slots.capacity:
            more = self._nothing(1, self._runner.slots.capacity - len(row.shown))[0]
            row.shown = torch.cat([row.shown, more])
        row.shown[slots] = 0

    def _forward(self, embeddings: torch.Tensor, positions: Sequence[int], mask: torch.Tensor | None) -> torch.Tensor:
        places = torch.tensor(positions, device=self._checkpoint.device)
        return self._runner.forward(embeddings, places, mask, is_watched=self._observer is not None)

    def _steps(self, hidden: torch.Tensor, forbidden: torch.Tensor, queries: Sequence[int]) -> list[Step]:
        tokens, logprobs = likeliest(self._runner.logits(hidden), forbidden)
        seen = [None] * len(queries) if self._observer is None else self._observer.look(queries)
        return [Step(*step) for step in zip(tokens.tolist(), logprobs.tolist(), seen, strict=True)]

    def _apart(self, n_before: int, sheet: _Sheet) -> torch.Tensor:
        """What each of some tokens may see: the prompt, and what stands before it in its own text.

        Args:
            n_before: tokens of the prompt that are read in the same forward, all or none.
            sheet: the texts behind them.
        """
        n_kept, n_ids = self._n_kept, len(sheet.ids)
        mask = self._nothing(n_before + n_ids, n_kept + n_ids)
        mask[:n_before, :n_before].triu_(diagonal=1)
        mask[n_before:, :n_kept] = 0
        for span in sheet.spans:
            mask[n_before + span.start : n_before + span.stop, n_kept + span.start : n_kept + span.stop].triu_(
                diagonal=1
            )
        return mask

    def _nothing(self, n_queries: int, n_keys: int) -> torch.Tensor:
        return torch.full((n_queries, n_keys), HIDDEN, device=self._checkpoint.device, dtype=self._checkpoint.dtype)

    def _check_length(self, n_tokens: int) -> None:
        most = self._checkpoint.max_tokens
        if n_tokens > most:
            raise TranslateError(f"The model holds {most} tokens, text and sound together; start anew, or with less.")

    def _since(self, started: float) -> float:
        if self._checkpoint.device.type == "cuda":
            torch.cuda.synchronize(self._checkpoint.device)
        return time.perf_counter() - started


def _agreed(steps: Sequence[Step], draft: Sequence[int]) -> int:
    """How many of the draft's ids are the model's own, from the first on."""
    for count, (step, guess) in enumerate(zip(steps, draft, strict=False)):
        if step.token != guess:
            return count
    return len(draft)
