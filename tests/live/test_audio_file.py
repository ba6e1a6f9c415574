import threading
import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from audio_clips import noise, silence, to_pcm, tone, write_audio

from live.audio import BLOCK_S
from live.audio_file import FAST_BLOCK_S, FileSource, SoundFile
from live.errors import CaptureError
from live.queues import AudioQueue


def read(path):
    """All samples, (n, channels), and the finished SoundFile."""
    sound = SoundFile(path)
    samples = np.concatenate(list(sound.blocks(BLOCK_S)))
    sound.close()
    return samples, sound


def drained(queue):
    taken = []
    while not queue.is_closed or queue.waiting_s:
        block = queue.get(10.0)
        if block is not None:
            taken.append(block)
    return taken


def never(reason):
    raise AssertionError(reason)


def mux_at(container, stream, start):
    """Add a second of tone at a sample of the container's clock."""
    frame = av.AudioFrame.from_ndarray(to_pcm(tone(1.0)).T.copy(), format="s16", layout="mono")
    frame.sample_rate, frame.pts = 16_000, start
    container.mux(stream.encode(frame))


def damaged_from(path, share, length=4_000):
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + length] = bytes(length)
    path.write_bytes(data)


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


LOSSLESS = [("talk.wav", "pcm_s16le"), ("talk.flac", "flac"), ("talk.aiff", "pcm_s16be"), ("talk.mkv", "flac")]
LOSSY = [("talk.mp3", "libmp3lame"), ("talk.m4a", "aac"), ("talk.mkv", "aac"), ("talk.opus", "libopus")]


@pytest.mark.parametrize(("name", "codec"), LOSSLESS)
def test_a_lossless_file_comes_out_sample_by_sample(tmp_path, name, codec):
    pcm = to_pcm(noise(1.5))
    samples, sound = read(write_audio(tmp_path / name, pcm, codec=codec))

    np.testing.assert_array_equal(samples, pcm)
    assert (sound.rate, sound.channels, sound.warning) == (16_000, 1, None)
    assert sound.duration_s == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize(("name", "codec"), LOSSY)
def test_a_compressed_file_sounds_as_it_did_and_when_it_did(tmp_path, name, codec):
    pulse = np.concatenate([silence(1.0, 48_000), tone(1.0, rate=48_000), silence(1.0, 48_000)])
    samples, sound = read(write_audio(tmp_path / name, to_pcm(pulse), 48_000, codec))

    heard = samples[:, 0] / np.float32(32_767)
    loud = np.flatnonzero(np.abs(heard) > 0.1)
    assert loud[0] / sound.rate == pytest.approx(1.0, abs=0.03)
    assert loud[-1] / sound.rate == pytest.approx(2.0, abs=0.03)
    assert np.abs(heard).max() == pytest.approx(0.3, abs=0.05)
    assert sound.warning is None


def test_the_sound_of_a_video_is_read_and_begins_when_it_begins(tmp_path):
    path = tmp_path / "talk.mkv"
    with av.open(path, "w") as container:
        picture = container.add_stream("mpeg4", rate=10, width=16, height=16, pix_fmt="yuv420p")
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for i in range(40):
            frame = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
            frame.pts = i
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        mux_at(container, sound, 8_000)
    samples, sound = read(path)

    assert len(samples) == 24_000
    assert not samples[:8_000].any()
    np.testing.assert_array_equal(samples[8_000:], to_pcm(tone(1.0)))
    assert sound.warning is None


def test_a_file_whose_clock_starts_late_begins_at_once_and_a_hole_in_it_is_silence(tmp_path):
    path = tmp_path / "talk.mkv"
    with av.open(path, "w") as container:
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (160_000, 208_000):
            mux_at(container, sound, start)
    samples, _ = read(path)

    assert len(samples) == 64_000
    assert not samples[16_000:48_000].any()
    for start in (0, 48_000):
        np.testing.assert_array_equal(samples[start : start + 16_000], to_pcm(tone(1.0)))


@pytest.mark.parametrize("second", [16_800, 30 * 3_600 * 16_000], ids=["trembling", "broken"])
def test_a_timestamp_that_trembles_or_is_broken_adds_no_silence(tmp_path, second):
    path = tmp_path / "talk.mkv"
    with av.open(path, "w") as container:
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, second):
            mux_at(container, sound, start)

    assert len(read(path)[0]) == 32_000


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_blocks_hold_what_was_asked_at_the_rate_of_the_file(tmp_path, rate):
    pcm = to_pcm(noise(0.305, rate=rate))
    sound = SoundFile(write_audio(tmp_path / "talk.wav", pcm, rate))
    blocks = list(sound.blocks(BLOCK_S))
    sound.close()

    assert {len(block) for block in blocks[:-1]} == {rate // 50}
    np.testing.assert_array_equal(np.concatenate(blocks), pcm)
    assert sound.rate == rate


def test_surround_sound_keeps_its_channels(tmp_path):
    pcm = to_pcm(np.stack([tone(0.5, 100.0 * (channel + 1)) for channel in range(6)], axis=1))
    samples, sound = read(write_audio(tmp_path / "film.flac", pcm, codec="flac", layout="5.1"))

    assert sound.channels == 6
    np.testing.assert_array_equal(samples, pcm)


def test_full_scale_and_digital_silence_survive(tmp_path):
    pcm = np.concatenate([np.full(800, -32_768), np.full(800, 32_767), np.zeros(800)]).astype(np.int16)[:, np.newaxis]
    samples, _ = read(write_audio(tmp_path / "talk.wav", pcm))

    np.testing.assert_array_equal(samples, pcm)


def test_floating_point_sound_is_clipped_and_what_is_not_finite_is_silence(tmp_path):
    wanted = np.array([0.5, -1.0, np.nan, 1.5, np.inf, -2.0, -np.inf, 0.0] * 100, np.float32)
    samples, sound = read(write_audio(tmp_path / "talk.wav", wanted, codec="pcm_f32le"))

    assert samples[:8, 0].tolist() == [16_384, -32_768, 0, 32_767, 0, -32_768, 0, 0]
    assert sound.warning == "talk.wav holds samples that are no numbers: they count as silence."


@pytest.mark.parametrize(("codec", "step"), [("pcm_u8", 256), ("pcm_s24le", 1), ("pcm_s32le", 1), ("pcm_f64le", 1)])
def test_every_sample_format_becomes_the_same_16_bits(tmp_path, codec, step):
    pcm = to_pcm(tone(0.1))
    samples, _ = read(write_audio(tmp_path / "talk.wav", pcm, codec=codec))

    assert np.abs(samples.astype(int) - pcm).max() <= step


def test_a_clip_of_20_ms_is_one_block(tmp_path):
    sound = SoundFile(write_audio(tmp_path / "click.wav", to_pcm(tone(0.02))))

    assert [len(block) for block in sound.blocks(BLOCK_S)] == [320]
    sound.close()


def test_an_hour_is_read_in_flat_memory(tmp_path):
    path = tmp_path / "hour.wav"
    minute = to_pcm(tone(60.0, rate=8_000)).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        for _ in range(60):
            file.writeframesraw(minute)
    sound = SoundFile(path)

    tracemalloc.start()
    n = sum(len(block) for block in sound.blocks(BLOCK_S))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sound.close()

    assert (n, sound.duration_s) == (60 * 60 * 8_000, 3_600.0)
    assert peak < 1_000_000


def test_a_change_from_stereo_to_mono_keeps_the_first_format(tmp_path):
    stereo = write_audio(tmp_path / "a.ts", to_pcm(np.stack([tone(1.0)] * 2, axis=1)), codec="mp2", layout="stereo")
    mono = write_audio(tmp_path / "b.ts", to_pcm(tone(1.0)), codec="mp2")
    both = tmp_path / "both.ts"
    both.write_bytes(stereo.read_bytes() + mono.read_bytes())
    samples, sound = read(both)

    assert (sound.channels, samples.shape[1]) == (2, 2)
    assert len(samples) / sound.rate == pytest.approx(2.0, abs=0.1)
    assert np.abs(samples[20_000:30_000]).max() > 5_000


@pytest.mark.parametrize(("name", "codec"), [*LOSSLESS, ("talk.mp3", "libmp3lame"), ("float.wav", "pcm_f32le")])
def test_a_truncated_file_gives_what_it_has_and_says_so(tmp_path, name, codec):
    samples, sound = read(cut(write_audio(tmp_path / name, to_pcm(noise(10.0)), codec=codec), 0.6))

    assert 5.0 < len(samples) / 16_000 < 6.5
    assert sound.warning is not None
    assert sound.warning.startswith(f"{name} is cut short: it ends at ")


def test_a_damaged_stretch_is_passed_over_in_time_and_said(tmp_path):
    path = write_audio(tmp_path / "talk.ts", to_pcm(tone(10.0)), codec="aac")
    damaged_from(path, 0.5, 12_000)
    samples, sound = read(path)

    assert len(samples) / 16_000 == pytest.approx(10.0, abs=0.25)
    assert sound.warning is not None
    assert "talk.ts is damaged" in sound.warning


def test_a_recording_whose_header_was_never_completed_is_read_without_a_word(tmp_path):
    path = write_audio(tmp_path / "talk.wav", to_pcm(tone(1.0)))
    data = bytearray(path.read_bytes())
    place = data.index(b"data")
    data[4:8] = data[place + 4 : place + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    samples, sound = read(path)

    assert len(samples) == 16_000
    assert sound.warning is None


def broken_files(folder: Path):
    noise_path = folder / "noise.bin"
    noise_path.write_bytes(np.random.default_rng(3).bytes(50_000))
    (folder / "empty.wav").touch()
    (folder / "word.txt").write_text("Agenda\n")
    (folder / "notes.txt").write_text("Agenda: none.\n" * 50)
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/talk.ts\n#EXT-X-ENDLIST\n")
    write_audio(folder / "none.wav", np.zeros((1_024, 1), np.int16))
    cut(write_audio(folder / "cut.m4a", to_pcm(tone(5.0)), codec="aac"), 0.5)
    header = folder / "header.wav"
    with wave.open(str(header), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    with av.open(folder / "film.mkv", "w") as container:
        picture = container.add_stream("mpeg4", rate=10, width=16, height=16, pix_fmt="yuv420p")
        container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")))
        container.mux(picture.encode(None))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.wav", "There is no file .*missing.wav"),
        (".", "is a folder"),
        ("empty.wav", "empty.wav is empty"),
        ("noise.bin", "noise.bin is not a sound or video file"),
        ("word.txt", "word.txt is not a sound or video file"),
        ("notes.txt", "notes.txt has no sound in it"),  # FFmpeg takes longer text for a film of a terminal
        ("list.m3u8", "list.m3u8 is not a sound or video file"),
        ("cut.m4a", "cut off before its index"),
        ("header.wav", "header.wav holds no sound"),
        ("film.mkv", "film.mkv has no sound in it"),
    ],
)
def test_a_file_without_sound_is_refused_in_one_line(tmp_path, name, reason):
    broken_files(tmp_path)
    source = FileSource(tmp_path / name)

    with pytest.raises(CaptureError, match=reason) as refusal:
        source.open(AudioQueue(10.0), never)
    assert "\n" not in str(refusal.value)


def test_a_source_delivers_every_sample_however_slowly_they_are_taken(tmp_path):
    pcm = to_pcm(noise(3.0))
    source = FileSource(write_audio(tmp_path / "talk.flac", pcm, codec="flac"))
    queue = AudioQueue(0.1, 16_000)
    source.open(queue, never)
    blocks = drained(queue)
    source.close()

    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), pcm)
    assert [block.first for block in blocks] == list(range(0, len(pcm), round(FAST_BLOCK_S * 16_000)))
    assert (queue.n_dropped, source.position, source.is_live, source.lane) == (0, 48_000, False, "file")


def test_a_source_says_that_its_file_was_cut_short(tmp_path):
    source = FileSource(cut(write_audio(tmp_path / "talk.flac", to_pcm(noise(5.0)), codec="flac"), 0.5))
    queue = AudioQueue(10.0, 16_000)
    source.open(queue, never)
    drained(queue)
    source.close()

    assert source.warning is not None
    assert "cut short" in source.warning


def test_nobody_can_change_what_was_heard(tmp_path):
    source = FileSource(write_audio(tmp_path / "talk.wav", to_pcm(tone(0.5))))
    queue = AudioQueue(10.0, 16_000)
    source.open(queue, never)

    assert not any(block.samples.flags.writeable for block in drained(queue))
    source.close()


def test_a_source_paced_live_offers_each_block_when_its_last_sample_was_heard(tmp_path):
    now_s = [100.0]

    def wait(seconds):
        now_s[0] += seconds

    path = write_audio(tmp_path / "talk.wav", to_pcm(tone(1.0, rate=48_000)), 48_000)
    source = FileSource(path, "live", clock=lambda: now_s[0], wait=wait)
    queue = AudioQueue(10.0, 48_000)
    source.open(queue, never)
    stamps = [block.stamp_s for block in drained(queue)]
    source.close()

    assert source.is_live
    np.testing.assert_allclose(stamps, 100.0 + 0.02 * np.arange(1, 51))


def test_the_clock_of_a_source_paced_live_stands_still_while_it_is_held(tmp_path):
    now_s = [100.0]

    class Held(AudioQueue):
        """Takes the tenth block half a minute late."""

        def put(self, block, stop=lambda: False):
            if block.first == 9 * 320:
                now_s[0] += 30.0
            return super().put(block, stop)

    def wait(seconds):
        now_s[0] += seconds

    path = write_audio(tmp_path / "talk.wav", to_pcm(tone(1.0)))
    source = FileSource(path, "live", clock=lambda: now_s[0], wait=wait)
    queue = Held(10.0, 16_000)
    source.open(queue, never)
    stamps = [block.stamp_s for block in drained(queue)]
    source.close()

    np.testing.assert_allclose(stamps[:10], 100.0 + 0.02 * np.arange(1, 11))
    np.testing.assert_allclose(stamps[10:], 130.2 + 0.02 * np.arange(1, 41))


def test_a_source_that_is_closed_early_stops_reading_and_closes_its_queue(tmp_path):
    source = FileSource(write_audio(tmp_path / "talk.wav", to_pcm(tone(5.0))))
    queue = AudioQueue(0.1, 16_000)
    source.open(queue, never)
    assert queue.get(10.0) is not None
    source.close()

    assert queue.is_closed
    assert source.position < 16_000


def test_a_source_paced_live_does_not_sit_out_the_file_when_it_is_closed(tmp_path):
    source = FileSource(write_audio(tmp_path / "talk.wav", to_pcm(silence(60.0))), "live")
    queue = AudioQueue(10.0, 16_000)
    source.open(queue, never)
    source.close()

    assert queue.is_closed


def test_a_reader_that_fails_says_so_and_closes_the_queue(tmp_path, monkeypatch):
    source = FileSource(write_audio(tmp_path / "talk.wav", to_pcm(tone(1.0))))
    queue = AudioQueue(10.0, 16_000)
    monkeypatch.setattr(SoundFile, "blocks", lambda sound, block_s: never("the disk is gone"))
    said = threading.Event()
    reasons = []
    source.open(queue, lambda reason: (reasons.append(reason), said.set()))

    assert said.wait(10.0)
    assert reasons == ["talk.wav cannot be read any further (AssertionError); the log has the place."]
    source.close()
    assert queue.is_closed
