"""A session: from sources of sound to captions, started and stopped in order.

In: settings, a source a lane, a translator's factory, and commands. Out: events, SessionStopped the last of them.
Threads: the session's own, which takes commands and starts and stops the others; a segmenter thread a lane
(live/lane.py); the translator thread (live/translator_thread.py). Showing and recording are not its business.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

from live.actions import Answer, Asked
from live.audio import AudioChunk, Lane
from live.capture import Source, open_source
from live.ending import Ending
from live.errors import LiveError, RefusedError, unworded
from live.events import (
    AddMark,
    AddTerm,
    Command,
    MarkAdded,
    Mode,
    Pause,
    Replay,
    Resume,
    SessionStopped,
    SetDirection,
    SetMode,
    SetModel,
    SetSources,
    State,
    StateChanged,
    Stop,
)
from live.lane import LaneEnded, LaneThread
from live.lanes import Lanes
from live.policy import Direction, Pace, Policy, Streaming
from live.queues import JobQueue
from live.replay import Replayer
from live.settings import AUTO, Settings
from live.sinks import Sink, Sinks
from live.sources import Chosen, OpenSource
from live.translator_thread import StartWorker, TranslatorEnded, TranslatorReady, TranslatorThread
from models.base import Capabilities, TranslatorFactory
from models.worker import ModelWorker

DRAIN_S = 10.0
"""After Stop: seconds for what was heard to be translated; then it is given up, visibly."""
CLOSE_S = 15.0
"""After that: seconds for threads and the model process to end; then they are left behind."""

_Message = Asked | TranslatorReady | TranslatorEnded | LaneEnded

_log = logging.getLogger(__name__)


class Session:
    """One conversation or file, from start to SessionStopped. Methods may be called from any thread.

    Nothing is opened or started before `start`.

    Args:
        settings: the user's choices.
        sources: what is listened to first: a file, or devices of different lanes.
        factory: builds the translator, in the model process.
        emit: takes the events, or several that do; see `live.sinks.Sink`.
        model_name: as shown while the model is loaded.
        hear: take every lane's sound, a lane's always on one thread, and must not wait for the session.
        as_live: a file read at once makes partials too: what a listener would see if translating took no time.
            Final captions cut the sound where they would without; their texts are what such a listener is left with.
        word_times: final transcripts say when each word was spoken.
        start_worker: starts the model process.
        open_source: makes the source of another device; see `live.capture.open_source`.
        replayer: plays the last sentence again; None is one for the default output.
        clock: monotonic seconds, those of blocks.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sequence[Source],
        factory: TranslatorFactory,
        emit: Sink | Iterable[Sink],
        *,
        model_name: str,
        hear: Iterable[Callable[[AudioChunk], None]] = (),
        as_live: bool = False,
        word_times: bool = False,
        start_worker: StartWorker = ModelWorker,
        open_source: OpenSource = open_source,
        replayer: Replayer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._chosen = Chosen(sources, settings, open_source)
        self._replayer = replayer or Replayer()
        self._emit = Sinks([*([emit] if callable(emit) else emit), self._replayer])
        self._inbox: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        self._jobs = JobQueue(clock)
        self._lanes = Lanes(
            settings,
            self._jobs,
            self._emit,
            self._inbox.put,
            pace="live" if sources[0].is_live else "lockstep" if as_live else "fast",
            hear=(*hear, self._replayer.hear),
            ignores=self._replayer.is_heard,
            now=clock,
        )
        self._translator = TranslatorThread(
            factory,
            start_worker,
            self._jobs,
            self._emit,
            self._inbox.put,
            model_name=model_name,
            cut=self._lanes.cut,
            skips=settings.skip_when_behind and sources[0].is_live,
            clock=clock,
        )
        self._model_name = model_name
        self._word_times = word_times
        self._as_live = as_live
        self._mode: Mode = settings.mode
        self._direction = chosen_direction(settings)
        self._policy: Policy | None = None
        self._state: State = "loading"
        self._is_translating = True
        self._is_paused = False
        self._ending = Ending()
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
        return self._lanes.clock.zero_s

    def start(self) -> None:
        """Load the model, then listen; returns at once. To be called once."""
        self._thread.start()

    def send(self, command: Command, answer: Answer = lambda _refusal: None) -> None:
        """Have a command carried out and tell what came of it; returns at once, and does nothing after the end."""
        self._inbox.put(Asked(command, answer))

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
            self._ending.fail(
                f"The session ended on an error of the program ({type(error).__name__}); the log has the place."
            )
            self._abandon()
            self._lanes.close()
            self._translator.join(CLOSE_S)
        finally:
            self._replayer.close()
            self._refuse_the_rest()
            self._enter("stopped", self._ending.error or "")
            self._emit(SessionStopped(self._ending.error))

    def _obey(self) -> None:
        """Take messages until the translator and every lane have ended."""
        while self._is_translating or self._lanes.running:
            try:
                message = self._inbox.get(timeout=self._ending.left_s)
            except queue.Empty:
                if self._ending.is_abandoned:
                    _log.error("%d segmenter threads or the translator did not end", len(self._lanes.running))
                    return
                self._abandon()
                continue
            try:
                self._handle(message)
            except LiveError as error:
                self._ending.fail(str(error))
                self._stop()

    def _handle(self, message: _Message) -> None:
        match message:
            case TranslatorReady(capabilities):
                self._begin(capabilities)
            case TranslatorEnded(error):
                self._is_translating = False
                self._ending.fail(error)
                self._stop(within_s=CLOSE_S)
            case LaneEnded(lane, error):
                self._take_leave(lane, error)
            case Asked(command, answer):
                answer(self._try(command))
            case _:
                assert_never(message)

    def _try(self, command: Command) -> str | None:
        """Carry a command out; returns why it cannot be, which everyone is told."""
        try:
            self._carry_out(command)
        except RefusedError as error:
            self._say(str(error))
            return str(error)
        return None

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
                self._set_sources(command)
            case SetModel():
                raise RefusedError("The model cannot be changed while listening: stop, choose another, start again.")
            case AddMark(label):
                self._emit(MarkAdded(self._lanes.heard, label))
            case Replay(lane):
                self._replay(lane)
            case AddTerm():
                raise RefusedError("Terms are not taken yet: the model translates without them.")
            case _:
                assert_never(command)

    def _begin(self, capabilities: Capabilities) -> None:
        """The model is loaded: open the sources, unless the session was paused or stopped meanwhile."""
        if self._state == "stopping":
            return
        self._policy = self._translator.policy = Streaming(
            capabilities, self._direction, word_times=self._word_times, pace=Pace(adapts=not self._as_live)
        )
        detail = f"{capabilities.name} on {capabilities.device}"
        _log.info("the model is loaded: %s", detail)
        if self._is_paused:
            self._enter("paused", detail)
        else:
            self._lanes.open(self._chosen.sources)
            self._enter("listening", detail)

    def _stop(self, within_s: float | None = None) -> None:
        """Source to sink: the source now, each thread as the one before it has ended.

        Args:
            within_s: seconds left for what was heard to be translated; None: as long as it takes.
        """
        if within_s is not None:
            self._ending.wait(within_s)
        if self._state == "stopping":
            return
        self._enter("stopping")
        self._lanes.close()
        if self._policy is None:
            self._abandon()
        elif not self._lanes.running:
            self._jobs.close()

    def _abandon(self) -> None:
        """Give up what is not translated yet."""
        self._ending.abandon(CLOSE_S)
        self._translator.abandon()

    def _take_leave(self, lane: LaneThread, error: str | None) -> None:
        self._lanes.running.discard(lane)
        if error is not None:
            self._ending.fail(error)
        if error is not None or self._lanes.is_listening(lane):
            self._stop()  # a thread that failed, or a file that ended
        if self._state == "stopping" and not self._lanes.running:
            self._jobs.close()

    def _pause(self) -> None:
        """Close a device, so that the system shows it unused; keep a file where it is."""
        if self._is_paused or self._state == "stopping":
            return
        self._is_paused = True
        if self._state == "loading":
            return
        if self._chosen.is_file:
            self._lanes.hold(True)
        else:
            self._lanes.close()
        self._enter("paused")

    def _resume(self) -> None:
        if not self._is_paused or self._state == "stopping":
            return
        self._is_paused = False
        if self._state == "loading":
            return
        if self._lanes.is_open:
            self._lanes.hold(False)
            self._enter("listening")
        else:
            self._listen_or_pause(self._chosen.sources)

    def _set_sources(self, wish: SetSources) -> None:
        """Listen to other devices; a lane whose device stays goes on undisturbed."""
        if self._chosen.is_file:
            raise RefusedError("A file is being translated: it cannot be changed for another source.")
        if wish.source == "file":
            raise RefusedError("A file is translated in a session of its own: `tongchuan file`.")
        if self._state == "stopping":
            return
        was_open = self._lanes.is_open
        change = self._chosen.change(wish)
        self._lanes.close([source.lane for source in change.new])
        for lane in change.gone:
            self._lanes.drop(lane)
        if was_open:
            self._listen_or_pause(change.new)
        else:
            self._say(f"Next: {self._chosen.shown}.")

    def _turn(self, source: str | None, target: str | None) -> None:
        """Change the direction from the next utterance on, where the model can."""
        try:
            direction = Direction.between(source, target, self._settings.pair)
            if self._policy is not None:
                self._policy.turn(direction)
        except LiveError as error:
            raise RefusedError(str(error)) from error
        self._direction = direction
        self._say("Translating " + ", ".join(f"{heard} to {into}" for heard, into in direction.targets.items()) + ".")

    def _replay(self, lane: Lane | None) -> None:
        """Play the last sentence; what a device hears meanwhile is kept, and not translated."""
        try:
            length_s = self._replayer.start(lane)
        except LiveError as error:
            raise RefusedError(str(error)) from error
        self._say(f"Playing {length_s:.1f} s" + ("" if self._chosen.is_file else ", not listening meanwhile"))

    def _listen_or_pause(self, sources: Sequence[Source]) -> None:
        """Open sources; where then nothing at all is listened to, say why and stay paused."""
        try:
            self._lanes.open(sources)
        except LiveError as error:
            self._is_paused, self._state = True, "paused"
            raise RefusedError(str(error)) from error
        else:
            self._enter("listening", self._chosen.shown)

    def _refuse_the_rest(self) -> None:
        """Say which utterances were heard and never translated."""
        self._jobs.close()
        while (job := self._jobs.get(0)) is not None:
            self._translator.give_up(job.utterance, "The session ended before this was translated.")

    def _enter(self, state: State, detail: str = "") -> None:
        self._state = state
        self._emit(StateChanged(state, detail))

    def _say(self, detail: str) -> None:
        self._emit(StateChanged(self._state, detail))


def chosen_direction(settings: Settings) -> Direction:
    """The direction that settings ask for. Raises SettingsError."""
    source, target = (None if code == AUTO else code for code in (settings.from_language, settings.to_language))
    return Direction.between(source, target, settings.pair)
