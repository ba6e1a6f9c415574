"""Which devices a session is to listen to: at most one a lane, chosen by settings and changed by a command.

In: a kind of source and names. Out: Sources, not opened yet. Opening them is the business of `live.lanes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from live.audio import Lane
from live.capture import Source, open_source
from live.events import SetSources, SourceKind
from live.settings import Settings
from live.sound_systems.base import DeviceKind

OpenSource = Callable[[DeviceKind, str], Source]
_LANES: Mapping[SourceKind, tuple[DeviceKind, ...]] = {
    "microphone": ("microphone",),
    "system": ("system",),
    "both": ("microphone", "system"),
}


def chosen_sources(settings: Settings, open_source: OpenSource = open_source) -> tuple[Source, ...]:
    """The devices that settings ask for."""
    names: dict[DeviceKind, str] = {"microphone": settings.input, "system": settings.output}
    return tuple(open_source(kind, names[kind]) for kind in _LANES[settings.source])


def shown_names(sources: Iterable[Source]) -> str:
    """Sources as people read them, in a row."""
    return ", ".join(source.name for source in sources)


@dataclass(frozen=True, slots=True)
class Change:
    """What another choice means for what is listened to."""

    gone: tuple[Lane, ...]
    """Lanes that nobody listens to any more."""
    new: tuple[Source, ...]
    """Sources to be opened, some in the place of a lane's other one."""


class Chosen:
    """What is to be listened to now.

    Args:
        sources: At first; of each lane one.
        settings: Say by which names they were chosen.
        open_source: Makes another.
    """

    def __init__(self, sources: Iterable[Source], settings: Settings, open_source: OpenSource) -> None:
        self._by_lane: dict[Lane, Source] = {source.lane: source for source in sources}
        self._names: dict[Lane, str] = {"microphone": settings.input, "system": settings.output}
        self._open_source = open_source

    @property
    def sources(self) -> tuple[Source, ...]:
        """One a lane."""
        return tuple(self._by_lane.values())

    @property
    def is_file(self) -> bool:
        """Whether it is no device."""
        return "file" in self._by_lane

    @property
    def shown(self) -> str:
        """Their names as people read them."""
        return shown_names(self.sources)

    def change(self, wish: SetSources) -> Change:
        """Choose others; a lane whose device was not changed keeps its source. Of devices only."""
        named: dict[Lane, str | None] = {"microphone": wish.input_name, "system": wish.output_name}
        wanted = _LANES[wish.source]
        gone = tuple(lane for lane in self._by_lane if lane not in wanted)
        new = []
        for lane in wanted:
            wished = named[lane]
            name = self._names[lane] if wished is None else wished
            if lane not in self._by_lane or name != self._names[lane]:
                new.append(self._open_source(lane, name))
                self._names[lane] = name
        self._by_lane = {lane: source for lane, source in self._by_lane.items() if lane not in gone}
        self._by_lane |= {source.lane: source for source in new}
        return Change(gone, tuple(new))
