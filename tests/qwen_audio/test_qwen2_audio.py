"""Qwen2-Audio against the library: its processor, its encoder on 30 s of padding, its generate()."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from random_checkpoints import LibraryCheckpoint, computed_by_the_library, noise, write_expected, write_qwen2_audio
from transformers.masking_utils import create_bidirectional_mask

from models.base import SAMPLE_RATE, TranslateError
from models.qwen_audio.checkpoint import Checkpoint, load
from models.qwen_audio.decoder import Decoder
from models.qwen_audio.encoder import encode
from models.qwen_audio.frontend import V1
from models.qwen_audio.tokenizer import AudioTags, Tokenizer
from models.qwen_audio.verify import main

CPU = torch.device("cpu")
SPAN = "<|audio_bos|><|AUDIO|><|audio_eos|>"
N_STEPS = 16
LENGTHS = (1_600, 8_000, 16_001, 47_840, 160_000, 480_000)
"""Samples: 0.1 s to 30 s, whole mel columns and not, even and odd numbers of them."""


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def checkpoint(qwen2_audio) -> Checkpoint:
    return load(qwen2_audio.folder, CPU)


def inputs_of(made: LibraryCheckpoint, text: str, clips: list[np.ndarray]) -> dict[str, torch.Tensor]:
    audio = {"audio": clips, "sampling_rate": SAMPLE_RATE} if clips else {}
    return dict(made.processor(text=text, return_tensors="pt", **audio))


def generated(made: LibraryCheckpoint, inputs: dict[str, torch.Tensor]) -> list[int]:
    return made.model.generate(**inputs, max_new_tokens=N_STEPS)[0, inputs["input_ids"].shape[1] :].tolist()


def decoded(checkpoint: Checkpoint, ids: list[int], clips: list[np.ndarray], ends: frozenset[int]) -> list[int]:
    """The path that answers take: all but the last id are read with the sound, the last goes on from the cache."""
    decoder = Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool))
    decoder.listen([checkpoint.front_end.log_mel(clip) for clip in clips], ids[:-1])
    written: list[int] = []
    for step in islice(decoder.write(ids[-1:], ()), N_STEPS):
        written.append(step.token)
        if step.token in ends:
            break
    return written


def padded_encoding(made: LibraryCheckpoint, samples: np.ndarray) -> torch.Tensor:
    """The library's own tower on 30 s, masked; the tokens of the clip alone."""
    inputs = inputs_of(made, SPAN, [samples])
    tower = made.model.model.audio_tower
    columns = inputs["feature_attention_mask"].sum(-1)
    positions, tokens = tower._get_feat_extract_output_lengths(columns)
    mask = create_bidirectional_mask(
        config=tower.config,
        inputs_embeds=torch.zeros(1, 1500, 1),
        attention_mask=(torch.arange(1500) < positions).long()[None],
    )
    hidden = tower(inputs["input_features"], attention_mask=mask).last_hidden_state
    return made.model.model.multi_modal_projector(hidden)[:, : int(tokens)]


@pytest.mark.parametrize("n", [480, *LENGTHS, 479_520, 479_680, 479_681, 479_841])
def test_the_encoder_without_padding_is_the_librarys_with_it(qwen2_audio, checkpoint, n):
    samples = noise(n, seed=n)
    found = encode(checkpoint, checkpoint.front_end.log_mel(samples))
    expected = padded_encoding(qwen2_audio, samples)
    assert found.shape[1] == checkpoint.front_end.audio_tokens(n)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_the_edge_of_v1_would_not_do(qwen2_audio, checkpoint):
    samples = noise(47_840)
    front_end = checkpoint.front_end
    mel = front_end.log_mel(samples)
    mel[:, 2 * front_end.encoder_length(len(samples)) :] = 0  # what v1's convolutions see there
    expected = padded_encoding(qwen2_audio, samples)
    assert (encode(checkpoint, mel) - expected).abs().max() > 1e-3
    assert (V1.audio_tokens(47_681), front_end.audio_tokens(47_681)) == (74, 75)


@pytest.mark.parametrize("n", LENGTHS)
def test_greedy_ids_are_those_that_generate_finds(qwen2_audio, checkpoint, n):
    samples = noise(n, seed=n)
    inputs = inputs_of(qwen2_audio, f"{SPAN}Translate:", [samples])
    ids = inputs["input_ids"][0].tolist()
    ends = Tokenizer.from_folder(qwen2_audio.folder).ends(checkpoint.mode)
    assert decoded(checkpoint, ids, [samples], ends) == generated(qwen2_audio, inputs)


def conversation_of(clips: list[np.ndarray]) -> list[dict]:
    """Two turns with sound, one of them with two clips, and one without."""
    first, second, third = ({"type": "audio", "audio": clip} for clip in clips)
    return [
        {"role": "user", "content": [first, second, {"type": "text", "text": "What is said?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "会议三点开始。"}]},
        {"role": "user", "content": [{"type": "text", "text": "Are you sure?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
        {"role": "user", "content": [third, {"type": "text", "text": "And here?"}]},
    ]


def test_a_conversation_with_several_clips_goes_on_as_generate_goes_on(qwen2_audio, checkpoint):
    clips = [noise(n, seed=n) for n in (24_000, 3_333, 60_001)]
    text = qwen2_audio.processor.apply_chat_template(conversation_of(clips), add_generation_prompt=True, tokenize=False)
    inputs = inputs_of(qwen2_audio, text, clips)
    tokenizer = Tokenizer.from_folder(qwen2_audio.folder)
    parts = text.split("<|AUDIO|>")
    counts = [checkpoint.front_end.audio_tokens(len(clip)) for clip in clips]
    prompt = parts[0] + "".join("<|AUDIO|>" * n + part for n, part in zip(counts, parts[1:], strict=True))
    ids = tokenizer.encode_tagged(prompt)
    assert ids == inputs["input_ids"][0].tolist()
    assert decoded(checkpoint, ids, clips, tokenizer.ends(checkpoint.mode)) == generated(qwen2_audio, inputs)


def test_a_text_without_sound_goes_on_too(qwen2_audio, checkpoint):
    inputs = inputs_of(qwen2_audio, "The meeting", [])
    ids = inputs["input_ids"][0].tolist()
    ends = Tokenizer.from_folder(qwen2_audio.folder).ends(checkpoint.mode)
    assert decoded(checkpoint, ids, [], ends) == generated(qwen2_audio, inputs)


def test_sound_without_its_place_in_the_prompt_is_refused(checkpoint):
    mel = checkpoint.front_end.log_mel(noise(16_000))
    pad = checkpoint.model.config.audio_token_index
    decoder = Decoder(checkpoint, torch.ones(checkpoint.n_rows, dtype=torch.bool))
    for mels, ids in (([mel], [1, 2]), ([], [1, pad, 2]), ([mel], [1, *[pad] * 24, 2]), ([mel, mel], [*[pad] * 50, 1])):
        with pytest.raises(TranslateError, match="room for clips"):
            decoder.listen(mels, ids)


def test_what_a_checkpoint_was_taught_is_read_from_its_own_files(qwen2_audio, checkpoint):
    is_instruct = isinstance(qwen2_audio.model.generation_config.eos_token_id, list)
    assert checkpoint.mode == ("chatml" if is_instruct else "prompt")
    assert checkpoint.name == ("Qwen2-Audio-Instruct" if is_instruct else "Qwen2-Audio")
    assert {"zh", "en"} <= set(checkpoint.languages)
    assert (checkpoint.front_end.n_mels, checkpoint.front_end.edge) == (128, "masked")
    assert load(qwen2_audio.folder, CPU, mode="chatml").mode == "chatml"


def test_the_vocabulary_is_the_librarys(qwen2_audio):
    tokenizer, library = Tokenizer.from_folder(qwen2_audio.folder), qwen2_audio.processor.tokenizer
    texts = [
        "The meeting starts at three o'clock, doesn't it? 12345 - 67,8.",
        "会议三点开始。 We're here，他们在那里等着！\n\n  two  spaces\tand tabs ",
        "e\u0301toile ﬁne 👩‍💻 龘𠮷野家のラーメン 안녕하세요 ½ Ⅷ",
    ]
    for text in texts:
        ids = tokenizer.encode(text)
        assert ids == library.encode(text, add_special_tokens=False)
        assert tokenizer.decode(ids) == library.decode(ids)
    assert len(tokenizer.encode(texts[0])) < len(texts[0])  # it merges at all
    assert dict(tokenizer.tags) == library.get_added_vocab()
    assert tokenizer.n_vocab == len(library)
    assert tokenizer.audio == AudioTags("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>")
    assert tokenizer.end == library.convert_tokens_to_ids("<|endoftext|>")
    turn_end = library.convert_tokens_to_ids("<|im_end|>")
    assert tokenizer.ends("chatml") == {tokenizer.end, turn_end}
    assert tokenizer.ends("prompt") == tokenizer.ends("task_tags") == {tokenizer.end}


def test_verify_holds_for_qwen2_audio(qwen2_audio, tmp_path, capsys):
    for file in qwen2_audio.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    clips = [noise(n, seed=n) for n in (16_000, 33_333)]
    cases = [
        computed_by_the_library(qwen2_audio.model, clip, inputs_of(qwen2_audio, f"{SPAN}Hear:", [clip]))
        for clip in clips
    ]
    write_expected(tmp_path, cases)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("16 of 16 greedy ids equal") == 2


def test_eighty_mel_bins_take_the_same_path(tmp_path):
    model, processor = write_qwen2_audio(tmp_path, is_instruct=False, n_mels=80)
    made = LibraryCheckpoint(tmp_path, model, processor)
    samples = noise(30_001)
    checkpoint = load(tmp_path, CPU)
    found = encode(checkpoint, checkpoint.front_end.log_mel(samples))
    torch.testing.assert_close(found, padded_encoding(made, samples), atol=1e-5, rtol=0)
