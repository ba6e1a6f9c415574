"""The policy that settles nothing before an utterance's end, and then everything at once.

In: utterances as they grow, and hypotheses. Out: requests, and captions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from live.audio import Utterance
from live.events import Caption, Line
from live.policy.captions import Texts
from live.policy.direction import Direction
from live.policy.load import Level
from live.policy.text import readable, words
from models.base import Branch, Capabilities, Hypothesis, Outcome, Piece, Request


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
        self.stability_s = 0.0
        self._capabilities = capabilities
        self._direction = direction.within(capabilities)
        self._texts = Texts(capabilities, word_times=word_times)
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
            for task, draft in zip(self._texts.tasks, state.drafts, strict=True)
        )
        return Request(
            utterance_id=utterance.id,
            start=utterance.start,
            samples=utterance.samples,
            source=state.direction.source,
            targets=state.direction.targets,
            priors=state.direction.priors(self._capabilities),
            branches=texts + self._texts.timing if utterance.is_final else texts,
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

    def keep_to(self, level: Level) -> None:
        """Whatever the level: what is asked is the same."""

    def cut_after(self, utterance_id: int) -> None:
        """Nowhere: nothing is settled that a cut could keep."""

    def forget(self, utterance_id: int) -> None:
        """Drop what is kept of an utterance."""
        self._open.pop(utterance_id, None)

    def _state(self, utterance_id: int) -> _Open:
        nothing = _Open(self._direction, drafts=((),) * len(self._texts.tasks))
        return self._open.setdefault(utterance_id, nothing)

    def _caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption:
        outcomes = self._texts.by_task(hypothesis)
        return self._texts.caption(
            utterance,
            (hypothesis.source, hypothesis.target),
            {task: _line(outcome, utterance.is_final) for task, outcome in outcomes.items()},
            [outcome.pieces for outcome in outcomes.values()],
            self._texts.timing_of(hypothesis),
        )


def _line(outcome: Outcome, is_settled: bool) -> Line:
    return Line(settled=words(outcome.pieces)) if is_settled else Line(tentative=readable(outcome.text))
