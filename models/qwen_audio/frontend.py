"""Sound to the log-mel spectrogram that Qwen-Audio hears, and the lengths that follow from a number of samples.

In: mono float32 samples at 16 kHz. Out: Whisper's 80-bin log-mel, cut as Qwen-Audio v1 cuts it, with no padding to
30 s. Resampling, cutting long audio and the encoder itself are not its business.
Source: QwenLM/Qwen-Audio audio.py and tokenization_qwen.py; Whisper's log_mel_spectrogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from transformers.audio_utils import mel_filter_bank

from models.base import SAMPLE_RATE, Samples, TranslateError

N_MELS = 80
WINDOW = 400
"""Samples of one Fourier window: 25 ms."""
HOP = 160
"""Samples from one mel column to the next: 10 ms."""
MAX_SAMPLES = 30 * SAMPLE_RATE
"""The longest clip that the encoder has positions for."""
MIN_SAMPLES = 3 * HOP
"""The shortest clip that yields an audio token; a shorter one is padded with zeros up to it."""

_FLOOR = 1e-10
_RANGE = 8.0
"""Decades below the loudest bin at which the log is cut off."""


def mel_length(n_samples: int) -> int:
    """Mel columns that a clip fills: the last, incomplete one is not counted."""
    return n_samples // HOP


def encoder_length(n_samples: int) -> int:
    """Positions (T) that the encoder works on: half the mel columns, rounded up."""
    return (mel_length(n_samples) - 1) // 2 + 1


def audio_tokens(n_samples: int) -> int:
    """Audio tokens (N) of a clip: 25 a second, the start and end tags not counted."""
    return encoder_length(max(n_samples, MIN_SAMPLES)) // 2


def log_mel(samples: Samples) -> torch.Tensor:
    """Whisper's log-mel of one clip, as wide as the encoder reads.

    Zeros follow the clip only as far as its last columns see them. The floor is taken from the loudest bin of those
    padded columns, two of which are then cut off: so does the original, which takes it from the clip padded to 30 s.

    Args:
        samples: (n,) float32 in [-1, 1], 16 kHz mono; n at most MAX_SAMPLES.

    Returns:
        (N_MELS, 2 * encoder_length(n)) float32, about -1.5 to 1.5.

    Raises:
        TranslateError: the clip is too long, not one channel, or holds values that are no numbers.
    """
    _check(samples)
    n = max(len(samples), MIN_SAMPLES)
    width = 2 * encoder_length(n)
    wave = torch.zeros(min(width * HOP + WINDOW, MAX_SAMPLES))
    wave[: len(samples)] = torch.from_numpy(np.array(samples, dtype=np.float32))
    window = torch.hann_window(WINDOW)
    spectrum = torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)[:, :-1]  # (WINDOW // 2 + 1, columns)
    power = (spectrum.abs() ** 2).contiguous()
    log = (_filters() @ power).clamp(min=_FLOOR).log10()  # (N_MELS, columns)
    log = torch.maximum(log, log.max() - _RANGE)
    return ((log + 4.0) / 4.0)[:, :width].contiguous()


def log_mel_batch(clips: Sequence[Samples]) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-mels of several clips side by side, for training.

    Columns right of a clip are zero, which is what the first convolution sees beyond the edge of a single clip: with
    a key mask of `lengths`, a clip is encoded in the batch as it is alone.

    Args:
        clips: at least one clip, each as `log_mel` takes it.

    Returns:
        Mels (B, N_MELS, 2 * T) float32, T the longest of the lengths; and lengths (B,) int64, each clip's
        `encoder_length`: it fills twice as many mel columns and half as many audio tokens, rounded down.

    Raises:
        TranslateError: as `log_mel`.
    """
    mels = [log_mel(clip) for clip in clips]
    widths = torch.tensor([mel.shape[1] for mel in mels])
    batch = torch.zeros(len(mels), N_MELS, int(widths.max()))
    for row, mel in zip(batch, mels, strict=True):
        row[:, : mel.shape[1]] = mel
    return batch, widths // 2


def _check(samples: Samples) -> None:
    if samples.ndim != 1:
        raise TranslateError(f"The clip has the shape {samples.shape}; mix it down to one channel first.")
    if len(samples) > MAX_SAMPLES:
        raise TranslateError(
            f"The clip is {len(samples) / SAMPLE_RATE:.1f} s long and the model hears at most "
            f"{MAX_SAMPLES // SAMPLE_RATE} s; cut it first."
        )
    if not np.isfinite(samples).all():
        raise TranslateError("The clip holds samples that are not numbers; its source is broken.")


@cache
def _filters() -> torch.Tensor:
    filters = mel_filter_bank(
        num_frequency_bins=WINDOW // 2 + 1,
        num_mel_filters=N_MELS,
        min_frequency=0.0,
        max_frequency=SAMPLE_RATE / 2,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters.T).to(torch.float32).contiguous()  # (N_MELS, WINDOW // 2 + 1)
