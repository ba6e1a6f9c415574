"""What heads attend to, read on the way: equal to eager attention, and no text differs for it."""

from __future__ import annotations

import shutil
from itertools import islice

import numpy as np
import platformdirs
import pytest
import torch
from random_checkpoints import noise, write_qwen2_audio

from models.base import SAMPLE_RATE, Branch, Gate, ModelLoadError, Request
from models.calibration import POINTING, keep
from models.embedded.recipe import augment, export
from models.embedded.recipe.speech import Voice, synthesise
from models.pointers import Pointer, as_stored
from models.qwen_audio.checkpoint import load
from models.qwen_audio.decoder import Decoder, Text
from models.qwen_audio.encoder import encode, splice
from models.qwen_audio.frontend import AUDIO_TOKEN, V1
from models.qwen_audio.pointing import AttentionObserver, Sight
from models.qwen_audio.translator import QwenAudioTranslator

CPU = torch.device("cpu")
HEADS = ((0, 1), (0, 3), (1, 0))
N_STEPS = 6
BOTH = (Branch("translate"), Branch("transcribe"))


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=["v1", "small", "qwen2_audio", "embedded"])
def folder(request, tmp_path_factory, v1_folder, small_folder):
    if request.param == "qwen2_audio":
        made = tmp_path_factory.mktemp("qwen2_audio")
        write_qwen2_audio(made, is_instruct=False)
        return made
    return {"v1": v1_folder, "small": small_folder, "embedded": export.FOLDER}[request.param]


@pytest.fixture(scope="module")
def words():
    """A sentence with quiet around it, and the samples at which its words end."""
    said = synthesise(["Good", "morning", "everyone"], Voice("en", "en-us"))
    lead = np.zeros(SAMPLE_RATE // 3, np.float32)
    samples = augment.to_16k(said.samples, said.rate)
    ends = [*said.token_starts_s[1:], said.end_s]
    return np.concatenate([lead, samples, lead]), [len(lead) + round(end_s * SAMPLE_RATE) for end_s in ends]


@pytest.fixture(scope="module")
def said_in_english(words):
    return words[0]


def prompt_for(checkpoint, n_tokens: int) -> list[int]:
    if checkpoint.audio_start_id is None:
        return [3, *[checkpoint.model.config.audio_token_index] * n_tokens, 4, 5]
    return [3, checkpoint.audio_start_id, *[9] * n_tokens, checkpoint.audio_start_id + 1, 5]


def eager(folder, prompt, mel, written) -> torch.Tensor:
    """(heads, ids written, N): attention on the sound of the position that predicts each, computed all anew."""
    checkpoint = load(folder, CPU)
    checkpoint.model.model.language_model.set_attn_implementation("eager")
    embeddings = splice(checkpoint, [*prompt, *written], [encode(checkpoint, mel)])
    attentions = checkpoint.model.model.language_model(inputs_embeds=embeddings, output_attentions=True).attentions
    (span,) = checkpoint.audio_spans(prompt)
    rows = slice(len(prompt), len(prompt) + len(written))
    return torch.stack([attentions[layer][0, head, rows, span] for layer, head in HEADS])


@pytest.mark.parametrize("n_drafted", [0, 3, N_STEPS])
def test_what_is_seen_is_eager_attention_whether_drafted_or_written(folder, n_drafted):
    checkpoint = load(folder, CPU)
    mel = checkpoint.front_end.log_mel(noise(20_000))
    prompt = prompt_for(checkpoint, checkpoint.front_end.audio_tokens(20_000))
    allowed = torch.ones(checkpoint.n_rows, dtype=torch.bool)
    plain = Decoder(load(folder, CPU), allowed)
    plain.listen([mel], prompt)
    expected = list(islice(plain.write([7, 8], ()), N_STEPS))
    decoder = Decoder(checkpoint, allowed, observer=AttentionObserver(checkpoint.model, HEADS))
    decoder.listen([mel], prompt)
    draft = [step.token for step in expected[:n_drafted]]
    steps = list(islice(decoder.write([7, 8], draft), N_STEPS))
    assert [step.token for step in steps] == [step.token for step in expected]
    written = [7, 8, *(step.token for step in steps)]
    attention = eager(folder, prompt, mel, written)[:, 1:-1]  # what predicts a step is the id before it
    seen = torch.stack([step.seen for step in steps], dim=1)
    torch.testing.assert_close(seen, attention, atol=1e-5, rtol=0)


def test_texts_written_together_are_each_seen_as_if_alone(small_folder):
    checkpoint = load(small_folder, CPU)
    observer = AttentionObserver(checkpoint.model, HEADS)
    mel = V1.log_mel(noise(30_000, seed=3))
    prompt = prompt_for(checkpoint, V1.audio_tokens(30_000))
    allowed = torch.ones(checkpoint.n_rows, dtype=torch.bool)
    alone = []
    for forced in ([7, 8], [9, 10, 11]):
        decoder = Decoder(checkpoint, allowed, observer=observer)
        decoder.listen([mel], prompt)
        alone.append([step.seen for step in islice(decoder.write(forced, ()), N_STEPS)])
    together: list[list[torch.Tensor]] = [[], []]

    def taker(i):
        def take(step):
            together[i].append(step.seen)
            return len(together[i]) < N_STEPS

        return take

    decoder = Decoder(checkpoint, allowed, observer=observer)
    decoder.listen([mel], prompt)
    decoder.write_together([Text([7, 8]), Text([9, 10, 11])], [taker(0), taker(1)])
    for own, beside in zip(alone, together, strict=True):
        torch.testing.assert_close(torch.stack(own), torch.stack(beside), atol=1e-5, rtol=0)


def test_heads_that_a_model_has_not_are_refused(small_folder):
    for head in ((2, 0), (0, 4)):
        with pytest.raises(ModelLoadError, match="calibrate its heads"):
            AttentionObserver(load(small_folder, CPU).model, [head])


def test_a_token_points_to_the_middle_of_the_audio_token_that_it_looks_at_most():
    sight = Sight(rows=(0, 2), start=50_000, n_samples=10 * AUDIO_TOKEN, hold=0)
    seen = torch.zeros(3, 10)
    seen[1, 9] = 1.0  # another text's head
    seen[0, 3], seen[2, 4] = 0.5, 0.4
    assert sight.pointed(seen) == (50_000 + 3 * AUDIO_TOKEN + AUDIO_TOKEN // 2, 0.0)
    assert AUDIO_TOKEN == 640


@pytest.mark.parametrize(("hold", "share"), [(0, 0.0), (639, 0.0), (640, 0.25), (1280, 0.5), (9999, 1.0)])
def test_the_tail_is_the_audio_tokens_that_begin_within_the_hold(hold, share):
    sight = Sight(rows=(0,), start=0, n_samples=4 * AUDIO_TOKEN, hold=hold)
    assert sight.pointed(torch.full((1, 4), 0.1)).tail_mass == pytest.approx(share)
    assert sight.hold_from == 4 * AUDIO_TOKEN - hold


def test_heads_that_look_away_from_the_sound_have_no_tail():
    assert Sight((0,), 0, 4 * AUDIO_TOKEN, 640).pointed(torch.zeros(1, 4)).tail_mass == 0.0


def pointing_copy(tmp_path, monkeypatch, auc: float):
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    tmp_path.mkdir(exist_ok=True)
    folder = tmp_path / "checkpoint"
    shutil.copytree(export.FOLDER, folder, ignore=shutil.ignore_patterns("recipe", "*.py", "__pycache__"))
    gate = Gate(6400, 0.4, auc)
    keep(folder, POINTING, as_stored({("transcribe", "en", "en"): Pointer(((3, 0),), gate, -0.05)}))
    translator = QwenAudioTranslator(str(folder), "cpu")
    return translator, translator.load(lambda _: None), gate


def asked(samples: np.ndarray, **more) -> Request:
    return Request(1, 160_000, samples, "en", {"en": "zh"}, **({"branches": BOTH} | more))


def test_a_translator_points_and_writes_the_same(tmp_path, monkeypatch, said_in_english):
    translator, capabilities, gate = pointing_copy(tmp_path, monkeypatch, auc=0.71)
    assert capabilities.points
    assert capabilities.gates == {("transcribe", "en", "en"): gate}
    assert capabilities.sure_above == {("transcribe", "en", "en"): -0.05}
    plain, plainly, _ = pointing_copy(tmp_path / "plain", monkeypatch, auc=0.69)
    assert not plainly.points
    assert not plainly.gates
    request = asked(said_in_english, hold=6400)
    found = translator.translate(request, lambda: False).outcomes
    expected = plain.translate(request, lambda: False).outcomes
    assert [[each.ids for each in o.pieces] for o in found] == [[each.ids for each in o.pieces] for o in expected]
    translation, transcript = found
    assert all(each.at is None and each.tail_mass is None for each in (*translation.pieces, *expected[1].pieces))
    at = [each.at for each in transcript.pieces]
    assert at == sorted(at)
    assert len(set(at)) > len(at) // 2
    assert 160_000 <= at[0] < at[-1] <= 160_000 + len(said_in_english)
    assert all(0 <= each.tail_mass <= 1 for each in transcript.pieces)


def test_a_word_points_into_its_own_sound(tmp_path, monkeypatch, words):
    samples, ends = words
    translator, _, _ = pointing_copy(tmp_path, monkeypatch, auc=0.71)
    request = asked(samples, branches=(Branch("transcribe"),))
    pieces = [
        each for each in translator.translate(request, lambda: False).outcomes[0].pieces if each.text.strip(" .,")
    ]
    assert len(pieces) == len(ends)
    ends[-1] = len(samples)  # the last word of all looks at the quiet behind it too
    for each, start, end in zip(pieces, [0, *ends], ends, strict=False):
        assert start - 1600 <= each.at - 160_000 <= end + 1600


def test_committed_pieces_are_not_pointed_before(tmp_path, monkeypatch, said_in_english):
    translator, _, _ = pointing_copy(tmp_path, monkeypatch, auc=0.71)
    whole = translator.translate(asked(said_in_english, branches=(Branch("transcribe"),)), lambda: False).outcomes[0]
    first = whole.pieces[0]
    late = type(first)(first.ids, first.text, first.logprob, at=160_000 + len(said_in_english))
    rest = translator.translate(
        asked(said_in_english, branches=(Branch("transcribe", committed=(late,)),)), lambda: False
    ).outcomes[0]
    assert {each.at for each in rest.pieces} == {late.at}
