"""A checkpoint and its vocabulary in memory, and what both protocols do alike: fail in one sentence, free memory.

In: a folder, a device, and how the checkpoint is told what to do. Out: a Loaded. What is asked of it is translator.py's
and answerer.py's business.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from models.base import Cancelled, Mode, ModelError, ModelLoadError, Progress, TranslateError
from models.precision import QUANTS, Quant, label
from models.qwen_audio.checkpoint import Checkpoint, inspect, load
from models.qwen_audio.device import choose_device, limit_threads
from models.qwen_audio.tokenizer import Tokenizer

_NO_MEMORY = ("can't allocate memory", "out of memory", "_STATUS_ALLOC_FAILED")
"""How the processor's and Apple's allocators and CUDA's libraries say it, in errors of no type of their own."""

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is needed to write behind a sound."""

    checkpoint: Checkpoint
    tokenizer: Tokenizer
    device: str
    """Where it computes, and why there."""
    text: torch.Tensor
    """(vocabulary rows,) bool: what a text may hold, its end included; no tags, no rows past the vocabulary."""
    ends: frozenset[int]
    """Ids that end a text."""

    def has(self, tags: Iterable[str]) -> bool:
        """Whether the vocabulary has all these tags."""
        return all(tag in self.tokenizer.tags for tag in tags)

    def ids(self, tags: Iterable[str]) -> list[int]:
        """Ids of tags."""
        return [self.tokenizer.tags[tag] for tag in tags]

    def text_and(self, tags: Iterable[str]) -> torch.Tensor:
        """What a text may hold that has these tags in it."""
        allowed = self.text.clone()
        allowed[self.ids(tags)] = True
        return allowed

    def only(self, ids: Iterable[int]) -> torch.Tensor:
        """Nothing but these ids."""
        allowed = torch.zeros_like(self.text)
        allowed[list(ids)] = True
        return allowed


def load_folder(folder: Path, device: str, mode: Mode | None, progress: Progress, quant: Quant = "none") -> Loaded:
    """Read the weights and the vocabulary of a checkpoint.

    Args:
        folder: holds both.
        device: one of device.DEVICES.
        mode: how the checkpoint is told what to do; None is what its files say.
        progress: told the share of tensors read.
        quant: how the weights are held.

    Raises:
        ModelLoadError: the checkpoint is missing, broken or of another kind, the device or what the precision needs is
            not here, or the memory does not do.
    """
    place, reason = choose_device(device)
    inspect(folder)  # a folder that is no checkpoint says so before it is asked for a vocabulary
    tokenizer = Tokenizer.from_folder(folder)
    try:
        checkpoint = load(folder, place, progress=progress, mode=mode, quant=quant)
    except (RuntimeError, MemoryError) as e:
        if is_memory_full(e):
            raise ModelLoadError(f"The model does not fit into the memory of {reason}: {_remedy(quant)}.") from e
        other = "--device" if quant == "none" else "--quant or --device"
        raise ModelLoadError(f"The model cannot be put on {reason}; choose another {other}.") from e
    checkpoint.check_vocabulary(tokenizer)
    return with_vocabulary(checkpoint, tokenizer, reason if quant == "none" else f"{reason}, {label(quant)}")


def with_vocabulary(checkpoint: Checkpoint, tokenizer: Tokenizer, device: str) -> Loaded:
    """A checkpoint ready to write.

    Args:
        checkpoint: in memory.
        tokenizer: its vocabulary.
        device: where it computes, and why there.
    """
    limit_threads(checkpoint.model.num_parameters())
    ends = tokenizer.ends(checkpoint.mode)
    text = torch.zeros(checkpoint.n_rows, dtype=torch.bool)
    text[: tokenizer.n_text] = True
    text[list(ends)] = True
    return Loaded(checkpoint, tokenizer, device, text.to(checkpoint.device), ends)


@contextmanager
def computing(what: str) -> Iterator[None]:
    """Compute without gradients; whatever fails fails as one sentence about `what`.

    Raises:
        TranslateError: the model failed, or memory ran out.
    """
    try:
        with torch.inference_mode():
            yield
    except (ModelError, Cancelled, GeneratorExit):
        raise
    except Exception as e:  # one utterance must not take the next ones down
        if is_memory_full(e):
            free_memory()
            raise TranslateError(
                f"There was no memory for {what}: close other programs, or choose a smaller model or --quant."
            ) from e
        _log.warning("a request failed", exc_info=True)
        raise TranslateError(f"The model failed on {what} ({type(e).__name__}); the log says where.") from e


def tried_again(job: Callable[[], _Answer]) -> _Answer:
    """What a job answers; where memory runs out, what is not needed any more is given back and it is done once more."""
    try:
        return job()
    except (RuntimeError, MemoryError) as e:
        if not is_memory_full(e):
            raise
    # Behind the handler: the error's traceback held on to all that the first try had made.
    _log.warning("memory ran out; what is free is given back, and it is tried once more")
    free_memory()
    return job()


def is_memory_full(error: BaseException) -> bool:
    """Whether an error says that there is no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def free_memory() -> None:
    """Give back what a dropped model, or a request that failed, held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _remedy(quant: Quant) -> str:
    """What to do where a model does not fit."""
    smaller = QUANTS[QUANTS.index(quant) + 1 :]
    precision = f"choose --quant {' or '.join(smaller)}, " if smaller else ""
    return f"{precision}choose a smaller model, or close other programs"
