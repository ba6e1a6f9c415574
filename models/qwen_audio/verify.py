"""Whether a checkpoint computes here what it computed where it was made: `python -m models.qwen_audio.verify FOLDER`.

In: a checkpoint with an expected.safetensors beside it. Out: the largest differences, and an exit status: 0 where all
are within the tolerance and the greedy ids are equal. Config and weights suffice; the vocabulary is not needed.

For each case k: `k.samples` (16 kHz float32), `k.prompt_ids`, `k.audio_embeds_first_last` (rows 0, 1, -2, -1 of the
embedded audio span, its two tags included), `k.last_logits` (at the last positions of the prompt), `k.greedy_ids`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from models.base import ModelError, ModelLoadError
from models.qwen_audio.checkpoint import Checkpoint, load
from models.qwen_audio.decoder import Decoder
from models.qwen_audio.encoder import encode, splice

TOLERANCE = 1e-4
_EXPECTED = "expected.safetensors"
_FIELDS = ("samples", "prompt_ids", "audio_embeds_first_last", "last_logits", "greedy_ids")


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one case is from what was expected."""

    case: str
    embeddings: float
    logits: float
    equal_ids: int
    n_ids: int

    @property
    def is_within(self) -> bool:
        """Whether it may pass; a difference that is no number may not."""
        return self.embeddings <= TOLERANCE and self.logits <= TOLERANCE and self.equal_ids == self.n_ids


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the folder named on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.qwen_audio.verify", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help=f"a checkpoint with {_EXPECTED} beside its weights")
    folder = parser.parse_args(arguments).folder
    try:
        differences = verify(folder)
    except ModelError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    for d in differences:
        print(
            f"case {d.case}: embeddings {d.embeddings:.1e}, logits {d.logits:.1e}, "
            f"{d.equal_ids} of {d.n_ids} greedy ids equal"
        )
    if not all(d.is_within for d in differences):
        print(f"error: {folder} differs from its {_EXPECTED} by more than {TOLERANCE:g}.", file=sys.stderr)
        return 1
    return 0


def verify(folder: Path) -> list[Difference]:
    """Compare every case, in float32 on the CPU.

    Raises:
        ModelError: the checkpoint or its expected outputs cannot be used.
    """
    path = folder / _EXPECTED
    try:
        expected = load_file(path)
    except FileNotFoundError as e:
        raise ModelLoadError(f"{folder} has no {_EXPECTED} to compare with.") from e
    except (OSError, SafetensorError) as e:
        raise ModelLoadError(f"{path} is cut short or corrupt; fetch the checkpoint again.") from e
    cases = sorted({name.split(".")[0] for name in expected})
    if not cases or any(f"{case}.{field}" not in expected for case in cases for field in _FIELDS):
        raise ModelLoadError(f"{path} does not hold {', '.join(_FIELDS)} for each case.")
    checkpoint = load(folder, torch.device("cpu"))
    with torch.inference_mode():
        return [_compare(checkpoint, case, {f: expected[f"{case}.{f}"] for f in _FIELDS}) for case in cases]


def _compare(checkpoint: Checkpoint, case: str, expected: dict[str, torch.Tensor]) -> Difference:
    mel = checkpoint.front_end.log_mel(expected["samples"].numpy())
    ids = expected["prompt_ids"].tolist()
    embeddings = splice(checkpoint, ids, [encode(checkpoint, mel)])
    (span,) = checkpoint.audio_spans(ids)
    bounded = embeddings[0, span.start - 1 : span.stop + 1]
    logits = _last_logits(checkpoint, embeddings, len(expected["last_logits"]))
    greedy = expected["greedy_ids"].tolist()
    decoded = _greedy_ids(checkpoint, mel, ids, len(greedy))
    return Difference(
        case=case,
        embeddings=_largest(bounded[[0, 1, -2, -1]], expected["audio_embeds_first_last"]),
        logits=_largest(logits, expected["last_logits"]),
        equal_ids=sum(a == b for a, b in zip(decoded, greedy, strict=True)),
        n_ids=len(greedy),
    )


def _last_logits(checkpoint: Checkpoint, embeddings: torch.Tensor, n_last: int) -> torch.Tensor:
    hidden = checkpoint.model.model.language_model(inputs_embeds=embeddings, use_cache=False).last_hidden_state
    logits: torch.Tensor = checkpoint.model.lm_head(hidden[0, -n_last:])
    return logits


def _greedy_ids(checkpoint: Checkpoint, mel: torch.Tensor, ids: list[int], count: int) -> list[int]:
    """The path that subtitles take: the sound is prefilled, the last id goes on from the cache."""
    decoder = Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool))
    decoder.listen([mel], ids[:-1])
    return [step.token for step in islice(decoder.write(ids[-1:], ()), count)]


def _largest(found: torch.Tensor, expected: torch.Tensor) -> float:
    if found.shape != expected.shape:
        raise ModelLoadError(f"The expected outputs have the shape {tuple(expected.shape)}, not {tuple(found.shape)}.")
    return float((found - expected).abs().max())


if __name__ == "__main__":
    sys.exit(main())
