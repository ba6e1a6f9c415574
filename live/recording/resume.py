"""Utterances of a recorded session translated later, from its recorded sound.

In: a session's folder and a model. Out: captions at the end of its journal, in the order they are made; what is there
already stays. Which session, which model and what the user sees are the caller's business.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import queue
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from live.audio import Utterance
from live.errors import LiveError
from live.events import Caption, CaptionUpdated, Event, UtteranceFailed, UtteranceSilent
from live.policy import Direction, Retranslation
from live.queues import JobQueue
from live.recording.encoder import mend
from live.recording.folder import UNFINISHED_NAME, SessionFolder, unfinished
from live.recording.journal import AUDIO_FOLDER, Transcript, Untranslated, read
from live.recording.records import By, CaptionSettled
from live.recording.session_info import SessionInfo
from live.recording.sound import RecordedSound
from live.recording.unclosed import unclosed
from live.session import chosen_direction
from live.settings import RULES, Settings
from live.translator_thread import StartWorker, TranslatorEnded, TranslatorReady, TranslatorThread
from models.base import TranslatorFactory
from models.worker import ModelWorker

AHEAD = 2
"""Utterances that wait for the model: enough to keep it busy."""
CLOSE_S = 15.0
"""How long the model process may take to end."""

Heard = Untranslated | Caption
"""An utterance: its id, lane, start and end."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, in utterances."""

    n_translated: int = 0
    n_silent: int = 0
    """Held no words after all."""
    n_failed: int = 0
    n_without_sound: int = 0
    """Could not be tried: nothing of them is recorded."""


def rest(root: Path) -> list[tuple[Path, int]]:
    """Look after the sessions that were cut off: mend their sound, and see what is left to translate.

    What was being said when the program died is part of it.

    Returns:
        Their folders, newest first, with the number of utterances that have sound and no caption; at least one each.
    """
    found = []
    for folder in unfinished(root):
        try:
            n_left = _look_after(folder)
        except (LiveError, OSError) as error:
            _log.warning("a session that was cut off cannot be looked after: %s", type(error).__name__)
            continue
        if n_left:
            found.append((folder, n_left))
    return found


def _look_after(folder: Path) -> int:
    """Mend a session's sound, and write down what was being said at its end; returns how much is left to translate."""
    session = SessionFolder.open(folder)
    try:
        mend(folder / AUDIO_FOLDER)
        transcript = read(folder)
        for utterance in unclosed(transcript, _settings(transcript.info).detector):
            session.add(utterance)
        if session.n_waiting:
            session.flush()
        n_left = len(resumable(read(folder)))
        if not n_left:
            (folder / UNFINISHED_NAME).unlink(missing_ok=True)
    finally:
        session.close()
    return n_left


def resumable(transcript: Transcript) -> list[Untranslated]:
    """What is worth translating yet and has a file of sound on its lane."""
    sound = RecordedSound(transcript)
    return [heard for heard in transcript.pending if sound.has(heard.lane)]


def resume(
    folder: Path,
    factory: TranslatorFactory,
    model_name: str,
    *,
    ids: Collection[int] | None = None,
    by: By = "resume",
    settings: Settings | None = None,
    show: Callable[[Event], None] = lambda _event: None,
    start_worker: StartWorker = ModelWorker,
) -> Outcome:
    """Translate utterances of a session; returns once all are done.

    Args:
        folder: The session's.
        factory: Builds the translator, in the model process.
        model_name: As the captions shall name it.
        ids: Which utterances, those with a caption included; None: what `Transcript.pending` names.
        by: What the captions are said to come from.
        settings: Choose the direction; None: the one the session had.
        show: Takes the translator's events as they come, on this thread.
        start_worker: Starts the model process.

    Raises:
        RecordingError: the session cannot be read or written, or another program writes it.
        SettingsError: the model cannot translate in this direction.
        LiveError: the model cannot be loaded, or is lost; captions made until then are kept.
    """
    session = SessionFolder.open(folder)
    try:
        transcript = read(folder)
        direction = chosen_direction(settings or _settings(transcript.info))
        work = _Work(transcript, _wanted(transcript, ids), session, CaptionBy(model_name, by), show)
        work.run(factory, direction, start_worker)
    finally:
        session.close()
    return work.outcome


@dataclass(frozen=True, slots=True)
class CaptionBy:
    """Whose captions they are."""

    model: str
    by: By


class _Work:
    """One session's utterances on their way through the translator thread."""

    def __init__(
        self,
        transcript: Transcript,
        wanted: list[Heard],
        session: SessionFolder,
        author: CaptionBy,
        show: Callable[[Event], None],
    ) -> None:
        self.outcome = Outcome()
        self._sound = RecordedSound(transcript)
        self._wanted = deque(wanted)
        self._session = session
        self._author = author
        self._show = show
        self._jobs = JobQueue()
        self._inbox: queue.SimpleQueue[Event | TranslatorReady | TranslatorEnded] = queue.SimpleQueue()
        self._n_ahead = 0

    def run(self, factory: TranslatorFactory, direction: Direction, start_worker: StartWorker) -> None:
        thread = TranslatorThread(
            factory, start_worker, self._jobs, self._inbox.put, self._inbox.put, model_name=self._author.model
        )
        thread.start()
        has_ended = False
        try:
            while not has_ended:
                message = self._inbox.get()
                match message:
                    case TranslatorReady(capabilities):
                        thread.policy = Retranslation(capabilities, direction)
                        self._feed()
                    case TranslatorEnded(error):
                        has_ended = True
                        if error is not None:
                            raise LiveError(error)
                    case _:
                        self._take(message)
        finally:
            if not has_ended:
                thread.abandon()
                self._jobs.close()
            thread.join(CLOSE_S)

    def _take(self, event: Event) -> None:
        match event:
            case CaptionUpdated(caption) if caption.is_final:
                self._session.add(CaptionSettled(caption, self._author.by, self._author.model))
                self._count("n_translated")
            case UtteranceSilent():
                self._session.add(event)
                self._count("n_silent")
            case UtteranceFailed():
                self._session.add(event)
                self._count("n_failed")
            case _:
                self._show(event)
                return
        self._session.flush()
        self._n_ahead -= 1
        self._show(event)
        self._feed()

    def _feed(self) -> None:
        """Give the translator as much as it needs, and close its queue behind the last."""
        while self._wanted and self._n_ahead < AHEAD:
            heard = self._wanted.popleft()
            samples, n_recorded = self._sound.read(heard.lane, heard.start, heard.end)
            if not n_recorded:
                self._count("n_without_sound")
                continue
            self._n_ahead += 1
            self._jobs.put_final(Utterance(heard.id, heard.lane, samples, heard.start, is_final=True))
        if not self._wanted and not self._n_ahead:
            self._jobs.close()

    def _count(self, field: str) -> None:
        self.outcome = dataclasses.replace(self.outcome, **{field: getattr(self.outcome, field) + 1})


def _wanted(transcript: Transcript, ids: Collection[int] | None) -> list[Heard]:
    """In the order of their times, so that each file of sound is decoded once a lane."""
    chosen: list[Heard] = list(transcript.pending)
    if ids is not None:
        everything: list[Heard] = [*(entry.caption for entry in transcript.entries), *transcript.untranslated]
        chosen = [heard for heard in everything if heard.id in ids]
    return sorted(chosen, key=lambda heard: (heard.lane, heard.start))


def _settings(info: SessionInfo) -> Settings:
    """The direction and the detector a session had, as far as its description says; by default otherwise."""
    settings = Settings()
    for key in ("from_language", "to_language", "pair", "detector"):
        with contextlib.suppress(ValueError, KeyError):
            settings = dataclasses.replace(settings, **{key: RULES[key].read(info.settings[key])})
    return settings
