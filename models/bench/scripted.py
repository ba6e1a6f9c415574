"""A translator that computes as a model of some shape does, and writes what a script says was said.

In: requests about a sound whose script is known. Out: the script's texts, as far as the sound goes, and what they cost:
the sound is encoded, what was committed and drafted is read again, and as many tokens are decoded as the script's new
words have. Random weights would write noise without end; here captions grow, agree and end as a real model's do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from models.base import UNKNOWN, Branch, Cancelled, Capabilities, Cost, Hypothesis, Outcome, Piece, Progress, Request
from models.bench import Said, Size
from models.bench.model import build
from models.bench.shapes import TAG_IDS, prompt
from models.catalogue import embedded_folder
from models.precision import Quant, label
from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.decoder import Decoder, Step, Taker, Text
from models.qwen_audio.loading import computing, free_memory
from models.qwen_audio.runner import Runner
from models.qwen_audio.stopping import CANCEL_EVERY
from models.qwen_audio.tokenizer import Tokenizer

SURE = -0.01
"""Log-probability of every piece: nothing is marked uncertain."""
_NOTHING = Outcome((), 0, "end")


class ScriptedTranslator:
    """Answers by the script, at a model's cost."""

    def __init__(
        self,
        size: Size,
        script: Sequence[Said],
        languages: tuple[str, str],
        device: str = "auto",
        quant: Quant = "none",
    ) -> None:
        """Nothing is built before `load`.

        Args:
            size: the model that is computed.
            script: what is said when, in order.
            languages: of the script, each the other's translation.
            device: one of device.DEVICES.
            quant: how its weights are held.
        """
        self._size = size
        self._script = script
        self._languages = languages
        self._device = device
        self._quant = quant
        self._model: _Model | None = None

    def load(self, progress: Progress) -> Capabilities:
        """Build the model.

        Raises:
            ModelLoadError: the device or what the precision needs is not here, or there is no memory.
        """
        checkpoint, reason = build(self._size, self._device, self._quant)
        with torch.inference_mode():
            self._model = _Model(checkpoint)
        progress(1.0)
        one, other = self._languages
        return Capabilities(
            name=f"{self._size} with random weights",
            device=reason if self._quant == "none" else f"{reason}, {label(self._quant)}",
            directions=frozenset({(one, other), (other, one)}),
            max_samples=checkpoint.front_end.max_samples,
            verifies=True,
            names_language=True,
            transcribes=True,
        )

    def translate(self, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
        """Compute, and answer by the script.

        Raises:
            TranslateError: the model failed.
            Cancelled: nobody waits any more.
        """
        model = self._model
        assert model is not None, "it is loaded first"
        end = request.start + len(request.samples)
        heard = [said for said in self._script if said.start < end and said.end > request.start]
        with computing("this utterance"):
            if not heard:
                cost = model.compute(request, [], cancelled)
                return Hypothesis(
                    request.utterance_id, UNKNOWN, UNKNOWN, {UNKNOWN: 1.0}, (_NOTHING,) * len(request.branches), cost
                )
            source = heard[0].language
            target = next(language for language in self._languages if language != source)
            outcomes = [
                _outcome(branch, [piece for said in heard for piece in model.pieces(said, branch, request.start, end)])
                for branch in request.branches
            ]
            cost = model.compute(request, list(zip(request.branches, outcomes, strict=True)), cancelled)
        return Hypothesis(request.utterance_id, source, target, {source: 1.0}, tuple(outcomes), cost)

    def close(self) -> None:
        """Free memory."""
        self._model = None
        free_memory()


class _Model:
    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._tokenizer = Tokenizer.from_folder(embedded_folder())
        self._allowed = torch.ones(checkpoint.n_rows, dtype=torch.bool, device=checkpoint.device)
        self._runner = Runner(checkpoint)
        self._runner.warm_up()

    def pieces(self, said: Said, branch: Branch, start: int, end: int) -> Sequence[Piece]:
        """The part of a sentence that was said between two samples, taken to be spoken evenly."""
        ids = self._tokenizer.encode(said.text if branch.task == "transcribe" else said.translation)
        pieces = self._tokenizer.pieces(ids, [SURE] * len(ids))
        length = said.end - said.start
        first, last = (round(len(pieces) * (at - said.start) / length) for at in (start, end))
        return pieces[max(0, first) : max(0, last)]

    def compute(self, request: Request, texts: Sequence[tuple[Branch, Outcome]], cancelled: Callable[[], bool]) -> Cost:
        """Read a sound, and decode as many tokens as each outcome has beyond what was drafted, and its end."""
        began_s = time.perf_counter()
        front_end = self._checkpoint.front_end
        mel = front_end.log_mel(request.samples)
        decoder = Decoder(self._checkpoint, self._allowed, self._runner)
        decoder.cost += Cost(encode_s=time.perf_counter() - began_s)
        asked = [Text([*TAG_IDS, *_ids(branch.committed)], _ids(branch.draft)) for branch, _ in texts]
        decoder.listen([mel], prompt(self._checkpoint, front_end.audio_tokens(len(request.samples))), asked)
        if asked:
            decoder.write_together(
                asked, [_taker(len(_ids(outcome.pieces[outcome.n_agreed :])) + 1, cancelled) for _, outcome in texts]
            )
        return decoder.cost


def _taker(n_tokens: int, cancelled: Callable[[], bool]) -> Taker:
    """Takes so many tokens, whatever they are."""
    left = n_tokens

    def take(_step: Step) -> bool:
        nonlocal left
        if left % CANCEL_EVERY == 0 and cancelled():
            raise Cancelled
        left -= 1
        return left > 0

    return take


def _outcome(branch: Branch, pieces: Sequence[Piece]) -> Outcome:
    """What becomes of a branch whose whole text is known."""
    rest = pieces[len(branch.committed) :]
    n_agreed = 0
    for piece, drafted in zip(rest, branch.draft, strict=False):
        if piece.ids != drafted.ids:
            break
        n_agreed += 1
    if branch.max_new is None or len(rest) <= n_agreed + branch.max_new:
        return Outcome(tuple(rest), n_agreed, "end")
    return Outcome(tuple(rest[: n_agreed + branch.max_new]), n_agreed, "budget")


def _ids(pieces: Sequence[Piece]) -> list[int]:
    return [i for piece in pieces for i in piece.ids]
