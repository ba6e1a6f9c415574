"""The recorder's child process, with a server and a `parec` that the test makes; the real ones are in tests/desktop."""

import sys
from types import SimpleNamespace

import numpy as np
import pulsectl
import pytest

from live.errors import CaptureError
from live.queues import AudioQueue
from live.sound_systems import pulse
from live.sound_systems.base import Feed, InputDevice
from live.sound_systems.pulse import PulseSystem
from live.sound_systems.pulse_server import NoServerError

MICROPHONE = InputDevice(1, "Blue Yeti", "fake", 2, 48_000, True, "microphone", "usb")
OUTPUT = InputDevice(0, "Speakers", "fake", 2, 48_000, True, "system", "spk.monitor")


def source(index, name, description, monitors=None, *, state="running"):
    return SimpleNamespace(
        index=index,
        name=name,
        description=description,
        monitor_of_sink_name=monitors,
        channel_count=2,
        sample_spec=SimpleNamespace(rate=48_000),
        state=state,
    )


class FakeServer:
    """Answers as a pulsectl.Pulse would: two sources, and whoever runs the fake `parec` records `recorded`."""

    has_answered = True

    def __init__(self):
        self.sources = [source(0, "spk.monitor", "Monitor of Speakers", "spk"), source(1, "usb", "Blue Yeti")]
        self.recorded = 1
        self.default_source = "usb"
        self.refuses_to_move = False
        self.error = None
        self.mark = None

    def ask(self, question, within_s=0.0):
        if self.error:
            raise self.error
        return question(self)

    def source_list(self):
        return self.sources

    def sink_list(self):
        return [SimpleNamespace(name="spk", description="Speakers")]

    def server_info(self):
        return SimpleNamespace(server_name="fake", default_sink_name="spk", default_source_name=self.default_source)

    def source_output_list(self):
        others = SimpleNamespace(index=6, source=0, proplist={})
        return [others, SimpleNamespace(index=7, source=self.recorded, proplist={"tongchuan.recording": self.mark})]

    def source_output_move(self, index, source_index):
        assert index == 7
        if self.refuses_to_move:
            raise pulsectl.PulseOperationFailed("no")
        self.recorded = source_index


@pytest.fixture
def parec(tmp_path, monkeypatch):
    """Makes what a line of Python does the recorder."""
    recorder = tmp_path / "parec"
    monkeypatch.setattr(pulse, "_RECORDER", str(recorder))

    def made(line):
        recorder.write_text(f"#!{sys.executable}\nimport sys, time\nout = sys.stdout.buffer\n{line}\n")
        recorder.chmod(0o700)

    return made


@pytest.fixture
def opened(parec):
    """Opens a device of the fake server and closes it at the end."""
    recordings = []

    def open_one(server, device=MICROPHONE, line="out.write(b'\\x01\\x02' * 480); out.flush(); time.sleep(60)"):
        parec(line)
        queue = AudioQueue(10.0, 16_000)
        recordings.append(PulseSystem(server).open(device, Feed(device.kind, queue)))
        server.mark = recordings[-1]._mark
        return recordings[-1], queue

    yield open_one
    for recording in recordings:
        recording.close()


def test_monitors_are_computer_sound_by_their_outputs_name():
    listed = [(each.kind, each.name, each.key, each.is_default) for each in PulseSystem(FakeServer()).devices()]

    assert listed == [("system", "Speakers", "spk.monitor", True), ("microphone", "Blue Yeti", "usb", True)]
    assert PulseSystem(FakeServer()).default("system") == "spk.monitor"


def test_what_the_recorder_writes_becomes_whole_blocks(opened):
    recording, queue = opened(FakeServer())
    block = queue.get(10.0)

    assert block.samples.shape == (320, 1)
    assert set(block.samples[:, 0].tolist()) == {0x0201}
    assert recording.problem() is None
    np.testing.assert_equal(block.first, 0)


def test_the_recorder_is_told_the_device_by_the_servers_own_name(parec):
    parec("sys.stderr.write(' '.join(sys.argv[1:])); sys.exit(1)")
    with pytest.raises(CaptureError, match="--device=usb --rate=16000 --channels=1 --format=s16le --raw"):
        PulseSystem(FakeServer()).open(MICROPHONE, Feed("microphone", AudioQueue(1.0, 16_000)))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Stream error: Access denied", "'Blue Yeti' may not be used"),
        ("Stream error: No such entity", r"'Blue Yeti' cannot be opened \(Stream error: No such entity\)"),
        ("", r"'Blue Yeti' cannot be opened \(no reason was given\)"),
    ],
)
def test_a_recorder_that_ends_at_once_says_why(parec, said, message):
    parec(f"sys.stderr.write({said!r}); sys.exit(1)")
    with pytest.raises(CaptureError, match=message):
        PulseSystem(FakeServer()).open(MICROPHONE, Feed("microphone", AudioQueue(1.0, 16_000)))


def test_a_missing_recorder_is_said():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulse, "_RECORDER", "/nowhere/parec")
        with pytest.raises(CaptureError, match="`/nowhere/parec` does not start"):
            PulseSystem(FakeServer()).open(MICROPHONE, Feed("microphone", AudioQueue(1.0, 16_000)))


def test_a_microphone_that_never_delivers_is_refused(parec, monkeypatch):
    monkeypatch.setattr(pulse, "START_S", 0.0)
    parec("time.sleep(60)")
    with pytest.raises(CaptureError, match="delivers nothing"):
        PulseSystem(FakeServer()).open(MICROPHONE, Feed("microphone", AudioQueue(1.0, 16_000)))


def test_computer_sound_is_open_once_the_server_has_the_recording_though_nothing_plays(parec, monkeypatch):
    monkeypatch.setattr(pulse.uuid, "uuid4", lambda: SimpleNamespace(hex="ours"))
    server = FakeServer()
    server.mark, server.recorded = "ours", 0
    parec("time.sleep(60)")
    recording = PulseSystem(server).open(OUTPUT, Feed("system", AudioQueue(1.0, 16_000)))

    assert recording.problem() is None
    recording.close()


def test_what_became_of_a_microphone_is_told(opened):
    server = FakeServer()
    recording, _ = opened(server)
    assert recording.problem() is None
    server.recorded = 0
    assert recording.problem() == "gave way to 'Speakers', the system's new default"
    server.recorded = 1
    server.sources[1].state = "suspended"
    assert recording.problem() == "is suspended: wait, or wake it in the sound settings"
    server.sources.pop()
    assert recording.problem() == "is gone"
    server.error = CaptureError("hangs")
    assert recording.problem() == "is silent: the sound server does not answer"
    server.error = NoServerError("ended")
    assert recording.problem() == "is gone: the sound server has ended"


def test_a_recording_that_was_taken_along_to_a_new_default_is_moved_back(opened):
    server = FakeServer()
    recording, _ = opened(server)
    server.default_source, server.recorded = "spk.monitor", 0

    assert recording.problem() is None
    assert server.recorded == 1


def test_a_recording_that_cannot_be_moved_back_is_lost(opened):
    server = FakeServer()
    recording, _ = opened(server)
    server.default_source, server.recorded, server.refuses_to_move = "spk.monitor", 0, True

    assert recording.problem() == "gave way to 'Speakers', the system's new default"


def test_a_suspended_output_is_no_problem(opened):
    server = FakeServer()
    server.recorded = 0
    server.sources[0].state = "suspended"
    recording, _ = opened(server, OUTPUT)

    assert recording.problem() is None


def test_a_recorder_that_ends_is_gone(opened):
    recording, _ = opened(FakeServer())
    recording._process.kill()
    assert recording._ended.wait(10.0)
    assert recording.problem() == "is gone"


def test_without_a_server_there_is_no_system(monkeypatch):
    server = FakeServer()
    server.has_answered, server.error = False, NoServerError("none")
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert not PulseSystem(server).is_here()
    server.error, server.connected = None, True
    assert PulseSystem(server).is_here()
