"""Loudspeakers that the microphone hears, on a real sound server: what is played there comes back 12 dB quieter, late
and reverberated, as the server and this program happen to delay it.
"""

import subprocess
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from audio_clips import silence, speech, to_pcm, write_audio
from pulse import PulseServer, missing

from live.capture import DeviceSource
from live.events import CaptionUpdated, DeviceChanged, EchoDropped, Stop, UtteranceClosed
from live.session import Session
from live.settings import Settings
from live.sound_systems.pulse import PulseSystem
from live.sound_systems.pulse_server import Server
from models.base import SAMPLE_RATE, TranslatorFactory

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]

WAIT_S = 20.0
SPEAKERS, MICROPHONE_SINK = "speakers", "vmic"
DECAY_S = 0.35
LOSS_DB = 12.0
BLOCK = SAMPLE_RATE // 100
FORM = ("--raw", "--format=float32le", f"--rate={SAMPLE_RATE}", "--channels=1", "--latency-msec=20")


def impulse_response():
    n = round(DECAY_S * SAMPLE_RATE)
    tail = np.random.default_rng(4).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail *= 0.7 / np.linalg.norm(tail)
    tail[0] = 1.0
    return (tail * 10 ** (-LOSS_DB / 20)).astype(np.float32)


@contextmanager
def room(server):
    """Has the microphone hear what the loudspeakers play."""
    heard = subprocess.Popen(["parec", f"--device={SPEAKERS}.monitor", *FORM], env=server.env, stdout=subprocess.PIPE)
    played = subprocess.Popen(["pacat", f"--device={MICROPHONE_SINK}", *FORM], env=server.env, stdin=subprocess.PIPE)

    def carry():
        response = impulse_response()
        ringing = np.zeros(len(response) + BLOCK - 1, np.float32)
        while len(data := heard.stdout.read(4 * BLOCK)) == 4 * BLOCK:
            ringing[:-BLOCK] = ringing[BLOCK:]
            ringing[-BLOCK:] = 0
            ringing += np.convolve(np.frombuffer(data, np.float32), response)
            try:
                played.stdin.write(ringing[:BLOCK].tobytes())
                played.stdin.flush()
            except BrokenPipeError:
                return

    carrier = threading.Thread(target=carry)
    carrier.start()
    try:
        yield
    finally:
        for process in (heard, played):
            process.terminate()
            process.wait()
        carrier.join()
        heard.stdout.close()
        played.stdin.close()


class Meeting:
    """A session of both lanes, and what it said."""

    def __init__(self):
        asked = Server()
        self._changed = threading.Condition()
        self.events = []
        self.session = Session(
            Settings(source="both"),
            [DeviceSource(kind, "", lambda: PulseSystem(asked)) for kind in ("microphone", "system")],
            TranslatorFactory("models.fake:FakeTranslator"),
            self._take,
            model_name="fake",
        )
        self.session.start()

    def wait(self, kind, lane):
        """The first event of that kind and lane, once it has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.of(kind, lane), WAIT_S), self.of(UtteranceClosed, lane)
        return self.of(kind, lane)[0]

    def of(self, kind, lane):
        return [event for event in self.events if isinstance(event, kind) and event.lane == lane]

    def _take(self, event):
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()


@pytest.fixture
def server(monkeypatch):
    with PulseServer() as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        running.plug_output(SPEAKERS)
        running.control("set-default-sink", SPEAKERS)
        with room(running):
            yield running


@pytest.fixture
def meeting(server):
    running = Meeting()
    running.wait(DeviceChanged, "microphone")
    running.wait(DeviceChanged, "system")
    yield running
    running.session.send(Stop())
    assert running.session.join(WAIT_S)


def written(path, *sounds):
    return write_audio(path, to_pcm(np.concatenate([silence(0.3), *sounds, silence(1.0)])))


@pytest.fixture
def remote(tmp_path):
    sentence = speech(["we", "sent", "the", "goods", "to", "the", "store", "in", "London", "on", "Friday"], "en")
    return written(tmp_path / "remote.wav", sentence)


def test_what_the_loudspeakers_play_is_translated_once(server, meeting, remote):
    server.play(remote, SPEAKERS)
    meeting.wait(UtteranceClosed, "system")
    meeting.wait(EchoDropped, "microphone")

    assert meeting.of(UtteranceClosed, "microphone") == []
    captions = [event.caption.lane for event in meeting.events if isinstance(event, CaptionUpdated)]
    assert set(captions) == {"system"}


def test_who_speaks_over_the_loudspeakers_is_translated(server, meeting, remote, tmp_path):
    own = written(tmp_path / "own.wav", silence(0.8), 0.5 * speech(["我们", "明天", "下午", "三点", "开会"], "zh"))
    theirs = threading.Thread(target=server.play, args=(remote, SPEAKERS))
    theirs.start()
    server.play(own, MICROPHONE_SINK)
    theirs.join()
    meeting.wait(UtteranceClosed, "system")
    meeting.wait(UtteranceClosed, "microphone")

    assert meeting.of(EchoDropped, "microphone") == []
