"""whisper_streaming's own policy class, unchanged, behind the session's Policy protocol.

In: a checkout of ufal/whisper_streaming, utterances, hypotheses. Out: requests and captions. The class decodes from
within its `process_iter`; here the answer to what it is about to ask is fetched first, and handed to it as it asks.
Words stand where the translator points, or are spread evenly over the sound where it does not. No text is given as a
prompt: a checkpoint told by task tags has no place for one.

Source: its README and OnlineASRProcessor; specs/streaming.md 5.1.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from live.audio import Utterance
from live.errors import LiveError
from live.events import Caption, Line, Word
from live.policy import Direction, readable, units
from live.policy.load import Level
from models.base import SAMPLE_RATE, UNKNOWN, UNSPACED, Branch, Capabilities, Hypothesis, Piece, Request, Samples

MIN_CHUNK = SAMPLE_RATE
"""New samples after which it decodes: its --min-chunk-size, by default."""
TRIMMING = ("segment", 15)
"""Its --buffer_trimming and --buffer_trimming_sec, by default."""
_FILE = "whisper_online.py"


def load_module(checkout: Path) -> ModuleType:
    """The module of a checkout.

    Raises:
        LiveError: the folder is no checkout, or what it imports is not installed.
    """
    file = checkout / _FILE
    spec = importlib.util.spec_from_file_location("whisper_online", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise LiveError(f"{checkout} is no checkout of whisper_streaming: it holds no {_FILE}.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise LiveError(f"{file} needs {error.name}, which is not installed here.") from error
    return module


class _Backend:
    """What the class takes for a speech recogniser: it answers what was fetched before."""

    def __init__(self, sep: str) -> None:
        self.sep = sep
        self.words: list[tuple[float, float, str]] = []
        self.n_samples = 0

    def transcribe(self, audio: Samples, init_prompt: str = "") -> list[tuple[float, float, str]]:
        if len(audio) != self.n_samples:
            raise LiveError("whisper_streaming decodes other sound than it holds: this checkout is of another version.")
        return self.words

    def ts_words(self, result: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
        return list(result)

    def segments_end_ts(self, result: list[tuple[float, float, str]]) -> list[float]:
        """Ends of sentences, as its Whisper backends end segments."""
        return [end for _, end, word in result if word.rstrip().endswith((".", "?", "!", "\u3002", "\uff1f", "\uff01"))]


@dataclass(slots=True)
class _Open:
    online: Any
    backend: _Backend
    heard_to: int
    text: str = ""


class WhisperStreaming:
    """One of its processors for each utterance."""

    stability_s = 0.0

    def __init__(self, capabilities: Capabilities, direction: Direction, checkout: Path) -> None:
        """Read the checkout, with no utterance open.

        Raises:
            LiveError: it cannot be used.
            SettingsError: the translator can do nothing of this direction.
        """
        self._direction = direction.within(capabilities)
        self._priors = self._direction.priors(capabilities)
        sys.path.insert(0, str(checkout))  # it imports files beside it
        try:
            self._make = load_module(checkout).OnlineASRProcessor
        finally:
            sys.path.remove(str(checkout))
        self._open: dict[int, _Open] = {}

    def keep_to(self, level: Level) -> None:
        """All is asked, however far behind the answers come."""

    def turn(self, direction: Direction) -> None:
        """Never asked: a talk has one direction."""
        raise NotImplementedError

    def request(self, utterance: Utterance) -> Request | None:
        """What it will decode: the sound that it keeps, once enough is new."""
        state = self._state(utterance)
        if not utterance.is_final and utterance.end - state.heard_to < MIN_CHUNK:
            return None
        state.online.insert_audio_chunk(utterance.samples[state.heard_to - utterance.start :])
        state.heard_to = utterance.end
        kept = state.online.audio_buffer
        return Request(
            utterance_id=utterance.id,
            start=utterance.end - len(kept),
            samples=kept.copy(),
            source=self._direction.source,
            targets=self._direction.targets,
            priors=self._priors,
            branches=(Branch("translate"),),
            is_final=utterance.is_final,
        )

    def caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption | None:
        """What it commits; what it does not is not shown."""
        state = self._state(utterance)
        state.backend.n_samples = len(state.online.audio_buffer)
        pieces = () if hypothesis.source == UNKNOWN else hypothesis.outcomes[0].pieces
        begin = utterance.end - state.backend.n_samples
        state.backend.words = _timed(pieces, begin, utterance.end, state.backend.sep)
        state.text = _joined(state, state.online.process_iter())
        if utterance.is_final:
            state.text = _joined(state, state.online.finish())
            self.forget(utterance.id)
        if not state.text:
            return None
        return Caption(
            id=utterance.id,
            lane=utterance.lane,
            source=hypothesis.source,
            target=hypothesis.target,
            translation=Line(tuple(Word(unit) for unit in units(state.text))),
            transcript=Line(),
            start=utterance.start,
            end=utterance.end,
            logprob=0.0,
            is_uncertain=False,
            is_final=utterance.is_final,
        )

    def cut_after(self, utterance_id: int) -> int | None:
        """Nowhere: it trims its own sound."""
        return None

    def forget(self, utterance_id: int) -> None:
        """Drop what is kept of an utterance."""
        self._open.pop(utterance_id, None)

    def _state(self, utterance: Utterance) -> _Open:
        state = self._open.get(utterance.id)
        if state is None:
            (target,) = set(self._direction.targets.values())
            backend = _Backend("" if target in UNSPACED else " ")
            # It writes what it does, recognised text included, to the file it is given: nowhere.
            online = self._make(backend, None, buffer_trimming=TRIMMING, logfile=io.StringIO())
            state = self._open[utterance.id] = _Open(online, backend, utterance.start)
        return state


def _timed(pieces: Sequence[Piece], begin: int, end: int, sep: str) -> list[tuple[float, float, str]]:
    """Words, or characters, of a text with seconds from where the sound begins."""
    spans = _words(pieces) if sep else [(n, piece.text) for n, piece in enumerate(pieces)]
    even = np.linspace(begin, end, len(spans) + 1)
    ats = [pieces[n].at for n, _ in spans]
    pointed = [place if at is None else at for place, at in zip(even[:-1], ats, strict=True)]
    times_s = (np.maximum.accumulate(np.clip([*pointed, end], begin, end)) - begin) / SAMPLE_RATE
    return [
        (float(start_s), float(end_s), readable(word).strip())
        for start_s, end_s, (_, word) in zip(times_s[:-1], times_s[1:], spans, strict=True)
    ]


def _words(pieces: Sequence[Piece]) -> list[tuple[int, str]]:
    """Each word with its marks, and the number of the piece that it begins with."""
    spans: list[tuple[int, str]] = []
    for n, piece in enumerate(pieces):
        if spans and not piece.text.startswith(" "):
            spans[-1] = (spans[-1][0], spans[-1][1] + piece.text)
        else:
            spans.append((n, piece.text))
    return spans


def _joined(state: _Open, committed: tuple[float | None, float | None, str]) -> str:
    return state.backend.sep.join(text for text in (state.text, committed[2]) if text)
