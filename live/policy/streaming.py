"""The policy that settles text while somebody speaks: what is said again, or what the model is sure of.

In: utterances as they grow, and hypotheses. Out: requests, captions, and places to cut. Each answer is asked to go on
from what is settled and to check what was tentative. When a text is settled is the business of commit.py, what is too
much for the model pace.py's and load.py's, and how long speech without a pause is cut monologue.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from live.audio import Utterance, seconds
from live.events import Caption, Line
from live.policy import monologue
from live.policy.captions import Texts
from live.policy.commit import Agreed, AgreedAndPast, Certain, ClearlyOld, Rule, Sight, committable
from live.policy.conversation import Conversation, speech_length
from live.policy.direction import Direction
from live.policy.lines import Seen, StreamLine, takes_ids
from live.policy.load import Level
from live.policy.loops import is_loop
from live.policy.pace import Pace
from live.policy.text import readable, unclosed, words
from live.segmenter import SOFT_END
from models.base import SAMPLE_RATE, UNKNOWN, Branch, Capabilities, Gate, Hypothesis, Outcome, Request, Task

FIRST_SPEECH = round(0.6 * SAMPLE_RATE)
"""Samples of speech before the first question about an utterance."""
NEW_BESIDES, NEW_PER_SECOND = 6, 8
"""Pieces that an answer may add to as many as were tentative: a few, and some for each second not heard before."""
NEW_WHEN_THINNED = 4
GUESSED = math.log(0.9)
"""A piece said for the first time and less likely than that is a guess at what comes: neither it nor what follows is
shown. On growing speech of the embedded model half of the pieces below one half stayed, and 8 to 9 of 10 above this."""
WITH_GATE: tuple[Rule, ...] = (AgreedAndPast(), Agreed(times=2), ClearlyOld())
UNDECIDED: tuple[Rule, ...] = (Agreed(times=1),)
"""LocalAgreement-2 alone, while the language may turn out to be another: settled text keeps it."""
WITHOUT_GATE: tuple[Rule, ...] = (*UNDECIDED, Certain())
"""The same, and at once what the model is sure of, where pieces point to nothing that is to be trusted."""
_NOTHING = Outcome((), 0, "end")


@dataclass(slots=True)
class _Open:
    """What is kept of an utterance until its final."""

    direction: Direction
    lines: dict[Task, StreamLine]
    heard: int
    """Where the sound ended that the last answer was about."""
    named: tuple[str, str] = (UNKNOWN, UNKNOWN)
    """Source and target, as the last answer named them."""
    is_locked: bool = False
    """Something is settled: the languages stay."""
    is_shown: bool = False
    last: Utterance | None = None
    """As heard when the last answer was asked for."""
    n_passed: int = 0
    """Sentences behind which there is no place to cut."""
    cut: monologue.Asked | None = None
    is_cut_told: bool = False


class Streaming:
    """Verify-first agreement with an attention gate.

    Where the translator does not point, LocalAgreement-2, and what it is sure of at first sight.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        direction: Direction,
        *,
        word_times: bool = False,
        rules: Sequence[Rule] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Begin with no utterance open.

        Args:
            capabilities: what the translator can do.
            direction: what is to be translated; the translator's part of it is taken.
            word_times: whether final transcripts say when each word was spoken; it costs a second transcript.
            rules: any one of them settles a piece; None: what suits the translator, text by text.
            pace: how often answers are due; None: as often as the model keeps up with.

        Raises:
            SettingsError: the translator can do nothing of this.
        """
        self.stability_s = 0.0
        self._capabilities = capabilities
        self._direction = direction.within(capabilities)
        self._texts = Texts(capabilities, word_times=word_times)
        self._rules = rules
        self._pace = pace or Pace()
        self._conversation = Conversation()
        self._level = Level.NORMAL
        self._open: dict[int, _Open] = {}

    def turn(self, direction: Direction) -> None:
        """Use a direction from the next utterance on.

        Raises:
            SettingsError: the translator can do nothing of it; the old direction stays.
        """
        self._direction = direction.within(self._capabilities)

    def keep_to(self, level: Level) -> None:
        """Leave out of what is asked what a level of load leaves out, unless the pace is that of the sound alone."""
        self._level = level if self._pace.adapts else Level.NORMAL

    def request(self, utterance: Utterance) -> Request | None:
        """Ask for the texts from what is settled on; None where too little is new, or the model is too far behind."""
        state = self._state(utterance)
        if not utterance.is_final and not self._is_due(state, utterance):
            return None
        branches = tuple(self._branch(task, line, utterance, state) for task, line in state.lines.items())
        direction = state.direction
        source, targets = direction.source, direction.targets
        if state.is_locked:
            source, targets = state.named[0], dict([state.named])
        expected = direction.priors(self._capabilities)
        return Request(
            utterance_id=utterance.id,
            start=utterance.start,
            samples=utterance.samples,
            source=source,
            targets=targets,
            priors={} if source else self._conversation.priors(utterance, expected),
            branches=branches + self._texts.timing if utterance.is_final else branches,
            hold=0 if utterance.is_final else self._hold(state, utterance),
            is_final=utterance.is_final,
        )

    def caption(self, utterance: Utterance, hypothesis: Hypothesis) -> Caption | None:
        """What is settled so far, and what may still change.

        Returns:
            None where there is no text and none was shown; a caption without text clears one that was tentative.
        """
        state = self._state(utterance)
        self._hear(state, utterance, hypothesis)
        if utterance.is_final:
            for task, line in state.lines.items():
                self._settle(state, task, len(line.rest), utterance)
            self._conversation.note(utterance, state.named[0])
            self._open.pop(utterance.id)
        else:
            state.last = utterance
            self._pace.note(hypothesis.cost.total_s)
            self._settle_some(state, utterance, hypothesis)
        state.is_shown = state.is_shown or any(_text(line).strip() for line in state.lines.values())
        return self._caption(state, utterance, self._texts.timing_of(hypothesis)) if state.is_shown else None

    def cut_after(self, utterance_id: int) -> int | None:
        """Where the segmenter should end a growing utterance; told once."""
        state = self._open.get(utterance_id)
        if state is None or state.cut is None or state.is_cut_told:
            return None
        state.is_cut_told = True
        return state.cut.at

    def forget(self, utterance_id: int) -> Caption | None:
        """Drop what is kept of an utterance; what was settled stays, as its last caption."""
        state = self._open.pop(utterance_id, None)
        if state is None or state.last is None or not state.is_locked:
            return None
        state.lines = {task: line.drop_rest() for task, line in state.lines.items()}
        return self._caption(state, replace(state.last, is_final=True), ())

    def _state(self, utterance: Utterance) -> _Open:
        nothing = _Open(self._direction, {task: StreamLine() for task in self._texts.tasks}, utterance.start)
        return self._open.setdefault(utterance.id, nothing)

    def _is_due(self, state: _Open, utterance: Utterance) -> bool:
        if self._level >= Level.FINALS_ONLY or speech_length(utterance) < FIRST_SPEECH:
            return False
        if self._level is Level.VERIFY_ONLY and not any(line.rest for line in state.lines.values()):
            return False
        return is_soft_end(utterance) or utterance.end - state.heard >= self._pace.due(self._level)

    def _branch(self, task: Task, line: StreamLine, utterance: Utterance, state: _Open) -> Branch:
        draft = line.draft if self._capabilities.verifies else ()
        if not takes_ids(line.committed + draft):
            return Branch(task)
        max_new: int | None
        if utterance.is_final:
            max_new = None
        elif self._level is Level.NORMAL:
            new = NEW_BESIDES + NEW_PER_SECOND * (utterance.end - state.heard) // SAMPLE_RATE
            max_new = len(line.rest) + new
        else:
            max_new = NEW_WHEN_THINNED if self._level is Level.THINNED else 0
        return Branch(task, committed=line.committed, draft=draft, max_new=max_new)

    def _hold(self, state: _Open, utterance: Utterance) -> int:
        """Samples in which the translator is to say that it points there: of an unknown direction, the longest."""
        gates = self._capabilities.gates
        named = self._gate("translate", state.named)
        holds = [named.hold] if named else [gate.hold for gate in gates.values()]
        return Sight(utterance.end, is_soft_end(utterance)).shortened(max(holds, default=0))

    def _gate(self, task: Task, named: tuple[str, str]) -> Gate | None:
        source, target = named
        return self._capabilities.gates.get((task, source, target if task == "translate" else source))

    def _hear(self, state: _Open, utterance: Utterance, hypothesis: Hypothesis) -> None:
        """Take an answer; one in another language than what is settled says nothing."""
        named = (hypothesis.source, hypothesis.target)
        outcomes: Mapping[Task, Outcome] = self._texts.by_task(hypothesis)
        if state.is_locked and named != state.named:
            outcomes = {}
        for task, line in state.lines.items():
            state.lines[task] = line.hear(outcomes.get(task, _NOTHING), utterance.end, is_same=named == state.named)
        if not state.is_locked:
            state.named = named
        state.heard = utterance.end

    def _settle_some(self, state: _Open, utterance: Utterance, hypothesis: Hypothesis) -> None:
        """Settle what the rules allow, and ask for a cut where that leaves a place for one."""
        if (
            not state.is_locked
            and not is_soft_end(utterance)
            and self._conversation.is_hasty(utterance, state.named[0])
        ):
            return
        if state.cut is not None and utterance.end - state.cut.heard > monologue.PATIENCE:
            state.cut = None
        stops = {task: outcome.stop for task, outcome in self._texts.by_task(hypothesis).items()}
        for task, line in state.lines.items():
            if stops.get(task) == "loop" or is_loop(line.committed, line.draft, len(utterance.samples)):
                state.lines[task] = line.drop_rest()
            elif state.cut is None:
                sight = Sight(utterance.end, is_soft_end(utterance), self._gate(task, state.named))
                n = committable(line.rest, sight, self._rules_with(sight, state))
                n_closed = max(other.n_closed for other in state.lines.values())
                n = monologue.settle_up_to(line, n, utterance, n_closed, state.n_passed)
                self._settle(state, task, n, utterance)
        if state.cut is None:
            self._look_for_cut(state, utterance)

    def _look_for_cut(self, state: _Open, utterance: Utterance) -> None:
        *_, spoken = lines = list(state.lines.values())
        at = monologue.place(lines, utterance) if spoken.n_closed > state.n_passed else None
        if at is not None:
            state.cut, state.is_cut_told = monologue.Asked(at, utterance.end), False
        elif monologue.is_without_place(spoken, utterance):
            state.n_passed = max(line.n_closed for line in lines)

    def _rules_with(self, sight: Sight, state: _Open) -> Sequence[Rule]:
        if self._rules is not None:
            return self._rules
        if sight.gate is not None:
            return WITH_GATE
        return WITHOUT_GATE if state.is_locked or state.direction.source else UNDECIDED

    def _settle(self, state: _Open, task: Task, n: int, utterance: Utterance) -> None:
        line = state.lines[task]
        if n:
            state.is_locked = True
            self.stability_s = _mean_age_s(line.rest[:n], utterance.end)
        state.lines[task] = line.commit(n)

    def _caption(self, state: _Open, utterance: Utterance, timing: Sequence[Outcome]) -> Caption:
        is_open = not (utterance.is_final or is_soft_end(utterance))
        return self._texts.caption(
            utterance,
            state.named,
            {task: _readable(line, is_open=is_open) for task, line in state.lines.items()},
            [line.committed + line.draft for line in state.lines.values()],
            timing if utterance.is_final else (),
        )


def is_soft_end(utterance: Utterance) -> bool:
    """Whether speech has paused for so long that it has probably ended."""
    return utterance.quiet >= SOFT_END


def _text(line: StreamLine) -> str:
    return "".join(piece.text for piece in (*line.committed, *line.draft))


def _readable(line: StreamLine, *, is_open: bool) -> Line:
    """A line for reading. While speech goes on, guesses at what comes next are left out, and so is the closing mark."""
    shown = takewhile(lambda seen: seen.age or seen.piece.logprob >= GUESSED, line.rest) if is_open else line.rest
    tentative = readable("".join(seen.piece.text for seen in shown))
    return Line(words(line.committed), unclosed(tentative) if is_open else tentative)


def _mean_age_s(new: Sequence[Seen], end: int) -> float:
    return seconds(sum(end - (seen.reach or seen.born) for seen in new)) / len(new)
