"""What is asked of a translator and what it answers: the types that cross the pipe to the model process.

In: a Request (sound and what to do with it). Out: a Hypothesis, or a ModelError.
Imports no model library, so that everyone may import it. Sessions, lanes and captions are not its business.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples a second of every sound inside the program."""

UNKNOWN = "unknown"
"""The language named when no speech is heard."""

LANGUAGES: Mapping[str, tuple[str, str]] = {
    "zh": ("Chinese", "中文"),
    "en": ("English", "English"),
    "de": ("German", "Deutsch"),
    "es": ("Spanish", "Español"),
    "ko": ("Korean", "한국어"),
    "fr": ("French", "Français"),
    "ja": ("Japanese", "日本語"),
    "it": ("Italian", "Italiano"),
    "zh_tr": ("traditional Chinese", "繁體中文"),
}
"""Code of each language there is to its English name and its own."""
WRITTEN_ONLY: Mapping[str, str] = {"zh_tr": "zh"}
"""Languages that are a way of writing, so no speech is in them, and how speech of theirs is named."""
UNSPACED = frozenset({"zh", "zh_tr", "ja"})
"""Languages written without spaces between words."""

Samples = NDArray[np.float32]
Task = Literal["translate", "transcribe"]
Analysis = Literal["caption", "event", "scene", "emotion"]
Role = Literal["user", "assistant"]
Mode = Literal["task_tags", "chatml", "prompt"]
"""How a checkpoint is told what to do: by tags, in a conversation, or by a sentence right behind the sound."""
Stop = Literal["end", "budget", "hold", "loop"]
Score = Mapping[str, float]


class ModelError(Exception):
    """What a model failed at: one sentence that says what happened and what to do."""


class ModelLoadError(ModelError):
    """The checkpoint cannot be used."""


class TranslateError(ModelError):
    """One request failed; the translator itself goes on."""


class WorkerDied(ModelError):  # noqa: N818 - the name says what happened
    """The model process ended, or did not answer within its deadline."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The smallest run of ids that decodes to whole characters: a word, a hanzi, a whole number.

    The unit of verifying, committing, hiding and timing.
    """

    ids: tuple[int, ...]
    """Token ids, opaque outside the translator that made them; empty from a server."""
    text: str
    """Its characters, a leading space included: the texts of consecutive pieces join by concatenation."""
    logprob: float
    """The lowest log-probability of its ids, at most 0."""
    at: int | None = None
    """The session sample it points to, where the translator points."""
    tail_mass: float | None = None
    """Attention on the last `hold` samples, 0 to 1, where the translator points."""
    end: int | None = None
    """The session sample at which it ends, where word times were asked for; then `at` is where it begins."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One text wanted of an utterance."""

    task: Task
    committed: tuple[Piece, ...] = ()
    """Forced: the text goes on after these."""
    draft: tuple[Piece, ...] = ()
    """What was said to come after `committed` last time: verified first."""
    max_new: int | None = None
    """Pieces to add at most; None is to the end, 0 verifies only."""
    word_times: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One utterance, as heard so far, and the texts wanted of it."""

    utterance_id: int
    start: int
    """Session sample at which `samples` begins."""
    samples: Samples
    """(n,) float32 in [-1, 1], 16 kHz mono."""
    source: str | None
    """Language code; None lets the translator name it."""
    targets: Mapping[str, str]
    """Which language a source is translated into."""
    branches: tuple[Branch, ...]
    priors: Score = field(default_factory=dict)
    """Language to probability; the named source is the argmax of scores times priors. Those not listed count as 1."""
    hold: int = 0
    """Samples at the end in which a pointing translator commits nothing."""
    context: tuple[tuple[str, str], ...] = ()
    """Earlier (transcript, translation) pairs, oldest first."""
    terms: tuple[tuple[str, str], ...] = ()
    """(source term, target term) pairs to prefer."""
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one branch."""

    pieces: tuple[Piece, ...]
    """All after the branch's `committed`; the first `n_agreed` are the draft's own."""
    n_agreed: int
    stop: Stop

    @property
    def text(self) -> str:
        """The pieces' characters, joined."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a hypothesis cost: seconds and tokens by stage."""

    encode_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    audio_tokens: int = 0
    prefilled_tokens: int = 0
    decoded_tokens: int = 0
    decode_steps: int = 0
    """Passes through the model in `decode_s`; each yields a token of every text that is still being written."""

    def __add__(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def total_s(self) -> float:
        """Seconds of all stages together."""
        return self.encode_s + self.prefill_s + self.decode_s


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The answer to a Request: one outcome a branch, in the request's order."""

    utterance_id: int
    source: str
    """Language code, or UNKNOWN where no speech was heard; then every outcome is empty."""
    target: str
    """Language of the translation; UNKNOWN where the source is."""
    scores: Score
    """Language (or UNKNOWN) to probability, before priors; empty where none was scored."""
    outcomes: tuple[Outcome, ...]
    cost: Cost = Cost()


@dataclass(frozen=True, slots=True)
class Gate:
    """How far what a piece points to can be trusted to tell whether sound not heard yet would change the piece."""

    hold: int
    """Samples at the end of the sound that a settled piece does not point into; one for both tasks of a direction."""
    tail_mass_below: float
    """The share of attention on those samples from which on a piece is held back, 0 to 1."""
    auc: float
    """Area under the curve of telling pieces that will change from those that stay, measured when it was calibrated."""


GateKey = tuple[Task, str, str]
"""Task, source and target; of a transcript the target is the source."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a translator can do, known once it is loaded."""

    name: str
    """As shown to people, e.g. "embedded"."""
    device: str
    """Where it computes, and why there: "cpu (no GPU found)"."""
    directions: frozenset[tuple[str, str]]
    """(source, target) language codes."""
    max_samples: int
    """Longest utterance taken."""
    verifies: bool = False
    points: bool = False
    names_language: bool = False
    """Whether it scores the languages, no speech among them, where none is given; otherwise it only takes a guess."""
    transcribes: bool = False
    word_times: bool = False
    takes_context: bool = False
    takes_terms: bool = False
    max_in_flight: int = 1
    uncertain_below: float | None = None
    """Confidence (models/confidence.py says of what) below which a caption is uncertain; None: not calibrated."""
    gates: Mapping[GateKey, Gate] = field(default_factory=dict)
    """Of a translator that points: the texts whose pieces point well enough to hold them back by it; others do not."""
    sure_above: Mapping[GateKey, float] = field(default_factory=dict)
    """A piece's log-probability above which it rarely changes with sound not heard yet; empty: not calibrated."""


Progress = Callable[[float], None]
"""Takes the share loaded, 0 to 1."""


class Translator(Protocol):
    """One loaded model. Called from one thread; a result depends on its request alone."""

    def load(self, progress: Progress) -> Capabilities:
        """Read the weights.

        Raises:
            ModelLoadError: the checkpoint is missing, broken or of another kind.
        """
        ...

    def translate(self, request: Request, cancelled: Callable[[], bool]) -> Hypothesis:
        """Answer a request; asks `cancelled` every few tokens and then raises Cancelled.

        Raises:
            TranslateError: this request cannot be answered.
            Cancelled: nobody waits for the answer any more.
        """
        ...

    def close(self) -> None:
        """Free memory."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said in a conversation about sound."""

    role: Role
    text: str
    audios: tuple[Samples, ...] = ()
    """Each (n,) float32 in [-1, 1], 16 kHz mono; only the user's turns have any."""


@dataclass(frozen=True, slots=True)
class AnswererCapabilities:
    """What an answerer can do, known once it is loaded."""

    name: str
    device: str
    """Where it computes, and why there."""
    max_samples: int
    """Longest single sound taken."""
    converses: bool = False
    """Takes several turns and several sounds; otherwise one question about one sound."""
    analyses: frozenset[Analysis] = frozenset()


class Answerer(Protocol):
    """One loaded model that answers about sound. Called from one thread."""

    def load(self, progress: Progress) -> AnswererCapabilities:
        """Read the weights.

        Raises:
            ModelLoadError: the checkpoint is missing, broken or cannot answer.
        """
        ...

    def answer(self, turns: Sequence[Turn]) -> Iterator[str]:
        """The answer to the last turn, the user's, as it is written: its parts join by concatenation.

        Raises:
            TranslateError: this conversation cannot be answered; the sentence says why.
        """
        ...

    def analyse(self, task: Analysis, samples: Samples) -> Iterator[str]:
        """What is to be heard in one sound, as it is written.

        Raises:
            TranslateError: the sound cannot be analysed, or the model has no such task.
        """
        ...

    def close(self) -> None:
        """Free memory."""
        ...


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """A translation was given up because nobody waits for it."""


@dataclass(frozen=True, slots=True)
class TranslatorFactory:
    """How to build a translator in another process: a dotted callable and its arguments, both picklable."""

    target: str
    """"package.module:callable", imported only when called."""
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __call__(self) -> Translator:
        """Import the module and build the (not yet loaded) translator."""
        translator: Translator = _build(self.target, self.arguments)
        return translator


@dataclass(frozen=True, slots=True)
class AnswererFactory:
    """How to build an answerer: as TranslatorFactory says."""

    target: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __call__(self) -> Answerer:
        """Import the module and build the (not yet loaded) answerer."""
        answerer: Answerer = _build(self.target, self.arguments)
        return answerer


def _build(target: str, arguments: Mapping[str, object]) -> Any:  # noqa: ANN401 - whatever the target is
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)(**arguments)


@dataclass(frozen=True, slots=True)
class Loading:
    """The worker's reply while weights are read."""

    share: float


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker's reply once it can translate; again after a restart."""

    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Done:
    """A ticket's answer."""

    ticket: int
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class Failed:
    """A ticket's error; ticket None: the model cannot be loaded, a final Died follows. Cancelled tickets get none."""

    ticket: int | None
    error: ModelError


@dataclass(frozen=True, slots=True)
class Died:
    """The model process ended; unless `is_final`, another one is being started."""

    reason: str
    ticket: int | None
    """The ticket it held, which is sent again; None where it held none, or that one was cancelled or given up."""
    is_final: bool = False


Reply = Loading | Ready | Done | Failed | Died
