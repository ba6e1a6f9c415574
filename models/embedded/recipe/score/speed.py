"""How long a checkpoint takes for a second of sound, on two cores, as a session asks it.

In: a checkpoint folder. Out: Lines of the table, measured one after the other in processes of their own. Other programs
at work make the figures worse: run these rows alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from models.base import SAMPLE_RATE, Branch, Piece, Request, Samples, Translator
from models.embedded.recipe import speech
from models.embedded.recipe.score.answers import load
from models.embedded.recipe.score.figures import Line
from models.embedded.recipe.score.items import Row, cases
from models.embedded.recipe.segments import OTHER

FINALS, LIVE = "speed, finals only", "speed, live with both lines"
NAMES = (FINALS, LIVE)
MOST = {FINALS: 0.1, LIVE: 0.5}
"""Seconds of computing for a second of sound that are asked for at most."""
LIVE_STEP_S = 0.5
N_CORES = 2
N_CLIPS = 12
"""A language."""
LENGTHS_S = (2.0, 20.0)


def lines(folder: Path, wanted: Sequence[str]) -> Iterator[Line]:
    """The rows wanted, one after the other."""
    for name in wanted:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            yield process.submit(_measured, folder, name).result()


def _measured(folder: Path, name: str) -> Line:
    cores = _keep_to_cores()
    clips = list(utterances())
    translator = load(folder)
    realtime_factor(translator, clips[:1], LIVE_STEP_S)  # what is done once, is done
    factor = realtime_factor(translator, clips, LIVE_STEP_S if name == LIVE else None)
    lengths = [len(clip) / SAMPLE_RATE for clip in clips]
    figures = (
        f"real-time factor {factor:.3f}; utterances of {min(lengths):.1f} to {max(lengths):.1f} s, "
        f"{cores}, {torch.get_num_threads()} thread(s)"
    )
    return Line(name, "both", len(clips), figures, f"<= {MOST[name]}", factor <= MOST[name])


def _keep_to_cores() -> str:
    """Leave this process N_CORES cores, where the system lets one."""
    if not hasattr(os, "sched_setaffinity"):
        return f"{os.cpu_count()} cores (this system binds no process to fewer)"
    cores = sorted(os.sched_getaffinity(0))[:N_CORES]
    os.sched_setaffinity(0, cores)
    return f"{len(cores)} core(s)"


def utterances() -> Iterator[Samples]:
    """Clips of one to six sentences, as long as utterances are."""
    row = Row("speed", variants=speech.HELD_VARIANTS, n_sentences=(1, 2, 3, 4, 5, 6))
    for language in row.languages:
        for case in cases(row, language, N_CLIPS):
            if LENGTHS_S[0] <= len(case.samples) / SAMPLE_RATE <= LENGTHS_S[1]:
                yield case.samples


def realtime_factor(translator: Translator, clips: Sequence[Samples], step_s: float | None) -> float:
    """Seconds of computing for a second of sound.

    Args:
        translator: loaded.
        clips: utterances.
        step_s: each utterance is also translated as far as it goes, so often, the last answer as draft; None: only
            whole.
    """
    began_s = time.perf_counter()
    for clip in clips:
        drafts: tuple[tuple[Piece, ...], ...] = ((), ())
        for end in range(round(step_s * SAMPLE_RATE), len(clip), round(step_s * SAMPLE_RATE)) if step_s else ():
            drafts = _ask(translator, clip[:end], drafts)
        _ask(translator, clip, ((), ()))  # a final depends on its sound alone
    return (time.perf_counter() - began_s) / (sum(len(clip) for clip in clips) / SAMPLE_RATE)


def _ask(
    translator: Translator, samples: Samples, drafts: tuple[tuple[Piece, ...], ...]
) -> tuple[tuple[Piece, ...], ...]:
    branches = (Branch("translate", draft=drafts[0]), Branch("transcribe", draft=drafts[1]))
    hypothesis = translator.translate(Request(0, 0, samples, None, OTHER, branches), lambda: False)
    return tuple(outcome.pieces for outcome in hypothesis.outcomes)
