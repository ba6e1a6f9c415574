"""What the streaming policy asks, and what of the answers is settled and shown."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from live.audio import Utterance
from live.errors import SettingsError
from live.events import Caption
from live.policy import Direction, Level, Streaming
from live.policy.commit import SOFT_HOLD, Agreed
from live.policy.conversation import TURN_SETTLES
from live.policy.pace import LONGEST, Pace
from live.policy.streaming import FIRST_SPEECH, GUESSED, NEW_WHEN_THINNED
from live.segmenter import PRE_ROLL, SOFT_END, TAIL
from models.base import SAMPLE_RATE, UNKNOWN, Branch, Capabilities, Cost, Gate, Hypothesis, Outcome, Piece, Request

BOTH = frozenset({("zh", "en"), ("en", "zh")})
GATE = Gate(hold=6400, tail_mass_below=0.35, auc=0.9)
GATES = {("translate", "zh", "en"): GATE, ("transcribe", "zh", "zh"): GATE}
STEP = round(0.4 * SAMPLE_RATE)
FIRST = PRE_ROLL + FIRST_SPEECH


def capabilities(**changes) -> Capabilities:
    known = {"directions": BOTH, "max_samples": 480_000, "verifies": True, "transcribes": True, "names_language": True}
    return Capabilities(name="fake", device="cpu", **(known | changes))


def policy(source: str | None = None, *, rules=None, **changes) -> Streaming:
    return Streaming(capabilities(**changes), Direction.between(source, None, ("zh", "en")), rules=rules)


def utterance(n: int, *, identity: int = 1, final: bool = False, quiet: int = 0, start: int = 0) -> Utterance:
    return Utterance(identity, "microphone", np.zeros(n, np.float32), start, final, quiet=quiet)


def pieces(text: str, *, at: int | None = None, logprob: float = -0.05) -> tuple[Piece, ...]:
    """Words, and marks of their own, of a text; or its characters where it has no spaces."""
    parts = [
        part for word in text.split() for part in (f" {word.rstrip('.?')}", word[len(word.rstrip(".?")) :]) if part
    ]
    parts = parts if " " in text.strip() or text.isascii() else list(text)
    return tuple(Piece((hash(part),), part, logprob, at=at) for part in parts)


def agreement(now: tuple[Piece, ...], draft: tuple[Piece, ...]) -> int:
    same = [one.ids == other.ids for one, other in zip(now, draft, strict=False)]
    return same.index(False) if False in same else len(same)


def outcome(text: tuple[Piece, ...], branch: Branch) -> Outcome:
    """A model's that would say `text`, after what it was told to go on from."""
    rest = text[len(branch.committed) :]
    n_agreed = agreement(rest, branch.draft)
    if branch.max_new is not None:
        rest = rest[: n_agreed + branch.max_new]
    return Outcome(rest, n_agreed, "end")


def answer(request: Request, translation: str, transcript: str, *, source="zh", cost_s=0.1, **how) -> Hypothesis:
    texts = (pieces(translation, **how), pieces(transcript, **how))
    outcomes = tuple(outcome(text, branch) for text, branch in zip(texts, request.branches, strict=True))
    named = (source, "en" if source == "zh" else "zh")
    return Hypothesis(request.utterance_id, *named, {}, outcomes, Cost(decode_s=cost_s))


def heard(held: Streaming, n: int, translation: str, transcript: str, **how) -> Caption | None:
    """What is shown once the model has said this of a growing utterance of `n` samples."""
    said = utterance(n)
    request = held.request(said)
    assert request is not None
    return held.caption(said, answer(request, translation, transcript, **how))


def texts(caption: Caption) -> tuple[str, str, str, str]:
    translation, transcript = caption.translation, caption.transcript
    return translation.settled_text, translation.tentative, transcript.settled_text, transcript.tentative


def test_nothing_is_asked_of_too_little_speech_and_with_too_little_new_sound():
    held = policy()
    assert held.request(utterance(FIRST - 1)) is None
    heard(held, FIRST, "We", "我们")
    assert held.request(utterance(FIRST + STEP - 1)) is None
    assert held.request(utterance(FIRST + STEP)) is not None


def test_what_two_answers_say_settles_but_for_the_last_piece():
    held = policy()
    assert texts(heard(held, FIRST, "We go", "我们去")) == ("", " We go", "", "我们去")
    assert texts(heard(held, FIRST + STEP, "We go home", "我们去吧")) == (" We go", " home", "我们去", "吧")


def test_a_translator_that_cannot_verify_is_held_to_what_it_said_before():
    held = policy(verifies=False)
    heard(held, FIRST, "We go", "我们去")
    assert held.request(utterance(FIRST + STEP)).branches[0].draft == ()
    assert texts(heard(held, FIRST + STEP, "We go home", "我们去吧")) == (" We go", " home", "我们去", "吧")


def test_what_the_model_is_sure_of_settles_at_once_where_the_language_is_known():
    known, unknown = policy("zh"), policy()
    assert texts(heard(known, FIRST, "We go home", "我们去"))[:2] == (" We go", " home")
    assert texts(heard(unknown, FIRST, "We go home", "我们去"))[:2] == ("", " We go home")


def test_what_the_model_is_not_sure_of_settles_when_it_is_said_again():
    held = policy("zh")
    assert texts(heard(held, FIRST, "We go home", "我们去", logprob=-0.31))[0] == ""
    assert texts(heard(held, FIRST + STEP, "We go home", "我们去", logprob=-0.31))[0] == " We go"


def test_the_next_request_goes_on_from_what_is_settled_and_brings_the_rest_as_draft():
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    heard(held, FIRST + STEP, "We go home", "我们去吧")
    translation, transcript = held.request(utterance(FIRST + 2 * STEP)).branches
    assert [piece.text for piece in translation.committed] == [" We", " go"]
    assert [piece.text for piece in translation.draft] == [" home"]
    assert [piece.text for piece in transcript.committed] == ["我", "们", "去"]


def test_the_end_of_an_utterance_verifies_the_draft_decodes_to_the_end_and_settles_all():
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    heard(held, FIRST + STEP, "We go home", "我们去吧")
    said = utterance(FIRST + 2 * STEP, final=True)
    request = held.request(said)
    assert request.hold == 0
    assert [(branch.max_new, len(branch.draft)) for branch in request.branches] == [(None, 1), (None, 1)]
    final = held.caption(said, answer(request, "We go home now.", "我们去吧。"))
    assert final.is_final
    assert texts(final) == (" We go home now.", "", "我们去吧。", "")


def test_what_is_settled_of_an_utterance_that_is_given_up_is_its_last_caption():
    held = policy("zh")
    heard(held, FIRST, "good morning to all of us", "大家早上好啊")
    before = heard(held, FIRST + STEP, "good morning to all of us", "大家早上好啊")
    last = held.forget(1)
    assert last.is_final
    assert texts(last) == (texts(before)[0], "", texts(before)[2], "")
    assert texts(last)[0]
    assert held.forget(1) is None


def test_nothing_is_left_of_an_utterance_that_is_given_up_before_anything_settled():
    held = policy()
    heard(held, FIRST, "good morning", "大家早上好")
    assert held.forget(1) is None
    held.request(utterance(FIRST, identity=2))
    assert held.forget(2) is None


def test_a_final_alone_is_asked_for_anew():
    request = policy().request(utterance(FIRST, final=True))
    assert all(branch == Branch(branch.task) for branch in request.branches)


@pytest.mark.parametrize("source", [UNKNOWN, "en"])
def test_a_final_that_says_nothing_more_keeps_what_is_settled(source):
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    heard(held, FIRST + STEP, "We go home", "我们去吧")
    said = utterance(FIRST + 2 * STEP, final=True)
    other = Outcome(pieces("other"), 0, "end")
    held.request(said)
    final = held.caption(said, Hypothesis(1, source, "zh", {}, (other, other)))
    assert texts(final) == (" We go", "", "我们去", "")
    assert (final.source, final.target) == ("zh", "en")


def test_the_languages_stay_from_the_first_settled_piece_on():
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    assert held.request(utterance(FIRST + STEP)).source is None
    heard(held, FIRST + STEP, "We go home", "我们去吧")
    request = held.request(utterance(FIRST + 2 * STEP))
    assert (request.source, request.targets) == ("zh", {"zh": "en"})


def test_a_draft_of_another_language_is_not_agreed_on():
    held = policy()
    heard(held, FIRST, "OK so", "OK so", source="en")
    caption = heard(held, FIRST + STEP, "OK so we", "OK so we", source="zh")
    assert caption.translation.settled == ()
    assert caption.source == "zh"


def test_a_lane_keeps_its_language_unless_the_sound_says_otherwise_clearly():
    held = policy()
    said = utterance(2 * SAMPLE_RATE, final=True)
    held.caption(said, answer(held.request(said), "We go", "我们去"))
    priors = held.request(utterance(2 * SAMPLE_RATE, identity=2, final=True)).priors
    assert priors["zh"] == pytest.approx(4 * priors["en"])


@pytest.mark.parametrize(
    ("source", "n", "settles"), [("en", TURN_SETTLES - 1, False), ("en", TURN_SETTLES, True), ("zh", 1, True)]
)
def test_another_language_than_the_last_settles_nothing_until_enough_was_said_in_it(source, n, settles):
    held = policy()
    before = utterance(2 * SAMPLE_RATE, final=True)
    held.caption(before, answer(held.request(before), "We go", "我们去"))
    n = max(FIRST + STEP, PRE_ROLL + n)
    for end in (n - STEP, n):
        said = utterance(end, identity=2)
        caption = held.caption(said, answer(held.request(said), "Boston is far", "Boston is far", source=source))
    assert bool(caption.translation.settled) == settles
    assert caption.translation.text.startswith(" Boston is")


def test_a_closing_mark_at_the_end_of_a_growing_text_is_not_shown():
    held = policy()
    assert heard(held, FIRST, "We go.", "我们去。").translation.tentative == " We go"
    paused = utterance(FIRST + TAIL, quiet=SOFT_END)
    assert held.caption(paused, answer(held.request(paused), "We go.", "我们去。")).translation.text == " We go."


def test_a_pause_is_asked_about_at_once():
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    assert held.request(utterance(FIRST + TAIL)) is None
    assert held.request(utterance(FIRST + TAIL, quiet=SOFT_END)) is not None


def test_pieces_that_point_before_the_hold_settle_at_their_second_sight_and_old_ones_at_their_first():
    held = policy("zh", gates=GATES)
    n = 4 * SAMPLE_RATE
    assert texts(heard(held, n, "We go home", "我们去", at=n - GATE.hold - 1))[0] == ""
    late = heard(held, n + STEP, "We go home now", "我们去吧", at=n + STEP - GATE.hold)
    assert late.translation.settled_text == ""
    held = policy("zh", gates=GATES)
    assert texts(heard(held, n, "We go home", "我们去", at=SAMPLE_RATE))[0] == " We go"


def test_the_translator_is_told_the_hold_and_a_short_one_in_a_pause():
    held = policy("zh", gates=GATES)
    assert held.request(utterance(FIRST)).hold == GATE.hold
    assert held.request(utterance(FIRST + TAIL, quiet=SOFT_END)).hold == SOFT_HOLD
    assert policy("zh").request(utterance(FIRST)).hold == 0


def test_a_loop_settles_nothing_and_is_not_taken_up_again():
    held = policy()
    looping = "we go on we go on we go on"
    heard(held, FIRST, looping, "我们")
    caption = heard(held, FIRST + STEP, looping, "我们")
    assert caption.translation.text == ""
    assert held.request(utterance(FIRST + 2 * STEP)).branches[0].draft == ()


def test_what_the_model_itself_calls_a_loop_settles_nothing():
    held = policy()
    for n in (FIRST, FIRST + STEP):
        said = utterance(n)
        given = answer(held.request(said), "we go on", "我们")
        outcomes = tuple(replace(each, stop="loop") for each in given.outcomes)
        assert held.caption(said, replace(given, outcomes=outcomes)) is None


def test_a_costly_model_is_asked_more_rarely():
    held = policy()
    heard(held, FIRST, "We", "我们", cost_s=1.0)
    assert held.request(utterance(FIRST + SAMPLE_RATE)) is None
    assert held.request(utterance(FIRST + round(1.2 * SAMPLE_RATE))) is not None


@pytest.mark.parametrize(
    ("level", "max_new"), [(Level.THINNED, NEW_WHEN_THINNED), (Level.VERIFY_ONLY, 0), (Level.FINALS_ONLY, None)]
)
def test_the_further_behind_the_less_is_asked_of_growing_utterances_and_never_less_of_finals(level, max_new):
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    held.keep_to(level)
    request = held.request(utterance(FIRST + LONGEST))
    if max_new is None:
        assert request is None
    else:
        assert [branch.max_new for branch in request.branches] == [max_new, max_new]
    final = held.request(utterance(FIRST + LONGEST, final=True))
    assert [branch.max_new for branch in final.branches] == [None, None]


def test_a_pace_that_does_not_adapt_leaves_nothing_out():
    held = Streaming(capabilities(), Direction.between(None, None, ("zh", "en")), pace=Pace(adapts=False))
    held.keep_to(Level.FINALS_ONLY)
    assert held.request(utterance(FIRST)) is not None


def test_a_guess_at_what_comes_next_is_not_shown_until_it_is_said_again():
    held = policy(rules=(Agreed(2),))

    def say(n: int) -> str:
        said = utterance(n)
        request = held.request(said)
        guessed = (*pieces("We go"), *pieces("home", logprob=2 * GUESSED), *pieces("now"))
        outcomes = tuple(outcome(guessed, branch) for branch in request.branches)
        return held.caption(said, Hypothesis(1, "zh", "en", {}, outcomes)).translation.text

    assert say(FIRST) == " We go"
    assert say(FIRST + STEP) == " We go home now"


def test_there_is_nothing_to_verify_before_the_first_answer():
    held = policy()
    held.keep_to(Level.VERIFY_ONLY)
    assert held.request(utterance(FIRST + LONGEST)) is None


def test_a_server_without_ids_is_asked_for_the_whole_text_and_compared_by_words():
    held = policy(verifies=False)

    def say(n: int, translation: str, *, final: bool = False) -> Caption:
        said = utterance(n, final=final)
        request = held.request(said)
        assert not any(branch.committed or branch.draft for branch in request.branches)
        outcomes = tuple(
            Outcome(tuple(replace(piece, ids=()) for piece in pieces(text)), 0, "end")
            for text in (translation, "我们去")
        )
        return held.caption(said, Hypothesis(1, "zh", "en", {}, outcomes))

    assert say(FIRST, "We go").translation.settled_text == ""
    assert say(FIRST + STEP, "We go home").translation.settled_text == " We go"
    assert say(FIRST + 2 * STEP, "They go home now").translation.text == " We go home now"
    assert say(FIRST + 3 * STEP, "They go home now.", final=True).translation.settled_text == " We go home now."


def test_how_long_text_took_to_settle_is_told():
    held = policy()
    heard(held, FIRST, "We go", "我们去")
    heard(held, FIRST + STEP, "We go home", "我们去吧")
    assert held.stability_s == pytest.approx(0.4)


def test_word_times_of_a_model_without_them_are_refused():
    with pytest.raises(SettingsError, match="does not say when words were spoken"):
        Streaming(capabilities(), Direction.between(None, None, ("zh", "en")), word_times=True)


def random_answer(rng: random.Random, request: Request) -> Hypothesis:
    """Anything that a translator may say, however bad."""
    source = request.source or rng.choice(["zh", "zh", "en", UNKNOWN])
    if rng.random() < 0.1:
        source = rng.choice(["zh", "en", UNKNOWN])
    outcomes = []
    for branch in request.branches:
        n_agreed = rng.randrange(len(branch.draft) + 1)
        new = pieces(" ".join(rng.choices(["a", "b.", "c", "好", "好。", "1.5"], k=rng.randrange(6))))
        said = (*branch.draft[:n_agreed], *new)
        stop = rng.choice(["end", "budget", "hold", "loop"])
        is_silent = source == UNKNOWN or rng.random() < 0.1
        outcomes.append(Outcome((), 0, "end") if is_silent else Outcome(said, n_agreed, stop))
    target = {"zh": "en", "en": "zh"}.get(source, UNKNOWN)
    return Hypothesis(request.utterance_id, source, target, {}, tuple(outcomes), Cost(decode_s=rng.random()))


def random_talk(rng: random.Random) -> list[Utterance]:
    """A growing utterance, pauses in it, its end, and the rest where it was cut."""
    said, start = [], 0
    for identity in range(1, rng.randrange(2, 4)):
        n, end = rng.randrange(FIRST), start
        for _ in range(rng.randrange(1, 60)):
            n += rng.randrange(SAMPLE_RATE)
            quiet = rng.choice([0, 0, 0, SOFT_END])
            said.append(utterance(n, identity=identity, quiet=quiet, start=start))
            end = start + n
        said.append(utterance(end - start, identity=identity, final=True, start=start))
        start = end
    return said


def settled_lengths(rng: random.Random, held: Streaming) -> int:
    """Characters settled of a random talk, each line of which must only have grown."""
    settled: dict[tuple[int, str], str] = {}
    for said in random_talk(rng):
        held.keep_to(rng.choice(list(Level)) if rng.random() < 0.2 else Level.NORMAL)
        request = held.request(said)
        assert request is not None or not said.is_final
        if request is None or (rng.random() < 0.1 and not said.is_final):
            continue  # not due, or cancelled, or the model process died
        caption = held.caption(said, random_answer(rng, request))
        held.cut_after(said.id)
        if caption is None:
            assert (said.id, "translation") not in settled
            continue
        for name in ("translation", "transcript"):
            line = getattr(caption, name)
            before = settled.pop((said.id, name), "")
            assert line.settled_text.startswith(before)
            assert not (said.is_final and line.tentative)
            if line.settled_text:
                settled[said.id, name] = line.settled_text
    return sum(map(len, settled.values()))


@pytest.mark.parametrize("rules", [None, (Agreed(0),), (Agreed(2),)])
@pytest.mark.parametrize("verifies", [True, False])
def test_settled_text_only_ever_grows_whatever_the_model_says(rules, verifies):
    rng = random.Random(4)
    assert sum(settled_lengths(rng, policy(rules=rules, verifies=verifies)) for _ in range(100)) > 1000
