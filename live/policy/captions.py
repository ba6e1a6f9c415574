"""Which texts are asked of a translator, and how its answers are put into captions: the same for every policy.

In: what a translator can do; lines of text. Out: tasks, captions. When a text is settled is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from live.audio import Utterance
from live.errors import SettingsError
from live.events import Caption, Line
from live.word_times import timed
from models.base import Branch, Capabilities, Hypothesis, Outcome, Piece, Task
from models.confidence import DEFAULT_UNCERTAIN_BELOW, confidence


class Texts:
    """The texts of a session: the translation, the transcript where there is one, and perhaps its words' times."""

    def __init__(self, capabilities: Capabilities, *, word_times: bool) -> None:
        """Choose the texts.

        Args:
            capabilities: what the translator can do.
            word_times: whether final transcripts say when each word was spoken; it costs a second transcript.

        Raises:
            SettingsError: it cannot tell word times.
        """
        if word_times and not (capabilities.word_times and capabilities.transcribes):
            raise SettingsError(
                f"The model {capabilities.name} does not say when words were spoken: leave out --words, or choose a "
                "model that does; Qwen-Audio is one."
            )
        self.tasks: tuple[Task, ...] = ("translate", "transcribe") if capabilities.transcribes else ("translate",)
        self.timing = (Branch("transcribe", word_times=True),) if word_times else ()
        """Asked besides of a final, behind the tasks."""
        below = capabilities.uncertain_below
        self._uncertain_below = DEFAULT_UNCERTAIN_BELOW if below is None else below

    def by_task(self, hypothesis: Hypothesis) -> dict[Task, Outcome]:
        """The outcomes of the tasks."""
        return dict(zip(self.tasks, hypothesis.outcomes, strict=False))

    def caption(
        self,
        utterance: Utterance,
        direction: tuple[str, str],
        lines: Mapping[Task, Line],
        pieces: Iterable[Sequence[Piece]],
        timing: Sequence[Outcome] = (),
    ) -> Caption:
        """A caption of an utterance as heard so far.

        Args:
            utterance: what it is of.
            direction: source and target.
            lines: the texts, as they are to be read.
            pieces: of each of them, settled or not: what tells how sure the translator was.
            timing: the outcomes of `timing`.
        """
        logprob = confidence(pieces)
        transcript = lines.get("transcribe", Line())
        if timing:
            transcript = replace(transcript, settled=timed(transcript.settled, timing[0].pieces))
        return Caption(
            id=utterance.id,
            lane=utterance.lane,
            source=direction[0],
            target=direction[1],
            translation=lines["translate"],
            transcript=transcript,
            start=utterance.start,
            end=utterance.end,
            logprob=logprob,
            is_uncertain=logprob < self._uncertain_below,
            is_final=utterance.is_final,
        )

    def timing_of(self, hypothesis: Hypothesis) -> Sequence[Outcome]:
        """The outcomes of `timing`, where they were asked for."""
        return hypothesis.outcomes[len(self.tasks) :]
