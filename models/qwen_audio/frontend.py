"""Sound to the log-mel spectrogram that a checkpoint hears, and the lengths that follow from a number of samples.

In: mono float32 samples at 16 kHz. Out: Whisper's log-mel, cut where the clip ends, with no padding to 30 s.
Resampling, cutting long audio and the encoder itself are not its business.
Source: QwenLM/Qwen-Audio audio.py and tokenization_qwen.py; Whisper's log_mel_spectrogram; transformers'
WhisperFeatureExtractor and Qwen2AudioProcessor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank

from models.base import SAMPLE_RATE, Samples
from models.qwen_audio.sound import checked

Edge = Literal["v1", "masked"]
"""What the encoder's convolutions see beyond the end of a clip: nothing, or the silence that it was padded with."""

WINDOW = 400
"""Samples of one Fourier window: 25 ms."""
HOP = 160
"""Samples from one mel column to the next: 10 ms."""
AUDIO_TOKEN = 4 * HOP
"""Samples of one audio token: the encoder's second convolution and its pooling each halve the columns."""
MAX_SAMPLES = 30 * SAMPLE_RATE
"""The longest clip that the published encoders have positions for."""

_MIN_COLUMNS = 3
"""Mel columns that yield one audio token."""
_FLOOR = 1e-10
_RANGE = 8.0
"""Decades below the loudest bin at which the log is cut off."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """How a checkpoint hears.

    The first convolution of the encoder keeps the length of the mel, the second halves it. Qwen-Audio v1 cuts the mel
    at the clip's end, so that both see zeros beyond; Qwen2-Audio pads it to 30 s with silence, which the attention then
    masks. Two columns of that silence are all that a convolution at the clip's end can see, so no more is computed:
    the encoder drops their position, and needs no mask.
    """

    n_mels: int = 80
    edge: Edge = "v1"
    n_positions: int = MAX_SAMPLES // (2 * HOP)
    """Positions that the encoder has; the published ones have 1500, for 30 s."""

    @property
    def max_samples(self) -> int:
        """The longest clip that the encoder has positions for."""
        return self.n_positions * 2 * HOP

    @property
    def min_samples(self) -> int:
        """The shortest clip that yields an audio token; a shorter one is padded with zeros up to it."""
        return _MIN_COLUMNS * HOP

    def mel_length(self, n_samples: int) -> int:
        """Mel columns that a clip fills: v1 does not count the last, incomplete one."""
        return n_samples // HOP if self.edge == "v1" else -(-n_samples // HOP)

    def encoder_length(self, n_samples: int) -> int:
        """Positions (T) that the encoder works on: half the mel columns, rounded up."""
        return (self.mel_length(max(n_samples, self.min_samples)) - 1) // 2 + 1

    def audio_tokens(self, n_samples: int) -> int:
        """Audio tokens (N) of a clip: 25 a second, the start and end tags not counted."""
        return self.encoder_length(n_samples) // 2

    def positions(self, columns: int) -> int:
        """The encoder's positions of a mel that `log_mel` made, which may look beyond the clip's end."""
        return columns // 2 - self._look_ahead

    @property
    def _look_ahead(self) -> int:
        """Positions past the clip's end for which there are mel columns."""
        return 0 if self.edge == "v1" else 1

    def log_mel(self, samples: Samples) -> torch.Tensor:
        """Whisper's log-mel of one clip, as wide as the encoder reads.

        Zeros follow the clip only as far as its last columns see them. The floor is taken from the loudest bin of all
        columns that see the clip, the one or two that v1 then cuts off included: so does the original, which takes it
        from the clip padded to 30 s.

        Args:
            samples: (n,) as sound.checked takes it; n at most max_samples.

        Returns:
            (n_mels, 2 * encoder_length(n), and 2 more for the edge "masked") float32, about -1.5 to 1.5.

        Raises:
            TranslateError: the clip is too long, not one channel, or holds values that are no samples.
        """
        samples = checked(samples, self.max_samples)
        width = 2 * (self.encoder_length(len(samples)) + self._look_ahead)
        wave = torch.zeros(min(width * HOP + WINDOW, self.max_samples))
        wave[: len(samples)] = torch.from_numpy(np.array(samples, dtype=np.float32))
        window = torch.hann_window(WINDOW)
        spectrum = torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)[:, :-1]
        power = spectrum.real.square() + spectrum.imag.square()  # (WINDOW // 2 + 1, columns)
        log = (_filters(self.n_mels) @ power).clamp(min=_FLOOR).log10()  # (n_mels, columns)
        log = (torch.maximum(log, log.max() - _RANGE) + 4.0) / 4.0
        # Beyond the longest clip there is no silence either, but the convolution's own zeros.
        return F.pad(log[:, :width], (0, max(0, width - log.shape[1]))).contiguous()


V1 = FrontEnd()
"""How Qwen-Audio v1 hears, and the embedded model."""


@cache
def _filters(n_mels: int) -> torch.Tensor:
    filters = mel_filter_bank(
        num_frequency_bins=WINDOW // 2 + 1,
        num_mel_filters=n_mels,
        min_frequency=0.0,
        max_frequency=SAMPLE_RATE / 2,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters.T).to(torch.float32).contiguous()  # (n_mels, WINDOW // 2 + 1)
