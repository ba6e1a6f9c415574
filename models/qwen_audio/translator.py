"""Qwen-Audio as a Translator: the model behind models.base's protocol, for any checkpoint that knows the task tags.

In: Requests. Out: Hypotheses. Processes, deadlines and what becomes of a text are not its business.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import torch

from models.base import (
    UNKNOWN,
    Branch,
    Cancelled,
    Capabilities,
    Hypothesis,
    ModelError,
    ModelLoadError,
    Outcome,
    Progress,
    Request,
    Score,
    TranslateError,
)
from models.calibration import stored_threshold
from models.qwen_audio.checkpoint import Checkpoint, inspect, load
from models.qwen_audio.decoder import Decoder, Step
from models.qwen_audio.device import choose_device, limit_threads
from models.qwen_audio.frontend import MAX_SAMPLES
from models.qwen_audio.prompts import START, audio_span, candidate_tags, task_tags
from models.qwen_audio.stopping import collect, max_tokens
from models.qwen_audio.tokenizer import Tokenizer

_log = logging.getLogger(__name__)
_NOTHING = Outcome((), 0, "end")


@dataclass(frozen=True, slots=True)
class _Loaded:
    checkpoint: Checkpoint
    tokenizer: Tokenizer
    allowed: torch.Tensor
    """(vocabulary rows,) bool: what a text may hold, its end included; no tags, no rows past the vocabulary."""
    candidates: dict[str, int]
    """Language, or UNKNOWN, to the id of its tag."""


class QwenAudioTranslator:
    """Translates and transcribes in one pass over the sound, and names its language by the tag's own probability."""

    def __init__(self, folder: str, device: str = "auto") -> None:
        """Nothing is read before `load`.

        Args:
            folder: a checkpoint with its vocabulary.
            device: one of device.DEVICES.
        """
        self._folder = Path(folder)
        self._device = device
        self._loaded: _Loaded | None = None

    def load(self, progress: Progress) -> Capabilities:
        """Read the weights and the vocabulary.

        Raises:
            ModelLoadError: the checkpoint is missing, broken or of another kind, or the device is not here.
        """
        device, reason = choose_device(self._device)
        inspect(self._folder)  # a folder that is no checkpoint says so before it is asked for a vocabulary
        tokenizer = Tokenizer.from_folder(self._folder)
        try:
            checkpoint = load(self._folder, device, progress=progress)
        except (torch.OutOfMemoryError, MemoryError) as e:
            raise ModelLoadError(f"The model does not fit into the memory of {reason}; choose a smaller one.") from e
        except RuntimeError as e:
            raise ModelLoadError(f"The model cannot be put on {reason}; choose another --device.") from e
        limit_threads(checkpoint.model.num_parameters())
        self._loaded = _prepare(checkpoint, tokenizer)
        return Capabilities(
            name=checkpoint.name,
            device=reason,
            directions=frozenset(permutations(checkpoint.languages, 2)),
            max_samples=MAX_SAMPLES,
            verifies=True,
            names_language=True,
            transcribes=True,
            uncertain_below=stored_threshold(self._folder),
        )

    def translate(self, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
        """Answer a request.

        Raises:
            TranslateError: the sound is too long or broken, a language is unknown, or the model failed.
            Cancelled: nobody waits any more.
        """
        if self._loaded is None:
            raise TranslateError("The model has not been loaded.")
        try:
            with torch.inference_mode():
                return _answer(self._loaded, request, cancelled)
        except (ModelError, Cancelled):
            raise
        except torch.OutOfMemoryError as e:
            torch.cuda.empty_cache()
            raise TranslateError("The device's memory is full; close other programs or choose a smaller model.") from e
        except Exception as e:  # one utterance must not take the next ones down
            _log.warning("a request failed", exc_info=True)
            raise TranslateError(f"The model failed on this utterance ({type(e).__name__}); the log says where.") from e

    def close(self) -> None:
        """Free memory."""
        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _prepare(checkpoint: Checkpoint, tokenizer: Tokenizer) -> _Loaded:
    rows = checkpoint.model.lm_head.out_features
    if tokenizer.n_vocab > rows:
        raise ModelLoadError(f"The vocabulary has {tokenizer.n_vocab} ids and the weights have {rows} rows for them.")
    needed = candidate_tags(checkpoint.languages)
    tags = [START, *audio_span(1), *needed.values(), *task_tags("transcribe", "en", "en"), "<|translate|>"]
    if lacking := sorted({tag for tag in tags if tag not in tokenizer.tags}):
        raise ModelLoadError(f"The vocabulary has no {', '.join(lacking)}: it is not of a task-tag checkpoint.")
    allowed = torch.zeros(rows, dtype=torch.bool)
    allowed[: tokenizer.n_text] = True
    allowed[tokenizer.end] = True
    candidates = {language: tokenizer.tags[tag] for language, tag in needed.items()}
    return _Loaded(checkpoint, tokenizer, allowed.to(checkpoint.device), candidates)


def _answer(loaded: _Loaded, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
    _check_languages(request, loaded.checkpoint.languages)
    if cancelled():
        raise Cancelled
    decoder = Decoder(loaded.checkpoint, loaded.allowed)
    started = time.perf_counter()
    mel = loaded.checkpoint.front_end.log_mel(request.samples)
    decoder.meter.encode_s += time.perf_counter() - started
    logits = decoder.listen([mel], _prompt(loaded, len(request.samples)))
    scores = _scores(logits, loaded.candidates)
    source = request.source or _named(scores, request)
    if source == UNKNOWN:
        outcomes = tuple(_NOTHING for _ in request.branches)
        return Hypothesis(request.utterance_id, UNKNOWN, UNKNOWN, scores, outcomes, decoder.meter.cost())
    target = _target(request, source)
    limit = max_tokens(len(request.samples))
    outcomes = tuple(
        collect(_steps(loaded.tokenizer, decoder, branch, source, target), branch, loaded.tokenizer, limit, cancelled)
        for branch in request.branches
    )
    return Hypothesis(request.utterance_id, source, target, scores, outcomes, decoder.meter.cost())


def _prompt(loaded: _Loaded, n_samples: int) -> list[int]:
    """What is shared by all texts of a clip: after it the model names the language."""
    n_tokens = loaded.checkpoint.front_end.audio_tokens(n_samples)
    return [loaded.tokenizer.tags[tag] for tag in (*audio_span(n_tokens), START)]


def _steps(tokenizer: Tokenizer, decoder: Decoder, branch: Branch, source: str, target: str) -> Iterator[Step]:
    """One branch's text. A draft made under another direction needs no care: it is checked under this one's tags."""
    tags = [tokenizer.tags[tag] for tag in task_tags(branch.task, source, target)]
    committed = [i for piece in branch.committed for i in piece.ids]
    return decoder.write(tags + committed, [i for piece in branch.draft for i in piece.ids])


def _check_languages(request: Request, known: tuple[str, ...]) -> None:
    for language in {*request.targets, *request.targets.values(), request.source or known[0]}:
        if language not in known:
            raise TranslateError(f"The model does not know the language {language!r}, only {', '.join(known)}.")


def _target(request: Request, source: str) -> str:
    """Language of the translation; the source itself where nothing is to be translated."""
    if source not in request.targets and any(branch.task == "translate" for branch in request.branches):
        raise TranslateError(f"Nothing says into which language {source!r} is to be translated.")
    return request.targets.get(source, source)


def _scores(logits: torch.Tensor, candidates: dict[str, int]) -> Score:
    """Probability of each language among those that have a tag, and of no speech."""
    shares = logits[list(candidates.values())].softmax(dim=0).tolist()
    return dict(zip(candidates, shares, strict=True))


def _named(scores: Score, request: Request) -> str:
    """The likeliest language by scores times priors, among those that have a target (any has if none does)."""
    heard: list[str] = [*(request.targets or [language for language in scores if language != UNKNOWN]), UNKNOWN]
    return max(heard, key=lambda language: scores[language] * request.priors.get(language, 1.0))
