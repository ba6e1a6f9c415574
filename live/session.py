"""A session: from a source of sound to captions, started and stopped in order.

In: settings, a source, a translator's factory, and commands. Out: events, SessionStopped the last of them.
Threads: the session's own, which takes commands and starts and stops the others; a segmenter thread a source
(live/lane.py); the translator thread (live/translator_thread.py). Showing and recording are not its business.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import assert_never

from live.capture import Microphone, Source
from live.errors import LiveError, unworded
from live.events import (
    AddMark,
    AddTerm,
    Command,
    DeviceChanged,
    MarkAdded,
    Mode,
    Pause,
    Resume,
    SessionStopped,
    SetDirection,
    SetMode,
    SetModel,
    SetSources,
    State,
    StateChanged,
    Stop,
    UtteranceFailed,
)
from live.lane import LaneEnded, LaneThread, Pace, SourceLost
from live.policy import Direction, Policy, Retranslation
from live.queues import JobQueue
from live.segmenter import PARTIAL_MS, Segmenter
from live.settings import AUTO, Settings
from live.sinks import Sink, Sinks
from live.translator_thread import StartWorker, TranslatorEnded, TranslatorReady, TranslatorThread
from live.vad import make_detector
from models.base import Capabilities, TranslatorFactory
from models.worker import ModelWorker

DRAIN_S = 10.0
"""After Stop: seconds for what was heard to be translated; then it is given up, visibly."""
CLOSE_S = 15.0
"""After that: seconds for threads and the model process to end; then they are left behind."""

_Message = Command | TranslatorReady | TranslatorEnded | LaneEnded | SourceLost

_log = logging.getLogger(__name__)


class Session:
    """One conversation or file, from start to SessionStopped. Methods may be called from any thread."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        factory: TranslatorFactory,
        emit: Sink | Iterable[Sink],
        *,
        model_name: str,
        as_live: bool = False,
        word_times: bool = False,
        start_worker: StartWorker = ModelWorker,
        open_microphone: Callable[[str], Source] = Microphone,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up; nothing is opened or started.

        Args:
            settings: the user's choices.
            source: what is listened to first.
            factory: builds the translator, in the model process.
            emit: takes the events, or several that do; see `live.sinks.Sink`.
            model_name: as shown while the model is loaded.
            as_live: a file read at once makes partials too: what a listener would see if translating took no time.
                Final captions are the same as without.
            word_times: final transcripts say when each word was spoken.
            start_worker: starts the model process.
            open_microphone: makes the source of another microphone, by a part of its name.
            clock: monotonic seconds.
        """
        self._settings, self._source = settings, source
        self._pace: Pace = "live" if source.is_live else "lockstep" if as_live else "fast"
        self._emit = Sinks([emit] if callable(emit) else emit)
        self._open_microphone = open_microphone
        self._ids = itertools.count(1)
        self._inbox: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        self._jobs = JobQueue(clock)
        self._translator = TranslatorThread(
            factory, start_worker, self._jobs, self._emit, self._inbox.put, model_name=model_name, clock=clock
        )
        self._model_name = model_name
        self._word_times = word_times
        self._mode: Mode = settings.mode
        self._direction = _direction(settings)
        self._policy: Policy | None = None
        self._state: State = "loading"
        self._is_translating = True
        self._is_abandoned = self._is_paused = False
        self._is_listening = False  # a lane is open, perhaps held
        self._lane: LaneThread | None = None  # the newest
        self._running: set[LaneThread] = set()
        self._deadline_s: float | None = None
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)

    @property
    def state(self) -> State:
        """Where the session is between loading and stopped."""
        return self._state

    @property
    def mode(self) -> Mode:
        """How eagerly text is to be shown."""
        return self._mode

    @property
    def started_s(self) -> float | None:
        """Monotonic time at which sample 0 was heard; None before. Of a file read at once it means nothing."""
        lane = self._lane
        return lane.started_s if lane else None

    def start(self) -> None:
        """Load the model, then listen; returns at once. To be called once."""
        self._thread.start()

    def send(self, command: Command) -> None:
        """Have a command carried out; returns at once, and does nothing after the end."""
        self._inbox.put(command)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False where it has not come in time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._enter("loading", self._model_name)
            self._translator.start()
            self._obey()
        except Exception as error:  # noqa: BLE001 - the top of a thread
            _log.error("The session thread failed:\n%s", unworded(error))
            self._fail(f"The session ended on an error of the program ({type(error).__name__}); the log has the place.")
            self._abandon()
            self._close_lane()
            self._translator.join(CLOSE_S)
        finally:
            self._refuse_the_rest()
            self._enter("stopped", self._error or "")
            self._emit(SessionStopped(self._error))

    def _obey(self) -> None:
        """Take messages until the translator and every lane have ended."""
        while self._is_translating or self._running:
            try:
                message = self._inbox.get(timeout=self._time_left())
            except queue.Empty:
                if self._is_abandoned:
                    _log.error("%d segmenter threads or the translator did not end", len(self._running))
                    return
                self._abandon()
                continue
            try:
                self._handle(message)
            except LiveError as error:
                self._fail(str(error))
                self._stop()

    def _handle(self, message: _Message) -> None:
        match message:
            case TranslatorReady(capabilities):
                self._begin(capabilities)
            case TranslatorEnded(error):
                self._is_translating = False
                self._fail(error)
                self._stop(within_s=CLOSE_S)
            case LaneEnded(lane, error):
                self._take_leave(lane, error)
            case SourceLost(lane, reason):
                self._lose(lane, reason)
            case _:
                self._carry_out(message)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Stop():
                self._stop(within_s=DRAIN_S)
            case Pause():
                self._pause()
            case Resume():
                self._resume()
            case SetDirection(source, target):
                self._turn(source, target)
            case SetMode(mode):
                self._mode = mode
                self._say(f"Text is shown in mode {mode}.")
            case SetSources():
                self._set_source(command)
            case SetModel():
                self._say("The model cannot be changed while listening: stop, choose it in the settings, start again.")
            case AddMark(label):
                self._emit(MarkAdded(self._lane.heard if self._lane else 0, label))
            case AddTerm():
                self._say("Terms are not taken yet: the model translates without them.")
            case _:
                assert_never(command)

    def _begin(self, capabilities: Capabilities) -> None:
        """The model is loaded: open the source, unless the session was paused or stopped meanwhile."""
        if self._state == "stopping":
            return
        self._policy = self._translator.policy = Retranslation(
            capabilities, self._direction, word_times=self._word_times
        )
        detail = f"{capabilities.name} on {capabilities.device}"
        _log.info("the model is loaded: %s", detail)
        if self._is_paused:
            self._enter("paused", detail)
        else:
            self._open_lane()
            self._enter("listening", detail)

    def _stop(self, within_s: float | None = None) -> None:
        """Source to sink: the source now, each thread as the one before it has ended.

        Args:
            within_s: seconds left for what was heard to be translated; None: as long as it takes.
        """
        if within_s is not None and self._deadline_s is None:
            self._deadline_s = time.monotonic() + within_s
        if self._state == "stopping":
            return
        self._enter("stopping")
        self._close_lane()
        if self._policy is None:
            self._abandon()
        elif not self._running:
            self._jobs.close()

    def _abandon(self) -> None:
        """Give up what is not translated yet."""
        self._is_abandoned = True
        self._deadline_s = time.monotonic() + CLOSE_S
        self._translator.abandon()

    def _take_leave(self, lane: LaneThread, error: str | None) -> None:
        self._running.discard(lane)
        if error is not None:
            self._fail(error)
        if error is not None or (lane is self._lane and self._is_listening):
            self._stop()  # a thread that failed, or a file that ended
        if self._state == "stopping" and not self._running:
            self._jobs.close()

    def _lose(self, lane: LaneThread, reason: str) -> None:
        if lane is self._lane and self._is_listening:
            if lane.source.lane != "file":
                self._emit(DeviceChanged(lane.source.lane, None, reason))
            self._fail(reason)
            self._stop()

    def _pause(self) -> None:
        """Close a device, so that the system shows it unused; keep a file where it is."""
        if self._is_paused or self._state == "stopping":
            return
        self._is_paused = True
        if self._state == "loading":
            return
        if self._source.lane != "file":
            self._close_lane()
        elif self._lane is not None:
            self._lane.hold(True)
        self._enter("paused")

    def _resume(self) -> None:
        if not self._is_paused or self._state == "stopping":
            return
        self._is_paused = False
        if self._state == "loading":
            return
        if self._is_listening and self._lane is not None:
            self._lane.hold(False)
            self._enter("listening")
        else:
            self._listen_or_pause()

    def _set_source(self, wish: SetSources) -> None:
        if self._source.lane == "file":
            self._say("A file is being translated: it cannot be changed for another source.")
        elif wish.source != "microphone":
            self._say("Only microphones can be listened to yet: choose one, or a monitor device of the system's sound.")
        elif self._state != "stopping":
            self._source = self._open_microphone(wish.input_name or "")
            if self._is_listening:
                self._close_lane()
                self._listen_or_pause()
            else:
                self._say(f"Next: {self._source.name}.")

    def _turn(self, source: str | None, target: str | None) -> None:
        """Change the direction from the next utterance on, where the model can."""
        try:
            direction = Direction.between(source, target, self._settings.pair)
            if self._policy is not None:
                self._policy.turn(direction)
        except LiveError as error:
            self._say(str(error))
            return
        self._direction = direction
        self._say("Translating " + ", ".join(f"{heard} to {into}" for heard, into in direction.targets.items()) + ".")

    def _listen_or_pause(self) -> None:
        """Open the source again; where that fails, say so and stay paused."""
        try:
            self._open_lane()
        except LiveError as error:
            self._is_paused = True
            self._enter("paused", str(error))
        else:
            self._enter("listening", self._source.name)

    def _open_lane(self) -> None:
        """Listen to the source from now on. Raises CaptureError."""
        segmenter = Segmenter(
            self._source.lane,
            make_detector(self._settings.detector),
            ids=self._ids,
            endpoint_ms=self._settings.endpoint_ms,
            partial_ms=None if self._pace == "fast" else PARTIAL_MS,
        )
        lane = LaneThread(
            self._source, segmenter, self._jobs, self._emit, self._inbox.put, pace=self._pace, after=self._lane
        )
        self._running.add(lane)
        self._lane = lane
        lane.open()
        self._is_listening = True
        if self._source.lane != "file":
            self._emit(DeviceChanged(self._source.lane, self._source.name))

    def _close_lane(self) -> None:
        if self._is_listening and self._lane is not None:
            self._is_listening = False
            self._lane.close()

    def _refuse_the_rest(self) -> None:
        """Say which utterances were heard and never translated."""
        self._jobs.close()
        while (job := self._jobs.get(0)) is not None:
            lost = job.utterance
            message = "The session ended before this was translated."
            self._emit(UtteranceFailed(lost.lane, lost.id, lost.start, lost.end, message))

    def _time_left(self) -> float | None:
        return None if self._deadline_s is None else max(0.0, self._deadline_s - time.monotonic())

    def _fail(self, error: str | None) -> None:
        """Keep the first reason for the end."""
        self._error = self._error or error

    def _enter(self, state: State, detail: str = "") -> None:
        self._state = state
        self._emit(StateChanged(state, detail))

    def _say(self, detail: str) -> None:
        self._emit(StateChanged(self._state, detail))


def _direction(settings: Settings) -> Direction:
    source, target = (None if code == AUTO else code for code in (settings.from_language, settings.to_language))
    return Direction.between(source, target, settings.pair)
