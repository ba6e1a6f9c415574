import json
import random
from types import SimpleNamespace

import numpy as np
import pytest

from models.base import SAMPLE_RATE, UNKNOWN
from models.embedded.recipe import dataset, segments, speech
from models.embedded.recipe.augment import Conditions
from models.embedded.recipe.grammar import sample, split_of
from models.embedded.recipe.segments import Shape, Spoken, compose, cut, labels_of, transcript_of, translation_of, whole
from models.qwen_audio.frontend import V1

VOICES = {"en": speech.Voice("en", "en-us", "f2"), "zh": speech.Voice("zh", "cmn", "f2")}


def sentences(n: int, seed: int = 1) -> list:
    rng = random.Random(seed)
    return [sample(rng, "train") for _ in range(n)]


def half(sentence: object, language: str, n_heard: int) -> int:
    return n_heard // 2


def test_a_word_is_heard_a_little_after_its_end_and_the_last_one_only_with_the_sentence():
    (sentence,) = sentences(1)
    spoken = Spoken(sentence, 0, (0.3, 0.6, 1.0), 1.5)
    assert [spoken.heard(t) for t in (0.5, 0.65, 0.67, 1.07, 1.52, 1.56)] == [0, 0, 1, 2, 2, 3]
    assert not spoken.is_complete(1.52)
    assert spoken.is_complete(1.56)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_whole_clip_gives_all_sentences_in_both_languages(language):
    first, second = sentences(2)
    clip = compose([first, second], language, VOICES[language], Shape(pauses_s=(0.2,)))
    example = whole(clip, Conditions(), np.random.default_rng(0), half)
    joint = {"en": " ", "zh": ""}
    other = segments.OTHER[language]
    assert example.language == language
    assert example.transcript == joint[language].join(s.side(language).written for s in (first, second))
    assert example.translation == joint[other].join(s.side(other).written for s in (first, second))
    assert len(example.samples) == len(clip.samples)


def test_pauses_lead_and_tail_are_where_the_shape_says():
    first, second = sentences(2)
    clip = compose([first, second], "en", VOICES["en"], Shape(lead_s=0.3, pauses_s=(0.4,), tail_s=0.5))
    gap = clip.spoken[1].token_starts_s[0] - clip.spoken[0].end_s
    assert clip.spoken[0].token_starts_s[0] == pytest.approx(0.3, abs=0.01)
    assert gap == pytest.approx(0.4, abs=0.01)
    assert len(clip.samples) / SAMPLE_RATE - clip.spoken[1].end_s == pytest.approx(0.5, abs=0.01)
    assert np.abs(clip.samples[: int(0.29 * SAMPLE_RATE)]).max() == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_texts_of_a_growing_clip_only_grow_and_never_run_ahead(language):
    clip = compose(sentences(2, seed=4), language, VOICES[language], Shape(pauses_s=(0.3,)))
    whole_text = transcript_of(clip, 99.0)
    texts = [transcript_of(clip, t) for t in np.arange(0, clip.spoken[-1].end_s + 0.1, 0.05)]
    assert texts[0] == ""
    assert texts[-1] == whole_text
    assert all(whole_text.startswith(text) for text in texts)
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)


def test_a_cut_sentence_has_no_final_mark_and_only_certain_translation():
    (sentence,) = sentences(1, seed=2)
    clip = compose([sentence], "en", VOICES["en"], Shape())
    until_s = clip.spoken[0].end_s - 0.02
    transcript = transcript_of(clip, until_s)
    assert transcript
    assert transcript[-1] not in ".?!"
    n_heard = clip.spoken[0].heard(until_s)
    assert translation_of(clip, until_s, half) == sentence.zh.prefix(n_heard // 2)


def test_a_clip_that_begins_in_mid_sentence_is_transcribed_from_there_and_translated_from_the_next_sentence():
    first, second = sentences(2, seed=6)
    n = len(first.en.tokens)
    clip = compose([first, second], "en", VOICES["en"], Shape(pauses_s=(0.2,), skipped=n - 2))
    assert transcript_of(clip, 99.0) == " ".join(t.written for t in first.en.tokens[n - 2 :]) + " " + second.en.written
    assert translation_of(clip, 99.0, half) == second.zh.written


def test_a_clip_cut_before_anything_is_said_is_of_no_language():
    clip = compose(sentences(1), "zh", VOICES["zh"], Shape(lead_s=0.4))
    example = cut(clip, 0.45, Conditions(), np.random.default_rng(0), half)
    assert (example.language, example.transcript, example.translation) == (UNKNOWN, "", "")


def test_labels_name_the_phone_at_the_middle_of_each_20_ms():
    units = {"en:a": 1, "en:b": 2}
    labels = labels_of([(0.0, ""), (0.035, "en:a"), (0.08, "en:b"), (0.1, "xx")], units, 7)
    assert labels.tolist() == [0, 0, 1, 1, 2, 0, 0]


def test_training_draws_no_held_out_sentence_and_no_held_out_voice(monkeypatch):
    drawn = []
    original = segments.compose

    def spy(chosen, language, voice, shape):
        drawn.append((chosen, voice))
        return original(chosen, language, voice, shape)

    monkeypatch.setattr(segments, "compose", spy)
    rng = random.Random(11)
    for _ in range(60):
        dataset.draw_example(rng)
    assert len(drawn) > 40
    assert all(split_of(sentence) == "train" for chosen, _ in drawn for sentence in chosen)
    held = {*speech.HELD_VARIANTS, *speech.FLITE_HELD_VARIANTS}
    assert all(voice.variant not in held for _, voice in drawn)


def test_large_numbers_come_more_often_than_the_grammar_has_them():
    def share(draw) -> float:
        texts = [draw().en.spoken for _ in range(1500)]
        return sum("thousand" in text or "million" in text or "billion" in text for text in texts) / len(texts)

    rng = random.Random(5)
    assert share(lambda: dataset.draw_sentence(rng)) > share(lambda: sample(rng, "train")) + 0.05


def test_a_clip_of_long_sentences_keeps_as_many_as_fit(monkeypatch):
    monkeypatch.setattr(segments, "MAX_CLIP_S", 4.0)
    clip = dataset.draw_clip(random.Random(1), sentences(3), "en")
    assert 1 <= len(clip.spoken) < 3
    assert len(clip.spoken) == 1 or len(clip.samples) <= 4.0 * SAMPLE_RATE


def test_pauses_between_sentences_are_as_the_live_segmenter_leaves_them():
    rng = random.Random(3)
    pauses = [pause for _ in range(500) for pause in segments.draw_shape(rng, 3, 5).pauses_s]
    assert min(pauses) >= segments.PAUSE_S[0]
    assert segments.PAUSE_S[1] < max(pauses) <= segments.LONG_PAUSE_S
    assert sum(pause > segments.PAUSE_S[1] for pause in pauses) < 0.1 * len(pauses)


def test_shards_of_another_version_are_removed(tmp_path, monkeypatch):
    (tmp_path / dataset.UNITS_FILE).write_text("[]", "utf-8")
    old, new = (dataset.make_shard(tmp_path, 3, number, n_items=2) for number in (0, 1))
    assert dataset.discard_stale(tmp_path) == 0
    (old / dataset.VERSION_FILE).write_text("older", "utf-8")
    assert dataset.discard_stale(tmp_path) == 1
    assert dataset.shards(tmp_path) == [new]
    (new / dataset.VERSION_FILE).unlink()
    assert dataset.discard_stale(tmp_path) == 1


def test_the_version_follows_the_grammar(monkeypatch):
    before = dataset.version()
    monkeypatch.setattr(dataset, "PATTERNS", dataset.PATTERNS[1:])
    dataset.version.cache_clear()
    assert dataset.version() != before
    monkeypatch.undo()
    dataset.version.cache_clear()
    assert dataset.version() == before


def test_missing_shards_are_made_by_processes(tmp_path, monkeypatch):
    (tmp_path / dataset.UNITS_FILE).write_text("[]", "utf-8")
    asked = []

    def each(job, numbers, n_processes, show, is_over):
        asked.append((list(numbers), n_processes, is_over()))
        return iter([job(2, 1)])

    monkeypatch.setattr(dataset.workers, "each", each)
    monkeypatch.setattr(dataset, "make_shard", lambda folder, seed, number: (folder, seed, number))
    made = dataset.make_shards(tmp_path, 7, range(3), n_processes=2, show=print, is_over=lambda: True)
    assert list(made) == [(tmp_path, 8, 2)]
    assert asked == [([0, 1, 2], 2, True)]


def test_a_shard_holds_what_was_drawn_and_is_made_once(tmp_path):
    (tmp_path / dataset.UNITS_FILE).write_text(json.dumps(["en:s", "zh:w"]), "utf-8")
    path = dataset.make_shard(tmp_path, 3, 0, n_items=12)
    stamp = (path / "index.json").stat().st_mtime_ns
    assert dataset.make_shard(tmp_path, 3, 0, n_items=12) == path
    assert (path / "index.json").stat().st_mtime_ns == stamp
    assert dataset.shards(tmp_path) == [path]
    shard = dataset.Shard(path)
    assert len(shard.entries) == 12
    rng = random.Random("3/0")
    for index in range(12):
        example = dataset.draw_example(rng)
        item = shard[index]
        assert item.entry.transcript == example.transcript
        assert item.entry.n == pytest.approx(V1.encoder_length(len(example.samples)), abs=2)  # voices flutter
        assert len(item.labels) == item.entry.n


def test_a_stored_spectrogram_is_within_a_step_of_the_front_ends(tmp_path, monkeypatch):
    (tmp_path / dataset.UNITS_FILE).write_text("[]", "utf-8")
    heard = []

    def spy(samples):
        heard.append(V1.log_mel(samples))
        return heard[-1]

    monkeypatch.setattr(dataset, "V1", SimpleNamespace(log_mel=spy, n_mels=V1.n_mels))
    shard = dataset.Shard(dataset.make_shard(tmp_path, 4, 1, n_items=5))
    assert len(heard) == 5
    for index, mel in enumerate(heard):
        difference = np.abs(dataset.mel_of(shard[index]) - mel.numpy())
        assert difference.max() <= 0.51 * dataset.MEL_SPAN / dataset.MEL_STEPS


def test_no_speech_is_answered_with_nothing():
    rng = random.Random(2)
    example = dataset.draw_non_speech(rng, np.random.default_rng(2))
    assert (example.language, example.transcript, example.translation) == (UNKNOWN, "", "")
    assert len(example.samples) <= dataset.LONGEST_NON_SPEECH_S * SAMPLE_RATE
