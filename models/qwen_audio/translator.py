"""Qwen-Audio as a Translator: the model behind models.base's protocol, for any checkpoint of the family.

In: Requests. Out: Hypotheses. Processes, deadlines and what becomes of a text are not its business; how a checkpoint is
told what to write is tagged.py's and instructed.py's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models.base import (
    UNKNOWN,
    Branch,
    Cancelled,
    Capabilities,
    Cost,
    Hypothesis,
    Mode,
    ModelLoadError,
    Outcome,
    Progress,
    Request,
    TranslateError,
)
from models.calibration import stored_threshold
from models.pointers import stored_pointers
from models.precision import Quant
from models.qwen_audio.asking import Ask, Asking, Direction, directions_between
from models.qwen_audio.decoder import Decoder, Text
from models.qwen_audio.instructed import SentenceAsking
from models.qwen_audio.loading import Loaded, computing, free_memory, is_memory_full, load_folder, tried_again
from models.qwen_audio.offtarget import found_instead
from models.qwen_audio.pointing import Pointing
from models.qwen_audio.prompts import spoken
from models.qwen_audio.runner import Runner
from models.qwen_audio.stopping import Collector, Reading, max_tokens
from models.qwen_audio.tagged import TagAsking

_NOTHING = Outcome((), 0, "end")


@dataclass(frozen=True, slots=True)
class _Ready:
    loaded: Loaded
    asking: Asking
    runner: Runner
    pointing: Pointing | None


class QwenAudioTranslator:
    """Translates and transcribes in one pass over the sound.

    With task tags it names the language by the tag's own probability. A translation in the wrong language is written
    once more with the language forced, and the second is taken only if it is in the right one.
    """

    def __init__(self, folder: str, device: str = "auto", mode: Mode | None = None, quant: Quant = "none") -> None:
        """Nothing is read before `load`.

        Args:
            folder: a checkpoint with its vocabulary.
            device: one of device.DEVICES.
            mode: how the checkpoint is told what to do; None is what its files say.
            quant: how its weights are held.
        """
        self._folder = Path(folder)
        self._device = device
        self._mode = mode
        self._quant = quant
        self._ready: _Ready | None = None

    def load(self, progress: Progress) -> Capabilities:
        """Read the weights and the vocabulary.

        Raises:
            ModelLoadError: the checkpoint is missing, broken or of another kind, or the device is not here.
        """
        loaded = load_folder(self._folder, self._device, self._mode, progress, self._quant)
        mode = loaded.checkpoint.mode
        asking: Asking = TagAsking(loaded) if mode == "task_tags" else SentenceAsking(loaded, mode)
        pointers = stored_pointers(self._folder)
        trusted = {key: pointer for key, pointer in pointers.items() if pointer.is_trusted}
        pointing = Pointing(loaded.checkpoint.model, trusted) if trusted else None
        self._ready = _Ready(loaded, asking, _prepared(loaded, pointing), pointing)
        return Capabilities(
            name=loaded.checkpoint.name,
            device=loaded.device,
            directions=directions_between(asking.languages),
            max_samples=loaded.checkpoint.front_end.max_samples,
            verifies=True,
            points=pointing is not None,
            names_language=asking.names_language,
            transcribes=True,
            word_times=asking.word_times,
            uncertain_below=stored_threshold(self._folder),
            gates={key: pointer.gate for key, pointer in trusted.items()},
            sure_above={key: pointer.sure_above for key, pointer in pointers.items() if pointer.sure_above is not None},
        )

    def translate(self, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
        """Answer a request.

        Raises:
            TranslateError: the sound is too long or broken, a language is unknown, or the model failed.
            Cancelled: nobody waits any more.
        """
        ready = self._ready
        if ready is None:
            raise TranslateError("The model has not been loaded.")
        with computing("this utterance"):
            return tried_again(lambda: _answer(ready, request, cancelled))

    def close(self) -> None:
        """Free memory."""
        self._ready = None
        free_memory()


def _prepared(loaded: Loaded, pointing: Pointing | None) -> Runner:
    """What requests run on, ready for the first.

    Steps are recorded only where nobody watches them: what is seen would have to be recorded too.

    Raises:
        ModelLoadError: there is no memory for it beside the weights.
    """
    try:
        runner = Runner(loaded.checkpoint)
        if pointing is None:
            runner.warm_up()
    except (RuntimeError, MemoryError) as e:
        if not is_memory_full(e):
            raise
        raise ModelLoadError(
            f"The model leaves no memory to compute in on {loaded.device}; close other programs, or choose a smaller "
            "model or --quant."
        ) from e
    return runner


def _answer(ready: _Ready, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
    checkpoint, asking = ready.loaded.checkpoint, ready.asking
    _check_languages(request, asking.languages)
    if cancelled():
        raise Cancelled
    observer = None if ready.pointing is None else ready.pointing.observer
    decoder = Decoder(checkpoint, ready.loaded.text, ready.runner, observer)
    started = time.perf_counter()
    mel = checkpoint.front_end.log_mel(request.samples)
    decoder.cost += Cost(encode_s=time.perf_counter() - started)
    writing = None
    if request.source is not None:
        writing = _Writing(ready, decoder, request, (request.source, _target(request, request.source)), cancelled)
    plans = writing.plans() if writing else []
    source, scores = asking.listen(decoder, mel, request, [plan.text for plan in plans])
    if source == UNKNOWN:
        outcomes = tuple(_NOTHING for _ in request.branches)
        return Hypothesis(request.utterance_id, UNKNOWN, UNKNOWN, scores, outcomes, decoder.cost)
    if writing is None:
        writing = _Writing(ready, decoder, request, (source, _target(request, source)), cancelled)
        plans = writing.plans()
    outcomes = writing.outcomes(plans)
    return Hypothesis(request.utterance_id, *writing.direction, scores, outcomes, decoder.cost)


class _Plan(NamedTuple):
    """A text to be written, and who reads it."""

    text: Text
    collector: Collector


@dataclass(frozen=True, slots=True)
class _Writing:
    """The texts of one request, once it is known in which language its sound is."""

    ready: _Ready
    decoder: Decoder
    request: Request
    direction: Direction
    cancelled: Callable[[], bool]

    def plans(self) -> list[_Plan]:
        """How each branch's text is written."""
        asking, request = self.ready.asking, self.request
        return [self._plan(branch, asking.ask(branch, self.direction, request)) for branch in request.branches]

    def outcomes(self, plans: Sequence[_Plan]) -> tuple[Outcome, ...]:
        """Each branch's text, all written together; a translation in another language is written once more.

        A draft is checked in both tries, so it changes nothing. Behind a committed text that took a second try, the
        first try begins without force: what was committed shows the model the language.
        """
        branches = self.request.branches
        outcomes = self._written(plans)
        found = [self._found_instead(branch, first) for branch, first in zip(branches, outcomes, strict=True)]
        astray = [(i, branches[i], code) for i, code in enumerate(found) if code is not None]
        seconds = self._written([self._plan_again(branch, code) for _, branch, code in astray])
        for (i, branch, _), second in zip(astray, seconds, strict=True):
            if second.text.strip() and self._found_instead(branch, second) is None:
                outcomes[i] = second
        return tuple(outcomes)

    def _plan_again(self, branch: Branch, found: str) -> _Plan:
        return self._plan(branch, self.ready.asking.ask_again(branch, self.direction, self.request, found))

    def _plan(self, branch: Branch, ask: Ask) -> _Plan:
        committed = [i for piece in branch.committed for i in piece.ids]
        draft = [i for piece in branch.draft for i in piece.ids]
        limit = ask.share * max_tokens(len(self.request.samples))
        pointing = self.ready.pointing
        sight = None if pointing is None else pointing.sight(branch, self.direction, self.request)
        reading = Reading(ask.builder, self.ready.loaded.ends, limit, sight)
        return _Plan(Text(ask.ids + committed, draft, ask.allowed), Collector(branch, reading, self.cancelled))

    def _written(self, plans: Sequence[_Plan]) -> list[Outcome]:
        if not plans:
            return []
        self.decoder.write_together([plan.text for plan in plans], [plan.collector.take for plan in plans])
        return [plan.collector.outcome for plan in plans]

    def _found_instead(self, branch: Branch, outcome: Outcome) -> str | None:
        if branch.task != "translate":
            return None
        return found_instead("".join(piece.text for piece in branch.committed) + outcome.text, self.direction[1])


def _check_languages(request: Request, known: tuple[str, ...]) -> None:
    for language in {*request.targets, *request.targets.values(), request.source or known[0]}:
        if language not in known:
            raise TranslateError(f"The model does not know the language {language!r}, only {', '.join(known)}.")


def _target(request: Request, source: str) -> str:
    """Language of the translation; the source itself where nothing is to be translated."""
    target = request.targets.get(source, request.targets.get(spoken(source)))
    if target is None and any(branch.task == "translate" for branch in request.branches):
        raise TranslateError(f"Nothing says into which language {source!r} is to be translated.")
    return target or source
