"""Sound as it comes from outside, checked before a model hears it.

In: samples of a request or of a question. Out: the same as mono float32 within [-1, 1], or one sentence that says what
is wrong with them. Resampling and cutting long sound are not its business.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import SAMPLE_RATE, Samples, TranslateError

_INT16_SCALE = np.float32(32768)
_LOUDEST = 8.0
"""Resampling and mixing may pass 1; whole numbers taken for floats pass this."""


def checked(samples: NDArray[Any], max_samples: int) -> Samples:
    """The sound as the model takes it; 16-bit numbers are scaled, anything else is only checked.

    Args:
        samples: (n,) float in [-1, 1] or int16, 16 kHz mono.
        max_samples: the longest sound that the model hears.

    Raises:
        TranslateError: it is too long, not one channel, or holds values that are no samples.
    """
    if not isinstance(samples, np.ndarray):
        raise TranslateError(f"The sound is no array but {type(samples).__name__}; pass its samples.")
    if samples.ndim != 1:
        raise TranslateError(f"The sound has the shape {samples.shape}; mix it down to one channel first.")
    if len(samples) > max_samples:
        raise TranslateError(
            f"The sound is {len(samples) / SAMPLE_RATE:.1f} s long and the model hears at most "
            f"{max_samples / SAMPLE_RATE:g} s; cut it first."
        )
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / _INT16_SCALE
    if not np.issubdtype(samples.dtype, np.floating):
        raise TranslateError(f"The sound holds {samples.dtype} samples; scale them to floats from -1 to 1 first.")
    if not np.isfinite(samples).all():
        raise TranslateError("The sound holds samples that are not numbers; its source is broken.")
    if len(samples) and (peak := float(np.abs(samples).max())) > _LOUDEST:
        raise TranslateError(f"The sound holds samples of up to {peak:.0f}; scale them to floats from -1 to 1 first.")
    return samples.astype(np.float32, copy=False)
