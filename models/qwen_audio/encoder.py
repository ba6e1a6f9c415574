"""Sound into the language model's embeddings: the audio tower without padding, and its tokens in a prompt's places.

In: a loaded checkpoint, a log-mel, a prompt's ids. Out: embeddings. Decoding is not its business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from models.base import TranslateError
from models.qwen_audio.checkpoint import Checkpoint
from models.qwen_audio.recording import Encoding, shortest


def encode(checkpoint: Checkpoint, mel: torch.Tensor, encodings: Sequence[Encoding] = ()) -> torch.Tensor:
    """The audio tower on as many positions as the clip has, and the projector behind it.

    The library's own forward takes 30 s of mel and nothing else: sixteen times the work for a clip of 2 s, and not what
    v1 computes, whose last position sees the edge of the clip. The positions that it masks are cut off here instead,
    as soon as the convolutions have seen them: no other sees them then.

    Args:
        checkpoint: the model.
        mel: (mels, columns) float32, as the checkpoint's front end makes it.
        encodings: recorded ways through the layers, in the order of their lengths.

    Returns:
        (1, N, D) in the model's dtype, N the clip's audio tokens.
    """
    tower: Any = checkpoint.model.model.audio_tower
    columns = mel.to(checkpoint.device, checkpoint.dtype)[None]
    hidden = F.gelu(tower.conv1(columns))
    hidden = F.gelu(tower.conv2(hidden)).transpose(1, 2)  # (1, positions, width)
    # Every layer is faster on rows that lie together than on the convolutions' columns.
    hidden = hidden[:, : checkpoint.front_end.positions(mel.shape[1])].contiguous()  # (1, T, width)
    hidden = hidden + tower.embed_positions.weight[: hidden.shape[1]]
    encoding = shortest(encodings, hidden.shape[1])
    hidden = through_layers(checkpoint, hidden, None) if encoding is None else encoding.encode(hidden)
    hidden = tower.avg_pooler(hidden.transpose(1, 2)).transpose(1, 2)  # (1, N, width)
    projected: torch.Tensor = checkpoint.model.model.multi_modal_projector(tower.layer_norm(hidden))
    return projected


def through_layers(checkpoint: Checkpoint, hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The audio tower's layers alone: (1, T, width) to the same, with (1, 1, T, T) added to their scores."""
    tower: Any = checkpoint.model.model.audio_tower
    for layer in tower.layers:
        hidden = layer(hidden, mask)
    return hidden


def splice(checkpoint: Checkpoint, ids: Sequence[int], audios: Sequence[torch.Tensor]) -> torch.Tensor:
    """Embeddings of a prompt with the sound's in place of the audio pads.

    Args:
        checkpoint: the model.
        ids: the whole prompt.
        audios: of each clip, (1, N, D) as `encode` makes it.

    Returns:
        (1, L, D).

    Raises:
        TranslateError: the prompt's spans are not those of the clips.
    """
    spans = checkpoint.audio_spans(ids)
    room, needed = [span.stop - span.start for span in spans], [audio.shape[1] for audio in audios]
    if room != needed:
        raise TranslateError(
            f"The prompt has room for clips of {room} audio tokens, and the clips have {needed}; "
            "the vocabulary is not this checkpoint's."
        )
    tokens = torch.tensor([ids], device=checkpoint.device)
    embeddings: torch.Tensor = checkpoint.model.get_input_embeddings()(tokens)
    for span, audio in zip(spans, audios, strict=True):
        embeddings[:, span] = audio
    return embeddings
