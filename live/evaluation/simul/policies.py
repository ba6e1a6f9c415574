"""The policies that ours is compared with, re-implemented behind the session's own Policy protocol.

In: utterances as they grow, and hypotheses. Out: requests and captions. Each asks for the same texts and settles
everything at the end of an utterance; they differ in when they ask, in what they force, and in what they settle before.

Sources: re-translation: Arivazhagan et al. 2020; LocalAgreement-2: Liu et al. 2020, Polak et al. 2022; attention gate:
AlignAtt, Papi et al. 2023, on a decoder-only model as in Papi and Bentivogli 2026; re-decoding: whisper_streaming,
Machacek et al. 2023.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from live.audio import Utterance
from live.events import Caption, Line
from live.policy import Direction, readable, words
from live.policy.lines import agreed
from live.policy.load import Level
from live.policy.pace import SHORTEST
from models.base import SAMPLE_RATE, UNKNOWN, Branch, Capabilities, Hypothesis, Piece, Request, Task

INTERVAL = SHORTEST
"""New samples after which an update is due: as few as ours asks about."""
SLOW_INTERVAL = SAMPLE_RATE
"""As whisper_streaming has it: fewer answers settle less that is wrong, and later."""
GATE_HOLD = {"en": SAMPLE_RATE * 4 // 10, "zh": SAMPLE_RATE * 6 // 10}
"""Samples at the end of the sound, by the language spoken, that nothing settled may point to."""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of an utterance."""

    settled: tuple[Piece, ...] = ()
    draft: tuple[Piece, ...] = ()
    """What the last answer said behind it."""


@dataclass(frozen=True, slots=True)
class _Growing:
    texts: tuple[Text, ...]
    asked_to: int
    """The end of the sound asked about last."""
    is_shown: bool = False


class Baseline(ABC):
    """What all of them do alike."""

    stability_s = 0.0
    forces_settled = True
    """Whether the model goes on from what is settled; otherwise it decodes everything again each time."""

    def __init__(self, capabilities: Capabilities, direction: Direction, interval: int = INTERVAL) -> None:
        """Begin with no utterance open.

        Args:
            capabilities: what the translator can do.
            direction: of the talk.
            interval: new samples after which an update is due.

        Raises:
            SettingsError: the translator can do nothing of this direction.
        """
        self._interval = interval
        self._direction = direction.within(capabilities)
        self._priors = self._direction.priors(capabilities)
        self._tasks: tuple[Task, ...] = ("translate", "transcribe") if capabilities.transcribes else ("translate",)
        self._open: dict[int, _Growing] = {}

    @abstractmethod
    def _n_settled(self, text: Text, pieces: Sequence[Piece], utterance: Utterance) -> int:
        """How many of the pieces behind what is settled are settled by an answer about a growing utterance."""

    def keep_to(self, level: Level) -> None:
        """Nothing: all is asked, however far behind the answers come."""
        del level

    def turn(self, direction: Direction) -> None:
        """Never asked: a talk has one direction."""
        raise NotImplementedError

    def request(self, utterance: Utterance) -> Request | None:
        """The whole texts of the utterance, once enough of it is new."""
        growing = self._state(utterance)
        if not utterance.is_final and utterance.end - growing.asked_to < self._interval:
            return None
        self._open[utterance.id] = _Growing(growing.texts, utterance.end, growing.is_shown)
        return Request(
            utterance_id=utterance.id,
            start=utterance.start,
            samples=utterance.samples,
            source=self._direction.source,
            targets=self._direction.targets,
            priors=self._priors,
            branches=tuple(
                Branch(task, committed=text.settled if self.forces_settled else ())
                for task, text in zip(self._tasks, growing.texts, strict=True)
            ),
            is_final=utterance.is_final,
        )

    def caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption | None:
        """What is settled now, and the rest as tentative."""
        growing = self._state(utterance)
        outcomes = hypothesis.outcomes if hypothesis.source != UNKNOWN else ()
        answers = [outcome.pieces for outcome in outcomes] or [()] * len(growing.texts)
        texts = tuple(
            self._taken(text, pieces if self.forces_settled else pieces[len(text.settled) :], utterance)
            for text, pieces in zip(growing.texts, answers, strict=False)
        )
        is_shown = growing.is_shown or any(text.settled or text.draft for text in texts)
        if utterance.is_final:
            self.forget(utterance.id)
        else:
            self._open[utterance.id] = _Growing(texts, growing.asked_to, is_shown)
        return self._caption(utterance, hypothesis, texts) if is_shown else None

    def cut_after(self, utterance_id: int) -> int | None:
        """Nowhere: none of them cuts."""
        return None

    def forget(self, utterance_id: int) -> None:
        """Drop what is kept of an utterance."""
        self._open.pop(utterance_id, None)

    def _state(self, utterance: Utterance) -> _Growing:
        return self._open.get(utterance.id) or _Growing((Text(),) * len(self._tasks), utterance.start)

    def _taken(self, text: Text, pieces: tuple[Piece, ...], utterance: Utterance) -> Text:
        n = len(pieces) if utterance.is_final else self._n_settled(text, pieces, utterance)
        return Text(text.settled + pieces[:n], pieces[n:])

    def _caption(self, utterance: Utterance, hypothesis: Hypothesis, texts: Sequence[Text]) -> Caption:
        lines = dict(zip(self._tasks, map(_line, texts), strict=True))
        return Caption(
            id=utterance.id,
            lane=utterance.lane,
            source=hypothesis.source,
            target=hypothesis.target,
            translation=lines["translate"],
            transcript=lines.get("transcribe", Line()),
            start=utterance.start,
            end=utterance.end,
            logprob=0.0,
            is_uncertain=False,
            is_final=utterance.is_final,
        )


def _line(text: Text) -> Line:
    return Line(words(text.settled), readable("".join(piece.text for piece in text.draft)))


class VadFinal(Baseline):
    """Nothing before the end of an utterance: the best quality, and the longest wait."""

    def request(self, utterance: Utterance) -> Request | None:
        """Nothing is due of a growing utterance."""
        return super().request(utterance) if utterance.is_final else None

    def _n_settled(self, text: Text, pieces: Sequence[Piece], utterance: Utterance) -> int:
        return 0


class Retranslation(Baseline):
    """Everything is decoded anew at each update, and nothing is settled before the end."""

    def _n_settled(self, text: Text, pieces: Sequence[Piece], utterance: Utterance) -> int:
        return 0


class LocalAgreement(Baseline):
    """What two answers in a row agree on is settled, and forced from then on."""

    def _n_settled(self, text: Text, pieces: Sequence[Piece], utterance: Utterance) -> int:
        return agreed(pieces, text.draft)


class Redecoding(LocalAgreement):
    """LocalAgreement as whisper_streaming has it: no text is forced, all of the sound is decoded at each update.

    Where an answer no longer begins with what is settled, what stands behind that many pieces counts.
    """

    forces_settled = False


class AttentionGate(Baseline):
    """What points to sound that is not at its end is settled at first sight."""

    def __init__(self, capabilities: Capabilities, direction: Direction) -> None:
        """As all do; where the translator's pointing was calibrated, its end of the sound counts."""
        super().__init__(capabilities, direction)
        calibrated = {(source, target): gate.hold for (_, source, target), gate in capabilities.gates.items()}
        self._hold = max(
            calibrated.get(each, GATE_HOLD.get(each[0], max(GATE_HOLD.values())))
            for each in self._direction.targets.items()
        )

    def _n_settled(self, text: Text, pieces: Sequence[Piece], utterance: Utterance) -> int:
        return settled_by_gate(pieces, utterance.end - self._hold)


def settled_by_gate(pieces: Sequence[Piece], before: int) -> int:
    """How many pieces, from the first on, point to sound before a sample; the last one always waits."""
    for n, piece in enumerate(pieces[:-1]):
        if piece.at is None or piece.at >= before:
            return n
    return max(0, len(pieces) - 1)
