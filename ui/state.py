"""What the interface remembers by itself: where the overlay was put, and what was said and asked once. No settings.

In: a screen's name and a place on it as shares of the free room; words for what happened once. Out: the same, next
time. A file that cannot be read or written costs the memory, never the session. Which places are on a screen is the
business of `ui.placing`, what is said once that of who says it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from live.files import replace_private

log = logging.getLogger(__name__)

Share = tuple[float, float]
"""Where a window stands in the room it has: (0, 0) is top left, (1, 1) bottom right, whatever its size."""


def state_path() -> Path:
    """Where the file is, or would be."""
    return platformdirs.user_state_path("tongchuan", appauthor=False) / "windows.json"


@dataclass(frozen=True, slots=True)
class Places:
    """The overlay's place on each screen it has been put on."""

    last_screen: str | None = None
    """Name of the screen it was put on last."""
    shares: dict[str, Share] = field(default_factory=dict)
    """By screen name."""

    def put(self, screen: str, share: Share) -> Places:
        """The places once it was put there; the other screens' stay as they are."""
        return Places(screen, self.shares | {screen: share})


def load_places(path: Path | None = None) -> Places:
    """Read the places; none where there is no file, or where it is broken (a line in the log says so)."""
    path = path or state_path()
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Places()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("Window places in %s cannot be read (%s); the overlay starts at its usual place.", path, error)
        return Places()


def save_place(screen: str, share: Share, path: Path | None = None) -> None:
    """Remember where the overlay was put; the other screens' places stay as they are."""
    path = path or state_path()
    places = load_places(path).put(screen, share)
    document = {"overlay": {"last_screen": places.last_screen, "screens": places.shares}}
    try:
        replace_private(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        log.warning("Window places cannot be written to %s (%s).", path, error.strerror)


def noted_path() -> Path:
    """Where the file of what was said and asked once is, or would be."""
    return state_path().with_name("once.json")


def is_noted(what: str) -> bool:
    """Whether `note` was told so, now or in an earlier run."""
    return what in _noted()


def note(what: str) -> None:
    """Remember that something was said or answered, so that it is not said or asked again."""
    path = noted_path()
    try:
        replace_private(path, json.dumps(sorted(_noted() | {what}), ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        log.warning("What was said once cannot be written to %s (%s).", path, error.strerror)


def _noted() -> frozenset[str]:
    path = noted_path()
    try:
        return frozenset(str(what) for what in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError) as error:
        log.warning("What was said once cannot be read from %s (%s); it may be said again.", path, error)
        return frozenset()


def _parse(document: Any) -> Places:  # noqa: ANN401 - whatever the file held
    overlay = document["overlay"]
    last = overlay["last_screen"]
    shares = {str(name): (_share(x), _share(y)) for name, (x, y) in overlay["screens"].items()}
    return Places(last_screen=None if last is None else str(last), shares=shares)


def _share(value: Any) -> float:  # noqa: ANN401 - whatever the file held
    share = float(value)
    if not 0.0 <= share <= 1.0:  # NaN included
        raise ValueError(f"{value} is no share of a screen")
    return share
