import random
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers import Qwen2AudioForConditionalGeneration

from models.base import SAMPLE_RATE, UNKNOWN
from models.embedded.recipe import batches, dataset, device, export, run, train
from models.embedded.recipe.batches import IGNORED, collate, hide, layout_of, texts_of
from models.embedded.recipe.dataset import Entry, Item
from models.embedded.recipe.model import N_MEL, block_mask, decode, encode, splice
from models.embedded.recipe.muon import Muon, orthogonal
from models.embedded.recipe.optimise import FLOOR, Optimiser, rate_share
from models.qwen_audio.checkpoint import load
from models.qwen_audio.prompts import START, audio_span, task_tags
from models.qwen_audio.verify import verify


def item(n: int, transcript: str = "We agree.", translation: str = "我们同意。", language: str = "en") -> Item:
    rng = np.random.default_rng(n)
    mel = rng.integers(0, 255, (2 * n, N_MEL), dtype=np.uint8)
    return Item(Entry(0, n, -1.0, language, transcript, translation), mel, rng.integers(0, 5, n, dtype=np.uint8))


def slow_encoder(network: Qwen2AudioForConditionalGeneration, mel: torch.Tensor) -> torch.Tensor:
    """The library's own layers on one clip."""
    tower = network.model.audio_tower
    x = F.gelu(tower.conv2(F.gelu(tower.conv1(mel[None])))).transpose(1, 2)
    x = x + tower.embed_positions.weight[: x.shape[1]]
    for layer in tower.layers:
        x = layer(x, None)
    return tower.layer_norm(tower.avg_pooler(x.transpose(1, 2)).transpose(1, 2))


@torch.no_grad()
def test_a_clip_is_encoded_in_a_batch_as_the_library_encodes_it_alone(network, tokenizer):
    items = [item(50), item(37), item(8)]
    batch = collate(items, tokenizer, random.Random(0), None)
    pooled = encode(network, batch.mel, batch.lengths).pooled
    for row, one in enumerate(items):
        alone = slow_encoder(network, torch.from_numpy(dataset.mel_of(one)))
        assert torch.allclose(pooled[row, : alone.shape[1]], alone[0], atol=1e-5)


@torch.no_grad()
def test_both_branches_get_the_logits_that_each_gets_by_itself_from_the_librarys_decoder(network, tokenizer):
    items = [item(40), item(22, "会议取消了。", "The meeting has been cancelled.", "zh")]
    batch = collate(items, tokenizer, random.Random(0), None)
    layout = batch.layout
    encoded = encode(network, batch.mel, batch.lengths)
    audio = network.model.multi_modal_projector(encoded.pooled)
    final = decode(network, splice(network, layout, audio), layout.positions, block_mask(layout, torch.float32))
    logits = network.lm_head(final)
    for row, one in enumerate(items):
        n = one.entry.n // 2
        for branch in (batches.TRANSCRIBE, batches.TRANSLATE):
            places = (layout.branch[row] == branch).nonzero()[:, 0]
            ids = torch.cat([layout.ids[row, : n + 2], layout.ids[row, places]])
            embeds = network.get_input_embeddings()(ids)[None]
            embeds[0, 1 : n + 1] = audio[row, :n]
            alone = network.model.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state
            assert torch.allclose(logits[row, places], network.lm_head(alone)[0, n + 2 :], atol=1e-4)


def test_the_layout_spells_the_prompts_that_the_translator_uses(tokenizer):
    one = item(30)
    layout = layout_of([one], tokenizer, random.Random(0))
    for branch, task, text in ((1, "transcribe", "We agree."), (2, "translate", "我们同意。")):
        ids = layout.ids[0][layout.branch[0] == branch].tolist()
        tags = [tokenizer.tags[tag] for tag in (START, *task_tags(task, "en", "zh"))]
        assert ids == [*tags, *tokenizer.encode(text), tokenizer.end]
    span = layout.ids[0][layout.branch[0] == 0].tolist()
    assert len(span) == 17
    assert [span[0], span[-1]] == [tokenizer.tags[tag] for tag in (audio_span(1)[0], audio_span(1)[-1])]


def test_only_the_language_the_text_and_the_end_are_learnt(tokenizer):
    layout = layout_of([item(30)], tokenizer, random.Random(0))
    learnt = layout.targets[0][layout.targets[0] != IGNORED].tolist()
    text = [*tokenizer.encode("We agree."), tokenizer.end, *tokenizer.encode("我们同意。"), tokenizer.end]
    assert learnt == [tokenizer.tags["<|en|>"], *text]


def test_no_speech_has_the_unknown_tag_and_ends_at_once_after_any_tags(tokenizer):
    nothing = item(20, "", "", UNKNOWN)
    sources = set()
    for seed in range(30):
        layout = layout_of([nothing], tokenizer, random.Random(seed))
        learnt = layout.targets[0][layout.targets[0] != IGNORED].tolist()
        assert learnt == [tokenizer.tags["<|unknown|>"], tokenizer.end, tokenizer.end]
        sources.add(texts_of(nothing, tokenizer, random.Random(seed)).translate[1])
    assert sources == {tokenizer.tags[f"<|{name}|>"] for name in ("zh", "en", UNKNOWN)}


def test_hidden_bands_and_moments_are_set_to_the_floor_and_leave_most_of_the_clip():
    mel = np.random.default_rng(0).random((N_MEL, 200), dtype=np.float32)
    before = mel.copy()
    after = hide(mel, np.random.default_rng(3))
    changed = after != before
    assert 0.02 < changed.mean() < 0.6
    assert (after[changed] == before.min()).all()


def test_batches_hold_clips_of_like_length_and_about_equal_work(tokenizer):
    rng = random.Random(0)
    endless = iter(lambda: item(rng.choice((20, 60, 200))), None)
    stream = batches.batch_stream(endless, tokenizer, rng, positions=1000)
    for _ in range(20):
        batch = next(stream)
        assert batch.mel.shape[0] * batch.mel.shape[2] // 2 <= 1000
        assert (batch.labels == IGNORED).float().mean() < 0.5


def test_orthogonal_updates_have_singular_values_near_one():
    matrix = torch.randn(40, 90, generator=torch.Generator().manual_seed(0))
    for shaped in (matrix, matrix.mT):
        values = torch.linalg.svdvals(orthogonal(shaped))
        assert ((values > 0.6) & (values < 1.3)).all()


def test_muon_steps_as_torchs_own_does():
    start, gradient = torch.randn(64, 96), torch.randn(64, 96)
    moved = []
    for build in (Muon, lambda p, **kw: torch.optim.Muon(p, adjust_lr_fn="match_rms_adamw", **kw)):
        weight = nn.Parameter(start.clone())
        optimizer = build([weight], lr=1e-2, weight_decay=0.1)
        for step in range(3):
            weight.grad = gradient * (step + 1)
            optimizer.step()
        moved.append(weight.detach() - start)
    assert torch.nn.functional.cosine_similarity(moved[0].flatten(), moved[1].flatten(), dim=0) > 0.999
    assert moved[0].norm() == pytest.approx(float(moved[1].norm()), rel=0.02)


def test_the_learning_rate_warms_up_by_steps_and_falls_with_the_time_spent():
    assert rate_share(0, 0.0, 10) == pytest.approx(0.1)
    assert rate_share(50, 0.0, 10) == pytest.approx(1.0)
    assert rate_share(50, 0.5, 10) == pytest.approx(0.5 + FLOOR / 2)
    assert rate_share(50, 1.0, 10) == pytest.approx(FLOOR)


def test_training_in_bf16_keeps_its_sums_in_fp32():
    layer = nn.Linear(4, 4)
    optimiser = Optimiser([layer], torch.bfloat16)
    start = optimiser.state()["masters"][0].clone()
    for _ in range(3):
        layer(torch.ones(1, 4, dtype=torch.bfloat16)).sum().backward()
        optimiser.step(1e-4)
    optimiser.full_precision()
    assert layer.weight.dtype == torch.float32
    assert not torch.equal(layer.weight, start)


def tiny_batches(tokenizer):
    rng = random.Random(0)
    batch = collate([item(30), item(28)], tokenizer, rng, None)
    while True:
        yield batch


def test_the_joint_stage_learns_one_batch_and_is_taken_up_where_it_was_left(network, tokenizer, tmp_path):
    torch.manual_seed(0)
    head = train.new_phone_head(6)
    stage = train.joint_stage(network, head, 2.0, tmp_path / "joint.pt", torch.float32, warmup_steps=2)
    lines = []
    batch = next(tiny_batches(tokenizer))
    untrained = float(stage.loss(batch)[0].detach())
    first = run.train(stage, tiny_batches(tokenizer), lines.append)
    assert float(stage.loss(batch)[0].detach()) < untrained
    assert "min left" in lines[-1]
    weights = network.lm_head.weight.detach().clone()
    torch.nn.init.zeros_(network.lm_head.weight)
    again = run.train(stage, tiny_batches(tokenizer), lines.append)
    assert again.steps == first.steps
    assert torch.equal(network.lm_head.weight, weights)
    longer = run.train(replace(stage, budget_s=first.spent_s + 0.01), tiny_batches(tokenizer), lines.append)
    assert longer.steps > first.steps


def test_a_stage_that_is_killed_goes_on_from_what_was_saved_last(network, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "SAVE_EVERY_S", 0.0)
    saves = []

    def killed_after(n_steps: int):
        stream = tiny_batches(tokenizer)
        yield from (next(stream) for _ in range(n_steps))
        raise KeyboardInterrupt

    stage = train.joint_stage(
        network, train.new_phone_head(6), 3600.0, tmp_path / "joint.pt", torch.float32, on_save=lambda: saves.append(1)
    )
    with pytest.raises(KeyboardInterrupt):
        run.train(stage, killed_after(3), print)
    assert len(saves) == 3
    weights = network.lm_head.weight.detach().clone()
    torch.nn.init.zeros_(network.lm_head.weight)
    assert run.train(stage, tiny_batches(tokenizer), print, is_over=lambda: True).steps == 3
    assert torch.equal(network.lm_head.weight, weights)
    answers = iter((False, True))
    assert run.train(stage, tiny_batches(tokenizer), print, is_over=lambda: next(answers)).steps == 4


def test_the_head_stage_moves_the_phone_head_alone(network, tokenizer, tmp_path):
    head = train.new_phone_head(6)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    units = head.units.weight.detach().clone()
    answers = iter((False, False, True))
    stage = train.head_stage(network, head, 3600.0, tmp_path / "head.pt", torch.bfloat16)
    assert run.train(stage, tiny_batches(tokenizer), print, is_over=lambda: next(answers)).steps == 2
    assert not torch.equal(head.units.weight, units)
    assert head.units.weight.dtype == torch.float32
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    assert all(weight.requires_grad for weight in network.model.audio_tower.layers.parameters())


def test_batches_are_moved_whole(tokenizer):
    moved = next(device.moved(tiny_batches(tokenizer), torch.device("meta")))
    assert {moved.mel.device.type, moved.lengths.device.type, moved.labels.device.type} == {"meta"}
    assert all(getattr(moved.layout, field.name).device.type == "meta" for field in fields(moved.layout))


@torch.no_grad()
def test_the_network_makes_all_its_tensors_where_the_batch_lies(network, tokenizer):
    elsewhere = torch.device("meta")  # as strict about mixing as a graphics card is
    batch = next(device.moved(tiny_batches(tokenizer), elsewhere))
    network = network.to(elsewhere)
    prefix = train.PhonePrefix(6).to(elsewhere)
    for audio in (
        network.model.multi_modal_projector(encode(network, batch.mel, batch.lengths).pooled),
        prefix(batch.labels),
    ):
        mask = block_mask(batch.layout, audio.dtype)
        final = decode(network, splice(network, batch.layout, audio), batch.layout.positions, mask)
        assert final.device == elsewhere


def test_the_fastest_type_is_one_of_those_it_tried():
    assert device.fastest_type(torch.device("cpu")) in {torch.bfloat16, torch.float32}


@torch.no_grad()
def test_the_merged_projector_gives_the_decoder_what_phones_gave_it(network, tokenizer, monkeypatch):
    monkeypatch.setattr(train, "MERGE_CLIPS", 4)
    head, prefix = train.new_phone_head(6), train.PhonePrefix(6)
    head.units.weight.mul_(20)
    explained = train.merge(network, head, prefix, tiny_batches(tokenizer))
    assert 0 < explained <= 1


def test_a_written_checkpoint_loads_strictly_and_the_fast_path_agrees_with_the_slow_one(
    network, vocabulary_folder: Path
):
    export.write_checkpoint(network, network.state_dict(), vocabulary_folder)
    rng = np.random.default_rng(0)
    clips = [
        ((rng.standard_normal(n) * 0.1).astype(np.float32), language, task)
        for n, language, task in ((SAMPLE_RATE, "zh", "translate"), (9000, "en", "transcribe"))
    ]
    export.write_expected(vocabulary_folder, clips)
    checkpoint = load(vocabulary_folder, torch.device("cpu"))
    assert checkpoint.name == "embedded"
    assert checkpoint.languages == ("zh", "en")
    assert all(difference.is_within for difference in verify(vocabulary_folder))
    assert (vocabulary_folder / export.WEIGHTS).stat().st_size < export.BYTES_LIMIT
    plain = Qwen2AudioForConditionalGeneration.from_pretrained(vocabulary_folder, dtype=torch.float32)
    assert torch.equal(plain.lm_head.weight, checkpoint.model.lm_head.weight)
