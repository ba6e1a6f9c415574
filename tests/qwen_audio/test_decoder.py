"""The fast path against the slow one: the whole forward of the library's model, without cache, draft or crop."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from models.qwen_audio.checkpoint import load
from models.qwen_audio.decoder import READ_TOGETHER, Decoder, Step, Taker, Text
from models.qwen_audio.encoder import encode, splice
from models.qwen_audio.frontend import V1

CPU = torch.device("cpu")
N_STEPS = 12


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=["v1", "small"])
def checkpoint(request, v1_folder, small_folder):
    return load(v1_folder if request.param == "v1" else small_folder, CPU)


@pytest.fixture(scope="module")
def mel():
    samples = np.random.default_rng(5).standard_normal(20_000).astype(np.float32) * 0.1
    return V1.log_mel(samples)


def prompt_for(checkpoint, mel) -> list[int]:
    first = checkpoint.audio_start_id or 255
    pad = checkpoint.model.config.audio_token_index if checkpoint.audio_start_id is None else 270
    return [first, *[pad] * (mel.shape[1] // 4), first + 1, 5]


def everything(checkpoint) -> torch.Tensor:
    return torch.ones(checkpoint.model.lm_head.out_features, dtype=torch.bool)


def listening(checkpoint, mel, allowed=None) -> Decoder:
    decoder = Decoder(checkpoint, everything(checkpoint) if allowed is None else allowed)
    decoder.listen([mel], prompt_for(checkpoint, mel))
    return decoder


def slow_steps(checkpoint, mel, forced: list[int], count: int) -> list[Step]:
    """Greedy decoding that computes everything anew for each token."""
    heard = splice(checkpoint, prompt_for(checkpoint, mel), [encode(checkpoint, mel)])
    table = checkpoint.model.get_input_embeddings()
    steps = []
    for _ in range(count):
        written = table(torch.tensor([[*forced, *(step.token for step in steps)]]))
        logits = checkpoint.model(inputs_embeds=torch.cat([heard, written], dim=1), use_cache=False).logits[0, -1]
        best = logits.log_softmax(dim=-1).max(dim=-1)
        steps.append(Step(int(best.indices), float(best.values)))
    return steps


def assert_same(found, expected) -> None:
    found = list(found)
    assert [s.token for s in found] == [s.token for s in expected]
    np.testing.assert_allclose([s.logprob for s in found], [s.logprob for s in expected], atol=1e-4)


def test_thirty_seconds_are_encoded_as_the_librarys_own_tower_does(checkpoint):
    samples = np.random.default_rng(1).standard_normal(480_000).astype(np.float32) * 0.1
    mel = V1.log_mel(samples)
    tower = checkpoint.model.model.audio_tower(mel[None]).last_hidden_state
    expected = checkpoint.model.model.multi_modal_projector(tower)
    torch.testing.assert_close(encode(checkpoint, mel), expected, atol=1e-5, rtol=0)


def test_the_logits_after_the_prompt_are_those_of_the_whole_forward(checkpoint, mel):
    ids = prompt_for(checkpoint, mel)
    decoder = Decoder(checkpoint, everything(checkpoint))
    logits = decoder.listen([mel], ids)
    embeddings = splice(checkpoint, ids, [encode(checkpoint, mel)])
    expected = checkpoint.model(inputs_embeds=embeddings, use_cache=False).logits[0, -1]
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_takes_the_same_path_and_comes_close(v1_folder, mel, dtype):
    full, half = load(v1_folder, CPU), load(v1_folder, CPU, dtype)
    expected = Decoder(full, everything(full)).listen([mel], prompt_for(full, mel))
    logits = Decoder(half, everything(half)).listen([mel], prompt_for(half, mel))
    assert half.dtype == dtype
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, expected, atol=0.15, rtol=0)


def test_decoding_with_the_cache_is_decoding_without_it(checkpoint, mel):
    expected = slow_steps(checkpoint, mel, [7, 9], N_STEPS)
    assert_same(islice(listening(checkpoint, mel).write([7, 9], ()), N_STEPS), expected)


@pytest.mark.parametrize("n_right", [0, 1, 5, N_STEPS - 1, N_STEPS])
@pytest.mark.parametrize("n_wrong", [0, 3])
def test_a_draft_changes_no_step_however_much_of_it_is_right(checkpoint, mel, n_right, n_wrong):
    expected = slow_steps(checkpoint, mel, [7, 9], N_STEPS)
    right = [step.token for step in expected[:n_right]]
    wrong = [] if n_right == N_STEPS else [(expected[n_right].token + 1) % 250] * n_wrong
    decoder = listening(checkpoint, mel)
    assert_same(islice(decoder.write([7, 9], right + wrong), N_STEPS), expected)
    assert decoder.cost.decoded_tokens == max(0, N_STEPS - n_right - 1)


def test_a_second_text_is_not_touched_by_the_first(checkpoint, mel):
    decoder = listening(checkpoint, mel)
    list(islice(decoder.write([7, 9, 11], [1, 2, 3]), N_STEPS))
    assert_same(islice(decoder.write([8], ()), N_STEPS), slow_steps(checkpoint, mel, [8], N_STEPS))


def test_a_text_given_up_after_its_first_token_leaves_nothing_behind(checkpoint, mel):
    decoder = listening(checkpoint, mel)
    next(decoder.write([7, 9], [1, 2, 3]))
    assert_same(islice(decoder.write([7, 9], ()), N_STEPS), slow_steps(checkpoint, mel, [7, 9], N_STEPS))


def test_a_forbidden_token_is_never_written_and_has_no_share_of_the_probability(checkpoint, mel):
    free = next(listening(checkpoint, mel).write([7, 9], ()))
    allowed = everything(checkpoint)
    allowed[free.token] = False
    steps = list(islice(listening(checkpoint, mel, allowed).write([7, 9], ()), N_STEPS))
    assert free.token not in [step.token for step in steps]
    allowed[:] = False
    allowed[free.token] = True
    (only,) = islice(listening(checkpoint, mel, allowed).write([7, 9], ()), 1)
    assert only == Step(free.token, 0.0)


def test_what_a_request_costs_is_counted(checkpoint, mel):
    decoder = listening(checkpoint, mel)
    list(islice(decoder.write([7, 9], [400 % 250]), 3))
    cost = decoder.cost
    assert cost.audio_tokens == mel.shape[1] // 4
    assert cost.prefilled_tokens == cost.audio_tokens + 3 + 3
    assert cost.decoded_tokens in (1, 2)
    assert min(cost.encode_s, cost.prefill_s, cost.decode_s) > 0


def test_one_text_may_be_kept_to_other_tokens_than_the_next(checkpoint, mel):
    few = torch.zeros_like(everything(checkpoint))
    few[[3, 7]] = True
    decoder = listening(checkpoint, mel)
    free = list(islice(decoder.write([6], ()), N_STEPS))
    kept = list(islice(decoder.write([6], (), few), N_STEPS))
    assert {step.token for step in kept} <= {3, 7}
    assert_same(islice(decoder.write([6], ()), N_STEPS), free)
    assert_same(islice(listening(checkpoint, mel, few).write([6], ()), N_STEPS), kept)


class Writer:
    """Takes so many steps of a text."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.steps: list[Step] = []

    def take(self, step: Step) -> bool:
        self.steps.append(step)
        return len(self.steps) < self.count


def together(decoder: Decoder, texts: list[Text], counts: list[int]) -> list[list[Step]]:
    writers = [Writer(count) for count in counts]
    takers: list[Taker] = [writer.take for writer in writers]
    decoder.write_together(texts, takers)
    return [writer.steps for writer in writers]


def test_texts_written_together_are_what_each_is_alone(checkpoint, mel):
    expected = [slow_steps(checkpoint, mel, forced, N_STEPS) for forced in ([7, 9], [8], [6, 5, 4, 3])]
    right = [step.token for step in expected[1][:4]]
    drafts = [(), (*right, (expected[1][4].token + 1) % 250, 3), tuple(step.token for step in expected[2])]
    texts = [Text(forced, draft) for forced, draft in zip(([7, 9], [8], [6, 5, 4, 3]), drafts, strict=True)]
    decoder = listening(checkpoint, mel)
    counts = [N_STEPS, 7, 3]
    for found, steps, count in zip(together(decoder, texts, counts), expected, counts, strict=True):
        assert_same(found, steps[:count])
    # Each goes on alone from where it is: 11 behind the first's own token, 2 behind the second's fifth.
    assert decoder.cost.decoded_tokens == (N_STEPS - 1) + (7 - 5)
    assert decoder.cost.decode_steps == N_STEPS - 1
    assert_same(islice(decoder.write([7, 9], ()), N_STEPS), expected[0])


@pytest.mark.parametrize("seconds", [1, 18])
def test_texts_known_before_the_sound_are_what_they_are_behind_it(checkpoint, seconds):
    """Read with the prompt in one forward, or behind it where that is long."""
    mel = V1.log_mel(np.random.default_rng(6).standard_normal(seconds * 16_000).astype(np.float32) * 0.1)
    texts = [Text([7, 9], [3, 4, 5]), Text([8])]
    prompt = prompt_for(checkpoint, mel)
    assert (len(prompt) > READ_TOGETHER) == (seconds > 10)
    behind = Decoder(checkpoint, everything(checkpoint))
    logits = behind.listen([mel], prompt)
    expected = together(behind, texts, [9, 4])
    ahead = Decoder(checkpoint, everything(checkpoint))
    torch.testing.assert_close(ahead.listen([mel], prompt, texts), logits, atol=1e-4, rtol=0)
    for found, steps in zip(together(ahead, texts, [9, 4]), expected, strict=True):
        assert_same(found, steps)
    assert ahead.cost.prefilled_tokens == behind.cost.prefilled_tokens
    # Others than those told, or the same again, are read where they are asked for.
    for found, steps in zip(together(ahead, texts, [9, 4]), expected, strict=True):
        assert_same(found, steps)


def test_other_texts_than_were_told_are_read_where_they_are_asked_for(checkpoint, mel):
    decoder = Decoder(checkpoint, everything(checkpoint))
    decoder.listen([mel], prompt_for(checkpoint, mel), [Text([7, 9]), Text([8])])
    (found,) = together(decoder, [Text([8])], [5])
    assert_same(found, slow_steps(checkpoint, mel, [8], 5))


class Seen:
    """Keeps what the decoder tells of its forwards."""

    def __init__(self) -> None:
        self.spans: list[slice] = []
        self.asked: list[list[int]] = []

    def begin(self, spans) -> None:
        self.spans = list(spans)

    def look(self, queries) -> list[torch.Tensor]:
        self.asked.append(list(queries))
        return [torch.tensor(len(self.asked) * 100 + query) for query in queries]


def test_each_step_has_what_the_observer_saw_where_it_was_predicted(checkpoint, mel):
    prompt, seen = prompt_for(checkpoint, mel), Seen()
    right = [step.token for step in slow_steps(checkpoint, mel, [8], 2)]
    texts = [Text([7, 9]), Text([8], right)]
    decoder = Decoder(checkpoint, everything(checkpoint), observer=seen)
    decoder.listen([mel], prompt)
    first, second = together(decoder, texts, [3, 4])
    assert seen.spans == [slice(1, 1 + mel.shape[1] // 4)]
    # The forward that reads: 7 9 | 8 and its draft, each predicting the next; then one of each text.
    assert seen.asked == [[1, 2, 3, 4], [0, 1], [0]]
    assert [int(step.seen) for step in first] == [101, 200, 300]
    assert [int(step.seen) for step in second] == [102, 103, 104, 201]
    decoder.listen([mel], prompt, texts)
    together(decoder, texts, [1, 1])
    assert seen.asked[3:] == [[len(prompt) + i for i in (1, 2, 3, 4)]]
