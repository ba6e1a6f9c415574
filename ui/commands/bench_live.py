"""`tongchuan bench live`: the demonstration meeting in real time through the whole program, on a model of some size."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from live.errors import LiveError
from live.events import CaptionUpdated, Event, LagChanged, StateChanged, UtteranceClosed
from live.settings import AUTO, Settings
from models.base import SAMPLE_RATE, TranslatorFactory
from ui.commands.bench_model import UNMEASURED, add_size, chosen_quant
from ui.commands.figures import write_json
from ui.commands.follow import follow
from ui.commands.options import load_settings
from ui.commands.starting import Emit, Hear, session_maker
from ui.exits import INTERRUPTED
from ui.saying import say

if TYPE_CHECKING:
    from live.demo import Script
    from live.session import Session
    from models.catalogue import Entry
    from models.precision import Quant

LANGUAGES = ("zh", "en")
SCRIPTED = "models.bench.scripted:ScriptedTranslator"
FINAL_P95_S = 0.5
"""From the end of speech to the final caption, asked of one H100."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How something was spread: half of it at most p50, 19 of 20 at most p95; None where there was none."""

    p50_s: float | None
    p95_s: float | None

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of some times."""
        import numpy as np

        if not seconds:
            return cls(None, None)
        return cls(float(np.percentile(seconds, 50)), float(np.percentile(seconds, 95)))

    def __str__(self) -> str:
        shown = ("-" if value is None else f"{1000 * value:.0f}" for value in (self.p50_s, self.p95_s))
        return " | ".join(shown)


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What was measured."""

    model: str
    quant: Quant
    """How its weights are held."""
    device: str
    n_updates: int
    n_finals: int
    n_lost: int
    waiting: Spread
    compute: Spread
    after_quiet: Spread
    """From the quiet that ended an utterance to its final caption."""
    end_to_final: Spread
    """From the end of speech, which comes before that quiet, to its final caption."""
    realtime_factor: float
    dropped_s: float


@dataclass(slots=True)
class _Lags:
    """A sink that keeps how long each update waited and computed, and each final after its utterance was over."""

    waiting_s: list[float] = field(default_factory=list)
    compute_s: list[float] = field(default_factory=list)
    after_quiet_s: list[float] = field(default_factory=list)
    closed_s: dict[int, float] = field(default_factory=dict)
    device: str = ""

    def take(self, event: Event, at_s: float) -> None:
        """Note an event."""
        match event:
            case LagChanged(waiting_s=waiting_s, compute_s=compute_s):
                self.waiting_s.append(waiting_s)
                self.compute_s.append(compute_s)
            case UtteranceClosed(id=utterance_id):
                self.closed_s[utterance_id] = at_s
            case CaptionUpdated(caption) if caption.is_final and caption.id in self.closed_s:
                self.after_quiet_s.append(at_s - self.closed_s[caption.id])
            case StateChanged("listening", detail) if not self.device:
                self.device = detail
            case _:
                pass

    def close(self) -> None:
        """Nothing is held."""


class _Silent:
    """Shows nothing but sentences."""

    def apply(self, event: Event) -> None:
        """Show an event."""

    def tick(self) -> None:
        """Refresh."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""
        say(sentence)


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action's words."""
    parser = actions.add_parser(
        "live",
        help="time captions while the demonstration meeting plays",
        description="Play the demonstration meeting in real time to the whole program, and print how long captions "
        "take. With random weights the texts are the script's own, and cost what the model would take for as many "
        "tokens.",
        allow_abbrev=False,
    )
    add_size(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures here")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play, measure and print.

    Raises:
        LiveError: the settings are wrong, there is no such model, the session failed, or the file cannot be written.
        ModelError: there is no such model here.
    """
    from live.demo import load_script, meeting_sound

    settings, _ = load_settings(arguments)
    settings = dataclasses.replace(settings, from_language=AUTO, to_language=AUTO, pair=LANGUAGES)
    script = load_script()
    entry = _scripted(arguments, settings, script) if arguments.random_weights else _known(arguments, settings)
    with meeting_sound() as sound:
        figures, is_interrupted = _play(settings, entry, sound, script)
    print("\n".join(table(figures)))
    if arguments.json:
        write_json(arguments.json, dataclasses.asdict(figures))
    return INTERRUPTED if is_interrupted else 0


def _scripted(arguments: argparse.Namespace, settings: Settings, script: Script) -> Entry:
    from models.bench import Said
    from models.catalogue import Entry

    said = tuple(
        Said(
            round(line.start_s * SAMPLE_RATE),
            round(line.end_s * SAMPLE_RATE),
            turn.language,
            line.text,
            line.translation,
        )
        for turn in script.turns
        for line in turn.lines
    )
    name = f"{arguments.size} with random weights"
    factory = TranslatorFactory(
        SCRIPTED,
        {
            "size": arguments.size,
            "script": said,
            "languages": LANGUAGES,
            "device": settings.device,
            "quant": chosen_quant(arguments),
        },
    )
    return Entry(name, name, factory)


def _known(arguments: argparse.Namespace, settings: Settings) -> Entry:
    from models.catalogue import EMBEDDED, known, resolve
    from models.choice import with_precision

    if arguments.size not in {entry.name for entry in known()}:
        raise LiveError(
            f"The size {arguments.size} has no weights of its own: add --random-weights, or take {EMBEDDED}."
        )
    return with_precision(resolve(arguments.size, settings.device), settings.quant, settings.device)


def _play(settings: Settings, entry: Entry, sound: Path, script: Script) -> tuple[LiveFigures, bool]:
    from live.audio_file import FileSource
    from live.evaluation.summary import Summary

    file = FileSource(sound, "live")
    summary, lags = Summary(), _Lags()
    sessions: list[Session] = []

    def make(emit: Emit, hear: Hear) -> Session:
        sessions.append(session_maker(settings, [file], entry)(emit, hear))
        return sessions[0]

    ending = follow(make, _Silent(), [summary, lags])
    played_s = file.position / SAMPLE_RATE
    if not played_s:
        if ending.is_interrupted:
            raise KeyboardInterrupt
        raise LiveError("Nothing was played, so there is nothing to measure.")
    report = summary.report(script, played_s, sessions[0].started_s)
    figures = LiveFigures(
        model=entry.name,
        quant=cast("Quant", entry.factory.arguments.get("quant", "none")),
        device=lags.device,
        n_updates=len(lags.compute_s),
        n_finals=report.n_utterances,
        n_lost=report.n_lost,
        waiting=Spread.of(lags.waiting_s),
        compute=Spread.of(lags.compute_s),
        after_quiet=Spread.of(lags.after_quiet_s),
        end_to_final=Spread(report.delay_p50_s, report.delay_p95_s),
        realtime_factor=report.realtime_factor,
        dropped_s=report.dropped_s,
    )
    return figures, ending.is_interrupted


def table(figures: LiveFigures) -> list[str]:
    """The figures as Markdown."""
    lost = f", {figures.n_lost} given up" if figures.n_lost else ""
    dropped = f", {figures.dropped_s:.1f} s of sound dropped" if figures.dropped_s else ""
    return [
        f"The demonstration meeting in real time: {figures.device or figures.model}; {figures.n_updates} updates, "
        f"{figures.n_finals} of them final{lost}{dropped}; {figures.realtime_factor:.2f} s of computing for a "
        "second of sound.",
        "",
        "| ms | p50 | p95 |",
        "|---|---|---|",
        f"| an update waits | {figures.waiting} |",
        f"| an update computes | {figures.compute} |",
        f"| end of an utterance, after its quiet, to final | {figures.after_quiet} |",
        f"| end of speech to final | {figures.end_to_final} |",
        "",
        _verdict(figures),
    ]


def _verdict(figures: LiveFigures) -> str:
    p95_s = figures.end_to_final.p95_s
    can_tell = figures.model.startswith("qwen-audio") and "H100" in figures.device and figures.quant == "none"
    if not can_tell or p95_s is None:
        return f"* End of speech to final, p95 <= {FINAL_P95_S} s: {UNMEASURED}."
    return f"* End of speech to final, p95: {p95_s:.2f} s (target <= {FINAL_P95_S} s): " + (
        "met." if p95_s <= FINAL_P95_S else "**missed**."
    )
