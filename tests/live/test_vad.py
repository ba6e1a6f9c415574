import builtins
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from audio_clips import noise, silence, speech, talk, tone

from live.errors import SettingsError
from live.vad import Silero, WebRtc, make_detector


def windows(samples, detector):
    return samples[: len(samples) // detector.window * detector.window]


def heard(name, samples):
    detector = make_detector(name)
    return detector.probabilities(windows(samples, detector))


ENGLISH = ("we", "will", "meet", "again", "on", "monday", "morning", "at", "ten")
MANDARIN = ("我们", "星期一", "上午", "十点", "再", "开会")


@pytest.mark.parametrize(("tokens", "language"), [(ENGLISH, "en"), (MANDARIN, "zh")])
@pytest.mark.parametrize("name", ["silero", "webrtc"])
def test_speech_is_heard_as_speech(name, tokens, language):
    spoken = heard(name, np.concatenate([silence(0.5), speech(tokens, language), silence(0.5)]))

    assert (spoken > 0.5).mean() > 0.5
    assert spoken[:5].max() < 0.35


@pytest.mark.parametrize(
    "sound",
    [silence(3.0), noise(3.0, 0.03), noise(3.0, 0.3), tone(3.0, 50.0, 0.1), tone(3.0, 440.0), talk(1.0, 0.01, 1.0)],
    ids=["silence", "soft noise", "loud noise", "hum", "tone", "click"],
)
def test_silero_takes_no_other_sound_for_speech(sound):
    assert heard("silero", sound).max() < 0.35


def test_speech_in_noise_is_heard_by_silero():
    spoken = speech(ENGLISH, "en")
    level = np.sqrt(np.mean(spoken**2)) / 10**0.5
    noisy = spoken + noise(len(spoken) / 16_000, float(level))

    assert (heard("silero", noisy) > 0.5).mean() > 0.5


def test_webrtc_takes_silence_for_silence():
    assert heard("webrtc", silence(3.0)).max() == 0.0


def test_silero_answers_as_its_own_package_does(tmp_path):
    detector = Silero()
    samples = windows(np.concatenate([silence(0.2), speech(ENGLISH, "en"), noise(0.5, 0.01)]), detector)
    np.save(tmp_path / "samples.npy", samples)
    program = (
        "import sys, numpy as np, torch; from silero_vad import load_silero_vad;"
        "model = load_silero_vad(onnx=True); samples = torch.from_numpy(np.load(sys.argv[1]));"
        "print(*(model(window, 16000).item() for window in samples.split(512)))"
    )
    # In a process of its own: importing the package changes torch's threads for whoever else is there.
    command = [sys.executable, "-c", program, str(tmp_path / "samples.npy")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)

    np.testing.assert_allclose(detector.probabilities(samples), [float(x) for x in ran.stdout.split()], atol=1e-6)


@pytest.mark.parametrize("name", ["silero", "webrtc"])
def test_how_many_windows_come_at_once_makes_no_difference(name):
    detector = make_detector(name)
    samples = windows(np.concatenate([speech(ENGLISH, "en"), noise(1.0, 0.05)]), detector)
    one_by_one = make_detector(name)
    single = [one_by_one.probabilities(window)[0] for window in samples.reshape(-1, detector.window)]

    np.testing.assert_array_equal(detector.probabilities(samples), single)


@pytest.mark.parametrize("name", ["silero", "webrtc"])
def test_after_a_reset_the_same_sound_gives_the_same_answer(name):
    detector = make_detector(name)
    samples = windows(speech(ENGLISH, "en"), detector)
    first = detector.probabilities(samples)
    unlike = detector.probabilities(samples)
    detector.reset()

    np.testing.assert_array_equal(detector.probabilities(samples), first)
    assert not np.array_equal(unlike, first)


@pytest.mark.parametrize("name", ["silero", "webrtc"])
def test_no_window_gives_no_probability(name):
    assert heard(name, silence(0.0)).shape == (0,)


def test_webrtc_is_sure_only_after_several_windows_agree():
    spoken = WebRtc().probabilities(windows(speech(ENGLISH, "en"), WebRtc()))

    assert spoken[0] <= 0.21
    assert np.abs(np.diff(spoken)).max() < 0.21
    assert spoken.max() == 1.0


@pytest.mark.parametrize("name", ["silero", "webrtc"])
def test_full_scale_is_taken(name):
    probabilities = heard(name, np.ones(16_000, np.float32) * np.sign(tone(1.0, 100.0) + 1e-9))

    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_an_unknown_detector_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match="no voice detector 'silera'; the nearest is 'silero'"):
        make_detector("silera")


def test_a_missing_model_file_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SettingsError, match=r"pip install silero-vad.*detector webrtc"):
        Silero()


def test_without_onnxruntime_silero_names_the_way_out(monkeypatch):
    real_import = builtins.__import__

    def refusing(name, *arguments, **options):
        if name == "onnxruntime":
            raise ImportError("DLL load failed")
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refusing)

    with pytest.raises(SettingsError, match=r"needs onnxruntime \(DLL load failed\).*detector webrtc"):
        Silero()
    assert WebRtc().probabilities(silence(0.03)).shape == (1,)


def test_the_detectors_import_neither_torch_nor_the_package_around_the_model():
    program = (
        "import sys; from live.vad import make_detector; import numpy as np;"
        "[make_detector(n).probabilities(np.zeros(7680, np.float32)) for n in ('silero', 'webrtc')];"
        "print(sorted({'torch', 'silero_vad'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout.strip() == "[]"
