"""Where a model's uncertainty should begin: clips with their right texts in, what a threshold would mark out.

In: a folder with a table and clips, a loaded translator, a direction. Out: Findings. The clips go the way of a
session's final utterances, so a confidence here is the one that its captions will have. Keeping the threshold is not
its business.

The folder holds `clips.tsv`, UTF-8, with a heading and one line a clip, and the clips it names, in any kind that FFmpeg
reads:

    path	language	transcript	translation
    clips/0001.wav	en	Good morning, everyone.	大家早上好。
    noise/0001.wav

A clip without texts is one that the model cannot know: another language, noise. It should be marked.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live.audio import Utterance
from live.errors import LiveError
from live.events import Caption
from live.parts import read_recording
from live.policy import Direction, Retranslation
from models.base import SAMPLE_RATE, Capabilities, Translator
from models.confidence import find_threshold, share_marked

TABLE = "clips.tsv"
COLUMNS = ("path", "language", "transcript", "translation")
RIGHT_CHRF = {"transcript": 80.0, "translation": 60.0}
"""A line is right from so much sentence chrF on: a good translation differs more from its reference."""
LEAST_RIGHT = 50
"""Right captions that a threshold can be read from: two in a hundred of fewer are less than one."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One line of the table."""

    file: Path
    language: str
    transcript: str
    translation: str

    @property
    def is_foreign(self) -> bool:
        """Whether the model cannot know it."""
        return not (self.transcript or self.translation)


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one clip."""

    clip: Clip
    confidence: float | None
    """None: nothing was written."""
    is_right: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """A threshold, and percent of captions that it marks."""

    below: float
    n_right: int
    right_marked: float
    n_wrong: int
    wrong_marked: float
    n_foreign: int
    """Foreign clips for which something was written."""
    foreign_marked: float
    n_silent: int
    """Clips, foreign or not, for which nothing was written."""


def read_clips(folder: Path) -> tuple[Clip, ...]:
    """The clips of a folder.

    Raises:
        LiveError: there is no table, it lacks a column, or a clip is missing.
    """
    path = folder / TABLE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, restval=""))
    except FileNotFoundError as error:
        raise LiveError(
            f"{folder} has no {TABLE}: `tongchuan evaluate uncertainty --help` says what it holds."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise LiveError(f"{path} cannot be read: it should be UTF-8 text.") from error
    if not rows or set(COLUMNS) - set(rows[0]):
        raise LiveError(
            f"{path} should have a heading ({', '.join(COLUMNS)}, parted by tabs) and a line for each clip."
        )
    clips = tuple(Clip(folder / row["path"], *(row[name].strip() for name in COLUMNS[1:])) for row in rows)
    for clip in clips:
        if not _is_there(clip.file):
            raise LiveError(f"{clip.file}, which {path} names, is not there.")
    return clips


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name that no file can have
        return False


def hear(translator: Translator, can: Capabilities, direction: Direction, clips: Sequence[Clip]) -> Iterator[Heard]:
    """Translate clips one by one.

    Args:
        translator: loaded.
        can: what it can do.
        direction: as in the sessions that the threshold is for.
        clips: their files.

    Raises:
        LiveError: a file cannot be read, or the translator cannot do this direction.
        TranslateError: the translator failed.
    """
    policy = Retranslation(can, direction)
    for number, clip in enumerate(clips, start=1):
        samples = read_recording(clip.file, can.max_samples / SAMPLE_RATE).samples
        utterance = Utterance(number, "file", samples, 0, is_final=True)
        caption = policy.caption(utterance, translator.translate(policy.request(utterance), lambda: False))
        if caption is None:
            yield Heard(clip, None, is_right=False)
        else:
            yield Heard(clip, caption.logprob, _is_right(clip, caption))


def _is_right(clip: Clip, caption: Caption) -> bool:
    """Whether the language and all lines that the table knows and the model writes are right, and one is known."""
    from sacrebleu.metrics.chrf import CHRF

    lines = (
        ("transcript", clip.transcript, caption.transcript),
        ("translation", clip.translation, caption.translation),
    )
    known = [(name, wanted, line.text.strip()) for name, wanted, line in lines if wanted and line.text.strip()]
    is_named = not clip.language or caption.source == clip.language
    return (
        is_named
        and bool(known)
        and all(CHRF().sentence_score(got, [wanted]).score >= RIGHT_CHRF[name] for name, wanted, got in known)
    )


def find(heard: Sequence[Heard]) -> Findings:
    """Choose the threshold.

    Raises:
        LiveError: too few captions are right.
    """
    right = [each.confidence for each in heard if each.is_right and each.confidence is not None]
    if len(right) < LEAST_RIGHT:
        raise LiveError(
            f"Only {len(right)} of {len(heard)} captions are right, and a threshold is read from {LEAST_RIGHT} or "
            "more: give more clips that the model can translate."
        )
    written = [(each, each.confidence) for each in heard if each.confidence is not None and not each.is_right]
    wrong = [value for each, value in written if not each.clip.is_foreign]
    foreign = [value for each, value in written if each.clip.is_foreign]
    below = find_threshold(right)
    return Findings(
        below=below,
        n_right=len(right),
        right_marked=share_marked(right, below),
        n_wrong=len(wrong),
        wrong_marked=share_marked(wrong, below),
        n_foreign=len(foreign),
        foreign_marked=share_marked(foreign, below),
        n_silent=sum(each.confidence is None for each in heard),
    )
