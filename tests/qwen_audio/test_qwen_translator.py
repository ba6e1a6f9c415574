"""Requests to hypotheses, on random checkpoints: what a draft, a prior or a broken clip may change, and what not."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.base import UNKNOWN, Branch, Cancelled, ModelLoadError, Request, TranslateError
from models.qwen_audio.layouts import V1_LANGUAGES
from models.qwen_audio.translator import QwenAudioTranslator

BOTH_WAYS = {"zh": "en", "en": "zh"}
TRANSLATE, TRANSCRIBE = Branch("translate"), Branch("transcribe")


def never() -> bool:
    return False


def heard(seconds: float = 1.5, seed: int = 3, **changes: object) -> Request:
    samples = np.random.default_rng(seed).standard_normal(int(seconds * 16_000)).astype(np.float32) * 0.1
    samples.setflags(write=False)
    request = Request(7, 0, samples, source="en", targets=BOTH_WAYS, branches=(TRANSLATE,))
    return dataclasses.replace(request, **changes)


@pytest.fixture(scope="module")
def translator(small_folder):
    translator = QwenAudioTranslator(str(small_folder), device="cpu")
    translator.load(lambda _: None)
    yield translator
    translator.close()


@pytest.fixture(scope="module")
def translate(translator):
    return lambda request, cancelled=never: translator.translate(request, cancelled)


def pieces_of(hypothesis, branch: int = 0):
    return hypothesis.outcomes[branch].pieces


def ids_of(pieces) -> list[tuple[int, ...]]:
    return [piece.ids for piece in pieces]


def assert_same(found, expected) -> None:
    assert (ids_of(found.pieces), found.n_agreed, found.stop) == (
        ids_of(expected.pieces),
        expected.n_agreed,
        expected.stop,
    )
    logprobs = [[piece.logprob for piece in outcome.pieces] for outcome in (found, expected)]
    np.testing.assert_allclose(*logprobs, atol=1e-4)


def test_a_loaded_translator_says_what_it_can_do(small_folder):
    shares: list[float] = []
    translator = QwenAudioTranslator(str(small_folder), device="cpu")
    capabilities = translator.load(shares.append)
    assert capabilities.name == "small"
    assert capabilities.device == "cpu (asked for)"
    assert capabilities.directions == {("zh", "en"), ("en", "zh")}
    assert capabilities.max_samples == 480_000
    assert capabilities.verifies
    assert capabilities.names_language
    assert capabilities.transcribes
    assert not capabilities.points
    assert shares[-1] == 1.0


def test_without_a_gpu_auto_is_the_cpu_and_says_so(small_folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert QwenAudioTranslator(str(small_folder)).load(lambda _: None).device == "cpu (no CUDA device found)"
    with pytest.raises(ModelLoadError, match="No CUDA device"):
        QwenAudioTranslator(str(small_folder), device="cuda").load(lambda _: None)
    with pytest.raises(ModelLoadError, match="no device 'tpu'"):
        QwenAudioTranslator(str(small_folder), device="tpu").load(lambda _: None)


def test_a_small_model_is_loaded_to_compute_in_one_thread(small_folder):
    torch.set_num_threads(3)
    QwenAudioTranslator(str(small_folder), device="cpu").load(lambda _: None)
    assert torch.get_num_threads() == 1


def test_each_branch_is_what_it_would_be_alone(translate):
    both = translate(heard(branches=(TRANSLATE, TRANSCRIBE)))
    for i, branch in enumerate((TRANSLATE, TRANSCRIBE)):
        assert_same(both.outcomes[i], translate(heard(branches=(branch,))).outcomes[0])
    assert ids_of(pieces_of(both, 0)) != ids_of(pieces_of(both, 1))
    assert both.cost.audio_tokens == 37
    assert both.cost.encode_s > 0


def test_an_answer_depends_on_its_request_alone(translate):
    first = translate(heard())
    translate(heard(seconds=4, seed=9, branches=(TRANSCRIBE,)))
    again = translate(heard())
    assert (again.outcomes, again.scores) == (first.outcomes, first.scores)


@pytest.mark.parametrize("draft_from", ["itself", "shorter", "other language", "other words"])
def test_a_verified_and_extended_draft_is_what_decoding_anew_gives(translate, draft_from):
    anew = translate(heard()).outcomes[0]
    drafts = {
        "itself": anew.pieces,
        "shorter": pieces_of(translate(heard(seconds=1.2))),
        "other language": pieces_of(translate(heard(source="zh"))),
        "other words": anew.pieces[: len(anew.pieces) // 2] + anew.pieces[:1],
    }
    draft = drafts[draft_from]
    outcome = translate(heard(branches=(Branch("translate", draft=draft),))).outcomes[0]
    assert (ids_of(outcome.pieces), outcome.stop) == (ids_of(anew.pieces), anew.stop)
    agreed = outcome.n_agreed
    assert ids_of(outcome.pieces[:agreed]) == ids_of(draft[:agreed])
    assert agreed == len(draft) or ids_of(outcome.pieces)[agreed : agreed + 1] != [draft[agreed].ids]
    if draft_from == "itself":
        assert agreed == len(anew.pieces) > 2


def test_wherever_the_committed_text_ends_the_rest_is_the_same(translate):
    whole = translate(heard()).outcomes[0]
    for n in range(len(whole.pieces) + 1):
        outcome = translate(heard(branches=(Branch("translate", committed=whole.pieces[:n]),))).outcomes[0]
        assert ids_of(outcome.pieces) == ids_of(whole.pieces[n:])
        assert outcome.stop == whole.stop


def test_only_the_pieces_asked_for_are_added(translate):
    whole = translate(heard()).outcomes[0]
    for max_new in (0, 1, 3):
        branch = Branch("translate", draft=whole.pieces[:2], max_new=max_new)
        outcome = translate(heard(branches=(branch,))).outcomes[0]
        assert ids_of(outcome.pieces) == ids_of(whole.pieces[: 2 + max_new])
        assert (outcome.n_agreed, outcome.stop) == (2, "budget")


def test_the_language_is_named_by_scores_and_priors(translate):
    free = translate(heard(source=None))
    assert set(free.scores) == {"zh", "en", UNKNOWN}
    assert sum(free.scores.values()) == pytest.approx(1)
    assert free.source == max(free.scores, key=free.scores.__getitem__)
    for language in ("zh", "en"):
        others = {"zh": 0.0, "en": 0.0, UNKNOWN: 0.0, language: 1.0}
        named = translate(heard(source=None, priors=others))
        assert (named.source, named.target) == (language, BOTH_WAYS[language])
        assert named.scores == free.scores
        assert_same(named.outcomes[0], translate(heard(source=language)).outcomes[0])


def test_no_speech_is_empty_whatever_was_asked_for(translate):
    silent = {"zh": 0.0, "en": 0.0}
    hypothesis = translate(heard(source=None, priors=silent, branches=(TRANSLATE, TRANSCRIBE)))
    assert (hypothesis.source, hypothesis.target) == (UNKNOWN, UNKNOWN)
    assert [(o.pieces, o.n_agreed, o.stop) for o in hypothesis.outcomes] == [((), 0, "end")] * 2
    assert hypothesis.cost.decoded_tokens == 0


def test_a_language_without_a_target_is_not_named(translate):
    assert translate(heard(source=None, targets={"zh": "en"}, priors={UNKNOWN: 0.0})).source == "zh"
    assert translate(heard(source=None, targets={"en": "zh"}, priors={UNKNOWN: 0.0})).source == "en"


def test_a_transcript_needs_no_target(translate):
    hypothesis = translate(heard(source=None, targets={}, priors={UNKNOWN: 0.0}, branches=(TRANSCRIBE,)))
    assert hypothesis.source in BOTH_WAYS
    assert hypothesis.target == hypothesis.source
    with pytest.raises(TranslateError, match="into which language"):
        translate(heard(source="en", targets={"zh": "en"}))


def test_a_given_language_is_used_and_still_scored(translate):
    assert translate(heard(source="zh")).scores == translate(heard(source=None)).scores


def test_texts_hold_whole_characters_and_no_tags(translate, toy_tokenizer):
    hypothesis = translate(heard(seconds=6, branches=(TRANSLATE, TRANSCRIBE)))
    for outcome in hypothesis.outcomes:
        assert outcome.pieces
        assert "\ufffd" not in outcome.text
        assert all(i < toy_tokenizer.n_text for piece in outcome.pieces for i in piece.ids)
        assert all(piece.logprob <= 0 for piece in outcome.pieces)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "fr"}, "'fr', only zh, en"),
        ({"targets": {"en": "de"}}, "'de', only zh, en"),
        ({"samples": np.zeros(480_001, np.float32)}, "at most 30 s"),
        ({"samples": np.full(9_000, np.nan, np.float32)}, "not numbers"),
        ({"samples": np.zeros((9_000, 2), np.float32)}, "one channel"),
        ({"branches": (Branch("translate", committed=(object(),)),)}, "AttributeError"),
    ],
)
def test_a_request_that_cannot_be_answered_is_one_clear_error(translate, changes, message):
    with pytest.raises(TranslateError, match=message):
        translate(heard(**changes))
    assert translate(heard()).outcomes[0].pieces


def test_twenty_milliseconds_and_nothing_at_all_are_answered(translate):
    for n in (0, 320):
        request = heard(samples=np.zeros(n, np.float32))
        assert translate(request).cost.audio_tokens == 1


def test_an_error_of_torch_fails_one_request_and_no_other(translator, translate, monkeypatch):
    def breaks(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("CUDA error: device-side assert")

    with monkeypatch.context() as patch:
        patch.setattr("models.qwen_audio.decoder.encode", breaks)
        with pytest.raises(TranslateError, match="failed on this utterance"):
            translate(heard())
    assert translate(heard()).outcomes[0].pieces


def test_nobody_waiting_ends_a_request_within_a_few_tokens(translate):
    calls = 0

    def at_the_fourth() -> bool:
        nonlocal calls
        calls += 1
        return calls == 4

    with pytest.raises(Cancelled):
        translate(heard(), at_the_fourth)
    assert calls == 4


def test_what_was_not_loaded_or_was_closed_says_so(small_folder):
    translator = QwenAudioTranslator(str(small_folder), device="cpu")
    with pytest.raises(TranslateError, match="not been loaded"):
        translator.translate(heard(), never)
    translator.load(lambda _: None)
    translator.close()
    with pytest.raises(TranslateError, match="not been loaded"):
        translator.translate(heard(), never)


def test_a_vocabulary_that_is_not_the_checkpoints_is_refused(small_folder, tmp_path):
    for file in small_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "tokenizer_config.json"
    tags = json.loads(path.read_text())["special_tokens"]
    path.write_text(json.dumps({"special_tokens": tags | {"<|more|>": 300}}))
    with pytest.raises(ModelLoadError, match="301 ids and the weights have 300"):
        QwenAudioTranslator(str(tmp_path), device="cpu").load(lambda _: None)
    path.write_text(json.dumps({"special_tokens": {tag: i for tag, i in tags.items() if tag != "<|itn|>"}}))
    with pytest.raises(ModelLoadError, match=r"has no <\|itn\|>"):
        QwenAudioTranslator(str(tmp_path), device="cpu").load(lambda _: None)


def test_a_folder_that_is_no_checkpoint_is_not_asked_for_a_vocabulary(v1_folder, tmp_path):
    with pytest.raises(ModelLoadError, match=r"config\.json is missing"):
        QwenAudioTranslator(str(tmp_path), device="cpu").load(lambda _: None)
    with pytest.raises(ModelLoadError, match="has no vocabulary"):
        QwenAudioTranslator(str(v1_folder), device="cpu").load(lambda _: None)


@pytest.mark.parametrize(
    ("error", "message"),
    [(torch.OutOfMemoryError("no"), "does not fit into the memory"), (RuntimeError("CUDA"), "cannot be put on cpu")],
)
def test_a_device_that_cannot_take_the_model_is_one_clear_error(small_folder, monkeypatch, error, message):
    def refuses(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr("models.qwen_audio.loading.load", refuses)
    with pytest.raises(ModelLoadError, match=message):
        QwenAudioTranslator(str(small_folder), device="cpu").load(lambda _: None)


def test_a_published_checkpoint_translates_among_its_eight_languages(v1_with_vocabulary):
    translator = QwenAudioTranslator(str(v1_with_vocabulary), device="cpu")
    capabilities = translator.load(lambda _: None)
    assert len(capabilities.directions) == 8 * 7 + 7  # into traditional Chinese too, but nobody speaks it
    assert ("en", "zh_tr") in capabilities.directions
    assert capabilities.word_times
    hypothesis = translator.translate(heard(source=None, targets={}, branches=(TRANSCRIBE,)), never)
    assert set(hypothesis.scores) == {*V1_LANGUAGES, UNKNOWN}
    german = translator.translate(heard(source="de", targets={"de": "en"}), never)
    assert (german.source, german.target) == ("de", "en")
    assert german.outcomes[0].pieces


def test_rows_past_the_vocabulary_are_never_written(v1_with_vocabulary, tmp_path):
    for file in v1_with_vocabulary.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    head = weights["lm_head.weight"]
    end = 256
    head[end + 1 :: 2] = 50 * head[:1]  # one half of the rows is the likeliest, whatever the sound
    head[end + 2 :: 2] = -50 * head[:1]
    save_file(weights, tmp_path / "model.safetensors")
    translator = QwenAudioTranslator(str(tmp_path), device="cpu")
    translator.load(lambda _: None)
    (outcome,) = translator.translate(heard(), never).outcomes
    assert outcome.pieces
    assert all(i < end for piece in outcome.pieces for i in piece.ids)
