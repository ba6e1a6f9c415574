"""What is asked of the translator, and what of its answers becomes a caption."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from live.audio import Utterance
from live.errors import SettingsError
from live.events import Caption, Line, Word
from live.policy import Direction, Retranslation, shown, units
from models.base import LANGUAGES, UNKNOWN, Capabilities, Hypothesis, Outcome, Piece
from models.confidence import confidence

BOTH = frozenset({("zh", "en"), ("en", "zh")})
EVERY = frozenset((source, target) for source in LANGUAGES if source != "zh_tr" for target in LANGUAGES)
PAIR = ("zh", "en")


def capabilities(**changes) -> Capabilities:
    known = {"directions": BOTH, "max_samples": 480_000, "verifies": True, "transcribes": True, "names_language": True}
    return Capabilities(name="fake", device="cpu", **(known | changes))


def policy(source=None, target=None, **changes) -> Retranslation:
    return Retranslation(capabilities(**changes), Direction.between(source, target, PAIR))


def utterance(identity: int = 1, n: int = 1600, *, final: bool = False) -> Utterance:
    return Utterance(identity, "microphone", np.zeros(n, np.float32), 800, final)


def pieces(*texts: str, logprob: float = -0.01) -> tuple[Piece, ...]:
    return tuple(Piece((index,), text, logprob) for index, text in enumerate(texts))


def answer(translation=(), transcript=(), *, source="zh", target="en", identity: int = 1) -> Hypothesis:
    outcomes = (Outcome(tuple(translation), 0, "end"), Outcome(tuple(transcript), 0, "end"))
    return Hypothesis(identity, source, target, {}, outcomes)


NOTHING = answer(source=UNKNOWN, target=UNKNOWN)
HELLO = answer(pieces("Hello", "."), pieces("你", "好", "。"))


def test_each_language_of_the_pair_goes_into_the_other():
    asked = policy().request(utterance())
    assert asked.source is None
    assert asked.targets == {"zh": "en", "en": "zh"}
    assert [branch.task for branch in asked.branches] == ["translate", "transcribe"]
    assert (asked.start, len(asked.samples), asked.is_final) == (800, 1600, False)


@pytest.mark.parametrize(
    ("source", "target", "targets"),
    [
        ("zh", None, {"zh": "en"}),
        ("en", None, {"en": "zh"}),
        (None, "en", {"zh": "en"}),
        (None, "zh", {"en": "zh"}),
        ("en", "zh", {"en": "zh"}),
        (None, "zh_tr", {"en": "zh_tr"}),
        ("zh", "zh_tr", {"zh": "zh_tr"}),
        (None, "de", {"zh": "de", "en": "de"}),
        ("fr", None, {"fr": "zh"}),
        ("ja", "ko", {"ja": "ko"}),
    ],
)
def test_a_chosen_language_leaves_one_direction(source, target, targets):
    asked = policy(source, target, directions=EVERY).request(utterance())
    assert asked.source == source
    assert asked.targets == targets


def test_only_languages_with_a_target_can_be_named():
    many = BOTH | {("de", "en"), ("en", "ja")}
    assert policy(directions=many).request(utterance()).priors == {"zh": 1.0, "en": 1.0, "de": 0.0, "ja": 0.0}
    assert policy(None, "en", directions=many).request(utterance()).priors["en"] == 0.0


def test_the_same_language_twice_is_refused():
    with pytest.raises(SettingsError, match="choose two languages"):
        Direction.between("zh", "zh", PAIR)


def test_a_direction_the_model_cannot_do_is_refused_and_the_old_one_stays():
    held = policy(directions=frozenset({("zh", "en")}))
    with pytest.raises(SettingsError, match="does not translate en to zh, only zh to en"):
        held.turn(Direction.between("en", "zh", PAIR))
    assert held.request(utterance()).targets == {"zh": "en"}


@pytest.mark.parametrize(
    ("directions", "offered"),
    [
        (EVERY, "only zh, en, de, es, ko, fr, ja, it to zh, en, de, es, ko, fr, ja, it, zh_tr:"),
        (BOTH | {("de", "en"), ("fr", "en")}, "only de to en, en to zh, fr to en, zh to en:"),
        (BOTH | {("de", "en"), ("fr", "en"), ("en", "de")}, "only zh to en; en to zh, de; de to en; fr to en:"),
    ],
)
def test_a_direction_that_cannot_be_done_is_answered_with_those_that_can(directions, offered):
    with pytest.raises(SettingsError, match=f"does not translate en to tlh, {offered}"):
        Direction.between("en", "tlh", PAIR).within(capabilities(directions=directions))


def test_a_new_direction_applies_from_the_next_utterance():
    held = policy()
    held.request(utterance(1))
    held.turn(Direction.between("en", None, PAIR))
    assert held.request(utterance(1, final=True)).source is None
    assert held.request(utterance(2)).source == "en"


def test_a_growing_utterance_is_tentative_and_its_end_settles_everything():
    held = policy()
    held.request(utterance())
    growing = held.caption(utterance(), HELLO)
    assert growing.translation == Line((), "Hello.")
    assert growing.transcript == Line((), "你好。")
    held.request(utterance(final=True))
    final = held.caption(utterance(final=True), HELLO)
    assert final.is_final
    assert final.translation == Line((Word("Hello"), Word(".")), "")
    assert final.transcript.settled_text == "你好。"
    assert (final.source, final.target, final.start, final.end) == ("zh", "en", 800, 2400)


def test_the_last_answer_is_the_draft_of_the_next_update_and_never_of_the_final():
    held = policy()
    assert held.request(utterance()).branches[0].draft == ()
    held.caption(utterance(), HELLO)
    assert [branch.draft for branch in held.request(utterance()).branches] == [
        outcome.pieces for outcome in HELLO.outcomes
    ]
    assert all(branch.draft == () for branch in held.request(utterance(final=True)).branches)


def test_nothing_is_cut_on_behalf_of_what_is_not_settled():
    held = policy()
    held.request(utterance())
    held.caption(utterance(), HELLO)
    assert held.cut_after(1) is None


def test_a_translator_that_cannot_verify_gets_no_draft():
    held = policy(verifies=False)
    held.request(utterance())
    held.caption(utterance(), HELLO)
    assert all(branch.draft == () for branch in held.request(utterance()).branches)


def test_a_translator_that_cannot_transcribe_is_asked_for_the_translation_alone():
    held = policy(transcribes=False)
    assert [branch.task for branch in held.request(utterance(final=True)).branches] == ["translate"]
    hypothesis = Hypothesis(1, "zh", "en", {}, (Outcome(pieces("Hi", logprob=-0.5), 0, "end"),))
    caption = held.caption(utterance(final=True), hypothesis)
    assert caption.translation.text == "Hi"
    assert caption.transcript == Line()
    assert caption.logprob == confidence([pieces("Hi", logprob=-0.5)])


def test_no_speech_makes_no_caption():
    held = policy()
    assert held.caption(utterance(), NOTHING) is None
    assert held.caption(utterance(final=True), NOTHING) is None


def test_text_of_blanks_alone_is_no_text():
    assert policy().caption(utterance(final=True), answer(pieces(" "), pieces(""))) is None


def test_a_final_without_text_clears_what_was_shown():
    held = policy()
    held.caption(utterance(), HELLO)
    cleared = held.caption(utterance(final=True), NOTHING)
    assert cleared.is_final
    assert cleared.translation.text == cleared.transcript.text == ""
    assert not cleared.is_uncertain
    assert held.caption(utterance(final=True), NOTHING) is None


@pytest.mark.parametrize("final", [False, True])
def test_a_caption_holds_nothing_that_a_screen_would_obey(final):
    spelt = answer(pieces("Hello", "\n", "\x1b[31m", "you\x9b", "\x00"), pieces("你\t好"))
    caption = policy().caption(utterance(final=final), spelt)
    assert (caption.translation.text, caption.transcript.text) == ("Hello [31myou", "你 好")


def test_a_given_up_utterance_leaves_nothing_behind():
    held = policy()
    held.caption(utterance(), HELLO)
    held.forget(1)
    assert held.caption(utterance(final=True), NOTHING) is None


@pytest.mark.parametrize("final", [False, True])
def test_a_caption_is_marked_where_both_lines_together_fall_below_the_models_own_threshold(final):
    translation, transcript = pieces("x", logprob=-0.05), pieces("甲", "乙", logprob=-0.2)
    below = confidence([translation, transcript])
    told = policy(uncertain_below=below).caption(utterance(final=final), answer(translation, transcript))
    assert told.logprob == below
    assert not told.is_uncertain
    above = policy(uncertain_below=below + 1e-6)
    assert above.caption(utterance(final=final), answer(translation, transcript)).is_uncertain


def test_a_translator_that_was_not_calibrated_has_only_the_hopeless_marked():
    held = policy()
    doubtful, hopeless = (pieces(*"一二三四五六七八九十", logprob=logprob) for logprob in (-0.8, -1.5))
    assert not held.caption(utterance(final=True), answer(doubtful, doubtful)).is_uncertain
    assert held.caption(utterance(2, final=True), answer(hopeless, hopeless)).is_uncertain


def test_settled_text_of_a_caption_only_ever_grows():
    rng = random.Random(7)
    for _ in range(200):
        held = policy()
        settled = {"translation": "", "transcript": ""}
        n_updates = rng.randrange(1, 6)
        for update in range(n_updates):
            said = utterance(final=update == n_updates - 1)
            held.request(said)
            texts = [pieces(*rng.choices("一二三 abc", k=rng.randrange(4))) for _ in range(2)]
            caption = held.caption(said, answer(*texts))
            if caption is None:
                continue
            for name, before in tuple(settled.items()):
                line = getattr(caption, name)
                assert line.settled_text.startswith(before)
                settled[name] = line.settled_text
                assert not (caption.is_final and line.tentative)


def tentative(translation: str, transcript: str) -> Caption:
    return Caption(
        id=1,
        lane="microphone",
        source="zh",
        target="en",
        translation=Line((Word("Settled"),), translation),
        transcript=Line((Word("定"),), transcript),
        start=0,
        end=16,
        logprob=-0.1,
        is_uncertain=False,
        is_final=False,
    )


def test_follow_shows_everything():
    caption = tentative(" one two three", "一二三四五六七")
    assert shown(caption, "follow") == caption


def test_balanced_hides_the_last_words_and_hanzi():
    seen = shown(tentative(" one two three four", "一二三四五六"), "balanced")
    assert (seen.translation.text, seen.transcript.text) == ("Settled one", "定一二")


def test_balanced_shows_no_tentative_text_shorter_than_what_it_hides():
    seen = shown(tentative(" one", "一二三"), "balanced")
    assert (seen.translation.text, seen.transcript.text) == ("Settled", "定")


def test_reading_shows_only_what_will_not_change():
    seen = shown(tentative(" one two three", "一二三四五六七"), "reading")
    assert (seen.translation.text, seen.transcript.text) == ("Settled", "定")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Two of 3,000.", ["Two", " of", " 3,000."]),
        ("我们有15%，对吗？", ["我", "们", "有", "15%，", "对", "吗？"]),
        ("用 Python 写", ["用", " Python", " 写"]),
        ("don’t ", ["don’t", " "]),
        ("……好", ["……", "好"]),
        ("", []),
    ],
)
def test_a_unit_is_a_hanzi_or_a_word_with_the_marks_after_it(text, parts):
    assert units(text) == parts


def test_units_join_to_their_text():
    rng = random.Random(3)
    for _ in range(500):
        text = "".join(rng.choices("ab9 \n,.，。！ 一二“”’…%　é", k=rng.randrange(12)))
        assert "".join(units(text)) == text


def test_balanced_hides_characters_of_japanese_and_words_of_korean():
    held = policy("en", directions=EVERY)
    hidden = {}
    for target, text in (
        ("ja", "会議は三時に始まります"),
        ("zh_tr", "會議三點開始討論"),
        ("ko", "우리 회의는 세 시에 시작합니다"),
    ):
        held.request(utterance())
        growing = held.caption(utterance(), answer(pieces(text), pieces("So"), source="en", target=target))
        hidden[target] = shown(growing, "balanced").translation.tentative
    assert hidden == {"ja": "会議は三時に始", "zh_tr": "會議三點", "ko": "우리 회의는"}


TIMED = (Piece((1,), "li", -0.1, at=900, end=1100), Piece((2,), " ming", -0.1, at=1100, end=2000))


def test_a_final_is_asked_for_word_times_besides_and_its_words_take_them():
    held = Retranslation(capabilities(word_times=True), Direction.between("en", None, PAIR), word_times=True)
    assert [branch.word_times for branch in held.request(utterance()).branches] == [False, False]
    asked = held.request(utterance(final=True)).branches
    assert [(branch.task, branch.word_times) for branch in asked] == [
        ("translate", False),
        ("transcribe", False),
        ("transcribe", True),
    ]
    texts = answer(pieces("李", "明"), pieces("Li", " Ming", "."), source="en", target="zh")
    timing = Outcome(TIMED, 0, "end")
    final = held.caption(utterance(final=True), replace(texts, outcomes=(*texts.outcomes, timing)))
    assert final.transcript.settled == (Word("Li", 900, 1100), Word(" Ming", 1100, 2000), Word("."))
    assert final.translation.settled == (Word("李"), Word("明"))


@pytest.mark.parametrize("lacks", [{"word_times": False}, {"word_times": True, "transcribes": False}])
def test_word_times_of_a_model_without_them_are_refused(lacks):
    with pytest.raises(SettingsError, match="fake does not say when words were spoken"):
        Retranslation(capabilities(**lacks), Direction.between(None, None, PAIR), word_times=True)
