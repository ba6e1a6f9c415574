"""The policy that settles nothing before an utterance's end, and then everything at once.

In: utterances as they grow, and hypotheses. Out: requests, and captions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from live.audio import Utterance
from live.errors import SettingsError
from live.events import Caption, Line
from live.policy.direction import Direction
from live.policy.text import readable, words
from live.word_times import timed
from models.base import Branch, Capabilities, Hypothesis, Outcome, Piece, Request, Task
from models.confidence import DEFAULT_UNCERTAIN_BELOW, confidence


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
