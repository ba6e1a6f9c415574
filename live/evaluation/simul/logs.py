"""What a reader saw, as the field's scorers read it: the log files of OmniSTEval and simulstream.

In: playbacks of one target language. Out: a folder with both logs, the references and their places in the talks. Which
figures come of them is the business of scorers.py.

The unit is the character, spaces and marks included, in languages written without spaces, and the word in the others.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live.audio import seconds
from live.evaluation.simul.record import Playback, Talk
from live.events import Caption, Mode
from live.files import replace_private
from live.policy import shown
from models.base import UNSPACED

OMNISTEVAL = "omnisteval.jsonl"
"""A talk a line: its last text, with the times of each unit."""
SIMULSTREAM = "simulstream.jsonl"
"""An update a line: units taken back, then units added."""
SIMULSTREAM_CONFIG = "simulstream.yaml"
REFERENCES = "references.txt"
"""A sentence a line."""
SEGMENTS = "segments.yaml"
"""Where each of these sentences is, in the same order."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one update did to the text of a talk, which changes at its end alone."""

    heard: int
    """Samples heard when the update was asked for."""
    emitted_s: float
    compute_s: float
    deleted: tuple[str, ...]
    """The last units before, taken back."""
    added: tuple[str, ...]
    """The last units now."""


@dataclass(frozen=True, slots=True)
class Emission:
    """One unit of a talk's last text."""

    unit: str
    heard: int
    """Samples heard when it appeared for the last time."""
    emitted_s: float


def is_char_level(language: str) -> bool:
    """Whether a language's units are characters."""
    return language in UNSPACED


def units_of(text: str, language: str) -> list[str]:
    """A text in the scorers' units."""
    return list(text) if is_char_level(language) else text.split()


def changes(playback: Playback, mode: Mode) -> Iterator[Change]:
    """What a reader of the translation saw, update by update; "reading" shows settled text alone."""
    screen = _Screen(playback.talk.target)
    for update in playback.shown:
        deleted, added = screen.show(shown(update.caption, mode))
        yield Change(update.heard, update.emitted_s, update.cost.total_s, deleted, added)


def emissions(steps: Iterator[Change]) -> list[Emission]:
    """The last text of a talk, each unit with the times at which it appeared to stay."""
    text: list[Emission] = []
    for step in steps:
        del text[len(text) - len(step.deleted) :]
        text += [Emission(unit, step.heard, step.emitted_s) for unit in step.added]
    return text


class _Screen:
    """The captions of a talk, one behind the other."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._ids: list[int] = []
        self._starts: list[int] = []
        self._units: list[list[str]] = []

    def show(self, caption: Caption) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Take a caption in; returns the units taken back and the units added."""
        place = self._place(caption)
        before = self._from(place)
        self._units[place] = units_of(caption.translation.text, self._language)
        after = self._from(place)
        n_same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))))
        return tuple(before[n_same:]), tuple(after[n_same:])

    def _from(self, place: int) -> list[str]:
        return list(itertools.chain.from_iterable(self._units[place:]))

    def _place(self, caption: Caption) -> int:
        """Where the caption stands, among the others by the time at which it begins."""
        for place in reversed(range(len(self._ids))):
            if self._ids[place] == caption.id:
                return place
            if self._starts[place] <= caption.start:
                break
        if caption.id in self._ids:
            return self._ids.index(caption.id)
        place = sum(start <= caption.start for start in self._starts)
        self._ids.insert(place, caption.id)
        self._starts.insert(place, caption.start)
        self._units.insert(place, [])
        return place


def write_logs(playbacks: Sequence[Playback], mode: Mode, folder: Path) -> None:
    """Write both logs of some talks, and what they are scored against.

    Args:
        playbacks: of different talks, into one language.
        mode: which text counts: what this mode displays.
        folder: made where it is missing; files of earlier scores are replaced.

    Raises:
        OSError: they cannot be written there.
    """
    language = playbacks[0].talk.target
    steps = [list(changes(playback, mode)) for playback in playbacks]
    talks = [playback.talk for playback in playbacks]
    _write_lines(
        folder / OMNISTEVAL,
        [_omnisteval(talk, emissions(iter(step)), language) for talk, step in zip(talks, steps, strict=True)],
    )
    _write_lines(folder / SIMULSTREAM, list(_simulstream(talks, steps)))
    unit = "char" if is_char_level(language) else "word"
    config = {"detokenizer_type": "simuleval", "latency_unit": unit, "type": "tongchuan", "speech_chunk_size": 0.5}
    replace_private(folder / SIMULSTREAM_CONFIG, json.dumps(config))  # JSON is YAML
    sentences = [(talk, sentence) for talk in talks for sentence in talk.sentences]
    replace_private(
        folder / REFERENCES, "".join(f"{' '.join(sentence.reference.split())}\n" for _, sentence in sentences)
    )
    places = [
        {"wav": _file(talk), "offset": seconds(sentence.start), "duration": seconds(sentence.end - sentence.start)}
        for talk, sentence in sentences
    ]
    replace_private(folder / SEGMENTS, json.dumps(places))


def _omnisteval(talk: Talk, text: Sequence[Emission], language: str) -> dict[str, object]:
    units = [emission.unit for emission in text]
    return {
        "source": _file(talk),
        "prediction": ("" if is_char_level(language) else " ").join(units),
        "delays": [_ms(seconds(emission.heard)) for emission in text],
        "elapsed": [_ms(emission.emitted_s) for emission in text],
        "source_length": _ms(seconds(len(talk.samples))),
    }


def _simulstream(talks: Sequence[Talk], steps: Sequence[Sequence[Change]]) -> Iterator[dict[str, object]]:
    yield {"model_loading_time": 0.0}
    for number, (talk, changed) in enumerate(zip(talks, steps, strict=True)):
        yield {"id": number, "metadata": {"wav_name": _file(talk)}}
        for change in changed:
            yield {
                "id": number,
                "total_audio_processed": seconds(change.heard),
                "computation_time": change.compute_s,
                "generated_tokens": list(change.added),
                "deleted_tokens": list(change.deleted),
            }


def _file(talk: Talk) -> str:
    return f"{talk.name}.wav"


def _ms(time_s: float) -> float:
    return round(time_s * 1000, 3)


def _write_lines(file: Path, records: Sequence[object]) -> None:
    replace_private(file, "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records))
