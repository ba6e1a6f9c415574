"""A checkpoint and its vocabulary in memory, and what both protocols do alike: fail in one sentence, free memory.

In: a folder, a device, and how the checkpoint is told what to do. Out: a Loaded. What is asked of it is translator.py's
and answerer.py's business.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from models.base import Cancelled, Mode, ModelError, ModelLoadError, Progress, TranslateError
from models.qwen_audio.checkpoint import Checkpoint, inspect, load
from models.qwen_audio.device import choose_device, limit_threads
from models.qwen_audio.tokenizer import Tokenizer

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


def load_folder(folder: Path, device: str, mode: Mode | None, progress: Progress) -> Loaded:
    """Read the weights and the vocabulary of a checkpoint.

    Args:
        folder: holds both.
        device: one of device.DEVICES.
        mode: how the checkpoint is told what to do; None is what its files say.
        progress: told the share of tensors read.

    Raises:
        ModelLoadError: the checkpoint is missing, broken or of another kind, or the device is not here.
    """
    place, reason = choose_device(device)
    inspect(folder)  # a folder that is no checkpoint says so before it is asked for a vocabulary
    tokenizer = Tokenizer.from_folder(folder)
    try:
        checkpoint = load(folder, place, progress=progress, mode=mode)
    except (torch.OutOfMemoryError, MemoryError) as e:
        raise ModelLoadError(f"The model does not fit into the memory of {reason}; choose a smaller one.") from e
    except RuntimeError as e:
        raise ModelLoadError(f"The model cannot be put on {reason}; choose another --device.") from e
    checkpoint.check_vocabulary(tokenizer)
    limit_threads(checkpoint.model.num_parameters())
    ends = tokenizer.ends(checkpoint.mode)
    text = torch.zeros(checkpoint.n_rows, dtype=torch.bool)
    text[: tokenizer.n_text] = True
    text[list(ends)] = True
    return Loaded(checkpoint, tokenizer, reason, text.to(checkpoint.device), ends)


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
    except torch.OutOfMemoryError as e:
        torch.cuda.empty_cache()
        raise TranslateError("The device's memory is full; close other programs or choose a smaller model.") from e
    except Exception as e:  # one utterance must not take the next ones down
        _log.warning("a request failed", exc_info=True)
        raise TranslateError(f"The model failed on {what} ({type(e).__name__}); the log says where.") from e


def free_memory() -> None:
    """Give back what a dropped model held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
