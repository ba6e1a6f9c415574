"""Sound written in files and read back on the captions' clock."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from disks import LoggingDisk, TroubledDisk
from talks import INFO, chunks, sweep

from live.errors import RecordingError
from live.events import AudioDropped
from live.recording import sound_files
from live.recording.encoder import mend
from live.recording.journal import Transcript
from live.recording.records import SoundBegan
from live.recording.sound import RecordedSound
from live.recording.sound_files import LaneSound

KINDS = ("opus", "flac", "wav")
SECOND = 16_000


class Lane:
    """One lane being recorded into a folder."""

    def __init__(self, folder, kind="flac", disk=None) -> None:
        self.folder, self.records = folder, []
        (folder / "audio").mkdir(exist_ok=True)
        self.sound = LaneSound("microphone", kind, lambda: folder / "audio", self.records.append, disk)

    def write(self, samples, start=0, size=320):
        for chunk in chunks(samples, start, size=size):
            self.sound.write(chunk)

    @property
    def files(self):
        return [record for record in self.records if isinstance(record, SoundBegan)]

    def read(self, start, end):
        transcript = Transcript(self.folder, INFO, sounds=tuple(self.files))
        return RecordedSound(transcript).read("microphone", start, end)


def likeness(one, other) -> float:
    """Correlation, 1 where they are the same."""
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_sample_k_of_the_sound_is_time_k_of_the_captions(tmp_path, kind):
    lane, heard = Lane(tmp_path, kind), sweep(10 * SECOND)
    lane.write(heard)
    lane.sound.close()
    for start in (0, 12_345, 9 * SECOND):
        samples, n_recorded = lane.read(start, start + 8000)
        assert n_recorded == 8000
        assert likeness(samples, heard[start : start + 8000]) > 0.99
    assert lane.read(0, 99 * SECOND)[1] == pytest.approx(10 * SECOND, abs=320)
    assert lane.files == [SoundBegan("microphone", f"microphone-001.{kind}", 0)]
    assert (tmp_path / "audio" / f"microphone-001.{kind}").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", KINDS)
def test_time_goes_on_over_the_border_of_files(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(sound_files, "ROLL", 3 * SECOND)
    lane, heard = Lane(tmp_path, kind), sweep(10 * SECOND)
    lane.write(heard)
    lane.sound.close()
    assert [record.start for record in lane.files] == [0, 3 * SECOND, 6 * SECOND, 9 * SECOND]
    samples, n_recorded = lane.read(0, 10 * SECOND)
    assert n_recorded == 10 * SECOND
    assert likeness(samples, heard) > 0.99
    around = slice(6 * SECOND - 400, 6 * SECOND + 400)
    assert likeness(samples[around], heard[around]) > 0.97


def test_what_was_not_heard_is_silence_within_a_file_and_lies_between_two(tmp_path, monkeypatch):
    monkeypatch.setattr(sound_files, "ROLL", 5 * SECOND)
    lane, heard = Lane(tmp_path), sweep(SECOND)
    for start in (0, 2 * SECOND, 60 * SECOND):
        lane.write(heard, start)
    lane.sound.close()
    assert [record.start for record in lane.files] == [0, 60 * SECOND]
    samples, n_recorded = lane.read(0, 61 * SECOND)
    assert n_recorded == 4 * SECOND  # the silence before the third second is in the file
    for start in (0, 2 * SECOND, 60 * SECOND):
        assert np.allclose(samples[start : start + SECOND], heard, atol=1e-4)
    assert not samples[SECOND : 2 * SECOND].any()
    assert not samples[3 * SECOND : 60 * SECOND].any()


def test_a_clock_that_jumps_back_leaves_what_is_recorded_as_it_is(tmp_path):
    lane, heard = Lane(tmp_path), sweep(2 * SECOND)
    lane.write(heard)
    lane.write(np.ones(3000, np.float32), 1000)  # all of it is past
    lane.write(np.full(SECOND, 0.25, np.float32), 2 * SECOND - 100, size=SECOND)
    lane.sound.close()
    samples, _ = lane.read(0, 3 * SECOND - 100)
    assert np.allclose(samples[: 2 * SECOND], heard, atol=1e-4)
    assert np.allclose(samples[2 * SECOND :], 0.25, atol=1e-4)


PROGRAM = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from talks import chunks, sweep
from live.recording.sound_files import LaneSound
lane = LaneSound("microphone", sys.argv[2], lambda: Path(sys.argv[1]), print)
for chunk in chunks(sweep(int(sys.argv[4]))):
    lane.write(chunk)
os.kill(os.getpid(), 9)
"""


HEARD = 409_200
"""Samples; as WAV they end just before a buffer of FFmpeg's is full."""


@pytest.mark.parametrize("kind", KINDS)
def test_killing_the_program_costs_less_than_half_a_second_of_sound(tmp_path, kind):
    audio = tmp_path / "audio"
    audio.mkdir()
    here = str(Path(__file__).parent)
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(audio), kind, here, str(HEARD)], check=False, stdout=subprocess.PIPE
    )
    assert killed.returncode == -9
    transcript = Transcript(tmp_path, INFO, sounds=(SoundBegan("microphone", f"microphone-001.{kind}", 0),))
    samples, n_recorded = RecordedSound(transcript).read("microphone", 0, HEARD)
    assert n_recorded > HEARD - SECOND // 2
    assert likeness(samples[:n_recorded], sweep(HEARD)[:n_recorded]) > 0.99
    assert mend(audio) == (kind != "opus")
    assert mend(audio) == 0
    assert RecordedSound(transcript).read("microphone", 0, HEARD)[1] == n_recorded
    assert len(list(audio.iterdir())) == 1
    if kind == "wav":
        with wave.open(str(audio / "microphone-001.wav")) as read:
            assert read.getnframes() == n_recorded
    with av.open(str(audio / f"microphone-001.{kind}")) as container:
        assert container.duration / av.time_base == pytest.approx(n_recorded / SECOND, abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_costs_the_sound_meanwhile_and_the_gap_is_told(tmp_path, kind):
    disk = TroubledDisk()
    lane, heard = Lane(tmp_path, kind, disk), sweep(20 * SECOND)
    failures = []
    for chunk in chunks(heard):
        disk.room = 0 if 4 * SECOND <= chunk.start < 8 * SECOND else None
        try:
            lane.sound.write(chunk)
        except RecordingError as error:
            failures.append(str(error))
            assert lane.sound.has_failed
    lane.sound.close()
    assert failures == ["The sound cannot be recorded: No space left on device."]
    (gap,) = [record for record in lane.records if isinstance(record, AudioDropped)]
    first, second = lane.files
    assert first.start == 0
    assert second.start == gap.start + gap.n_samples
    assert 4 * SECOND <= gap.start < 5.5 * SECOND
    assert 8 * SECOND <= second.start < 11 * SECOND
    assert gap.reason == "it could not be recorded: No space left on device"
    names = sorted(path.name for path in (tmp_path / "audio").iterdir())
    assert names == [first.name, second.name]
    samples, _ = lane.read(0, 20 * SECOND)
    assert likeness(samples[second.start :], heard[second.start :]) > 0.99
    assert likeness(samples[: 3 * SECOND], heard[: 3 * SECOND]) > 0.99


def test_each_try_of_a_disk_that_stays_full_leaves_no_empty_file(tmp_path):
    disk = TroubledDisk()
    lane = Lane(tmp_path, "opus", disk)
    disk.room = 0
    for start in range(3):
        with pytest.raises(RecordingError):
            lane.write(sweep(SECOND), start * 10 * SECOND, size=SECOND)
    assert list((tmp_path / "audio").iterdir()) == []
    disk.room = None
    lane.write(sweep(SECOND), 30 * SECOND, size=SECOND)
    lane.sound.close()
    assert [path.name for path in (tmp_path / "audio").iterdir()] == [lane.files[-1].name]
    assert lane.read(0, 31 * SECOND)[1] == SECOND


def test_a_power_cut_costs_no_more_than_a_second_that_the_encoder_has_let_go_of(tmp_path):
    disk = LoggingDisk(tmp_path)
    lane = Lane(tmp_path, "wav", disk)
    lane.write(sweep(10 * SECOND))
    n_bytes, most = 0, 0
    for entry in disk.log:
        match entry:
            case ("write", _, data):
                n_bytes += len(data)
                most = max(most, n_bytes)
            case ("sync", _):
                n_bytes = 0
    lane.sound.close()
    assert 0 < most < 2 * SECOND * 1.1  # two bytes a sample


def test_where_two_files_tell_of_the_same_time_the_later_one_counts(tmp_path):
    for seconds, level in ((3, 0.1), (1, 0.2)):
        lane = Lane(tmp_path, "wav")
        lane.write(np.full(seconds * SECOND, level, np.float32))
        lane.sound.close()
    sounds = (SoundBegan("microphone", "microphone-001.wav", 0), SoundBegan("microphone", "microphone-002.wav", SECOND))
    samples, n_recorded = RecordedSound(Transcript(tmp_path, INFO, sounds=sounds)).read("microphone", 0, 3 * SECOND)
    expected = np.repeat(np.array([0.1, 0.2, 0], np.float32), SECOND)
    assert np.allclose(samples, expected, atol=1e-4)
    assert n_recorded == 2 * SECOND


def test_sound_that_is_missing_or_spoilt_is_silence_and_counted_as_such(tmp_path):
    lane = Lane(tmp_path)
    lane.write(sweep(SECOND))
    lane.sound.close()
    path = tmp_path / "audio" / "microphone-001.flac"
    whole = path.read_bytes()
    for content in (b"", b"nonsense" * 100, whole[:20]):
        path.write_bytes(content)
        assert lane.read(0, SECOND)[1] == 0
    path.unlink()
    samples, n_recorded = lane.read(0, SECOND)
    assert (len(samples), n_recorded) == (SECOND, 0)
    assert not RecordedSound(Transcript(tmp_path, INFO, sounds=tuple(lane.files))).has("microphone")
    shutil.rmtree(tmp_path / "audio")
    assert lane.read(0, SECOND)[1] == 0
    assert mend(tmp_path / "audio") == 0


def test_a_journal_cannot_name_sound_outside_the_session(tmp_path):
    lane = Lane(tmp_path)
    lane.write(sweep(SECOND))
    lane.sound.close()
    (tmp_path / "audio" / "microphone-001.flac").rename(tmp_path / "secret.flac")
    for name in ("../secret.flac", str(tmp_path / "secret.flac")):
        transcript = Transcript(tmp_path, INFO, sounds=(SoundBegan("microphone", name, 0),))
        assert RecordedSound(transcript).read("microphone", 0, SECOND)[1] == 0


def test_a_file_that_stands_there_already_is_left_alone(tmp_path):
    for content in (0.1, 0.2):
        lane = Lane(tmp_path, "wav")
        lane.write(np.full(SECOND, content, np.float32))
        lane.sound.close()
    assert lane.files[0].name == "microphone-002.wav"
    assert sorted(path.name for path in (tmp_path / "audio").iterdir()) == ["microphone-001.wav", "microphone-002.wav"]
