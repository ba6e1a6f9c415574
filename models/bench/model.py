"""How long each stage of one request takes, beside its floor and beside the library's own generation.

In: a checkpoint, lengths of clips. Out: ClipFigures. The sound is noise and what is written means nothing: neither
changes what computing costs. Sessions, voice detection and pipes are not its business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from statistics import median

import numpy as np
import psutil
import torch

from models.base import SAMPLE_RATE, ModelLoadError, Samples
from models.bench import Size
from models.bench.floors import Speeds, Work, measure_speeds, synchronize
from models.bench.library import Library
from models.bench.shapes import TAG_IDS, layout, prompt
from models.catalogue import large
from models.choice import needed_bytes
from models.memory import NoGpu, find_gpu, processor, size_text
from models.precision import Quant
from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.decoder import Decoder, Step, Text
from models.qwen_audio.device import choose_device, limit_threads
from models.qwen_audio.loading import is_memory_full
from models.qwen_audio.random_weights import random_checkpoint
from models.qwen_audio.runner import Runner

CLIPS_S = (2.0, 5.0, 10.0, 30.0)
N_TOKENS = 30
"""Written behind each clip."""
REPEATS = 3
_LOUDNESS = 0.1


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds of one request."""

    encoder_s: float
    """Log-mel and encoder."""
    prefill_s: float
    first_s: float
    """From the samples to the first token."""
    token_s: float
    """One more token."""
    whole_s: float
    """From the samples to the last token."""


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """What was measured on one clip."""

    seconds: float
    ours: Stages
    floor: Stages
    library_first_s: float
    library_whole_s: float
    memory_bytes: int
    """Ours: the peak on a GPU, what the process holds on a processor."""
    library_memory_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    size: Size
    quant: Quant
    device: str
    """Where, and why there."""
    device_type: str
    torch_version: str
    speeds: Speeds
    weight_bytes: int
    n_tokens: int
    clips: tuple[ClipFigures, ...]


def build(size: Size, device: str, quant: Quant) -> tuple[Checkpoint, str]:
    """A model of random weights where it is to compute, and that place as people read it.

    Raises:
        ModelLoadError: the device or what the precision needs is not here, or there is no memory for it.
    """
    place, reason = choose_device(device)
    _check_room(size, quant, place)
    dtype = torch.float32 if place.type == "cpu" else torch.bfloat16
    try:
        checkpoint = random_checkpoint(layout(size), place, dtype, quant)
    except (RuntimeError, MemoryError) as e:
        if not is_memory_full(e):
            raise
        raise ModelLoadError(f"The size {size} does not fit into the memory of {reason}: choose --quant.") from e
    limit_threads(checkpoint.model.num_parameters())
    return checkpoint, reason


def _check_room(size: Size, quant: Quant, place: torch.device) -> None:
    """See that a published size has room, before a computer that has none begins to swap.

    Raises:
        ModelLoadError: it has not.
    """
    entry = next((entry for entry in large() if entry.name == size), None)
    room = processor() if place.type == "cpu" else find_gpu(place.type)
    if entry is None or isinstance(room, NoGpu):
        return
    needed = needed_bytes(entry, quant, room) or 0
    if needed > room.free_bytes:
        raise ModelLoadError(
            f"The size {size} takes {size_text(needed)} so, and {room.name} has {size_text(room.free_bytes)} free: "
            "choose --quant, another --device or a smaller --size."
        )


def measure(
    size: Size,
    device: str = "auto",
    quant: Quant = "none",
    *,
    clips_s: Sequence[float] = CLIPS_S,
    n_tokens: int = N_TOKENS,
    repeats: int = REPEATS,
    tell: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Measure a size.

    Args:
        size: what is built.
        device: one of device.DEVICES.
        quant: how its weights are held.
        clips_s: lengths in seconds, each at most 30.
        n_tokens: written behind each clip, at least 2.
        repeats: of each measurement, of which the median counts.
        tell: takes sentences on the way.

    Raises:
        ModelLoadError: the device or what the precision needs is not here.
    """
    began_s = time.perf_counter()
    checkpoint, reason = build(size, device, quant)
    speeds = measure_speeds(checkpoint.device, checkpoint.dtype)
    work = Work.of(checkpoint, speeds)
    bench = _Bench(checkpoint, work, n_tokens, repeats)
    tell(f"Built and made ready in {time.perf_counter() - began_s:.0f} s on {reason}.")
    clips = []
    for length_s in clips_s:
        clips.append(bench.measure(length_s))
        tell(f"{length_s:g} s: first token after {1000 * clips[-1].ours.first_s:.0f} ms.")
    return Measured(
        size,
        quant,
        reason,
        checkpoint.device.type,
        torch.__version__,
        speeds,
        work.encoder_bytes + work.blocks_bytes + work.head_bytes,
        n_tokens,
        tuple(clips),
    )


class _Bench:
    def __init__(self, checkpoint: Checkpoint, work: Work, n_tokens: int, repeats: int) -> None:
        self._checkpoint = checkpoint
        self._work = work
        self._n_tokens = n_tokens
        self._repeats = repeats
        self._allowed = torch.ones(checkpoint.n_rows, dtype=torch.bool, device=checkpoint.device)
        self._library = Library(checkpoint)
        with torch.inference_mode():
            self._runner = Runner(checkpoint)
            self._runner.warm_up()

    def measure(self, length_s: float) -> ClipFigures:
        samples = _noise(length_s)
        with _Memory(self._checkpoint.device) as ours:
            runs = [self._request(samples) for _ in self._rounds()]
        with _Memory(self._checkpoint.device) as theirs:
            firsts = [self._generated(samples, 1) for _ in self._rounds()]
            wholes = [self._generated(samples, self._n_tokens) for _ in self._rounds()]
        return ClipFigures(
            seconds=length_s,
            ours=_median(runs[1:]),
            floor=self._floor(len(samples)),
            library_first_s=median(firsts[1:]),
            library_whole_s=median(wholes[1:]),
            memory_bytes=ours.n_bytes,
            library_memory_bytes=theirs.n_bytes,
        )

    def _rounds(self) -> range:
        """One more than counts: what is done once is done in the first."""
        return range(1 + self._repeats)

    @torch.inference_mode()
    def _request(self, samples: Samples) -> Stages:
        """One request as the translator makes it, with one text."""
        synchronize(self._checkpoint.device)
        began_s = time.perf_counter()
        decoder = Decoder(self._checkpoint, self._allowed, self._runner)
        mel = self._checkpoint.front_end.log_mel(samples)
        mel_s = time.perf_counter() - began_s
        n_audio = self._checkpoint.front_end.audio_tokens(len(samples))
        texts = [Text(TAG_IDS)]
        decoder.listen([mel], prompt(self._checkpoint, n_audio), texts)
        came_s: list[float] = []

        def take(_step: Step) -> bool:
            came_s.append(time.perf_counter())
            return len(came_s) < self._n_tokens

        decoder.write_together(texts, [take])
        synchronize(self._checkpoint.device)
        ended_s = time.perf_counter()
        return Stages(
            encoder_s=mel_s + decoder.cost.encode_s,
            prefill_s=decoder.cost.prefill_s,
            first_s=came_s[0] - began_s,
            token_s=(ended_s - came_s[0]) / max(1, len(came_s) - 1),
            whole_s=ended_s - began_s,
        )

    def _generated(self, samples: Samples, n_tokens: int) -> float:
        synchronize(self._checkpoint.device)
        began_s = time.perf_counter()
        self._library.write(samples, n_tokens)
        synchronize(self._checkpoint.device)
        return time.perf_counter() - began_s

    def _floor(self, n_samples: int) -> Stages:
        n_positions = self._checkpoint.front_end.encoder_length(n_samples)
        n_prompt = len(prompt(self._checkpoint, n_positions // 2)) + len(TAG_IDS)
        encoder_s, prefill_s = self._work.encoder_s(n_positions), self._work.prefill_s(n_prompt)
        tokens_s = [self._work.token_s(n_prompt + i) for i in range(self._n_tokens - 1)]
        first_s = encoder_s + prefill_s
        return Stages(encoder_s, prefill_s, first_s, median(tokens_s), first_s + sum(tokens_s))


class _Memory:
    """How much memory was held: at most on a GPU, in the end on a processor."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.n_bytes = 0

    def __enter__(self) -> _Memory:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._device.type == "cuda":
            self.n_bytes = torch.cuda.max_memory_allocated(self._device)
        elif self._device.type == "mps":
            self.n_bytes = torch.mps.driver_allocated_memory()
        else:
            self.n_bytes = psutil.Process().memory_info().rss


def _median(runs: Sequence[Stages]) -> Stages:
    """Of each stage on its own."""
    return Stages(*(median(getattr(run, field.name) for run in runs) for field in fields(Stages)))


def _noise(seconds: float) -> Samples:
    """A clip that is loud everywhere."""
    samples = _LOUDNESS * np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))
    return np.clip(samples, -1.0, 1.0).astype(np.float32)
