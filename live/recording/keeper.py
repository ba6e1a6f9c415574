"""A session kept as it happens: its events and its sound in, a session's folder out.

Lives on the recorder thread. A disk that fails is said at once and tried again; meanwhile everything but the sound
waits in memory. What the files hold is the business of live/recording/folder.py and live/recording/sound_files.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from live.audio import AudioChunk, Lane, seconds
from live.errors import RecordingError
from live.events import (
    AudioDropped,
    CaptionUpdated,
    DeviceChanged,
    Event,
    MarkAdded,
    RecordingChanged,
    SessionStopped,
    UtteranceClosed,
    UtteranceFailed,
    UtteranceSilent,
    UtteranceSkipped,
)
from live.recording.disk import Disk
from live.recording.folder import SessionFolder
from live.recording.recorder import TOO_SLOW
from live.recording.records import CaptionSettled, LaneBegan, Record
from live.recording.session_info import SessionInfo
from live.recording.sound_files import LaneSound
from live.settings import SoundFormat

RETRY_S = 5.0
"""Seconds between two tries of a disk that failed."""


class SessionKeeper:
    """A sink of the recorder that keeps a session; used from one thread.

    Args:
        root: The folder of all sessions. Nothing is made there before there is something to keep.
        info: What is known of the session.
        sound: How its sound is encoded; None keeps no sound.
        disk: Where it is written.
        clock: monotonic seconds, the same as the events' times.
    """

    def __init__(
        self,
        root: Path,
        info: SessionInfo,
        sound: SoundFormat | None = None,
        *,
        disk: Disk | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tell: Callable[[Event], None] = lambda _event: None
        """Takes what the user is to know: RecordingChanged, AudioDropped; to be set before the first event."""
        self._disk = disk or Disk()
        self._folder = SessionFolder(root, info, self._disk)
        self._info = info
        self._sound: SoundFormat | None = sound
        self._clock = clock
        self._lanes: dict[Lane, LaneSound] = {}
        self._zero: datetime | None = None
        """When sample 0 was heard, on all lanes."""
        self._began: set[Lane] = set()
        self._names: dict[Lane, str] = {}
        self._is_worth_it = False
        """Whether there is anything to keep: else no folder is made."""
        self._retry_s: float | None = None
        self._problems: dict[str, str] = {}
        self._said = RecordingChanged(has_sound=False)

    @property
    def path(self) -> Path | None:
        """The session's folder, once it was made."""
        return self._folder.path

    def take(self, event: Event, at_s: float) -> None:
        """Keep an event, if it is one that is kept."""
        match event:
            case CaptionUpdated(caption) if caption.is_final:
                self._keep(CaptionSettled(caption, model=self._info.model))
            case UtteranceClosed() | UtteranceFailed() | UtteranceSkipped() | UtteranceSilent() | MarkAdded():
                self._keep(event)
            case AudioDropped():
                self._folder.add(event)
                if event.reason == TOO_SLOW:  # nobody but the recorder knows of it
                    self.tell(event)
            case DeviceChanged(lane, str(name)):
                self._names[lane] = name
                if lane in self._began and self._zero is not None:
                    self._folder.add(LaneBegan(lane, name, self._zero))
            case SessionStopped():
                self._folder.add(event)
            case _:
                pass
        self._flush()
        self._say()

    def hear(self, chunk: AudioChunk, at_s: float) -> None:
        """Keep a lane's sound, if sound is kept. `at_s`: the monotonic time at which the chunk was there."""
        if chunk.lane not in self._began:
            self._begin_lane(chunk, at_s)
        if (recording := self._lanes.get(chunk.lane)) is not None:
            self._is_worth_it = True
            self._flush()  # the folder first
            self._record(recording, chunk)
        self._flush()
        self._say()

    def close(self) -> None:
        """Finish every file.

        Raises:
            RecordingError: something is lost.
        """
        trouble: RecordingError | None = None
        for recording in self._lanes.values():
            try:
                recording.close()
            except RecordingError as error:
                trouble = error
        if self._is_worth_it:
            self._folder.close()
        if trouble is not None:
            raise trouble

    def _keep(self, record: Record) -> None:
        self._is_worth_it = True
        self._folder.add(record)

    def _begin_lane(self, chunk: AudioChunk, at_s: float) -> None:
        lane = chunk.lane
        if self._zero is None:
            ago_s = self._clock() - at_s + seconds(chunk.end)
            self._zero = datetime.now().astimezone() - timedelta(seconds=ago_s)
        self._began.add(lane)
        self._folder.add(LaneBegan(lane, self._names.get(lane, self._info.source), self._zero))
        if self._sound is not None:
            self._lanes[lane] = LaneSound(lane, self._sound, self._folder.audio_folder, self._folder.add, self._disk)

    def _record(self, recording: LaneSound, chunk: AudioChunk) -> None:
        try:
            recording.write(chunk)
        except RecordingError as error:
            self._problems["sound"] = str(error)
        else:
            if not any(lane.has_failed for lane in self._lanes.values()):
                self._problems.pop("sound", None)

    def _flush(self) -> None:
        """Write what waits; after a failure only every few seconds."""
        if not self._is_worth_it or (self._retry_s is not None and self._clock() < self._retry_s):
            return
        try:
            self._folder.flush()
        except RecordingError as error:
            self._retry_s = self._clock() + RETRY_S
            self._problems["text"] = f"{error} Captions wait in memory until it can."
        else:
            self._retry_s = None
            self._problems.pop("text", None)

    def _say(self) -> None:
        """Tell of a change."""
        problem = self._problems.get("text") or self._problems.get("sound")
        event = RecordingChanged(has_sound=self._sound is not None, problem=problem)
        if event != self._said:
            self._said = event
            self.tell(event)
