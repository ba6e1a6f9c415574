"""Translation by sentences: random Qwen2-Audio and Qwen-Audio-Chat, against the library where it can generate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_checkpoints import noise, write_qwen2_audio
from scripted import Script

from models.base import LANGUAGES, Branch, Capabilities, Request, TranslateError
from models.qwen_audio.instructions import TABLE, WHICH_LANGUAGE, instruction, stricter
from models.qwen_audio.tokenizer import Tokenizer
from models.qwen_audio.translator import QwenAudioTranslator

CLIP = noise(6_000, 3)
TRANSLATE, TRANSCRIBE = Branch("translate"), Branch("transcribe")
BRIEFLY = Branch("translate", max_new=1)
GERMAN = "Wir haben das nicht verstanden und müssen noch einmal anfangen."
ENGLISH = "We have not understood that and will have to begin again."
ASKED = {
    "chatml": "Translate the speech from English into German. Answer with the translation only.",
    "prompt": "Detect the language and translate the speech into German: <|en|>",
}


def never() -> bool:
    return False


def request(*branches: Branch, source: str | None = "en", **changes: object) -> Request:
    asked = {"samples": CLIP, "targets": {"en": "de", "zh": "en"}, "branches": branches}
    return Request(1, 0, source=source, **(asked | changes))


def ids_of(outcome) -> list[tuple[int, ...]]:
    return [piece.ids for piece in outcome.pieces]


class Ready:
    """A loaded translator, and its vocabulary."""

    def __init__(self, folder, mode=None) -> None:
        self.translator = QwenAudioTranslator(str(folder), device="cpu", mode=mode)
        self.capabilities: Capabilities = self.translator.load(lambda _: None)
        self.tokenizer = Tokenizer.from_folder(folder)
        self.mode = self.translator._ready.loaded.checkpoint.mode

    def translate(self, request: Request):
        return self.translator.translate(request, never)


@pytest.fixture(scope="module", params=["base", "instruct", "v1 chat"])
def ready(request, tmp_path_factory, v1_chat) -> Ready:
    if request.param == "v1 chat":
        return Ready(v1_chat)
    folder = tmp_path_factory.mktemp("qwen2_audio")
    write_qwen2_audio(folder, is_instruct=request.param == "instruct")
    return Ready(folder)


@pytest.fixture
def script(monkeypatch, ready):
    def answered(asked: Request, *texts: str):
        rows = ready.translator._ready.loaded.checkpoint.n_rows
        script = Script([ready.tokenizer.encode(text) for text in texts], ready.tokenizer.end, rows)
        monkeypatch.setattr("models.qwen_audio.translator.Decoder", script)
        return ready.translate(asked), script

    return answered


def test_a_checkpoint_told_by_sentences_says_what_it_can_do(ready):
    capabilities = ready.capabilities
    assert len(capabilities.directions) == 8 * 7 + 7
    assert capabilities.verifies
    assert capabilities.transcribes
    assert not capabilities.names_language
    assert not capabilities.word_times


@pytest.mark.parametrize("task", ["translate", "transcribe"])
def test_a_text_is_what_the_library_generates_behind_the_same_sentence(qwen2_audio, monkeypatch, task):
    monkeypatch.setattr("models.qwen_audio.translator.found_instead", lambda *_: None)  # nonsense is in no language
    ready = Ready(qwen2_audio.folder)
    sentence = ASKED[ready.mode] if task == "translate" else instruction(ready.mode, "transcribe", "en", "de")
    if ready.mode == "chatml":
        spoken = [
            {"role": "user", "content": [{"type": "audio", "audio": CLIP}, {"type": "text", "text": sentence}]},
        ]
        inputs = qwen2_audio.processor.apply_chat_template(
            spoken, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
    else:
        text = "<|audio_bos|><|AUDIO|><|audio_eos|>" + sentence
        inputs = qwen2_audio.processor(text=text, audio=[CLIP], sampling_rate=16_000, return_tensors="pt")
    ends = ready.tokenizer.ends(ready.mode)
    never_said = [i for i in range(ready.tokenizer.n_text, qwen2_audio.model.lm_head.out_features) if i not in ends]
    expected = qwen2_audio.model.generate(
        **inputs, max_new_tokens=16, suppress_tokens=never_said, eos_token_id=sorted(ends), do_sample=False
    )[0, inputs["input_ids"].shape[1] :].tolist()
    found = [i for p in ready.translate(request(Branch(task, max_new=20))).outcomes[0].pieces for i in p.ids]
    n = min(len(found), len(expected))
    assert n > 5
    assert found[:n] == expected[:n]


@pytest.mark.parametrize("task", ["translate", "transcribe"])
def test_a_verified_draft_is_what_decoding_anew_gives(ready, monkeypatch, task):
    monkeypatch.setattr("models.qwen_audio.translator.found_instead", lambda *_: None)  # nonsense is in no language
    anew = ready.translate(request(Branch(task))).outcomes[0]
    drafted = ready.translate(request(Branch(task, draft=anew.pieces))).outcomes[0]
    assert ids_of(drafted) == ids_of(anew)
    assert (drafted.n_agreed, drafted.stop) == (len(anew.pieces), anew.stop)
    assert drafted.n_agreed > 0
    half = len(anew.pieces) // 2
    rest = ready.translate(request(Branch(task, committed=anew.pieces[:half]))).outcomes[0]
    assert ids_of(rest) == ids_of(anew)[half:]


def test_each_branch_is_what_it_would_be_alone(ready):
    both = ready.translate(request(TRANSLATE, TRANSCRIBE)).outcomes
    alone = [ready.translate(request(branch)).outcomes[0] for branch in (TRANSLATE, TRANSCRIBE)]
    assert [ids_of(outcome) for outcome in both] == [ids_of(outcome) for outcome in alone]


def test_a_translation_and_a_transcript_are_asked_for_by_different_sentences(script):
    _, told = script(request(TRANSLATE, TRANSCRIBE), GERMAN, ENGLISH)
    assert told.forced[0] != told.forced[1]


def test_the_language_is_the_given_one_or_the_only_one_expected(ready):
    assert ready.translate(request(BRIEFLY)).source == "en"
    only = ready.translate(request(BRIEFLY, source=None, targets={"fr": "en"}))
    assert (only.source, only.target, only.scores) == ("fr", "en", {})
    other = ready.translate(request(BRIEFLY, source=None, targets={"fr": "en", "en": "fr"}, priors={"en": 0.0}))
    assert other.source == "fr"
    traditional = ready.translate(request(BRIEFLY, source=None, targets={"zh_tr": "en"}))
    assert traditional.source == "zh_tr"


def test_otherwise_the_model_is_asked_for_it_and_may_answer_nothing_else(ready, monkeypatch):
    named = {
        ready.translate(request(Branch("transcribe", max_new=1), source=None, targets={})).source for _ in range(2)
    }
    assert len(named) == 1
    assert named <= set(LANGUAGES) - {"zh_tr"}
    heard = ready.translate(request(BRIEFLY, source=None, targets={"ko": "en", "en": "ko"}))
    assert (heard.source, heard.target) in {("ko", "en"), ("en", "ko")}


def test_the_question_for_the_language_offers_those_expected(script, ready):
    begins = "K" if ready.mode == "chatml" else "k"
    hypothesis, told = script(request(TRANSLATE, source=None, targets={"ko": "en", "en": "ko"}), begins, "Yes.")
    assert hypothesis.source == "ko"
    question = ready.tokenizer.decode(told.forced[0])
    assert (WHICH_LANGUAGE in question) == (ready.mode == "chatml")
    assert told.allowed[0].sum() == 2


def test_without_a_language_to_expect_nothing_can_be_named(ready):
    with pytest.raises(TranslateError, match="No language is expected to be heard"):
        ready.translate(request(TRANSLATE, source=None, priors={"en": 0.0, "zh": 0.0}))


def test_an_answer_is_taken_out_of_its_quotes(script):
    hypothesis, _ = script(request(TRANSLATE, samples=noise(48_000)), f'The translation of the speech is: "{GERMAN}"')
    assert hypothesis.outcomes[0].text == GERMAN


def test_after_an_answer_in_the_wrong_language_a_chat_model_is_asked_more_strictly(script, ready):
    asked = request(TRANSLATE, samples=noise(48_000))
    hypothesis, told = script(asked, ENGLISH, GERMAN)
    assert hypothesis.outcomes[0].text == GERMAN
    first, second = (ready.tokenizer.decode(ids) for ids in told.forced)
    if ready.mode == "chatml":
        assert ASKED["chatml"] in first
        assert stricter("en", "de", "en") in second
        assert told.allowed == [None, None]
    else:
        assert first == second
        assert told.allowed[1] is not None
    hypothesis, _ = script(asked, ENGLISH, ENGLISH.lower())
    assert hypothesis.outcomes[0].text == ENGLISH


def test_word_times_are_for_models_with_stamps(ready):
    with pytest.raises(TranslateError, match="gives no word times; ask without them"):
        ready.translate(request(Branch("transcribe", word_times=True)))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(480_001, np.float32), "at most 30 s"),
        (np.full(9_000, np.nan, np.float32), "not numbers"),
        (np.zeros((2, 9_000), np.float32), "one channel"),
        (np.zeros(9_000, np.int32), "int32"),
    ],
)
def test_sound_that_is_none_is_one_clear_error(ready, samples, message):
    with pytest.raises(TranslateError, match=message):
        ready.translate(request(TRANSLATE, samples=samples))


def test_no_sound_at_all_is_answered(ready):
    assert ready.translate(request(BRIEFLY, samples=CLIP[:0])).cost.audio_tokens == 1


@pytest.mark.parametrize("mode", TABLE)
@pytest.mark.parametrize("source", LANGUAGES)
def test_every_direction_has_a_sentence_of_its_own(mode, source):
    sentences = [instruction(mode, "translate", source, target) for target in LANGUAGES]
    assert "{" not in "".join(sentences)
    heard = {"zh", "zh_tr"} if source == "zh_tr" else {source}
    into_others = [s for target, s in zip(LANGUAGES, sentences, strict=True) if target not in heard]
    assert len(set(into_others)) >= len(LANGUAGES) - 2


def test_traditional_chinese_is_named_as_such():
    assert "into traditional Chinese" in instruction("chatml", "translate", "en", "zh_tr")
    assert instruction("chatml", "transcribe", "zh_tr", "en") == instruction("chatml", "translate", "zh", "zh_tr")
    assert instruction("prompt", "translate", "zh_tr", "en").endswith("into English: <|zh|>")
    assert instruction("prompt", "translate", "en", "zh").endswith("into Mandarin: <|en|>")


def test_the_names_of_languages_begin_with_different_ids(v1_tokenizer):
    begun = {v1_tokenizer.encode(english)[0] for code, (english, _) in LANGUAGES.items() if code != "zh_tr"}
    assert len(begun) == len(LANGUAGES) - 1


def test_torch_is_left_as_it_was(ready):
    ready.translate(request(BRIEFLY))
    assert not torch.is_inference_mode_enabled()
