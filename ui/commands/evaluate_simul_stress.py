"""`tongchuan evaluate simul --stress`: our policy with a model too slow, for an hour, and on sounds without speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ui.commands.evaluate_simul_table import Report

if TYPE_CHECKING:
    from live.evaluation.simul.record import Talk
    from live.evaluation.simul.stress import Finding, Model
    from live.settings import Settings
    from models.catalogue import Entry

TRIALS = ("slow", "hour", "sounds")
KINDS = {"silence": "silence", "tones": "music-like chords", "keys": "a keyboard", "applause": "applause-like noise"}
"""Sounds of the recipe, and what they are like."""
SOUND_S = 600.0


def tried(trials: Sequence[str], entry: Entry, settings: Settings, talks: Sequence[Talk]) -> Report:
    """Make the trials, one after the other, in this process.

    Raises:
        SettingsError: the voice detector is missing.
        ModelError: the model cannot be loaded, or failed.
    """
    found = list(_findings(trials, entry, settings, talks))
    lines = [[each.what, each.figure, each.wanted, "met" if each.is_met else "MISSED"] for each in found]
    table = ("trials of our policy", ("trial", "figure", "wanted", ""), lines)
    return Report((table,), {"trials": [asdict(each) for each in found]})


def _findings(trials: Sequence[str], entry: Entry, settings: Settings, talks: Sequence[Talk]) -> Iterator[Finding]:
    from live.evaluation.simul import stress
    from live.vad import make_detector
    from models.memory import give_back
    from models.worker_child import set_environment

    set_environment()  # as in a session's model process
    translator = entry.factory()
    can = translator.load(lambda _share: None)
    model = stress.Model(translator, can, lambda: make_detector(settings.detector), rest=give_back)
    for trial in trials:
        match trial:
            case "slow":
                for talk in _first_of_each(talks):
                    yield from stress.slowed(model, talk)
            case "hour":
                first = talks[0].source
                yield from stress.hour(model, [talk for talk in talks if talk.source == first], _resident)
            case _:
                yield from _of_sounds(model)
    translator.close()


def _of_sounds(model: Model) -> Iterator[Finding]:
    from live.evaluation.simul import stress
    from live.policy import Direction
    from models.embedded.recipe.segments import OTHER
    from models.embedded.recipe.talks import make_sound

    for kind, title in KINDS.items():
        yield stress.sound(model, title, make_sound(kind, SOUND_S), Direction(None, OTHER))


def _first_of_each(talks: Sequence[Talk]) -> list[Talk]:
    """The first talk of each language."""
    return list({talk.source: talk for talk in reversed(talks)}.values())


def _resident() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
