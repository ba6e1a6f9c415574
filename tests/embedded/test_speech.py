import itertools
import random

import numpy as np
import pytest

from models.embedded.recipe import flite, speech
from models.embedded.recipe.speech import (
    FLITE,
    FLITE_HELD_VARIANTS,
    FLITE_SHARE,
    FLITE_VARIANTS,
    HELD_VARIANTS,
    VARIANTS,
    WIDEST_SPREAD,
    SpeechError,
    Voice,
    draw_training_voice,
    draw_voice,
    has_flite,
    plain_unit,
    spoken_text,
    synthesise,
)

ENGLISH = ("We", "need", "fifteen percent,", "by", "September.")
MANDARIN = tuple("我们九月十五号开会。")


def test_english_is_spoken_with_the_time_of_every_token():
    speech = synthesise(ENGLISH, Voice("en", "en-us", "f3"))
    assert len(speech.token_starts_s) == len(ENGLISH)
    assert list(speech.token_starts_s) == sorted(speech.token_starts_s)
    assert speech.token_starts_s[0] == 0
    assert 1 < speech.token_starts_s[-1] < speech.end_s < 4
    assert np.abs(speech.samples).max() > 0.1


def test_hanzi_are_read_as_mandarin_syllables_with_tones_not_as_letters():
    speech = synthesise(MANDARIN, Voice("zh", "cmn"))
    units = [phone.unit for phone in speech.phones if phone.unit]
    assert "zh:o214" in units  # 我 wo3
    assert "zh:ai55" in units  # 开 kai1
    assert all(unit.startswith("zh:") for unit in units)
    assert 1.5 < speech.end_s < 3.5


def test_a_hanzi_within_a_word_of_several_begins_between_its_neighbours():
    starts = synthesise(MANDARIN, Voice("zh", "cmn")).token_starts_s
    assert all(earlier < later for earlier, later in itertools.pairwise(starts[:-1]))


def test_the_clip_ends_with_the_last_sound():
    speech = synthesise(ENGLISH, Voice("en", "en-us"))
    assert np.abs(speech.samples[-speech.rate // 10 :]).max() > 0.01


def test_a_faster_voice_is_shorter():
    slow, fast = (synthesise(ENGLISH, Voice("en", "en", rate=rate)) for rate in (130, 210))
    assert fast.end_s < 0.8 * slow.end_s


def test_every_voice_of_the_recipe_speaks_both_languages():
    for variant in (*VARIANTS, *HELD_VARIANTS):
        assert synthesise(("yes",), Voice("en", "en-us", variant)).end_s > 0.1
        assert synthesise(("好",), Voice("zh", "cmn", variant)).end_s > 0.1


def test_held_out_voices_are_never_drawn_for_training():
    rng = random.Random(0)
    drawn = {draw_voice(rng, language).variant for language in ("zh", "en") for _ in range(2000)}
    assert drawn == set(VARIANTS)
    assert not drawn & set(HELD_VARIANTS)


def test_a_variant_that_crashes_espeak_is_drawn_within_what_it_can_say():
    rng = random.Random(0)
    drawn = [draw_voice(rng, "zh", ("rob",)) for _ in range(300)]
    assert max(voice.spread for voice in drawn) == WIDEST_SPREAD["rob"]
    synthesise(tuple("能给我看一下合同吗？"), Voice("zh", "cmn", "rob", pitch=25, spread=WIDEST_SPREAD["rob"]))


def test_an_unknown_voice_is_refused():
    with pytest.raises(SpeechError, match="martian"):
        synthesise(("hello",), Voice("en", "martian"))


def test_tokens_join_with_a_space_in_english_and_with_nothing_in_mandarin():
    assert spoken_text(("one", "two three", "four"), "en") == ("one two three four", (0, 4, 14))
    assert spoken_text(("一", "二三", "四"), "zh") == ("一二三四", (0, 1, 3))


def test_units_lose_stress_and_variant_numbers():
    assert plain_unit("'I2") == "I"
    assert plain_unit(",O2") == "O"
    assert plain_unit("tS;") == "tS;"


@pytest.mark.skipif(not has_flite(), reason="libflite1 is not installed")
@pytest.mark.parametrize("variant", [*FLITE_VARIANTS, *FLITE_HELD_VARIANTS])
def test_flite_speaks_english_from_the_first_sound_to_the_last_with_times(variant):
    said = synthesise(ENGLISH, Voice("en", FLITE, variant))
    loud = 0.05 * np.abs(said.samples).max()
    assert np.abs(said.samples[: said.rate // 8]).max() > loud
    assert np.abs(said.samples[-said.rate // 8 :]).max() > loud
    assert said.token_starts_s[0] == 0
    assert all(earlier < later for earlier, later in itertools.pairwise(said.token_starts_s))
    assert 1 < said.token_starts_s[-1] < said.end_s < 5
    assert said.phones[0].unit == "en:w"
    assert {phone.start_s for phone in said.phones if phone.unit == "en:S"} == set()


@pytest.mark.skipif(not has_flite(), reason="libflite1 is not installed")
def test_flites_sounds_have_the_names_of_espeaks():
    text = ("Joy", "should", "leave", "their", "house", "now,", "the", "young", "chairman", "thinks.")
    by_espeak = {phone.unit for phone in synthesise(text, Voice("en", "en-us")).phones}
    by_flite = [phone.unit for phone in synthesise(text, Voice("en", FLITE, "slt")).phones]
    assert sum(unit in by_espeak for unit in by_flite) > 0.85 * len(by_flite)


@pytest.mark.skipif(not has_flite(), reason="libflite1 is not installed")
def test_a_sound_that_a_voice_lacks_is_not_reported_on_standard_error(capfd):
    flite.speak("Huang Ying.", "kal", 1.0, 1.0)
    assert capfd.readouterr().err == ""


def test_training_hears_flite_in_its_share_of_english_and_never_its_held_out_voice(monkeypatch):
    monkeypatch.setattr(speech, "has_flite", lambda: True)
    rng = random.Random(1)
    english = [draw_training_voice(rng, "en") for _ in range(4000)]
    assert sum(voice.accent == FLITE for voice in english) / 4000 == pytest.approx(FLITE_SHARE, abs=0.02)
    assert {voice.variant for voice in english if voice.accent == FLITE} == set(FLITE_VARIANTS)
    assert not {voice.variant for voice in english} & {*HELD_VARIANTS, *FLITE_HELD_VARIANTS}
    assert all(draw_training_voice(rng, "zh").accent == "cmn" for _ in range(200))


def test_without_flite_all_english_is_espeaks(monkeypatch):
    monkeypatch.setattr(speech, "has_flite", lambda: False)
    rng = random.Random(1)
    assert all(draw_training_voice(rng, "en").accent != FLITE for _ in range(200))


def test_flite_is_refused_where_it_cannot_speak():
    with pytest.raises(SpeechError, match="martian"):
        synthesise(("hello",), Voice("en", FLITE, "martian"))
    with pytest.raises(SpeechError, match="zh"):
        synthesise(("好",), Voice("zh", FLITE, "slt"))
