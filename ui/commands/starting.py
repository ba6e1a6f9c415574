"""Sessions as every command starts them: what the model's libraries print goes to a file beside the log.

In: settings, sources, a model's catalogue entry. Out: what builds the session once it is known where its events and
its sound go.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from live.audio import AudioChunk
from live.events import Event
from live.settings import Settings

if TYPE_CHECKING:
    from live.capture import Source
    from live.session import Session
    from models.catalogue import Entry

Emit = Callable[[Event], None]
Hear = Callable[[AudioChunk], None]


def session_maker(
    settings: Settings, sources: Sequence[Source], entry: Entry, *, as_live: bool = False, word_times: bool = False
) -> Callable[[Emit, Hear], Session]:
    """Return what builds a session, not yet started, for the functions that take its events and its sound."""
    from live.session import Session
    from models.worker import ModelWorker
    from ui.logs import model_log_path

    start_worker = functools.partial(ModelWorker, log_path=str(model_log_path()))

    def make(emit: Emit, hear: Hear) -> Session:
        return Session(
            settings,
            sources,
            entry.factory,
            emit,
            model_name=entry.name,
            hear=[hear],
            as_live=as_live,
            word_times=word_times,
            start_worker=start_worker,
        )

    return make
