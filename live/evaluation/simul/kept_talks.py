"""Talks on disk, so that they are spoken once: a folder of sounds and one list of what is said in them.

In: Talks and a folder. Out: the same Talks, or nothing where the folder does not hold them whole. Making them is not
its business.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from live.evaluation.simul.record import Sentence, Talk
from live.files import replace_private
from models.base import Samples

LIST = "talks.json"
"""Written last: without it the folder counts as empty."""
_FULL_SCALE = 32_768


def keep(talks: Iterable[Talk], folder: Path) -> None:
    """Write talks; the folder's own of before are replaced.

    Raises:
        OSError: they cannot be written there.
    """
    entries = []
    for talk in talks:
        sound = io.BytesIO()
        np.save(sound, np.rint(talk.samples * _FULL_SCALE).clip(-_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16))
        replace_private(folder / f"{talk.name}.npy", sound.getvalue())
        entries.append(
            {
                "name": talk.name,
                "source": talk.source,
                "target": talk.target,
                "digest": _digest(sound.getvalue()),
                "sentences": [asdict(sentence) for sentence in talk.sentences],
            }
        )
    replace_private(folder / LIST, json.dumps(entries, ensure_ascii=False))


def read(folder: Path) -> tuple[Talk, ...]:
    """The talks of a folder; none where one is missing or damaged."""
    try:
        return tuple(_talk(entry, folder) for entry in json.loads((folder / LIST).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _talk(entry: dict[str, Any], folder: Path) -> Talk:
    data = (folder / f"{entry['name']}.npy").read_bytes()
    if _digest(data) != entry["digest"]:
        raise ValueError("the sound is not the one that was written")
    samples: Samples = np.load(io.BytesIO(data), allow_pickle=False).astype(np.float32) / np.float32(_FULL_SCALE)
    samples.flags.writeable = False
    sentences = tuple(Sentence(**sentence) for sentence in entry["sentences"])
    return Talk(entry["name"], entry["source"], entry["target"], samples, sentences)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
