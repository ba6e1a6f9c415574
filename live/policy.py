"""What is asked of the translator for an utterance, and what of its answer is shown.

In: utterances as they grow, and hypotheses. Out: requests, and captions. Pure Python: threads, queues, models and
screens are not its business.

The policy here re-translates a growing utterance whole and shows the result as tentative; its end settles everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from live.audio import Utterance
from live.errors import SettingsError
from live.events import Caption, Line, Mode, Word
from live.word_times import timed
from models.base import (
    LANGUAGES,
    UNSPACED,
    WRITTEN_ONLY,
    Branch,
    Capabilities,
    Hypothesis,
    Outcome,
    Piece,
    Request,
    Task,
)
from models.confidence import DEFAULT_UNCERTAIN_BELOW, confidence

HIDDEN_UNITS: Mapping[str, int] = dict.fromkeys(UNSPACED, 5)
"""Units at the tentative end that Balanced hides, of languages whose units are characters."""
FEW_DIRECTIONS = 4
"""So many are named one by one."""
HIDDEN_WORDS = 2
"""The same for every other language."""

_HAN = "\u2e80-\u2fff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WIDE_MARKS = "\u3000-\u303f\uff00-\uffef\u2026"
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]) | dict.fromkeys(map(ord, "\t\n\r"), " ")
"""What a byte-level model may spell and no screen should obey: escape sequences, line breaks inside a caption."""
_UNIT = re.compile(rf"\s*(?:[{_HAN}]|[^\s{_HAN}{_WIDE_MARKS}]+)[{_WIDE_MARKS}]*|\s*[{_WIDE_MARKS}]+|\s+")


@dataclass(frozen=True, slots=True)
class Direction:
    """Which language is heard and into which it goes."""

    source: str | None
    """Language code; None: decided for each utterance, among those that have a target."""
    targets: Mapping[str, str]
    """Source to target."""

    @classmethod
    def between(cls, source: str | None, target: str | None, pair: tuple[str, str]) -> Direction:
        """The direction a user chose.

        Args:
            source: Language code, or None: decided for each utterance.
            target: Language code, or None: the other of the pair.
            pair: The two languages of the conversation.

        Raises:
            SettingsError: both are the same.
        """
        if source is not None and source == target:
            raise SettingsError(f"Speech in {source} cannot be translated into {source}: choose two languages.")
        heard: tuple[str, ...] = pair if source is None else (source,)
        if source is None and target is not None:  # who speaks the language of the subtitles needs none
            heard = tuple(language for language in pair if language != WRITTEN_ONLY.get(target, target))
        targets = {language: target or _other(language, pair) for language in heard}
        return cls(source, targets)

    def within(self, capabilities: Capabilities) -> Direction:
        """The part of it that a translator can do.

        Raises:
            SettingsError: there is none.
        """
        targets = {source: into for source, into in self.targets.items() if (source, into) in capabilities.directions}
        if not targets:
            asked = _listed(self.targets.items())
            raise SettingsError(
                f"The model {capabilities.name} does not translate {asked}, only {_offered(capabilities.directions)}: "
                "choose another direction or another model."
            )
        return Direction(self.source, targets)

    def priors(self, capabilities: Capabilities) -> Mapping[str, float]:
        """Probability 0 for each of the translator's languages that is not expected here."""
        if self.source is not None:
            return {}
        known = {language for direction in capabilities.directions for language in direction}
        return {language: 1.0 if language in self.targets else 0.0 for language in sorted(known)}


def _other(language: str, pair: tuple[str, str]) -> str:
    return pair[1] if language == pair[0] else pair[0]


def _listed(directions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{source} to {target}" for source, target in directions)


def _offered(directions: frozenset[tuple[str, str]]) -> str:
    """Directions in words: one by one where there are few, together where each source has the same targets."""
    if len(directions) <= FEW_DIRECTIONS:
        return _listed(sorted(directions))
    codes = [*LANGUAGES, *sorted({code for direction in directions for code in direction} - set(LANGUAGES))]
    sources = [code for code in codes if any(source == code for source, _ in directions)]
    targets = [code for code in codes if any(target == code for _, target in directions)]
    every = {(source, target) for source in sources for target in targets if source != WRITTEN_ONLY.get(target, target)}
    if every <= directions | {(source, source) for source in sources}:
        return f"{', '.join(sources)} to {', '.join(targets)}"
    into = {source: [target for target in targets if (source, target) in directions] for source in sources}
    return "; ".join(f"{source} to {', '.join(targets)}" for source, targets in into.items())


class Policy(Protocol):
    """How a session turns growing utterances into captions. Called from the translator thread; `turn` from any."""

    def turn(self, direction: Direction) -> None:
        """Use a direction from the next utterance on."""
        ...

    def request(self, utterance: Utterance) -> Request | None:
        """What to ask of the translator about an utterance as heard so far; None, never of a final: nothing is due."""
        ...

    def caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption | None:
        """What is to be read after this answer; None where nothing is, and nothing was."""
        ...

    def cut_after(self, utterance_id: int) -> int | None:
        """The session sample before which the segmenter should end a growing utterance; asked after each answer."""
        ...

    def forget(self, utterance_id: int) -> None:
        """Drop what is kept of an utterance that was given up."""
        ...


@dataclass(frozen=True, slots=True)
class _Open:
    """What is kept of an utterance until its final."""

    direction: Direction
    drafts: tuple[tuple[Piece, ...], ...]
    """The last answer's pieces, one tuple a branch."""
    is_shown: bool = False


class Retranslation:
    """Each update translates the whole utterance anew; nothing is settled before its end.

    A final is asked without a draft, so that its caption depends on its sound alone: a file read at once, the same
    file played live and a restarted worker all give the same text.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        direction: Direction,
        *,
        word_times: bool = False,
    ) -> None:
        """Begin with no utterance open.

        Args:
            capabilities: what the translator can do.
            direction: what is to be translated; the translator's part of it is taken.
            word_times: whether final transcripts say when each word was spoken; it costs a second transcript.

        Raises:
            SettingsError: the translator can do nothing of this.
        """
        if word_times and not (capabilities.word_times and capabilities.transcribes):
            raise SettingsError(
                f"The model {capabilities.name} does not say when words were spoken: leave out --words, or choose a "
                "model that does; Qwen-Audio is one."
            )
        self._capabilities = capabilities
        self._direction = direction.within(capabilities)
        below = capabilities.uncertain_below
        self._uncertain_below = DEFAULT_UNCERTAIN_BELOW if below is None else below
        self._tasks: tuple[Task, ...] = ("translate", "transcribe") if capabilities.transcribes else ("translate",)
        self._timing = (Branch("transcribe", word_times=True),) if word_times else ()
        self._open: dict[int, _Open] = {}

    def turn(self, direction: Direction) -> None:
        """Use a direction from the next utterance on.

        Raises:
            SettingsError: the translator can do nothing of it; the old direction stays.
        """
        self._direction = direction.within(self._capabilities)

    def request(self, utterance: Utterance) -> Request:
        """Ask for both texts of the utterance, whole; a growing one brings its last answer as draft."""
        state = self._state(utterance.id)
        has_draft = self._capabilities.verifies and not utterance.is_final
        texts = tuple(
            Branch(task, draft=draft if has_draft else ())
            for task, draft in zip(self._tasks, state.drafts, strict=True)
        )
        return Request(
            utterance_id=utterance.id,
            start=utterance.start,
            samples=utterance.samples,
            source=state.direction.source,
            targets=state.direction.targets,
            priors=state.direction.priors(self._capabilities),
            branches=texts + self._timing if utterance.is_final else texts,
            is_final=utterance.is_final,
        )

    def caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption | None:
        """Everything tentative while the utterance grows, everything settled at its end.

        Returns:
            None where there is no text and none was shown; a caption without text clears one that was.
        """
        state = self._state(utterance.id)
        is_shown = state.is_shown or any(outcome.text.strip() for outcome in hypothesis.outcomes)
        if utterance.is_final:
            self.forget(utterance.id)
        else:
            drafts = tuple(outcome.pieces for outcome in hypothesis.outcomes)
            self._open[utterance.id] = replace(state, drafts=drafts, is_shown=is_shown)
        return self._caption(utterance, hypothesis) if is_shown else None

    def cut_after(self, utterance_id: int) -> None:
        """Nowhere: nothing is settled that a cut could keep."""

    def forget(self, utterance_id: int) -> None:
        """Drop what is kept of an utterance."""
        self._open.pop(utterance_id, None)

    def _state(self, utterance_id: int) -> _Open:
        nothing = _Open(self._direction, drafts=((),) * len(self._tasks))
        return self._open.setdefault(utterance_id, nothing)

    def _caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption:
        outcomes = dict(zip(self._tasks, hypothesis.outcomes, strict=False))
        timing = hypothesis.outcomes[len(self._tasks) :]
        translation = outcomes["translate"]
        transcript = outcomes.get("transcribe")
        logprob = confidence(outcome.pieces for outcome in outcomes.values())
        return Caption(
            id=utterance.id,
            lane=utterance.lane,
            source=hypothesis.source,
            target=hypothesis.target,
            translation=_line(translation, utterance.is_final),
            transcript=_with_times(_line(transcript, utterance.is_final), timing) if transcript else Line(),
            start=utterance.start,
            end=utterance.end,
            logprob=logprob,
            is_uncertain=logprob < self._uncertain_below,
            is_final=utterance.is_final,
        )


def _line(outcome: Outcome, is_settled: bool) -> Line:
    return Line(settled=words(outcome.pieces)) if is_settled else Line(tentative=readable(outcome.text))


def _with_times(line: Line, timing: Sequence[Outcome]) -> Line:
    return replace(line, settled=timed(line.settled, timing[0].pieces)) if timing else line


def words(pieces: Sequence[Piece]) -> tuple[Word, ...]:
    """Pieces of a model as words of a caption."""
    return tuple(Word(readable(piece.text), start=piece.at) for piece in pieces)


def readable(text: str) -> str:
    """A model's text on one line, without what a screen would obey."""
    return text.translate(_CONTROLS)


def units(text: str) -> list[str]:
    """Split a text into what is hidden at once: a hanzi, a word or number, each with the marks after it.

    Returns:
        Parts that join to the text.
    """
    return _UNIT.findall(text)


def shown(caption: Caption, mode: Mode) -> Caption:
    """The caption with only as much of its tentative text as a display mode shows."""
    match mode:
        case "follow":
            return caption
        case "balanced":
            return replace(
                caption,
                translation=_hide_last(caption.translation, caption.target),
                transcript=_hide_last(caption.transcript, caption.source),
            )
        case "reading":
            return replace(
                caption,
                translation=replace(caption.translation, tentative=""),
                transcript=replace(caption.transcript, tentative=""),
            )
    assert_never(mode)


def _hide_last(line: Line, language: str) -> Line:
    kept = units(line.tentative)[: -HIDDEN_UNITS.get(language, HIDDEN_WORDS)]
    return replace(line, tentative="".join(kept))
