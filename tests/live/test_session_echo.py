"""The microphone of a session that hears the loudspeakers too."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import ENGLISH_HZ, FakeSource, quiet, tone

from live.events import CaptionUpdated, EchoDropped, UtteranceClosed
from live.settings import Settings
from models.base import SAMPLE_RATE

DELAY_S = 0.2


def remote():
    """Syllables of noise in changing colours for two seconds, with quiet around."""
    random = np.random.default_rng(8)
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    loudness = np.interp(time_s, np.arange(0, 2.1, 0.1), random.uniform(0, 1, 21) ** 3)
    pitch = np.interp(time_s, np.arange(0, 2.1, 0.1), random.uniform(200, 4000, 21))
    voice = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) + 0.5 * random.standard_normal(len(time_s))
    sound = (12_000 * loudness * voice).clip(-32_767, 32_767).astype(np.int16)
    return np.concatenate([quiet(1.0), sound, quiet(1.5)])


def repeated(sound):
    """What the microphone hears of it: later, and 12 dB quieter."""
    late = np.concatenate([quiet(DELAY_S), sound])[: len(sound)]
    return (late / 4).astype(np.int16)


@pytest.fixture
def heard(run):
    """What a session says of a microphone that hears `own` over the computer's sound."""

    def hear(own=None, **settings):
        me, them = FakeSource("microphone"), FakeSource("system")
        made = run(me, them, clock=lambda: 0.0, settings=Settings(source="both", **settings)).listen()
        sound = remote()
        them.say(sound)
        made.recorder.wait_for(lambda event: isinstance(event, UtteranceClosed) and event.lane == "system")
        microphone = repeated(sound)
        if own is not None:
            microphone[SAMPLE_RATE : SAMPLE_RATE + len(own)] += own
        me.say(microphone)
        return made.stop().recorder

    return hear


def of_microphone(recorder, kind):
    return [event for event in recorder.of(kind) if event.lane == "microphone"]


def test_an_echo_makes_no_caption_and_is_said_once(heard):
    recorder = heard()
    (echo,) = recorder.of(EchoDropped)

    assert echo.lane == "microphone"
    assert echo.start == pytest.approx(SAMPLE_RATE * (1 + DELAY_S), abs=0.4 * SAMPLE_RATE)
    assert of_microphone(recorder, UtteranceClosed) == []
    assert {event.caption.lane for event in recorder.of(CaptionUpdated)} == {"system"}


def test_speech_over_the_echo_is_translated(heard):
    recorder = heard((tone(1.5, ENGLISH_HZ) / 2).astype(np.int16))

    assert recorder.of(EchoDropped) == []
    assert len(of_microphone(recorder, UtteranceClosed)) == 1
    assert "microphone" in {caption.lane for caption in recorder.finals}


def test_echoes_are_translated_where_that_is_wished(heard):
    recorder = heard(drop_echo=False)

    assert recorder.of(EchoDropped) == []
    assert len(of_microphone(recorder, UtteranceClosed)) >= 1
