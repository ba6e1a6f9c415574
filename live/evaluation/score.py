"""Translations against a script, by sacreBLEU for each direction.

In: the script's sentences and the final captions, both with times. Out: a BLEU score a direction.
An utterance may hold several sentences and a sentence may be spread over several utterances, so what overlaps in
time is joined first and compared as one text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from live.audio import seconds
from live.demo import Script
from live.events import Caption
from models.base import UNSPACED

OVERLAP = 0.2
"""Share of the shorter of the two that a cue and a sentence have in common, at least, to belong together."""

Direction = tuple[str, str]
"""(source, target) language codes."""

_TOKENIZERS = {"zh": "zh", "zh_tr": "zh", "ja": "char"}
"""sacreBLEU's way of telling words apart, by target language; 13a for all others, as Qwen-Audio's evaluation has it.

That one tells Japanese words apart by MeCab, which needs a dictionary of its own: by characters, figures for Japanese
stand beside no published ones.
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of time with its translation."""

    start_s: float
    end_s: float
    translation: str

    def overlap_s(self, other: Passage) -> float:
        """Seconds that both have in common."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def belongs_to(self, other: Passage) -> bool:
        """Whether enough is in common for the two to be about the same speech."""
        shorter = min(self.end_s - self.start_s, other.end_s - other.start_s)
        return self.overlap_s(other) > OVERLAP * shorter


@dataclass(frozen=True, slots=True)
class Pair:
    """What should have been said over what was."""

    reference: str
    hypothesis: str


@dataclass(frozen=True, slots=True)
class Score:
    """One direction's result."""

    bleu: float
    """0 to 100."""
    n_sentences: int
    n_missed: int
    """Sentences that no cue overlaps."""
    tokenizer: str
    """sacreBLEU's name of how words were told apart."""
    signature: str
    """How sacreBLEU computed it."""


def tokenizer(language: str) -> str:
    """How sacreBLEU is to tell words of a language apart, by its own name for it."""
    return _TOKENIZERS.get(language, "13a")


def joint(language: str) -> str:
    """What stands between two sentences of a language."""
    return "" if language in UNSPACED else " "


def score(script: Script, captions: Iterable[Caption]) -> dict[Direction, Score]:
    """Score final captions against a script.

    Args:
        script: What is said.
        captions: Final captions, on the clock on which the script's sound starts at 0.

    Returns:
        A score for each direction the script holds.
    """
    sentences = sentences_of(script)
    cues: dict[Direction, list[Passage]] = {direction: [] for direction in sentences}
    for caption in captions:
        cue = Passage(seconds(caption.start), seconds(caption.end), caption.translation.text)
        cues[_direction_at(cue, sentences)].append(cue)
    return {direction: _score_direction(direction[1], sentences[direction], cues[direction]) for direction in sentences}


def align(sentences: Sequence[Passage], cues: Sequence[Passage], between: str) -> list[Pair]:
    """Join sentences and cues that overlap, directly or through one another, in the order of time.

    A sentence without a cue is paired with an empty text, and so is a cue without a sentence: both cost score.

    Args:
        sentences: The references.
        cues: The hypotheses.
        between: What stands between two texts of the language.
    """
    items = [*((sentence, True) for sentence in sentences), *((cue, False) for cue in cues)]
    groups: list[list[tuple[Passage, bool]]] = []
    for item in items:
        related = [group for group in groups if any(_related(item, other) for other in group)]
        groups = [group for group in groups if group not in related]
        groups.append([item, *(other for group in related for other in group)])
    groups.sort(key=lambda group: min(passage.start_s for passage, _ in group))
    return [Pair(_joined(group, True, between), _joined(group, False, between)) for group in groups]


def _related(one: tuple[Passage, bool], other: tuple[Passage, bool]) -> bool:
    return one[1] != other[1] and one[0].belongs_to(other[0])


def _joined(group: Iterable[tuple[Passage, bool]], is_reference: bool, between: str) -> str:
    passages = sorted((item for item, kind in group if kind == is_reference), key=lambda item: item.start_s)
    return between.join(passage.translation.strip() for passage in passages)


def sentences_of(script: Script) -> dict[Direction, list[Passage]]:
    """The sentences of each direction, in the order of time."""
    languages = sorted({turn.language for turn in script.turns})
    sentences: dict[Direction, list[Passage]] = {}
    for turn in script.turns:
        target = next(language for language in languages if language != turn.language)
        passages = (Passage(line.start_s, line.end_s, line.translation) for line in turn.lines)
        sentences.setdefault((turn.language, target), []).extend(passages)
    return sentences


def _direction_at(cue: Passage, sentences: dict[Direction, list[Passage]]) -> Direction:
    """The direction of the speech a cue covers most of; of none, the first: speech was made up there."""
    return max(sentences, key=lambda direction: sum(cue.overlap_s(sentence) for sentence in sentences[direction]))


def bleu(hypotheses: Sequence[str], references: Sequence[str], target: str) -> tuple[float, str]:
    """Corpus BLEU of texts in a language, as Qwen-Audio's evaluation calls sacreBLEU.

    Returns:
        0 to 100, and sacreBLEU's signature: how it was computed.
    """
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize=tokenizer(target))
    result = metric.corpus_score(list(hypotheses), [list(references)])
    return float(result.score), str(metric.get_signature())


def _score_direction(target: str, sentences: Sequence[Passage], cues: Sequence[Passage]) -> Score:
    pairs = align(sentences, cues, joint(target))
    figure, signature = bleu([pair.hypothesis for pair in pairs], [pair.reference for pair in pairs], target)
    missed = sum(not any(sentence.belongs_to(cue) for cue in cues) for sentence in sentences)
    return Score(figure, len(sentences), missed, tokenizer(target), signature)
