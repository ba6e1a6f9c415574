"""The embedded model where memory runs out at a request, for tests that have it in a process of its own."""

from __future__ import annotations

import importlib.resources

import torch

from models.base import Capabilities, Progress
from models.qwen_audio.frontend import FrontEnd
from models.qwen_audio.translator import QwenAudioTranslator


class Starved(QwenAudioTranslator):
    """Has no memory for the second request, however often it tries."""

    def __init__(self) -> None:
        super().__init__(str(importlib.resources.files("models.embedded")), "cpu")
        self._n_requests = 0

    def load(self, progress: Progress) -> Capabilities:
        capabilities = super().load(progress)
        heard = FrontEnd.log_mel

        def log_mel(front_end, samples):
            if self._n_requests == 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return heard(front_end, samples)

        FrontEnd.log_mel = log_mel
        return capabilities

    def translate(self, request, cancelled):
        self._n_requests += 1
        return super().translate(request, cancelled)
