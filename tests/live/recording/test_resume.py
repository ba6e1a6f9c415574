"""What was not translated is translated later, from the recorded sound."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fakes import EnergyDetector, FakeWorker
from talks import INFO, caption, chunks

from live.errors import LiveError, RecordingError
from live.events import CaptionUpdated, SessionStopped, UtteranceClosed, UtteranceFailed, UtteranceSilent
from live.recording import unclosed
from live.recording.folder import SessionFolder, unfinished
from live.recording.journal import AUDIO_FOLDER, read
from live.recording.keeper import SessionKeeper
from live.recording.resume import Outcome, rest, resumable, resume
from live.recording.session_info import FILE_NAME
from models.base import ModelLoadError, TranslatorFactory

SECOND = 16_000
FAKE = TranslatorFactory("models.fake:FakeTranslator")


def tone(n_samples: int, hz: float) -> np.ndarray:
    """What the fake translator takes for a language: Chinese when low, English when high."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(n_samples) / SECOND)).astype(np.float32)


@pytest.fixture
def cut_off(tmp_path):
    """A session of four utterances whose program died: the first is translated, the last is silence."""
    keeper = SessionKeeper(tmp_path, replace(INFO, settings={"pair": ["zh", "en"]}), "flac")
    sound = np.concatenate([tone(2 * SECOND, 200), tone(2 * SECOND, 200), tone(2 * SECOND, 1500), np.zeros(2 * SECOND)])
    for chunk in chunks(sound.astype(np.float32)):
        keeper.hear(chunk, 0)
    for number in range(1, 5):
        start = (number - 1) * 2 * SECOND
        keeper.take(UtteranceClosed("microphone", start, start + 2 * SECOND, number), 0)
    keeper.take(CaptionUpdated(caption(1, 0)), 0)
    for lane in keeper._lanes.values():
        lane.close()
    keeper._folder._lock.release()
    return keeper.path


def run(folder, **options):
    return resume(folder, FAKE, "fake", start_worker=options.pop("start_worker", FakeWorker), **options)


def test_what_a_session_left_is_offered_at_the_next_start(cut_off):
    assert [heard.id for heard in resumable(read(cut_off))] == [2, 3, 4]
    assert rest(cut_off.parent) == [(cut_off, 3)]


def test_what_was_left_is_translated_in_the_directions_of_the_session(cut_off):
    shown = []
    assert run(cut_off, show=shown.append) == Outcome(n_translated=2, n_silent=1)
    transcript = read(cut_off)
    assert [(entry.caption.id, entry.by, entry.model) for entry in transcript.entries] == [
        (1, "session", "fake"),
        (2, "resume", "fake"),
        (3, "resume", "fake"),
    ]
    assert [(entry.caption.source, entry.caption.target) for entry in transcript.entries[1:]] == [
        ("zh", "en"),
        ("en", "zh"),
    ]
    assert transcript.entries[2].caption.start == 4 * SECOND
    assert transcript.untranslated == ()
    assert len([event for event in shown if isinstance(event, CaptionUpdated)]) == 2
    assert unfinished(cut_off.parent) == []
    assert rest(cut_off.parent) == []


def test_captions_that_are_there_can_be_translated_again_and_stay_beside_the_new_ones(cut_off):
    assert run(cut_off, ids={1}, by="retranslation") == Outcome(n_translated=1)
    entry = read(cut_off).entries[0]
    assert (entry.by, entry.original) == ("retranslation", caption(1, 0))
    assert entry.caption.translation != entry.original.translation


def test_what_fails_twice_is_no_longer_offered_but_can_be_asked_for(cut_off):
    for n_failed in (1, 2):
        assert run(cut_off, ids={2}, start_worker=partial(FakeWorker, fail_on=[1])) == Outcome(n_failed=1)
        assert next(heard.n_failed for heard in read(cut_off).untranslated if heard.id == 2) == n_failed
    assert rest(cut_off.parent) == [(cut_off, 2)]
    assert run(cut_off) == Outcome(n_translated=1, n_silent=1)
    assert run(cut_off, ids={2}) == Outcome(n_translated=1)


def test_a_caption_is_on_the_disk_before_it_is_shown(cut_off):
    found = []

    def show(event):
        if isinstance(event, CaptionUpdated) and event.caption.is_final:
            found.append(event.caption.id in {entry.caption.id for entry in read(cut_off).entries})

    run(cut_off, show=show)
    assert found == [True, True]


def test_without_sound_nothing_can_be_done_and_nothing_is_offered(cut_off):
    for path in (cut_off / AUDIO_FOLDER).iterdir():
        path.unlink()
    assert run(cut_off) == Outcome(n_without_sound=3)
    assert rest(cut_off.parent) == []
    assert unfinished(cut_off.parent) == []
    assert len(read(cut_off).untranslated) == 3


def test_a_model_that_is_lost_ends_it_and_leaves_what_is_done(cut_off):
    with pytest.raises(LiveError, match="no such weights"):
        run(cut_off, start_worker=partial(FakeWorker, load_error=ModelLoadError("There are no such weights.")))
    assert rest(cut_off.parent) == [(cut_off, 3)]


def test_a_session_that_is_being_written_is_left_alone(cut_off):
    session = SessionFolder.open(cut_off)
    with pytest.raises(RecordingError, match="Another program"):
        run(cut_off)
    assert rest(cut_off.parent) == []
    session.close()
    assert rest(cut_off.parent) == [(cut_off, 3)]


def test_a_description_with_nonsense_for_settings_means_the_defaults(cut_off):
    data = json.loads((cut_off / FILE_NAME).read_text(encoding="utf-8"))
    data["settings"] = {"pair": "zh", "from_language": 3, "to_language": None}
    (cut_off / FILE_NAME).write_text(json.dumps(data), encoding="utf-8")
    assert run(cut_off).n_translated == 2


def test_what_the_session_gave_up_at_its_end_is_offered_too(cut_off):
    session = SessionFolder.open(cut_off)
    session.add(UtteranceFailed("microphone", 2, 2 * SECOND, 4 * SECOND, "The session was stopped."))
    session.add(UtteranceSilent("microphone", 4, 6 * SECOND, 8 * SECOND))
    session.add(SessionStopped())
    session.close()
    assert rest(cut_off.parent) == [(cut_off, 2)]
    assert run(cut_off) == Outcome(n_translated=2)


@pytest.fixture
def cut_off_in_mid_speech(tmp_path, monkeypatch):
    """A session whose program died 1.5 s into its third utterance; the second held no words."""
    monkeypatch.setattr(unclosed, "make_detector", lambda _name: EnergyDetector())
    keeper = SessionKeeper(tmp_path, INFO, "flac")
    speech, quiet = tone(2 * SECOND, 200), np.zeros(SECOND, np.float32)
    for chunk in chunks(np.concatenate([speech, quiet, speech, quiet, speech[: 3 * SECOND // 2]])):
        keeper.hear(chunk, 0)
    keeper.take(UtteranceClosed("microphone", 0, 2 * SECOND, 1), 0)
    keeper.take(CaptionUpdated(replace(caption(1, 0), end=2 * SECOND)), 0)
    keeper.take(UtteranceClosed("microphone", 3 * SECOND, 5 * SECOND + 3200, 2), 0)
    keeper.take(UtteranceSilent("microphone", 2, 3 * SECOND, 5 * SECOND + 3200), 0)
    for lane in keeper._lanes.values():
        lane.close()
    keeper._folder._lock.release()
    return keeper.path


def test_what_was_being_said_when_the_program_died_is_offered_once_and_translated(cut_off_in_mid_speech):
    folder = cut_off_in_mid_speech
    for _ in range(2):
        assert rest(folder.parent) == [(folder, 1)]
    (last,) = read(folder).untranslated
    assert last.id == 3
    assert 5 * SECOND + 3200 <= last.start < 6 * SECOND
    assert abs(last.end - 15 * SECOND // 2) < SECOND // 100
    assert run(folder) == Outcome(n_translated=1)
    assert [entry.caption.id for entry in read(folder).entries] == [1, 3]
    assert rest(folder.parent) == []


def test_a_session_that_came_to_its_end_is_not_looked_through(cut_off_in_mid_speech):
    session = SessionFolder.open(cut_off_in_mid_speech)
    session.add(SessionStopped())
    session.flush()
    assert unclosed.unclosed(read(cut_off_in_mid_speech), "silero") == []
    session.close()
