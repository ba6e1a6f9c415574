"""Sessions on real parts and synthetic speech: the bundled meeting, through reader, detector and segmenter."""

from __future__ import annotations

import pytest
from fakes import FAKE, WAIT_S, FakeWorker, Recorder

from live.audio_file import FileSource
from live.demo import load_script, meeting_sound
from live.events import AudioDropped, UtteranceClosed, UtteranceFailed
from live.session import Session
from live.settings import Settings
from models.base import SAMPLE_RATE


@pytest.fixture(scope="module")
def played() -> dict[str, Recorder]:
    """What was said of the meeting, read at once and played as live."""
    recorders = {"plain": Recorder(), "as live": Recorder()}
    with meeting_sound() as path:
        for name, recorder in recorders.items():
            session = Session(
                Settings(),
                [FileSource(path)],
                FAKE,
                recorder,
                model_name="fake",
                as_live=name == "as live",
                start_worker=FakeWorker,
            )
            session.start()
            assert session.join(3 * WAIT_S)
            assert recorder.stopped.error is None
    return recorders


def test_each_turn_of_the_meeting_lies_in_one_utterance(played):
    heard = [(event.start / SAMPLE_RATE, event.end / SAMPLE_RATE) for event in played["plain"].of(UtteranceClosed)]
    turns = load_script().turns
    assert len(heard) == len(turns)
    for (start_s, end_s), turn in zip(heard, turns, strict=True):
        assert start_s == pytest.approx(turn.start_s, abs=0.5)
        assert end_s == pytest.approx(turn.end_s, abs=0.5)


def test_the_meeting_has_the_same_utterances_at_once_and_as_live_and_of_the_fake_the_same_text(played):
    """Nothing is cut on request here, and the fake changes nothing it said; a real model may, and live keeps it."""
    assert played["as live"].finals == played["plain"].finals
    assert len(played["as live"].partials) > 100
    assert played["plain"].partials == []


def test_nothing_of_the_meeting_is_lost(played):
    for recorder in played.values():
        assert recorder.of(AudioDropped, UtteranceFailed) == []
        assert {caption.id for caption in recorder.finals} == {event.id for event in recorder.of(UtteranceClosed)}
