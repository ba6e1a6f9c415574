"""What a checkpoint's heads look at, and what it writes of sound that goes on: in processes of their own.

In: a checkpoint folder, and batches of synthetic clips with known word times. Out: small arrays that can travel: how
far heads point from the words, and of each piece written of a part of a clip where it points, how sure it is, and
whether the whole clip still says it. What they are worth is chosen's business.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.base import SAMPLE_RATE, Branch, Outcome, Request, Samples, Task
from models.embedded.recipe import augment, foreign, segments, speech
from models.embedded.recipe.grammar import Language, sample
from models.embedded.recipe.heads.aligned import reference, spans_of
from models.embedded.recipe.segments import OTHER, Clip
from models.pointers import Head
from models.qwen_audio.checkpoint import inspect
from models.qwen_audio.decoder import Decoder, Step, Text
from models.qwen_audio.frontend import AUDIO_TOKEN
from models.qwen_audio.loading import Loaded, computing, load_folder
from models.qwen_audio.pointing import AttentionObserver
from models.qwen_audio.stopping import Collector, Reading, max_tokens
from models.qwen_audio.tagged import TagAsking

TASKS: tuple[Task, ...] = ("transcribe", "translate")
SEED = 20261123
LONGEST_S = 20.0
N_SENTENCES = (1, 1, 2, 3)
PARTS = 6
"""Of a clip, each cut at a random place in its speech."""
SHORTEST_PART_S = 0.5
"""Of speech in a part."""
VARIANTS: Mapping[str, Sequence[str]] = {"choose": foreign.CALIBRATION_VARIANTS, "report": speech.HELD_VARIANTS}
"""Voices of the half on which heads are chosen, and of the one that tells what the choice is worth."""
HOLDS = (5, 10, 15, 20)
"""Audio tokens at the end of the sound, among which the hold is chosen: 0.2 to 0.8 s."""
Sets = Mapping[tuple[Language, Task], Sequence[tuple[Head, ...]]]
"""Sets of heads by language heard and task."""
_TOKEN_S = AUDIO_TOKEN / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Job:
    """A batch of clips."""

    half: str
    """A key of VARIANTS."""
    language: Language
    batch: int
    n: int


@dataclass(frozen=True, slots=True)
class Aimed:
    """How heads follow the words of one reference text."""

    task: Task
    errors_s: NDArray[np.float32]
    """(words, heads): from the place pointed to, to the word that is said there; 0 within it."""
    rises: NDArray[np.float32]
    """(heads,): share of pieces that do not point before the piece in front of them."""


@dataclass(frozen=True, slots=True)
class Written:
    """The pieces of one text of a part, up to the first that the whole clip no longer says."""

    task: Task
    is_wrong: bool
    """Whether the last one is that."""
    logprobs: NDArray[np.float32]
    """(pieces,)."""
    behind: NDArray[np.int32]
    """(sets, pieces): audio tokens from where a piece, or one before it, points, to the end of the sound."""
    masses: NDArray[np.float32]
    """(sets, pieces, HOLDS): the share of attention on the last tokens."""


def heads_of(folder: Path) -> tuple[Head, ...]:
    """All heads of a checkpoint, layer by layer."""
    config = inspect(folder)[0].config.text_config
    return tuple(product(range(config.num_hidden_layers), range(config.num_attention_heads)))


def aim(folder: Path, jobs: Sequence[Job], number: int, changed: int) -> list[Aimed]:
    """Have a checkpoint read the reference texts of a batch, and see where every head looks.

    Args:
        folder: the checkpoint.
        jobs: all of them.
        number: of the one to do.
        changed: how often this one kept ending its process.
    """
    speech.seed(changed)
    watched = _Watched(folder)
    observer = AttentionObserver(watched.loaded.checkpoint.model, heads_of(folder))
    with computing("a calibration's clip"):
        return [aimed for clip, samples in clips(jobs[number]) for aimed in _aimed(watched, observer, clip, samples)]


def write(folder: Path, sets: Sets, jobs: Sequence[Job], number: int, changed: int) -> list[Written]:
    """Have a checkpoint write of parts of a batch's clips, and see where sets of heads point.

    Args:
        folder: the checkpoint.
        sets: of each text, the sets of heads whose mean is to be tried.
        jobs: all of them.
        number: of the one to do.
        changed: how often this one kept ending its process.
    """
    speech.seed(changed)
    watched = _Watched(folder)
    job = jobs[number]
    tried = {task: sets[job.language, task] for task in TASKS}
    heads = {head for candidates in tried.values() for candidate in candidates for head in candidate}
    observer = AttentionObserver(watched.loaded.checkpoint.model, heads)
    places = {
        task: [[observer.heads.index(head) for head in candidate] for candidate in candidates]
        for task, candidates in tried.items()
    }
    written: list[Written] = []
    with computing("a calibration's clip"):
        for clip, samples in clips(job):
            written += _parts(watched, observer, clip, samples, places)
    return written


def clips(job: Job) -> Iterator[tuple[Clip, Samples]]:
    """The clips of a batch, always the same ones, and each as a microphone hears it."""
    rng = random.Random(f"{SEED}/{job.half}/{job.language}/{job.batch}")
    sounds = np.random.default_rng(rng.getrandbits(64))
    for _ in range(job.n):
        clip = _draw(rng, job)
        yield clip, augment.record(clip.samples, augment.draw_conditions(sounds), sounds)


def _draw(rng: random.Random, job: Job) -> Clip:
    while True:
        sentences = [sample(rng, rng.choice(("sentence", "pair"))) for _ in range(rng.choice(N_SENTENCES))]
        voice = speech.draw_voice(rng, job.language, VARIANTS[job.half])
        shape = replace(segments.draw_shape(rng, len(sentences), 0), lead_s=0.3, tail_s=rng.uniform(0.3, 0.6))
        clip = segments.compose(sentences, job.language, voice, shape)
        if len(clip.samples) <= LONGEST_S * SAMPLE_RATE:
            return clip


class _Watched:
    """A checkpoint on the processor, as the model process has it."""

    def __init__(self, folder: Path) -> None:
        self.loaded: Loaded = load_folder(folder, "cpu", "task_tags", lambda _: None)
        self.asking = TagAsking(self.loaded)

    def listening(
        self, observer: AttentionObserver, samples: Samples, language: str | None
    ) -> tuple[Decoder, Request, str]:
        """A decoder that has heard a clip, what was asked of it, and the language that it names."""
        branches = tuple(map(Branch, TASKS))
        request = Request(0, 0, samples, language, OTHER, branches)
        decoder = Decoder(self.loaded.checkpoint, self.loaded.text, observer=observer)
        mel = self.loaded.checkpoint.front_end.log_mel(samples)
        return decoder, request, self.asking.listen(decoder, mel, request)[0]


def _aimed(watched: _Watched, observer: AttentionObserver, clip: Clip, samples: Samples) -> Iterator[Aimed]:
    decoder, request, _ = watched.listening(observer, samples, clip.language)
    tokenizer = watched.loaded.tokenizer
    for branch in request.branches:
        text, units = reference(clip, branch.task)
        ids = tokenizer.encode(text)
        tags = watched.asking.ask(branch, (clip.language, OTHER[clip.language]), request).ids
        next(decoder.write([*tags, *ids], ()))
        predicting = range(len(tags) - 1, len(tags) - 1 + len(ids))
        rows = torch.stack(observer.look(predicting))  # (ids, heads, N)
        at_s = ((rows.argmax(dim=-1) + 0.5) * _TOKEN_S).numpy()  # (ids, heads)
        pieces = tokenizer.pieces(ids, [0.0] * len(ids))
        lasts = np.cumsum([len(piece.ids) for piece in pieces]) - 1
        spans = spans_of(pieces, units)
        errors = [
            np.maximum(0, np.maximum(span[0] - at_s[last], at_s[last] - span[1]))
            for last, span in zip(lasts, spans, strict=True)
            if span is not None
        ]
        rises = (np.diff(at_s[lasts], axis=0) >= 0).mean(axis=0) if len(lasts) > 1 else np.ones(at_s.shape[1])
        stacked = np.stack(errors) if errors else np.zeros((0, at_s.shape[1]))
        yield Aimed(branch.task, stacked.astype(np.float32), rises.astype(np.float32))


def _parts(
    watched: _Watched,
    observer: AttentionObserver,
    clip: Clip,
    samples: Samples,
    places: Mapping[Task, Sequence[Sequence[int]]],
) -> Iterator[Written]:
    rng = random.Random(len(samples))
    decoder, request, language = watched.listening(observer, samples, None)
    if language != clip.language:
        return
    whole = [outcome for outcome, _ in _outcomes(watched, decoder, request, language)]
    first_s, last_s = clip.spoken[0].token_starts_s[0] + SHORTEST_PART_S, clip.spoken[-1].end_s
    for _ in range(PARTS):
        part = samples[: round(rng.uniform(first_s, last_s) * SAMPLE_RATE)]
        decoder, request, _ = watched.listening(observer, part, language)
        found = _outcomes(watched, decoder, request, language)
        for task, (outcome, steps), final in zip(TASKS, found, whole, strict=True):
            if outcome.pieces:
                yield _written(task, outcome, steps, final, places[task])


def _outcomes(watched: _Watched, decoder: Decoder, request: Request, language: str) -> list[tuple[Outcome, list[Step]]]:
    """Each branch's text, with the steps it was made of."""
    texts, collectors, taken = [], [], []
    for branch in request.branches:
        ask = watched.asking.ask(branch, (language, OTHER[language]), request)
        texts.append(Text(ask.ids, (), ask.allowed))
        limit = max_tokens(len(request.samples))
        collectors.append(Collector(branch, Reading(ask.builder, watched.loaded.ends, limit), lambda: False))
        taken.append(_Kept(collectors[-1]))
    decoder.write_together(texts, [kept.take for kept in taken])
    return [(kept.collector.outcome, kept.steps) for kept in taken]


@dataclass(slots=True)
class _Kept:
    """A collector, and the steps that it took."""

    collector: Collector
    steps: list[Step] = field(default_factory=list)

    def take(self, step: Step) -> bool:
        self.steps.append(step)
        return self.collector.take(step)


def _written(
    task: Task, outcome: Outcome, steps: Sequence[Step], final: Outcome, sets: Sequence[Sequence[int]]
) -> Written:
    n_right = 0
    for piece, last in zip(outcome.pieces, final.pieces, strict=False):
        if piece.text != last.text:
            break
        n_right += 1
    pieces = outcome.pieces[: n_right + 1]
    stops = np.cumsum([len(piece.ids) for piece in pieces])
    rows = torch.stack([step.seen for step in steps[: stops[-1]] if step.seen is not None])  # (ids, heads, N)
    n_audio = rows.shape[-1]
    behind, masses = [], []
    for heads in sets:
        attention = rows[:, list(heads)].mean(dim=1)  # (ids, N)
        attention = attention / attention.sum(dim=-1, keepdim=True).clamp(min=1e-9)
        ids_behind = n_audio - attention.argmax(dim=-1).numpy()
        tails = torch.stack([attention[:, -hold:].sum(dim=-1) for hold in HOLDS], dim=-1).numpy()  # (ids, HOLDS)
        starts = [0, *stops[:-1]]
        # As Piece has it: a piece points as far as any of its ids, and as any piece before it.
        behind.append(np.minimum.accumulate(np.minimum.reduceat(ids_behind, starts)))
        masses.append(np.maximum.reduceat(tails, starts))
    return Written(
        task,
        n_right < len(outcome.pieces),
        np.array([piece.logprob for piece in pieces], np.float32),
        np.stack(behind).astype(np.int32),
        np.stack(masses).astype(np.float32),
    )
