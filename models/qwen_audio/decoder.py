"""Audio and prompt to tokens: the encoder without padding, and greedy decoding that checks a draft first.

In: a loaded checkpoint, a log-mel, ids. Out: embeddings, and steps (token, log-probability) as long as somebody asks.
When to stop is not its business (stopping.py), nor which tags make a prompt (prompts.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F
from transformers import DynamicCache

from models.base import Cost, TranslateError
from models.qwen_audio.checkpoint import Checkpoint


class Step(NamedTuple):
    """The likeliest next token."""

    token: int
    logprob: float


@dataclass(slots=True)
class Meter:
    """Adds up what one request costs."""

    encode_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    audio_tokens: int = 0
    prefilled_tokens: int = 0
    decoded_tokens: int = 0

    def cost(self) -> Cost:
        """What has been added up so far."""
        return Cost(**asdict(self))


class Decoder:
    """One request's decoding: the sound is read once, then any number of texts go on from it.

    The cache holds the sound and the start tag; each text is written behind them and cut off again before the next.
    """

    def __init__(self, checkpoint: Checkpoint, allowed: torch.Tensor) -> None:
        """Start with nothing read.

        Args:
            checkpoint: the model.
            allowed: (vocabulary rows,) bool on the model's device: the tokens that a text may hold.
        """
        self._checkpoint = checkpoint
        self._text: Any = checkpoint.model.model.language_model
        self._head: Any = checkpoint.model.lm_head
        self._forbidden = ~allowed
        self._cache = DynamicCache(config=checkpoint.model.config.text_config)
        self._n_kept = 0
        self.meter = Meter()

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
        audios = [encode(self._checkpoint, mel) for mel in mels]
        embeddings = splice(self._checkpoint, prompt_ids, audios)
        self.meter.audio_tokens += sum(audio.shape[1] for audio in audios)
        self.meter.encode_s += self._since(started)
        started = time.perf_counter()
        logits = self._forward(embeddings, n_last=1)[0]
        self._n_kept = self._cache.get_seq_length()
        self.meter.prefilled_tokens += len(prompt_ids)
        self.meter.prefill_s += self._since(started)
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
            The next token; stop asking to stop.

        Raises:
            TranslateError: the text has grown longer than the model holds.
        """
        forbidden = self._forbidden if allowed is None else ~allowed
        self._crop(self._n_kept)
        n_agreed = 0
        for step, guess in zip(self._read(forced, draft, forbidden), [*draft, None], strict=True):
            yield step
            if step.token != guess:
                break
            n_agreed += 1
        self._crop(self._n_kept + len(forced) + n_agreed)
        while True:
            step = self._next(step.token, forbidden)
            yield step

    def _read(self, forced: Sequence[int], draft: Sequence[int], forbidden: torch.Tensor) -> list[Step]:
        started = time.perf_counter()
        ids = [*forced, *draft]
        steps = self._steps(self._forward(self._embed(ids), n_last=len(draft) + 1), forbidden)
        self.meter.prefilled_tokens += len(ids)
        self.meter.prefill_s += self._since(started)
        return steps

    def _next(self, token: int, forbidden: torch.Tensor) -> Step:
        started = time.perf_counter()
        (step,) = self._steps(self._forward(self._embed([token]), n_last=1), forbidden)
        self.meter.decoded_tokens += 1
        self.meter.decode_s += self._since(started)
        return step

    def _embed(self, ids: Sequence[int]) -> torch.Tensor:
        tokens = torch.tensor([ids], device=self._checkpoint.device)
        embedded: torch.Tensor = self._text.embed_tokens(tokens)
        return embedded  # (1, L, D)

    def _forward(self, embeddings: torch.Tensor, n_last: int) -> torch.Tensor:
        """Logits at the last positions alone: the head is the widest matrix of all."""
        most = self._checkpoint.max_tokens
        if self._cache.get_seq_length() + embeddings.shape[1] > most:
            raise TranslateError(f"The model holds {most} tokens, text and sound together; start anew, or with less.")
        hidden = self._text(inputs_embeds=embeddings, past_key_values=self._cache, use_cache=True).last_hidden_state
        logits: torch.Tensor = self._head(hidden[0, -n_last:]).float()
        return logits  # (n_last, vocabulary rows)

    def _steps(self, logits: torch.Tensor, forbidden: torch.Tensor) -> list[Step]:
        best = logits.masked_fill(forbidden, -torch.inf).log_softmax(dim=-1).max(dim=-1)
        return [Step(*pair) for pair in zip(best.indices.tolist(), best.values.tolist(), strict=True)]

    def _crop(self, length: int) -> None:
        if (surplus := self._cache.get_seq_length() - length) > 0:
            self._cache.crop(-surplus)  # the library takes the number to drop, as a negative

    def _since(self, started: float) -> float:
        if self._checkpoint.device.type == "cuda":
            torch.cuda.synchronize(self._checkpoint.device)
        return time.perf_counter() - started


def encode(checkpoint: Checkpoint, mel: torch.Tensor) -> torch.Tensor:
    """The audio tower on as many positions as the clip has, and the projector behind it.

    The library's own forward takes 30 s of mel and nothing else: sixteen times the work for a clip of 2 s, and not what
    v1 computes, whose last position sees the edge of the clip. The positions that it masks are cut off here instead,
    as soon as the convolutions have seen them: no other sees them then.

    Args:
        checkpoint: the model.
        mel: (mels, columns) float32, as the checkpoint's front end makes it.

    Returns:
        (1, N, D) in the model's dtype, N the clip's audio tokens.
    """
    tower: Any = checkpoint.model.model.audio_tower
    columns = mel.to(checkpoint.device, checkpoint.dtype)[None]
    hidden = F.gelu(tower.conv1(columns))
    hidden = F.gelu(tower.conv2(hidden)).transpose(1, 2)  # (1, positions, width)
    hidden = hidden[:, : checkpoint.front_end.positions(mel.shape[1])]  # (1, T, width)
    hidden = hidden + tower.embed_positions.weight[: hidden.shape[1]]
    for layer in tower.layers:
        hidden = layer(hidden, None)
    hidden = tower.avg_pooler(hidden.transpose(1, 2)).transpose(1, 2)  # (1, N, width)
    projected: torch.Tensor = checkpoint.model.model.multi_modal_projector(tower.layer_norm(hidden))
    return projected


def splice(checkpoint: Checkpoint, ids: Sequence[int], audios: Sequence[torch.Tensor]) -> torch.Tensor:
    """Embeddings of a prompt with the sound's in place of the audio pads.

    Args:
        checkpoint: the model.
        ids: the whole prompt.
        audios: of each clip, (1, N, D) as `encode` makes it.

    Returns:
        (1, L, D).

    Raises:
        TranslateError: the prompt's spans are not those of the clips.
    """
    spans = checkpoint.audio_spans(ids)
    room, needed = [span.stop - span.start for span in spans], [audio.shape[1] for audio in audios]
    if room != needed:
        raise TranslateError(
            f"The prompt has room for clips of {room} audio tokens, and the clips have {needed}; "
            "the vocabulary is not this checkpoint's."
        )
    tokens = torch.tensor([ids], device=checkpoint.device)
    embeddings: torch.Tensor = checkpoint.model.get_input_embeddings()(tokens)
    for span, audio in zip(spans, audios, strict=True):
        embeddings[:, span] = audio
    return embeddings
