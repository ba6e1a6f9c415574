"""Which languages are heard and into which they go.

In: what a user chose, and what a translator can do. Out: the directions of a session, or why there is none. Which
language an utterance is in is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from live.errors import SettingsError
from models.base import LANGUAGES, WRITTEN_ONLY, Capabilities

FEW_DIRECTIONS = 4
"""So many are named one by one."""


@dataclass(frozen=True, slots=True)
class Direction:
    """Which language is heard and into which it goes."""

    source: str | None
    """Language code; None: decided for each utterance, among those that have a target."""
    targets: Mapping[str, str]
    """Source to target."""

    @classmethod
    def between(cls, source: str | None, target: str | None, pair: tuple[str, str]) -> Direction:
        """The direction a user chose.

        Args:
            source: Language code, or None: decided for each utterance.
            target: Language code, or None: the other of the pair.
            pair: The two languages of the conversation.

        Raises:
            SettingsError: both are the same.
        """
        if source is not None and source == target:
            raise SettingsError(f"Speech in {source} cannot be translated into {source}: choose two languages.")
        heard: tuple[str, ...] = pair if source is None else (source,)
        if source is None and target is not None:  # who speaks the language of the subtitles needs none
            heard = tuple(language for language in pair if language != WRITTEN_ONLY.get(target, target))
        targets = {language: target or _other(language, pair) for language in heard}
        return cls(source, targets)

    def within(self, capabilities: Capabilities) -> Direction:
        """The part of it that a translator can do.

        Raises:
            SettingsError: there is none.
        """
        targets = {source: into for source, into in self.targets.items() if (source, into) in capabilities.directions}
        if not targets:
            asked = _listed(self.targets.items())
            raise SettingsError(
                f"The model {capabilities.name} does not translate {asked}, only {_offered(capabilities.directions)}: "
                "choose another direction or another model."
            )
        return Direction(self.source, targets)

    def priors(self, capabilities: Capabilities) -> Mapping[str, float]:
        """Probability 0 for each of the translator's languages that is not expected here."""
        if self.source is not None:
            return {}
        known = {language for direction in capabilities.directions for language in direction}
        return {language: 1.0 if language in self.targets else 0.0 for language in sorted(known)}


def _other(language: str, pair: tuple[str, str]) -> str:
    return pair[1] if language == pair[0] else pair[0]


def _listed(directions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{source} to {target}" for source, target in directions)


def _offered(directions: frozenset[tuple[str, str]]) -> str:
    """Directions in words: one by one where there are few, together where each source has the same targets."""
    if len(directions) <= FEW_DIRECTIONS:
        return _listed(sorted(directions))
    codes = [*LANGUAGES, *sorted({code for direction in directions for code in direction} - set(LANGUAGES))]
    sources = [code for code in codes if any(source == code for source, _ in directions)]
    targets = [code for code in codes if any(target == code for _, target in directions)]
    every = {(source, target) for source in sources for target in targets if source != WRITTEN_ONLY.get(target, target)}
    if every <= directions | {(source, source) for source in sources}:
        return f"{', '.join(sources)} to {', '.join(targets)}"
    into = {source: [target for target in targets if (source, target) in directions] for source in sources}
    return "; ".join(f"{source} to {', '.join(targets)}" for source, targets in into.items())
