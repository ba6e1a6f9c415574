import itertools
import random

import numpy as np
import pytest

from models.embedded.recipe.speech import (
    HELD_VARIANTS,
    VARIANTS,
    SpeechError,
    Voice,
    draw_voice,
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
