"""Which heads of a checkpoint point, measured and kept with it.

In: a checkpoint folder. Out: what pointers.stored_pointers reads, and a table of what it is worth. Clips, voices and
seeds are the calibration's own: no score uses them together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from models.base import SAMPLE_RATE, Gate, GateKey, Task
from models.calibration import POINTING, SECTION, keep, write_into_config
from models.embedded.recipe import workers
from models.embedded.recipe.export import CONFIG
from models.embedded.recipe.grammar import Language
from models.embedded.recipe.heads import chosen
from models.embedded.recipe.heads.chosen import Aim, Rule
from models.embedded.recipe.heads.watched import HOLDS, TASKS, VARIANTS, Aimed, Job, Sets, Written, aim, heads_of, write
from models.embedded.recipe.segments import OTHER
from models.pointers import MIN_AUC, Head, Pointer, as_stored, gate_key
from models.qwen_audio.frontend import AUDIO_TOKEN

Show = Callable[[str], None]
Found = TypeVar("Found")

LANGUAGES: tuple[Language, ...] = ("zh", "en")
BATCH = 50
"""Clips that a process watches; a new one is begun for the next, for espeak-ng remembers what it said."""
AIMED_SHARE = 3
"""Heads are ranked on one clip in so many: each has some ten words, and of parts only few go wrong."""
HEADING = (
    "| text | heads | from the word | gate AUC | wrong held | right held | log-probability AUC | sure above | settled"
    " at first sight | wrong of these | wrong of all |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def calibrate_heads(folder: Path, n: int, n_processes: int, *, show: Show, show_progress: Show) -> None:
    """Find the heads of each text, and keep them.

    Args:
        folder: the checkpoint, told by task tags; its config is written anew, or a file beside it where it is not ours.
        n: clips a language, of each half.
        n_processes: at once.
        show: takes each line about what came of it.
        show_progress: takes each line about progress.

    Raises:
        ValueError: of some text nothing was written, or no word of it has a time: it needs more clips.
    """
    heads = heads_of(folder)
    aims = _ranked(folder, heads, n, n_processes, show_progress)
    sets: Sets = {text: chosen.candidates(found) for text, found in aims.items()}
    written = _written(folder, sets, n, n_processes, show_progress)
    pointers: dict[GateKey, Pointer] = {}
    show(HEADING)
    for language in LANGUAGES:
        halves = {half: [written[half, language, task] for task in TASKS] for half in VARIANTS}
        hold = chosen.choose_hold(halves["choose"])
        for task, choosing, reporting in zip(TASKS, halves["choose"], halves["report"], strict=True):
            rule = chosen.choose_set(choosing, hold)
            pointer = _pointer(sets[language, task][rule.set], rule, choosing, reporting)
            key = gate_key(task, language, OTHER[language])
            pointers[key] = pointer
            show(_line(key, pointer, aims[language, task], rule, reporting))
    show(f"\nkept in {_kept(folder, pointers)}")


def _jobs(halves: Sequence[str], n: int) -> list[Job]:
    return [
        Job(half, language, first // BATCH, min(BATCH, n - first))
        for half in halves
        for language in LANGUAGES
        for first in range(0, n, BATCH)
    ]


def _ranked(
    folder: Path, heads: Sequence[Head], n: int, n_processes: int, show_progress: Show
) -> dict[tuple[Language, Task], list[Aim]]:
    jobs = _jobs(["choose"], max(1, n // AIMED_SHARE))
    aimed: dict[tuple[Language, Task], list[Aimed]] = {}
    job = partial(_numbered, partial(aim, folder, jobs))
    for number, found in workers.each(job, range(len(jobs)), n_processes, show_progress, is_fresh=True):
        for each in found:
            aimed.setdefault((jobs[number].language, each.task), []).append(each)
        show_progress(f"where heads look: {jobs[number].language}, batch {jobs[number].batch}")
    return {text: chosen.ranked(found, heads) for text, found in aimed.items()}


def _written(
    folder: Path, sets: Sets, n: int, n_processes: int, show_progress: Show
) -> dict[tuple[str, Language, Task], list[Written]]:
    jobs = _jobs(list(VARIANTS), n)
    written: dict[tuple[str, Language, Task], list[Written]] = {}
    job = partial(_numbered, partial(write, folder, sets, jobs))
    for number, found in workers.each(job, range(len(jobs)), n_processes, show_progress, is_fresh=True):
        for each in found:
            written.setdefault((jobs[number].half, jobs[number].language, each.task), []).append(each)
        show_progress(f"what changes: {jobs[number].half}, {jobs[number].language}, batch {jobs[number].batch}")
    if len(written) < len(VARIANTS) * len(sets):
        raise ValueError(f"of some text nothing was written in {n} clips; take more of them")
    return written


def _numbered(job: Callable[[int, int], Found], number: int, changed: int) -> tuple[int, Found]:
    return number, job(number, changed)


def _pointer(heads: tuple[Head, ...], rule: Rule, choosing: Sequence[Written], reporting: Sequence[Written]) -> Pointer:
    """What is kept of a text: chosen on one half, its worth told by the other."""
    found = chosen.worth(reporting, rule)
    gate = Gate(HOLDS[rule.hold] * AUDIO_TOKEN, rule.tail_mass_below, round(found.auc, 4))
    return Pointer(heads, gate, chosen.choose_sure(choosing))


def _line(key: GateKey, pointer: Pointer, aims: Sequence[Aim], rule: Rule, reporting: Sequence[Written]) -> str:
    task, source, target = key
    found = chosen.worth(reporting, rule)
    nearest = aims[0]
    gate = "on" if pointer.is_trusted else f"off, under {MIN_AUC}"
    sure, settled, wrong = "none", "", ""
    if pointer.sure_above is not None:
        shares = chosen.settled(reporting, pointer.sure_above)
        sure, settled, wrong = f"{pointer.sure_above}", f"{shares[0]:.1%}", f"{shares[1]:.2%}"
    cells = (
        f"{task} {source}-{target}" if task == "translate" else f"{task} {source}",
        " ".join(f"{layer}.{head}" for layer, head in pointer.heads),
        f"{nearest.error_s:.2f} s (head {nearest.head[0]}.{nearest.head[1]}, {nearest.rises:.0%} in order)",
        f"{found.auc:.3f}, {gate} (hold {pointer.gate.hold / SAMPLE_RATE:g} s, mass {pointer.gate.tail_mass_below})",
        f"{found.caught:.0%}",
        f"{found.held_for_nothing:.0%}",
        f"{chosen.auc_of_logprob(reporting):.3f}",
        *(sure, settled, wrong),
        f"{chosen.share_wrong(reporting):.2%}",
    )
    return f"| {' | '.join(cells)} |"


def _kept(folder: Path, pointers: dict[GateKey, Pointer]) -> Path:
    """Into the config of a checkpoint of this recipe, beside any other."""
    config = folder / CONFIG
    if SECTION in json.loads(config.read_text("utf-8")):
        write_into_config(folder, POINTING, as_stored(pointers))
        return config
    return keep(folder, POINTING, as_stored(pointers))
