"""Weights from a folder into the library's Qwen2AudioForConditionalGeneration, strictly.

In: a folder with config.json and safetensors, whole or in shards. Out: a Checkpoint, or a ModelLoadError that names
what is wrong. Every tensor is read once, goes straight to its device and is quantized there where that is asked for;
nothing of the checkpoint is ever executed or unpickled. Vocabularies and downloads are not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from transformers import Qwen2AudioForConditionalGeneration

from models.base import Mode, ModelLoadError, Progress
from models.checkpoint_files import CONFIG
from models.precision import Quant
from models.qwen_audio.files import few, opened, read_json, tensor_files
from models.qwen_audio.frontend import FrontEnd
from models.qwen_audio.layouts import Layout, first_line, read_layout
from models.qwen_audio.quantize import check as check_quant
from models.qwen_audio.quantize import quantize_layer
from models.qwen_audio.tokenizer import Tokenizer
from models.qwen_audio.vocabulary import IM_END, library_tags

_GENERATION = "generation_config.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model and what its config says of it."""

    model: Qwen2AudioForConditionalGeneration
    name: str
    mode: Mode
    front_end: FrontEnd
    languages: tuple[str, ...]
    max_tokens: int
    """The longest text that it can be given and go on from, sound included."""
    audio_start_id: int | None
    """Id of <audio> where the config names it, and not that of the pads behind it."""
    device: torch.device
    dtype: torch.dtype

    @property
    def n_rows(self) -> int:
        """Rows of the embedding and of the head: at least as many as the vocabulary has ids."""
        return int(self.model.lm_head.out_features)

    def check_vocabulary(self, tokenizer: Tokenizer) -> None:
        """Whether a vocabulary is this checkpoint's, as far as its config tells.

        Raises:
            ModelLoadError: it has more ids than the weights have rows, or other ids for sound.
        """
        if tokenizer.n_vocab > self.n_rows:
            raise ModelLoadError(
                f"The vocabulary has {tokenizer.n_vocab} ids and the weights have {self.n_rows} rows for them."
            )
        is_named = self.audio_start_id is None
        tag = tokenizer.audio.pad if is_named else tokenizer.audio.start
        wanted = self.model.config.audio_token_index if is_named else self.audio_start_id
        if tokenizer.tags[tag] != wanted:
            raise ModelLoadError(
                f"The vocabulary has {tag} as id {tokenizer.tags[tag]} and the checkpoint's config.json as {wanted}; "
                "they are not of one checkpoint."
            )

    def audio_spans(self, prompt_ids: Sequence[int]) -> list[slice]:
        """Where the sound of each clip goes in a prompt: the runs of audio pads.

        Qwen-Audio v1's config does not say which id the pad has, only which the tags around it have.
        """
        if self.audio_start_id is None:
            is_audio = [i == self.model.config.audio_token_index for i in prompt_ids]
        else:
            start, end = self.audio_start_id, self.audio_start_id + 1
            bounds = accumulate((i == start) - (i == end) for i in prompt_ids)
            is_audio = [depth == 1 and i != start for depth, i in zip(bounds, prompt_ids, strict=True)]
        runs = groupby(range(len(prompt_ids)), key=is_audio.__getitem__)
        positions = [list(run) for is_span, run in runs if is_span]
        return [slice(run[0], run[-1] + 1) for run in positions]


class Stored(NamedTuple):
    """A tensor of a checkpoint."""

    shape: tuple[int, ...]
    names: tuple[str, ...]
    """Parameters of the model that it holds, stacked along the first axis."""


def load(
    folder: Path,
    device: torch.device,
    dtype: torch.dtype | None = None,
    progress: Progress = lambda _: None,
    mode: Mode | None = None,
    *,
    quant: Quant = "none",
) -> Checkpoint:
    """Load a checkpoint of Qwen-Audio, Qwen2-Audio or this project's recipe.

    Args:
        folder: holds config.json and model.safetensors, or its shards and their index.
        device: where to compute.
        dtype: of the weights; None is float32 on a CPU, and elsewhere what is stored (float16 for bfloat16 where the
            device has none).
        progress: told the share of tensors read.
        mode: how it is told what to do; None is what its files say.
        quant: how the weights of linear layers are held.

    Raises:
        ModelLoadError: a file is missing, corrupt or pickled, a tensor is missing, extra or of another shape, or what
            the precision needs is not here.
    """
    layout, files = inspect(folder)
    check_quant(quant, device)
    model = build_on_meta(layout)
    _fill(model, layout, files, progress, device=device, dtype=dtype, quant=quant)
    return finished(model, layout, mode)


def finished(model: Qwen2AudioForConditionalGeneration, layout: Layout, mode: Mode | None = None) -> Checkpoint:
    """A model whose weights are all there, ready to compute.

    Args:
        model: of the layout, filled.
        layout: what the config says.
        mode: how it is told what to do; None is what the layout says.
    """
    embeddings = model.get_input_embeddings().weight  # never quantized
    _restore_rotary(model, embeddings.device)
    model.eval()
    return Checkpoint(
        model=model,
        name=layout.name,
        mode=mode or layout.mode,
        front_end=layout.front_end,
        languages=layout.languages,
        max_tokens=layout.config.text_config.max_position_embeddings,
        audio_start_id=layout.audio_start_id,
        device=embeddings.device,
        dtype=embeddings.dtype,
    )


def inspect(folder: Path) -> tuple[Layout, dict[str, Path]]:
    """Read configs and headers, no weights: what the checkpoint is, and which file holds each tensor.

    Raises:
        ModelLoadError: a file is missing, corrupt or pickled, or the config is of another model.
    """
    raw = read_json(folder / CONFIG)
    files = tensor_files(folder)
    return read_layout(raw, frozenset(files), _is_chat(folder)), files


def build_on_meta(layout: Layout) -> Qwen2AudioForConditionalGeneration:
    """The library's model with shapes and no memory.

    Raises:
        ModelLoadError: its config asks for sizes that do not fit each other, or for what the library does not have.
    """
    try:
        with torch.device("meta"):
            return Qwen2AudioForConditionalGeneration(layout.config)
    except (ValueError, RuntimeError, TypeError, ArithmeticError, LookupError, AssertionError) as e:
        raise ModelLoadError(f"What the checkpoint's config.json asks for cannot be built: {first_line(e)}") from e


def stored_tensors(layout: Layout, model: Qwen2AudioForConditionalGeneration) -> dict[str, Stored]:
    """What the checkpoint must hold, by the names that it uses."""
    tensors: dict[str, Stored] = {}
    own = model.state_dict()
    for name in sorted(own, key=_query_key_value):
        rows, *rest = own[name].shape
        before = tensors.get(layout.stored_name(name), Stored((0,), ()))
        tensors[layout.stored_name(name)] = Stored((before.shape[0] + rows, *rest), (*before.names, name))
    if layout.bounds:
        tensors[layout.bounds] = Stored((2, layout.config.text_config.hidden_size), ())
    return tensors


def _query_key_value(name: str) -> tuple[str, int]:
    """Sorts a layer's query, key and value into the order in which v1 stacks them."""
    for place, part in enumerate(("q_proj", "k_proj", "v_proj")):
        if part in name:
            return (name.replace(part, ""), place)
    return (name, 0)


def _fill(
    model: Qwen2AudioForConditionalGeneration,
    layout: Layout,
    files: Mapping[str, Path],
    progress: Progress,
    *,
    device: torch.device,
    dtype: torch.dtype | None,
    quant: Quant,
) -> None:
    targets = stored_tensors(layout, model)
    _compare_names(targets.keys(), files.keys())
    _compare_shapes(targets, files)
    bounds = None
    for count, (name, tensor) in enumerate(_tensors(files), start=1):
        dtype = dtype or _default_dtype(device, tensor.dtype)
        placed = tensor.to(device, dtype)
        if name == layout.bounds:
            bounds = placed
        else:
            assign(model, targets[name].names, placed, quant)
        progress(count / len(files))
    if bounds is not None and layout.audio_start_id is not None:
        rows = model.get_input_embeddings().weight
        rows.data[layout.audio_start_id : layout.audio_start_id + len(bounds)] = bounds


def assign(model: nn.Module, names: tuple[str, ...], tensor: torch.Tensor, quant: Quant) -> None:
    """Put a tensor in a model's place; the weight of a layer that is to be quantized is quantized there.

    Args:
        model: the model.
        names: parameters, which the tensor holds stacked along the first axis.
        tensor: on the device on which it stays.
        quant: how the weights of linear layers are held.
    """
    start = 0
    for name in names:
        owner, _, leaf = name.rpartition(".")
        module = model.get_submodule(owner)
        rows = getattr(module, leaf).shape[0]
        setattr(module, leaf, nn.Parameter(tensor[start : start + rows], requires_grad=False))
        if leaf == "weight":
            quantize_layer(model, owner, quant)
        start += rows


def _restore_rotary(model: Qwen2AudioForConditionalGeneration, device: torch.device) -> None:
    """Rotary frequencies are stored in no checkpoint; those computed on the meta device hold nothing."""
    text = model.model.language_model
    text.rotary_emb = type(text.rotary_emb)(text.config).to(device)


def _default_dtype(device: torch.device, stored: torch.dtype) -> torch.dtype:
    if device.type == "cpu":
        return torch.float32
    if stored == torch.bfloat16 and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return torch.float16
    return stored


def _is_chat(folder: Path) -> bool:
    """Whether a checkpoint was taught conversations: its own generation says so, or stops where a turn ends.

    The names of the published folders would say it too, but folders are renamed.
    """
    path = folder / _GENERATION
    generation = read_json(path) if path.is_file() else {}
    ends = generation.get("eos_token_id")
    stops = ends if isinstance(ends, list) else [ends]
    return generation.get("chat_format") == "chatml" or library_tags(folder).get(IM_END, -1) in stops


def _tensors(files: Mapping[str, Path]) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor once, shard by shard; a shard is mapped into memory only while its tensors are read."""
    for path in sorted(set(files.values())):
        with opened(path) as file:
            for name in file.keys():  # noqa: SIM118 - no mapping
                tensor = file.get_tensor(name)
                if not tensor.is_floating_point():
                    raise ModelLoadError(f"{name} in {path} holds {tensor.dtype}; quantized weights do not work.")
                yield name, tensor


def _compare_shapes(targets: Mapping[str, Stored], files: Mapping[str, Path]) -> None:
    for path in sorted(set(files.values())):
        with opened(path) as file:
            for name in file.keys():  # noqa: SIM118 - no mapping
                shape = tuple(file.get_slice(name).get_shape())
                if shape != targets[name].shape:
                    raise ModelLoadError(f"{name} in {path} has the shape {shape}, not {targets[name].shape}.")


def _compare_names(wanted: Iterable[str], found: Iterable[str]) -> None:
    if missing := set(wanted) - set(found):
        raise ModelLoadError(f"The checkpoint lacks {few(missing)}.")
    if extra := set(found) - set(wanted):
        raise ModelLoadError(f"The checkpoint has {few(extra)}, which its model has no place for.")
