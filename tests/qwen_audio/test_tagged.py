"""Translation mode on v1's tags: word times, traditional Chinese, and a second try in the right language."""

from __future__ import annotations

import pytest
from random_checkpoints import noise
from scripted import Script

from models.base import Branch, ModelLoadError, Piece, Request, TranslateError
from models.qwen_audio.asking import Forcing
from models.qwen_audio.loading import load_folder
from models.qwen_audio.prompts import stamp_tags
from models.qwen_audio.tokenizer import Tokenizer
from models.qwen_audio.translator import QwenAudioTranslator

CLIP = noise(80_000, 3)
START = 48_000
GERMAN = "Wir haben das nicht verstanden und müssen noch einmal anfangen."
ENGLISH = "We have not understood that and will have to begin again."
CHINESE = "我们没有听懂，得从头再来。"
TRANSLATE, TRANSCRIBE = Branch("translate"), Branch("transcribe")
WORDS = Branch("transcribe", word_times=True)


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def tokenizer(v1_with_vocabulary):
    return Tokenizer.from_folder(v1_with_vocabulary)


@pytest.fixture(scope="module")
def translator(v1_with_vocabulary):
    translator = QwenAudioTranslator(str(v1_with_vocabulary), device="cpu")
    translator.load(lambda _: None)
    return translator


@pytest.fixture
def script(monkeypatch, translator, tokenizer):
    """Answers a request with texts of a test's own; gives the hypothesis and what was asked."""

    def answered(texts: list[str], branches, source="en", target="de", likeliest=None):
        script = Script(
            [tokenizer.encode_tagged(text) for text in texts],
            tokenizer.end,
            tokenizer.n_vocab + 6,
            tokenizer.tags[likeliest] if likeliest else None,
        )
        monkeypatch.setattr("models.qwen_audio.translator.Decoder", script)
        targets = {source or "zh_tr": target}
        request = Request(1, START, CLIP, source=source, targets=targets, branches=tuple(branches))
        return translator.translate(request, never), script

    return answered


def asked(script: Script, tokenizer: Tokenizer) -> list[list[str]]:
    names = {i: tag for tag, i in tokenizer.tags.items()}
    return [[names.get(i, "?") for i in ids] for ids in script.forced]


def test_word_times_are_asked_for_and_read(script, tokenizer):
    text = "<|sil|><|0.54|>we<|0.86|>agree<|1.17|><|sil|><|2.00|>"
    hypothesis, told = script([text], [WORDS])
    assert asked(told, tokenizer) == [["<|en|>", "<|transcribe|>", "<|en|>", "<|timestamps|>", "<|0.00|>"]]
    (outcome,) = hypothesis.outcomes
    times = [(p.text, (p.at - START) / 16_000, (p.end - START) / 16_000) for p in outcome.pieces]
    assert times == [("we", 0.54, 0.86), (" agree", 0.86, 1.17)]
    assert outcome.text == "we agree"


def test_with_word_times_stamps_may_be_written_and_without_them_not(script, tokenizer):
    _, told = script(["<|0.10|>", "a"], [WORDS, TRANSCRIBE])
    stamps = [tokenizer.tags[tag] for tag in (*stamp_tags(), "<|sil|>")]
    with_stamps, without = told.allowed
    assert with_stamps[stamps].all()
    assert not with_stamps[tokenizer.tags["<|en|>"]]
    assert without is None


def test_a_draft_with_word_times_counts_word_by_word(script):
    text = "<|sil|><|0.54|>we<|0.86|>agree<|1.17|><|sil|><|2.00|>now<|2.20|>"
    whole = script([text], [WORDS])[0].outcomes[0].pieces
    drafted = script([text], [Branch("transcribe", draft=whole[:2], word_times=True)])[0].outcomes[0]
    assert (drafted.pieces, drafted.n_agreed) == (whole, 2)
    longer = script([text.replace("0.86", "0.87")], [Branch("transcribe", draft=whole, word_times=True)])[0].outcomes[0]
    assert (longer.text, longer.n_agreed) == ("we agree now", 0)


def test_stamps_that_only_repeat_are_a_loop(script):
    outcome = script(["we<|0.30|>" + "<|sil|><|0.40|>" * 40], [WORDS])[0].outcomes[0]
    assert (outcome.text, outcome.stop) == ("we", "loop")


def test_a_model_that_was_taught_no_stamps_gives_no_word_times(small_folder):
    translator = QwenAudioTranslator(str(small_folder), device="cpu")
    capabilities = translator.load(lambda _: None)
    assert not capabilities.word_times
    assert {target for _, target in capabilities.directions} == {
        "zh",
        "en",
    }  # its vocabulary has <|zh_tr|> all the same
    with pytest.raises(TranslateError, match="small gives no word times; ask without them"):
        translator.translate(Request(1, 0, CLIP, "en", {}, (WORDS,)), never)


def test_traditional_chinese_is_written_where_it_is_asked_for(script, tokenizer):
    _, told = script(["我們"], [TRANSLATE], source="en", target="zh_tr")
    assert asked(told, tokenizer)[0][:3] == ["<|en|>", "<|translate|>", "<|zh_tr|>"]
    hypothesis, told = script(["我們", "we"], [TRANSCRIBE, TRANSLATE], source="zh_tr", target="en")
    assert [tags[:3] for tags in asked(told, tokenizer)] == [
        ["<|zh|>", "<|transcribe|>", "<|zh_tr|>"],
        ["<|zh|>", "<|translate|>", "<|en|>"],
    ]
    assert (hypothesis.source, hypothesis.target) == ("zh_tr", "en")


def test_mandarin_is_heard_where_traditional_chinese_is_expected(script):
    hypothesis, _ = script(["好"], [TRANSLATE], source=None, target="en", likeliest="<|zh|>")
    assert (hypothesis.source, hypothesis.target) == ("zh_tr", "en")
    assert "zh_tr" not in hypothesis.scores


def test_a_translation_in_the_wrong_language_is_written_once_more_without_it(script, tokenizer):
    hypothesis, told = script([ENGLISH, GERMAN], [TRANSLATE])
    assert hypothesis.outcomes[0].text == GERMAN
    assert told.forced[0] == told.forced[1]
    first, second = told.allowed
    assert first is None
    assert second[tokenizer.end]
    assert second[: tokenizer.n_text].sum() > 100


def test_a_second_text_in_the_wrong_language_too_is_not_taken(script):
    for second in (ENGLISH.upper().lower(), "我们没有听懂，得从头再来。", ""):
        hypothesis, told = script([ENGLISH, second], [TRANSLATE])
        assert hypothesis.outcomes[0].text == ENGLISH
        assert len(told.forced) == 2


def test_a_draft_in_the_right_language_is_verified_in_the_second_try(script, tokenizer):
    ids = tokenizer.encode(GERMAN)
    draft = tokenizer.pieces(ids, [0.0] * len(ids))
    hypothesis, told = script([ENGLISH, GERMAN], [Branch("translate", draft=draft)])
    assert (hypothesis.outcomes[0].text, hypothesis.outcomes[0].n_agreed) == (GERMAN, len(draft))
    assert len(told.forced) == 2


@pytest.mark.parametrize(("text", "target"), [(GERMAN, "de"), (CHINESE, "zh"), ("GPT-4, 3.5", "zh"), ("", "de")])
def test_a_translation_in_the_right_language_is_written_once(script, text, target):
    hypothesis, told = script([text], [TRANSLATE], target=target)
    assert (hypothesis.outcomes[0].text, len(told.forced)) == (text, 1)


def test_a_transcript_is_what_was_said_in_whatever_language(script):
    hypothesis, told = script([GERMAN], [TRANSCRIBE])
    assert (hypothesis.outcomes[0].text, len(told.forced)) == (GERMAN, 1)


def test_what_was_committed_tells_the_language_too(script, tokenizer):
    before, after = ENGLISH[:30], ENGLISH[30:]
    ids = tuple(tokenizer.encode(before))
    branch = Branch("translate", committed=(Piece(ids, before, 0.0),))
    _, told = script([after, GERMAN], [branch])
    assert len(told.forced) == 2
    assert told.forced[0][-len(ids) :] == list(ids)


def test_the_tokens_that_lead_astray_are_the_only_ones_taken_away(v1_with_vocabulary):
    loaded = load_folder(v1_with_vocabulary, "cpu", None, lambda _: None)
    forcing = Forcing(loaded)
    no_latin = loaded.text & ~forcing.tokens("zh", "en")
    letters = [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]
    assert no_latin.nonzero().flatten().tolist() == letters
    no_hangul = loaded.text & ~forcing.tokens("zh", "ko")
    assert no_hangul.nonzero().flatten().tolist() == [*range(0xEA, 0xEE)]
    no_han = loaded.text & ~forcing.tokens("en", "zh")
    assert no_han.nonzero().flatten().tolist() == [*range(0xE4, 0xEE), 0xF0]
    assert forcing.tokens("zh", "en") is forcing.tokens("zh", "en")


def test_a_vocabulary_of_another_kind_is_refused(qwen2_audio):
    with pytest.raises(ModelLoadError, match=r"has no .*: it is not of a task-tag checkpoint"):
        QwenAudioTranslator(str(qwen2_audio.folder), device="cpu", mode="task_tags").load(lambda _: None)
