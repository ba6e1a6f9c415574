"""A translator and an answerer without a model: the same sound always gives the same text, at once. For tests.

In: a Request. Out: a Hypothesis of one word for each 0.4 s of sound, told by how loud it is, and now and then a number.
Real speech is not its business: nothing is recognised.

Rules that tests may rely on:

* a peak below 0.001 is silence: UNKNOWN, and every outcome empty;
* sound that crosses zero as often as a tone below 500 Hz is Chinese, above it English (the more, the surer);
* every fifth piece is a number, the tenths of a second so far; the others name the loudness of their 0.4 s;
* the text of a sound's beginning is a beginning of the whole one's text, but for the last piece where it is cut short;
* a piece whose time is asked for is its 0.4 s;
* a draft agrees as far as its ids are those of the text; text after `committed` begins after as many pieces.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from models.base import (
    SAMPLE_RATE,
    UNKNOWN,
    Analysis,
    AnswererCapabilities,
    Branch,
    Cancelled,
    Capabilities,
    Cost,
    Hypothesis,
    ModelLoadError,
    Outcome,
    Piece,
    Progress,
    Request,
    Samples,
    Stop,
    TranslateError,
    Turn,
)

PIECE_SAMPLES = SAMPLE_RATE * 2 // 5
"""Sound that makes one piece."""
SILENCE_PEAK = 1e-3
"""Largest sample, -60 dBFS, that still counts as silence."""
LANGUAGE_HZ = 500.0
"""Lower sounds are Chinese, higher ones English."""
MAX_SAMPLES = 30 * SAMPLE_RATE
NUMBER_EVERY = 5
"""Pieces from one number to the next."""
LEVEL_DB = 6.0
"""Loudness from one word to the next."""
POLL_S = 0.002
"""How often a delay asks whether it is cancelled."""
CRASH_CODE = 3

WORDS = {
    "en": ("bright", "loud", "strong", "full", "clear", "even", "calm", "soft", "quiet", "faint"),
    "zh": ("亮", "响", "强", "满", "清", "平", "缓", "轻", "静", "微"),
}
"""One word for each level, from the loudest down."""
OTHER = {"en": "zh", "zh": "en"}


@dataclass(slots=True, kw_only=True)
class FakeTranslator:
    """Deterministic, and broken on demand. The n-th request is counted by this translator, from 1."""

    load_s: float = 0.0
    """Seconds that loading takes."""
    delay_s: float = 0.0
    """Seconds that each request takes, unless it is cancelled."""
    fail_load: bool = False
    """Loading raises ModelLoadError."""
    crash_load: bool = False
    """The process ends while loading."""
    fail_on: int | None = None
    """The n-th request raises TranslateError."""
    raise_on: int | None = None
    """The n-th request raises what no translator should, with the text in its message."""
    crash_on: int | None = None
    """The process ends at the n-th request."""
    hang_on: int | None = None
    """The n-th request is never answered, and never asks whether it is cancelled."""
    crash_utterance: int | None = None
    """The process ends at every request of the utterance of this id."""
    noisy: bool = False
    """Prints to both outputs, as libraries do, when loading and at every request."""
    _n_requests: int = field(default=0, init=False)

    def load(self, progress: Progress) -> Capabilities:
        self._make_noise("loading")
        if self.crash_load:
            os._exit(CRASH_CODE)
        n_steps = 10
        for step in range(n_steps):
            progress(step / n_steps)
            time.sleep(self.load_s / n_steps)
        if self.fail_load:
            raise ModelLoadError("The fake model was told not to load: leave out fail_load.")
        progress(1.0)
        return Capabilities(
            name="fake",
            device="cpu (nothing to compute)",
            directions=frozenset(OTHER.items()),
            max_samples=MAX_SAMPLES,
            verifies=True,
            names_language=True,
            transcribes=True,
            word_times=True,
        )

    def translate(self, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
        self._n_requests += 1
        self._make_noise("translating")
        self._misbehave(request)
        self._wait(cancelled)
        if request.samples.size > MAX_SAMPLES:
            raise TranslateError(f"The utterance is longer than {MAX_SAMPLES // SAMPLE_RATE} s: cut it.")
        scores = language_scores(request.samples)
        source = request.source or likeliest(scores, request)
        if source == UNKNOWN or scores[UNKNOWN] == 1.0:
            nothing = tuple(Outcome((), 0, "end") for _ in request.branches)
            return Hypothesis(request.utterance_id, UNKNOWN, UNKNOWN, scores, nothing)
        target = request.targets.get(source, OTHER.get(source, UNKNOWN))
        if OTHER.get(source) != target:
            raise TranslateError(f"The fake model does not translate {source} into {target}: choose zh and en.")
        texts = {
            "translate": pieces_of(request.samples, target),
            "transcribe": pieces_of(request.samples, source),
        }
        outcomes = tuple(
            _outcome(
                _timed(texts[branch.task], request) if branch.word_times else texts[branch.task], branch, cancelled
            )
            for branch in request.branches
        )
        n_decoded = sum(len(outcome.pieces) - outcome.n_agreed for outcome in outcomes)
        return Hypothesis(
            request.utterance_id,
            source,
            target,
            scores,
            outcomes,
            Cost(decode_s=self.delay_s, decoded_tokens=n_decoded),
        )

    def close(self) -> None:
        """Nothing is held."""

    def _misbehave(self, request: Request) -> None:
        if self._n_requests == self.crash_on or request.utterance_id == self.crash_utterance:
            os._exit(CRASH_CODE)
        if self._n_requests == self.hang_on:
            threading.Event().wait()
        if self._n_requests == self.fail_on:
            raise TranslateError("The fake model was told to fail on this request: leave out fail_on.")
        if self._n_requests == self.raise_on:
            raise RuntimeError("".join(piece.text for piece in pieces_of(request.samples, "en")))

    def _wait(self, cancelled: Callable[[], bool]) -> None:
        end = time.monotonic() + self.delay_s
        while not cancelled():
            rest = end - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(rest, POLL_S))
        raise Cancelled

    def _make_noise(self, what: str) -> None:
        if self.noisy:
            print(f"fake 假: {what}", flush=True)
            print(f"fake 假: {what}", file=sys.stderr, flush=True)
            os.write(1, f"fake 假: {what} (descriptor 1)\n".encode())
            os.write(2, f"fake 假: {what} (descriptor 2)\n".encode())


def language_scores(samples: Samples) -> dict[str, float]:
    """Probability of each language, by how often the sound crosses zero.

    Args:
        samples: (n,) float32 in [-1, 1].
    """
    if samples.size == 0 or np.abs(samples).max() < SILENCE_PEAK:
        return {"zh": 0.0, "en": 0.0, UNKNOWN: 1.0}
    n_crossings = int(np.count_nonzero(np.diff(np.signbit(samples))))
    hz = n_crossings / 2 * SAMPLE_RATE / samples.size
    english = hz**2 / (hz**2 + LANGUAGE_HZ**2)
    return {"zh": 1.0 - english, "en": english, UNKNOWN: 0.0}


def likeliest(scores: dict[str, float], request: Request) -> str:
    """The likeliest language once the request's priors are counted in."""
    return max(scores, key=lambda language: scores[language] * request.priors.get(language, 1.0))


def pieces_of(samples: Samples, language: str) -> tuple[Piece, ...]:
    """The text of a sound in a language.

    Args:
        samples: (n,) float32 in [-1, 1].
        language: "en" or "zh".
    """
    edges = [*range(0, samples.size, PIECE_SAMPLES), samples.size]
    return tuple(
        _piece(samples[start:end], index, end, language) for index, (start, end) in enumerate(pairwise(edges), start=1)
    )


def _piece(samples: Samples, index: int, end: int, language: str) -> Piece:
    """The `index`-th piece, from 1, of a sound; `end` is the sample it ends at."""
    words = WORDS[language]
    if index % NUMBER_EVERY == 0:
        text = str(end * 10 // SAMPLE_RATE)
        kind, place = len(words), end
    else:
        level_db = -20 * np.log10(max(float(np.abs(samples).max()), SILENCE_PEAK))
        kind, place = min(max(int(level_db / LEVEL_DB), 0), len(words) - 1), index
        text = words[kind]
    joint = " " if language == "en" and index > 1 else ""
    id_of_text = sorted(WORDS).index(language) + len(WORDS) * (kind + (len(words) + 1) * place)
    return Piece(ids=(id_of_text,), text=joint + text, logprob=-0.1 * (kind + 1))


def _timed(pieces: tuple[Piece, ...], request: Request) -> tuple[Piece, ...]:
    """The pieces with their times in the session."""
    edges = [request.start + edge for edge in (*range(0, request.samples.size, PIECE_SAMPLES), request.samples.size)]
    return tuple(replace(piece, at=at, end=end) for piece, (at, end) in zip(pieces, pairwise(edges), strict=True))


def _outcome(pieces: tuple[Piece, ...], branch: Branch, cancelled: Callable[[], bool]) -> Outcome:
    """What a branch asks for of a text: the draft verified, then extended."""
    rest = pieces[len(branch.committed) :]
    n_agreed = 0
    for piece, drafted in zip(rest, branch.draft, strict=False):
        if piece.ids != drafted.ids:
            break
        n_agreed += 1
    n_wanted = len(rest) if branch.max_new is None else min(len(rest), n_agreed + branch.max_new)
    for _ in range(n_agreed, n_wanted):
        if cancelled():
            raise Cancelled
    stop: Stop = "end" if n_wanted == len(rest) else "budget"
    return Outcome(rest[:n_wanted], n_agreed, stop)


@dataclass(slots=True, kw_only=True)
class FakeAnswerer:
    """Answers by counting: which question it is, how many sounds of how many seconds it has, what was asked."""

    converses: bool = True

    def load(self, progress: Progress) -> AnswererCapabilities:
        progress(1.0)
        return AnswererCapabilities(
            name="fake",
            device="cpu (nothing to compute)",
            max_samples=MAX_SAMPLES,
            converses=self.converses,
            analyses=frozenset({"caption", "event", "scene"}),
        )

    def answer(self, turns: Sequence[Turn]) -> Iterator[str]:
        questions = [turn for turn in turns if turn.role == "user"]
        sounds = [sound for turn in questions for sound in turn.audios]
        if "fail" in questions[-1].text:
            raise TranslateError("The fake model was told to fail on this question: ask another one.")
        yield f"Question {len(questions)}, "
        yield f"sounds {', '.join(_length(sound) for sound in sounds)}: "
        yield questions[-1].text

    def analyse(self, task: Analysis, samples: Samples) -> Iterator[str]:
        loudest = float(np.abs(samples).max()) if samples.size else 0.0
        yield f"{task} of {_length(samples)}: "
        yield "silence" if loudest < SILENCE_PEAK else "sound"

    def close(self) -> None:
        """Nothing is held."""


def _length(samples: Samples) -> str:
    return f"{samples.size / SAMPLE_RATE:.1f} s"
