"""Voice activity: how likely each window of sound holds speech.

In: 16 kHz mono sound in whole windows. Out: a probability a window. Where an utterance begins and ends is decided by
`live.segmenter`.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from live.errors import SettingsError
from models.base import SAMPLE_RATE, Samples

_OTHER_DETECTOR = "use the other one: `tongchuan settings set detector webrtc`"


class Detector(Protocol):
    """Hears one lane, window after window."""

    window: int
    """Samples in a window."""

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Probability of speech in each window.

        Args:
            samples: (n * window,) float32 in [-1, 1], the sound after that of the last call.

        Returns:
            (n,) float32, 0 to 1.
        """
        ...

    def reset(self) -> None:
        """Forget what was heard: what comes next does not follow it."""
        ...


class Silero:
    """Silero's recurrent network (snakers4/silero-vad, version 6), by its ONNX file alone.

    The package around the file is not imported: it needs torch and sets torch's number of threads to one.
    """

    window = 512

    _CONTEXT = 64
    """Samples of the last window that the network sees again."""

    def __init__(self) -> None:
        """Raises: SettingsError: the network's file or onnxruntime is missing; the message names the other detector."""
        # From 1.29 on it reports to its maker on Linux and macOS, and is told not to before it begins; on Windows the
        # system collects what it says until it is told below.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        try:
            import onnxruntime  # here, so that WebRtc works where onnxruntime does not
        except ImportError as error:
            raise SettingsError(f"Silero's voice detector needs onnxruntime ({error}): {_OTHER_DETECTOR}.") from error
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_silero_file(), options, providers=["CPUExecutionProvider"])
        self._rate = np.array(SAMPLE_RATE, np.int64)
        self.reset()

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        return np.array([self._probability(window) for window in samples.reshape(-1, self.window)], np.float32)

    def reset(self) -> None:
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros(self._CONTEXT, np.float32)

    def _probability(self, window: Samples) -> float:
        heard = np.concatenate([self._context, window])[np.newaxis]  # (1, 576)
        self._context = window[-self._CONTEXT :]
        inputs = {"input": heard, "state": self._state, "sr": self._rate}
        probability, self._state = self._session.run(None, inputs)
        return float(probability[0, 0])


class WebRtc:
    """WebRTC's detector: Gaussian mixtures over six bands. Light, but it takes hum, music and loud noise for speech.

    It says yes or no; the probability is the share of yes in the last five windows (150 ms).
    """

    window = SAMPLE_RATE * 30 // 1000

    _SMOOTHED = 5

    def __init__(self, mode: int = 3) -> None:
        """Args: mode: 0 to 3; a higher one says no more readily."""
        self._mode = mode
        self.reset()

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        pcm = (np.clip(samples, -1.0, 1.0) * 32_767).astype("<i2").reshape(-1, self.window)
        return np.array([self._probability(window.tobytes()) for window in pcm], np.float32)

    def reset(self) -> None:
        import webrtcvad

        self._vad = webrtcvad.Vad(self._mode)
        self._answers = deque([False] * self._SMOOTHED, maxlen=self._SMOOTHED)

    def _probability(self, window: bytes) -> float:
        self._answers.append(self._vad.is_speech(window, SAMPLE_RATE))
        return sum(self._answers) / self._SMOOTHED


_DETECTORS: dict[str, Callable[[], Detector]] = {"silero": Silero, "webrtc": WebRtc}


def make_detector(name: str) -> Detector:
    """A detector for one lane.

    Args:
        name: "silero" or "webrtc".

    Raises:
        SettingsError: there is no detector of that name, or its file is missing.
    """
    if name not in _DETECTORS:
        nearest = difflib.get_close_matches(name, _DETECTORS, n=1, cutoff=0.0)[0]
        raise SettingsError(f"There is no voice detector '{name}'; the nearest is '{nearest}'.")
    return _DETECTORS[name]()


def _silero_file() -> str:
    spec = importlib.util.find_spec("silero_vad")
    folders = (spec.submodule_search_locations if spec else None) or []
    files = [file for folder in folders if (file := Path(folder, "data", "silero_vad.onnx")).is_file()]
    if not files:
        raise SettingsError(f"Silero's voice detector is missing: `pip install silero-vad`, or {_OTHER_DETECTOR}.")
    return str(files[0])
