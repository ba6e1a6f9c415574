"""What a checkpoint answers to the items, in processes of their own.

In: a checkpoint folder and Tasks: batches of a row. Out: Answers, small enough to travel. What they are worth is
figures' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.base import SAMPLE_RATE, Branch, Cost, Hypothesis, Request, Samples, Translator
from models.confidence import confidence
from models.embedded.recipe import foreign, speech
from models.embedded.recipe.grammar import Language
from models.embedded.recipe.score.items import (
    BATCH,
    BUSY_KINDS,
    GROWING,
    QUIET_KINDS,
    ROWS,
    Case,
    Row,
    cases,
    foreign_clips,
    sounds_without_speech,
)
from models.embedded.recipe.segments import OTHER
from models.qwen_audio.translator import QwenAudioTranslator

PREFIX_STEP_S = 0.4
QUIET, BUSY = "text on silence, hum and steady noise", "text on other non-speech"
FOREIGN, FOREIGN_CALIBRATION = "out-of-domain sentences", "calibration, out of domain"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one item; of a sound without speech only `has_text` means anything."""

    is_language_right: bool = False
    translation: str = ""
    transcript: str = ""
    wanted_translation: str = ""
    wanted_transcript: str = ""
    confidence: float = 0.0
    kind: str = ""
    """Of a sentence out of the domain: one of foreign.KINDS."""
    prefixes: tuple[bool, ...] = ()
    """Of a growing clip: whether each part's translation is a beginning of the whole one's."""

    @property
    def has_text(self) -> bool:
        """Whether anything was written."""
        return bool(self.translation or self.transcript)

    @property
    def is_right(self) -> bool:
        """Whether both lines are as they should be, to the last mark."""
        return self.translation == self.wanted_translation and self.transcript == self.wanted_transcript


@dataclass(frozen=True, slots=True)
class Task:
    """One batch of a row."""

    row: str
    language: Language
    batch: int
    n: int
    """Items; of a growing row, clips."""


def batches(row: str, language: Language, n: int) -> Iterator[Task]:
    """A row's first n items of a language, batch by batch."""
    for first in range(0, n, BATCH):
        yield Task(row, language, first // BATCH, min(BATCH, n - first))


def answer(folder: Path, tasks: Sequence[Task], number: int, changed: int) -> tuple[int, list[Answer]]:
    """Do one of the tasks; the first thing that a process does, or its voices have said something before.

    Args:
        folder: the checkpoint.
        tasks: all of them.
        number: of the one to do.
        changed: how often this one kept ending its process; another change has its voices flutter otherwise.
    """
    speech.seed(changed)
    translator = load(folder)
    return number, list(ANSWERERS.get(tasks[number].row, _answer_speech)(translator, tasks[number]))


def load(folder: Path) -> QwenAudioTranslator:
    """The checkpoint on the processor, as the model process has it."""
    translator = QwenAudioTranslator(str(folder), "cpu")
    translator.load(lambda _: None)
    return translator


def ask(translator: Translator, samples: Samples) -> Hypothesis:
    """Both texts of a clip whose language is not given."""
    request = Request(0, 0, samples, None, OTHER, (Branch("translate"), Branch("transcribe")))
    return translator.translate(request, lambda: False)


def answer_row(translator: Translator, row: Row, task: Task) -> Iterator[Answer]:
    """Translate a batch of a row's items."""
    for case in cases(row, task.language, task.n, task.batch):
        yield answer_case(translator, case)[0]


def answer_case(translator: Translator, case: Case) -> tuple[Answer, Cost]:
    """Translate one item; also what it cost."""
    hypothesis = ask(translator, case.samples)
    translation, transcript = _texts(hypothesis)
    answer = Answer(
        hypothesis.source == case.language,
        translation,
        transcript,
        case.translation,
        case.transcript,
        _confidence(hypothesis),
    )
    return answer, hypothesis.cost


def _answer_speech(translator: Translator, task: Task) -> Iterator[Answer]:
    return answer_row(translator, ROWS[task.row], task)


def _answer_sounds(kinds: Sequence[str]) -> Callable[[Translator, Task], Iterator[Answer]]:
    def answered(translator: Translator, task: Task) -> Iterator[Answer]:
        for samples in sounds_without_speech(kinds, task.n, task.batch):
            translation, transcript = _texts(ask(translator, samples))
            yield Answer(translation=translation, transcript=transcript)

    return answered


def _answer_growing(translator: Translator, task: Task) -> Iterator[Answer]:
    """Translate growing clips anew every PREFIX_STEP_S."""
    step = round(PREFIX_STEP_S * SAMPLE_RATE)
    for case in cases(GROWING, task.language, task.n, task.batch):
        final, _ = _texts(ask(translator, case.samples))
        parts = (case.samples[:end] for end in range(step, len(case.samples), step))
        yield Answer(prefixes=tuple(final.startswith(_texts(ask(translator, part))[0]) for part in parts))


def _answer_foreign(
    purpose: foreign.Purpose, variants: Sequence[str]
) -> Callable[[Translator, Task], Iterator[Answer]]:
    def answered(translator: Translator, task: Task) -> Iterator[Answer]:
        for kind, samples in foreign_clips(purpose, task.language, variants, task.batch * BATCH, task.n):
            hypothesis = ask(translator, samples)
            translation, transcript = _texts(hypothesis)
            is_right = hypothesis.source == task.language
            yield Answer(is_right, translation, transcript, confidence=_confidence(hypothesis), kind=kind)

    return answered


def _texts(hypothesis: Hypothesis) -> tuple[str, str]:
    translation, transcript = (outcome.text.strip() for outcome in hypothesis.outcomes)
    return translation, transcript


def _confidence(hypothesis: Hypothesis) -> float:
    return confidence(outcome.pieces for outcome in hypothesis.outcomes)


ANSWERERS: dict[str, Callable[[Translator, Task], Iterator[Answer]]] = {
    QUIET: _answer_sounds(QUIET_KINDS),
    BUSY: _answer_sounds(BUSY_KINDS),
    GROWING.name: _answer_growing,
    FOREIGN: _answer_foreign("score", speech.HELD_VARIANTS),
    FOREIGN_CALIBRATION: _answer_foreign("calibration", foreign.CALIBRATION_VARIANTS),
}
"""Rows that are not simply compared with what should be written."""
