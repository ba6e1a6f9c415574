"""Cues: how long, how far apart, how many; fuzzed, so that none overlaps and nothing is lost."""

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from session_folders import caption, mark

from live.events import Line, Word
from live.recording.export.cues import (
    GAP_MS,
    MAX_MS,
    MIN_MS,
    UNCERTAIN_MARK,
    Placing,
    caption_cues,
    lay_out,
    mark_text,
)
from live.recording.export.forms import LINES
from live.recording.export.phrases import UNSAID_AT_LINE_ENDS, line_width, plain, width
from models.base import SAMPLE_RATE

LONG_EN = "We have to look at the budget, and then we decide what to do with the offices in Asia and in Europe. " * 3
LONG_ZH = "我们先要看一下预算，然后再决定怎么处理亚洲和欧洲的办公室。" * 3


def times(cues):
    return [(cue.start_ms, cue.end_ms) for cue in cues]


def test_a_short_caption_is_one_cue_with_the_translation_on_top():
    (cue,) = lay_out([caption(1, 1, 3, "The budget.", "预算。")])
    assert (cue.start_ms, cue.end_ms, cue.text) == (1000, 3000, "The budget.\n预算")


def test_a_cue_stands_at_least_833_ms_and_at_most_7_s():
    assert times(lay_out([caption(1, 1, 1.1, "No."), caption(2, 10, 30, "Mmm.")])) == [(1000, 1833), (10000, 17000)]


def test_a_fast_sentence_stands_until_it_can_be_read_where_there_is_room():
    fast = caption(1, 0, 1, "x" * 40)
    assert times(lay_out([fast])) == [(0, 1480)]
    assert times(lay_out([fast, caption(2, 9, 10, "Yes.")]))[0] == (0, 2000)
    assert times(lay_out([fast, caption(2, 1.5, 3, "Yes.")]))[0] == (0, 1420)


def test_short_gaps_are_closed_to_two_pictures_and_long_ones_stay():
    cues = lay_out([caption(1, 0, 2, "One."), caption(2, 2.3, 4, "Two."), caption(3, 5, 6, "Three.")])
    assert times(cues) == [(0, 2220), (2300, 4000), (5000, 6000)]


def test_a_long_caption_becomes_cues_of_two_lines_that_cover_its_time():
    cues = lay_out([caption(1, 10, 30, LONG_EN, LONG_ZH)])
    assert len(cues) > 3
    assert cues[0].start_ms == 10_000
    assert cues[-1].end_ms == 30_000
    assert all(len(cue.text.split("\n")) == 2 for cue in cues)
    assert {block.kind for cue in cues for block in cue.blocks} == {"translation", "transcript"}


def test_the_cues_of_a_long_caption_begin_when_their_words_are_said():
    said = caption(1, 0, 20, "", LONG_ZH)
    half = len(LONG_ZH) // 2
    words = (Word(LONG_ZH[:half], 0, 2 * SAMPLE_RATE), Word(LONG_ZH[half:], 18 * SAMPLE_RATE, 20 * SAMPLE_RATE))
    evenly = caption_cues(said, [], "both")
    timed = caption_cues(replace(said, transcript=Line(words)), [], "both")
    assert timed[-1].start_ms > 18_000 > evenly[-1].start_ms
    assert [cue.text for cue in timed] == [cue.text for cue in evenly]


def test_two_lanes_that_speak_at_once_take_turns():
    cues = lay_out(
        [
            caption(1, 0, 6, "I think that the budget is too small.", lane="microphone"),
            caption(2, 1, 3, "Yes.", lane="system"),
        ]
    )
    assert [cue.text for cue in cues] == ["[Me] I think that the budget is too small.", "[Them] Yes."]
    (first, second) = times(cues)
    assert first[0] == 0
    assert first[1] + GAP_MS == second[0]
    assert second[1] == 3000


def test_a_mark_stands_in_the_caption_of_its_moment_and_elsewhere_alone():
    cues = lay_out([caption(1, 1, 3, "The budget."), caption(2, 20, 22, "Next.")], [mark(10, "Decision"), mark(2)])
    assert [cue.text for cue in cues] == ["⚑ The budget.", "⚑ Decision", "Next."]
    assert cues[1].start_ms == 10_000
    assert [cue.text for cue in lay_out([], [mark(1, "Alone")])] == ["⚑ Alone"]


def test_an_uncertain_caption_is_marked_once():
    cues = lay_out([caption(1, 0, 20, LONG_EN, LONG_ZH, is_uncertain=True)])
    assert "\n".join(cue.text for cue in cues).count(UNCERTAIN_MARK) == 1


def test_what_says_nothing_in_the_language_chosen_makes_no_cue():
    captions = [caption(1, 0, 1, "", "预算"), caption(2, 2, 3, " ", "。"), caption(3, 4, 5, "Yes.")]
    assert [cue.text for cue in lay_out(captions, lines="translation")] == ["Yes."]
    assert [cue.text for cue in lay_out(captions, lines="transcript")] == ["预算"]


TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from([*LONG_EN.split(), "Dr.", "3.5%", "a" * 50]), max_size=60).map(" ".join),
    st.text(alphabet="预算我们的了，。？！“”（）3.5%GDP ", max_size=120),
)
SAMPLES = st.integers(0, 40 * SAMPLE_RATE)


@st.composite
def any_caption(draw):
    start = draw(SAMPLES)
    line = st.lists(st.builds(Word, TEXTS, st.none() | SAMPLES, st.none()), max_size=3)
    return replace(
        caption(
            draw(st.integers(1, 99)),
            0,
            0,
            "",
            direction=draw(st.sampled_from([("zh", "en"), ("en", "zh"), ("ja", "ko")])),
        ),
        start=start,
        end=start + draw(st.integers(0, 28 * SAMPLE_RATE)),
        translation=Line(tuple(draw(line))),
        transcript=Line(tuple(draw(line))),
        is_uncertain=draw(st.booleans()),
    )


def squeezed(text):
    """What must come back of a text: all but spaces and the marks that Chinese lines end without."""
    return "".join(character for character in text if not character.isspace() and character not in UNSAID_AT_LINE_ENDS)


@settings(max_examples=80, deadline=None)
@given(
    captions=st.lists(any_caption(), max_size=6),
    marks=st.lists(st.builds(mark, st.floats(0, 60), st.text(max_size=60)), max_size=3),
    lines=st.sampled_from(LINES),
)
def test_times_increase_nothing_overlaps_and_all_text_comes_back(captions, marks, lines):
    cues = lay_out(captions, marks, lines)
    for before, after in itertools.pairwise(cues):
        assert after.start_ms - before.end_ms >= GAP_MS
    assert all(MIN_MS <= cue.end_ms - cue.start_ms <= MAX_MS for cue in cues)
    for cue in cues:
        assert 1 <= len(cue.text.split("\n")) <= 2
        for block in cue.blocks:
            assert all(line and width(line, block.language) <= line_width(block.language) for line in block.lines)
    shown = squeezed("".join(cue.text for cue in cues))
    said = [plain(getattr(one, kind).text) for one in captions for kind in LINES[1:] if lines in ("both", kind)]
    signs = [*map(mark_text, marks), UNCERTAIN_MARK * shown.count(UNCERTAIN_MARK)]
    assert sorted(shown) == sorted(squeezed("".join([*said, *signs])))


@settings(max_examples=50, deadline=None)
@given(st.lists(any_caption(), max_size=6))
def test_cues_of_a_growing_file_never_go_back_either(captions):
    placing = Placing()
    placed = [placing.place(cue, None) for one in captions for cue in caption_cues(one, [], "both")]
    for before, after in itertools.pairwise(placed):
        assert after.start_ms - before.end_ms >= GAP_MS
    assert all(MIN_MS <= cue.end_ms - cue.start_ms <= MAX_MS for cue in placed)
