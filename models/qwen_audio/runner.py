"""The library's language model over keys and values that stay in one place, several texts in one forward.

In: ids or embeddings, the position of each, and which keys each may see. Out: hidden states, and the likeliest tokens.
Which tokens are read, and when a text is over, is not its business.

All tokens of a forward stand one behind the other, whichever text they are of: the batch is 1, nothing is padded, and
the sound's keys are stored and read once for all texts. What a token may see is the mask's business, and how far it
stands from what it sees its position's; a slot that no mask shows any more, as that of a rejected draft, is never read
again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from subprocess import SubprocessError
from typing import Any

import torch

from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.encoder import through_layers
from models.qwen_audio.recording import Encoding, Reading, Recorder, shortest
from models.qwen_audio.slots import PlacedSlots, Slots
from models.qwen_audio.stepping import Stepper

_log = logging.getLogger(__name__)

HIDDEN = -torch.inf
"""Added to the score of a key that is not to be seen."""
READ_LENGTHS = (16, 32, 64, 128, 192, 256, 384, 512, 768)
"""Tokens of the forwards that are recorded: an update's are some tags and drafts, and up to 28 s of sound."""
ENCODE_LENGTHS = (64, 128, 256, 384, 512, 768, 1024, 1280, 1536)
"""Positions, 50 a second, of the recorded ways through the encoder."""


class Runner:
    """One loaded model's layers, head and slots, which its requests take turns to use."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._text: Any = checkpoint.model.model.language_model
        self._head: Any = checkpoint.model.lm_head
        self._n_vocab = checkpoint.n_rows
        self._dtype = checkpoint.dtype
        self._rotations: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self.device = checkpoint.device
        self.slots = Slots(checkpoint)
        self._readings: list[Reading] = []
        self.encodings: list[Encoding] = []
        """Recorded ways through the encoder, for encoder.encode."""
        self.stepper: Stepper | None = None
        """What takes several steps at once; None where nothing is gained by it."""

    def prepare_readings(self, lengths: Sequence[int]) -> None:
        """Have up to so many tokens each read in recorded forwards from now on."""
        width = self._text.config.hidden_size
        recorder = Recorder(self.device)
        self._readings = [Reading(self._through, self.slots, width, length, recorder) for length in lengths]

    def prepare_encodings(self, lengths: Sequence[int]) -> None:
        """Have up to so many positions each taken through the encoder by a recording from now on."""
        width = self._checkpoint.model.config.audio_config.d_model
        like, recorder = self.slots.keys[0], Recorder(self.device)
        through = partial(through_layers, self._checkpoint)
        self.encodings = [Encoding(through, like, width, length, recorder) for length in lengths]

    def prepare_steps(self, is_fused: bool) -> None:
        """Have several steps taken at once from now on."""
        self._rotation()  # a step that finds none there would be compiled once more as soon as there is one
        stepper = Stepper(self._read, likeliest, self.slots, self._n_vocab, is_fused)
        stepper.record()
        self.stepper = stepper

    @torch.inference_mode()
    def warm_up(self) -> None:
        """Do once what the first request would wait for; on CUDA, where kernels are recorded, it may take a minute."""
        if self.device.type != "cuda":
            return
        if not _works("steps of fused kernels", partial(self.prepare_steps, is_fused=True)):
            _works("steps", partial(self.prepare_steps, is_fused=False))
        _works("readings", partial(self.prepare_readings, READ_LENGTHS))
        _works("encodings", partial(self.prepare_encodings, ENCODE_LENGTHS))
        self.slots.clear()

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """(L,) ids to (1, L, D)."""
        embedded: torch.Tensor = self._text.embed_tokens(tokens[None])
        return embedded

    def forward(
        self,
        embeddings: torch.Tensor,
        positions: torch.Tensor,
        mask: torch.Tensor | None = None,
        *,
        is_watched: bool = False,
    ) -> torch.Tensor:
        """Read tokens into the next slots.

        Args:
            embeddings: (1, L, D).
            positions: (L,) int64: where each stands in its text.
            mask: (L, slots used + L), 0 or HIDDEN, in the model's dtype: what each may see; None is itself and all
                before it, for tokens that are the first to be read.
            is_watched: somebody reads what the layers attend to, which recordings do not tell.

        Returns:
            (L, D), normed; it is gone with the next.
        """
        n_tokens = embeddings.shape[1]
        self.slots.reserve(self.slots.used + n_tokens)
        reading = None if is_watched else shortest(self._readings, n_tokens)
        if reading is not None and reading.has_room:
            hidden = reading.read(embeddings, positions, mask)
        else:
            hidden = self._through(embeddings, positions, mask, self.slots)
        self.slots.used += n_tokens
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(L, D) to (L, vocabulary rows) float32. Only where they are needed: the head is the widest matrix of all."""
        logits: torch.Tensor = self._head(hidden).float()
        return logits

    def _read(
        self, tokens: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor, slots: PlacedSlots
    ) -> torch.Tensor:
        return self.logits(self._through(self.embed(tokens), positions, mask, slots))

    def _through(
        self, embeddings: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor | None, slots: Slots | PlacedSlots
    ) -> torch.Tensor:
        cosines, sines = self._rotation()
        rotation = (cosines[positions][None], sines[positions][None])
        shared = None if mask is None else mask[None, None]
        hidden = embeddings
        for layer in self._text.layers:
            hidden = layer(
                hidden, attention_mask=shared, position_embeddings=rotation, past_key_values=slots, use_cache=True
            )
        normed: torch.Tensor = self._text.norm(hidden[0])
        return normed

    def _rotation(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines (capacity, head width) of every position that a token in these slots can have.

        They stay where they are: recorded steps go on reading them.
        """
        capacity = self.slots.capacity
        if capacity not in self._rotations:
            like = torch.empty((), device=self.device, dtype=self._dtype)
            cosines, sines = self._text.rotary_emb(like, torch.arange(capacity, device=self.device)[None])
            self._rotations[capacity] = (cosines[0], sines[0])
        return self._rotations[capacity]


def _works(what: str, prepare: Callable[[], None]) -> bool:
    """Prepare a recording; where a driver or a compiler cannot, work is slower, and there is no reason to give up."""
    try:
        prepare()
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, OSError, ImportError, SubprocessError) as e:  # the driver's, the compiler's, its programs'
        _log.warning("recorded %s do not work here (%s)", what, type(e).__name__, exc_info=True)
        return False
    _log.info("recorded %s", what)
    return True


def likeliest(logits: torch.Tensor, forbidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest allowed token of each row, and its log-probability among those allowed.

    Args:
        logits: (L, vocabulary rows) float32, overwritten.
        forbidden: (vocabulary rows,) or (L, vocabulary rows) bool.

    Returns:
        (L,) int64, and (L,) float32.
    """
    logits.masked_fill_(forbidden, -torch.inf)
    best = logits.max(dim=-1)
    return best.indices, best.values - logits.logsumexp(dim=-1)
