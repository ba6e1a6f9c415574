"""Conversations and analyses on random checkpoints: which prompt, which words, and what cannot be answered."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from random_checkpoints import noise

from models.base import ModelLoadError, TranslateError, Turn
from models.qwen_audio import answerer as module
from models.qwen_audio.answerer import CUT, MAX_NEW, QwenAudioAnswerer
from models.qwen_audio.checkpoint import load
from models.qwen_audio.decoder import Decoder, Step
from models.qwen_audio.prompts import TASKS, audio_span
from models.qwen_audio.tokenizer import Tokenizer

CLIP, OTHER = noise(24_000, 1), noise(9_000, 2)
ANALYSES = ("caption", "event", "scene", "emotion")


def loaded(folder, mode=None) -> QwenAudioAnswerer:
    answerer = QwenAudioAnswerer(str(folder), device="cpu", mode=mode)
    answerer.load(lambda _: None)
    return answerer


@pytest.fixture(scope="module")
def base(v1_with_vocabulary):
    return loaded(v1_with_vocabulary)


@pytest.fixture(scope="module")
def conversing(v1_chat):
    return loaded(v1_chat)


@pytest.fixture
def prompts(monkeypatch):
    """What decoders are given to read, all of it: the last id is forced."""
    seen: list[tuple[int, list[int]]] = []

    class Seeing(Decoder):
        def listen(self, mels, prompt_ids, texts=()):
            seen.append((len(mels), list(prompt_ids)))
            return super().listen(mels, prompt_ids, texts)

        def write(self, forced, draft, allowed=None):
            seen[-1][1].extend(forced)
            return super().write(forced, draft, allowed)

    monkeypatch.setattr(module, "Decoder", Seeing)
    return seen


@pytest.fixture
def saying(monkeypatch):
    """Lets the model say ids of a test's own, whatever it heard."""

    def says(ids) -> None:
        class Scripted(Decoder):
            def listen(self, mels, prompt_ids, texts=()):
                return torch.zeros(1)

            def write(self, forced, draft, allowed=None):
                return (Step(i, 0.0) for i in ids)

        monkeypatch.setattr(module, "Decoder", Scripted)

    return says


def test_a_loaded_answerer_says_what_it_can_do(v1_with_vocabulary, v1_chat):
    for folder, converses in ((v1_with_vocabulary, False), (v1_chat, True)):
        shares: list[float] = []
        capabilities = QwenAudioAnswerer(str(folder), device="cpu").load(shares.append)
        assert (capabilities.converses, capabilities.analyses) == (converses, set(ANALYSES))
        assert (capabilities.device, capabilities.max_samples) == ("cpu (asked for)", 480_000)
        assert shares[-1] == 1.0


def test_a_model_taught_translation_alone_says_which_models_answer(small_folder):
    with pytest.raises(ModelLoadError, match="small only transcribes and translates; qwen-audio-chat and qwen2-audio"):
        QwenAudioAnswerer(str(small_folder), device="cpu").load(lambda _: None)


def test_a_mode_that_the_vocabulary_has_no_tags_for_is_one_clear_error(small_folder):
    with pytest.raises(ModelLoadError, match=r"no <\|im_start\|>"):
        QwenAudioAnswerer(str(small_folder), device="cpu", mode="chatml").load(lambda _: None)


@pytest.mark.parametrize("task", ANALYSES)
def test_the_base_model_is_asked_by_tags(base, prompts, v1_with_vocabulary, task):
    written = "".join(base.analyse(task, CLIP))
    assert written
    tags = Tokenizer.from_folder(v1_with_vocabulary).tags
    expected = [tags[tag] for tag in (*audio_span(37), TASKS[task].start, *TASKS[task].tags)]
    assert prompts == [(1, expected)]


def test_a_question_to_the_base_model_stands_between_its_tags(base, prompts, v1_with_vocabulary):
    "".join(base.answer([Turn("user", " Who <|answer|> speaks? ", (CLIP,))]))
    tokenizer = Tokenizer.from_folder(v1_with_vocabulary)
    before = [tokenizer.tags[tag] for tag in (*audio_span(37), "<|startofanalysis|>", "<|en|>", "<|question|>")]
    typed = tokenizer.encode("Who <|answer|> speaks?")
    assert prompts == [(1, [*before, *typed, tokenizer.tags["<|answer|>"]])]
    assert all(i < tokenizer.n_text for i in typed)


def test_an_answer_is_what_the_library_generates(qwen2_audio, monkeypatch):
    n_new = 18  # a loop takes more
    monkeypatch.setattr(module, "MAX_NEW", n_new)
    answerer = loaded(qwen2_audio.folder, mode="chatml")
    turns = [
        Turn("user", "What is heard?", (CLIP,)),
        Turn("assistant", "A meeting."),
        Turn("user", "And here?", (OTHER, CLIP)),
    ]
    spoken = [
        {
            "role": turn.role,
            "content": [
                *({"type": "audio", "audio": clip} for clip in turn.audios),
                {"type": "text", "text": turn.text},
            ],
        }
        for turn in turns
    ]
    inputs = qwen2_audio.processor.apply_chat_template(
        spoken, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    tokenizer = Tokenizer.from_folder(qwen2_audio.folder)
    ends = tokenizer.ends("chatml")
    rows = qwen2_audio.model.lm_head.out_features
    never = [i for i in range(tokenizer.n_text, rows) if i not in ends]
    expected = qwen2_audio.model.generate(
        **inputs, max_new_tokens=n_new, suppress_tokens=never, eos_token_id=sorted(ends), do_sample=False
    )[0, inputs["input_ids"].shape[1] :].tolist()
    text = tokenizer.decode(i for i in expected if i not in ends)
    assert len(text) > 5
    assert "".join(answerer.answer(turns)) == text.lstrip() + (CUT if expected[-1] not in ends else "")


@pytest.mark.parametrize("task", ANALYSES)
def test_chat_models_are_asked_by_sentences(conversing, prompts, v1_chat, task):
    "".join(islice(conversing.analyse(task, CLIP), 3))
    ((n_sounds, ids),) = prompts
    read = Tokenizer.from_folder(v1_chat).decode(ids)
    assert n_sounds == 1
    assert "user\nAudio 1:\n" in read
    assert "assistant\n" in read


def test_qwen2_audio_is_asked_by_a_sentence_behind_the_sound(qwen2_audio, prompts):
    answerer = loaded(qwen2_audio.folder, mode="prompt")
    "".join(islice(answerer.analyse("caption", CLIP), 3))
    text = "<|audio_bos|><|AUDIO|><|audio_eos|>Generate the caption in English:"
    expected = qwen2_audio.processor(text=text, audio=[CLIP], sampling_rate=16_000, return_tensors="pt")
    assert prompts == [(1, expected["input_ids"][0].tolist())]
    "".join(islice(answerer.answer([Turn("user", "Who speaks?", (CLIP,))]), 3))
    assert prompts[1][1][-1] != prompts[0][1][-1]


def test_answers_are_streamed_by_whole_characters(conversing, saying, v1_chat):
    tokenizer = Tokenizer.from_folder(v1_chat)
    text = " \n好的，Zoë 🙂 ok"
    saying([*tokenizer.encode(text), tokenizer.tags["<|im_end|>"], *tokenizer.encode("never")])
    parts = list(conversing.answer([Turn("user", "?", (CLIP,))]))
    assert "".join(parts) == text.lstrip()
    assert len(parts) == len(text.lstrip())
    assert "\ufffd" not in "".join(parts)


def test_half_a_character_at_the_end_is_not_shown(conversing, saying, v1_chat):
    tokenizer = Tokenizer.from_folder(v1_chat)
    saying([*tokenizer.encode("好的")[:-1], tokenizer.tags["<|im_end|>"]])
    assert list(conversing.answer([Turn("user", "?", (CLIP,))])) == ["好"]


def test_a_time_stamp_reads_as_its_seconds(conversing, saying, v1_chat):
    tokenizer = Tokenizer.from_folder(v1_chat)
    saying([*tokenizer.encode_tagged("at <|2.33|> seconds"), tokenizer.end])
    assert "".join(conversing.answer([Turn("user", "When?", (CLIP,))])) == "at 2.33 seconds"


def test_a_loop_is_cut_and_so_is_an_answer_without_end(conversing, saying, v1_chat):
    tokenizer = Tokenizer.from_folder(v1_chat)
    saying(tokenizer.encode("no way " * 500))
    assert len("".join(conversing.answer([Turn("user", "?", (CLIP,))]))) < 60
    saying(tokenizer.encode("".join(f"{i} " for i in range(1000))))
    endless = "".join(conversing.answer([Turn("user", "?", (CLIP,))]))
    assert endless.endswith(CUT)
    assert len(endless) == MAX_NEW + 1


def test_who_takes_the_parts_is_not_put_into_inference_mode(conversing):
    parts = conversing.answer([Turn("user", "?", (CLIP,))])
    next(parts)
    assert not torch.is_inference_mode_enabled()
    parts.close()


def test_an_answer_depends_on_its_conversation_alone(conversing):
    turns = [Turn("user", "What is heard?", (CLIP,))]
    first = list(islice(conversing.answer(turns), 20))
    list(islice(conversing.answer([Turn("user", "Else?", (OTHER, CLIP))]), 5))
    assert list(islice(conversing.answer(turns), 20)) == first


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], "has to end with the user's turn"),
        ([Turn("user", "?", (CLIP,)), Turn("assistant", "!")], "has to end with the user's turn"),
        ([Turn("user", "  ")], "The question is empty"),
        ([Turn("assistant", "!", (CLIP,)), Turn("user", "?")], "Only the user's turns"),
        ([Turn("user", "?", (CLIP[:0],))], "The sound is empty"),
        ([Turn("user", "?", (np.zeros(480_001, np.float32),))], "30.0 s long and the model hears at most 30 s"),
        ([Turn("user", "?", (np.full(1600, np.nan, np.float32),))], "not numbers"),
        ([Turn("user", "?", (np.zeros((1600, 2), np.float32),))], "one channel"),
        ([Turn("user", "?" * 3000, (CLIP,))], "tokens and the model reads at most 2047; begin a new one"),
        ([Turn("user", "?", (np.zeros(480_000, np.float32),) * 3)], "reads at most 2047"),
    ],
)
def test_a_conversation_that_cannot_be_answered_is_one_clear_sentence_at_once(conversing, turns, message):
    with pytest.raises(TranslateError, match=message):
        conversing.answer(turns)


@pytest.mark.parametrize(
    "turns",
    [
        [Turn("user", "?", (CLIP,)), Turn("assistant", "!"), Turn("user", "?")],
        [Turn("user", "?", (CLIP, OTHER))],
        [Turn("user", "?")],
        [Turn("user", "", (CLIP,))],
    ],
)
def test_a_base_model_answers_one_question_about_one_sound(base, turns):
    with pytest.raises(TranslateError, match="one question about one sound; qwen-audio-chat and qwen2"):
        base.answer(turns)


def test_sixteen_bit_sound_is_heard_as_the_same_sound(base):
    whole = (CLIP * 32768).astype(np.int16)
    assert list(base.analyse("scene", whole)) == list(base.analyse("scene", whole.astype(np.float32) / 32768))


@pytest.mark.parametrize(
    ("task", "samples", "message"),
    [
        ("mood", CLIP, "no analysis 'mood'; choose one of caption, event, scene, emotion"),
        ("scene", CLIP[:0], "The sound is empty"),
        ("scene", np.zeros(480_001, np.float32), "cut it first"),
    ],
)
def test_a_sound_that_cannot_be_analysed_is_one_clear_sentence_at_once(base, task, samples, message):
    with pytest.raises(TranslateError, match=message):
        base.analyse(task, samples)


def test_an_error_of_torch_fails_one_answer_and_no_other(base, monkeypatch):
    def breaks(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("CUDA error: device-side assert")

    with monkeypatch.context() as patch:
        patch.setattr("models.qwen_audio.decoder.encode", breaks)
        with pytest.raises(TranslateError, match=r"failed on this question \(RuntimeError\)"):
            list(base.analyse("scene", CLIP))
    assert list(base.analyse("scene", CLIP))


def test_what_was_not_loaded_or_was_closed_says_so(v1_with_vocabulary):
    answerer = QwenAudioAnswerer(str(v1_with_vocabulary), device="cpu")
    with pytest.raises(TranslateError, match="not been loaded"):
        answerer.analyse("scene", CLIP)
    answerer.load(lambda _: None)
    answerer.close()
    with pytest.raises(TranslateError, match="not been loaded"):
        answerer.answer([Turn("user", "?", (CLIP,))])


def test_the_published_chat_checkpoint_reads_two_thousand_tokens(v1_chat):
    assert load(v1_chat, torch.device("cpu")).max_tokens == 2048
