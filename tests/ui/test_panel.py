"""What the overlay shows: pictures composed from views."""

from __future__ import annotations

import dataclasses

import pytest
from builders import Clock, update
from PySide6.QtCore import QRect

from live.events import (
    DeviceChanged,
    Event,
    LagChanged,
    LevelChanged,
    ModelLoading,
    RecordingChanged,
    SessionStopped,
    StateChanged,
)
from live.hearing import PATIENCE_S
from ui import look
from ui.captions import RECORDED_MARK, CaptionModel
from ui.layout import Box, text_width
from ui.panel import Picture, compose, meter_rect
from ui.pixmaps import margin
from ui.roll import Roll

pytestmark = pytest.mark.usefixtures("qapp")

BOX = Box.fit(28, 1920)
EN = "The quarterly revenue grew by 15%, mostly because of very strong sales in Asia and in South America."
ERROR = (
    "The microphone 'USB Audio' could not be opened because another program is using it: close that program, or "
    "choose another source with `tongchuan listen --input NAME`."
)


def picture_of(*events: Event, roll: Roll | None = None, aside: str = "中文 ⇄ English", now: float = 0.0) -> Picture:
    model = CaptionModel("follow", clock=Clock())
    model.apply(StateChanged("listening"))
    for event in events:
        model.apply(event)
    return compose(model.view(), BOX, roll or Roll(), aside, now)[0]


def words(picture: Picture) -> list[str]:
    return [placed.line.text for placed in picture.words]


def small(picture: Picture) -> list[str]:
    return [placed.line.text for placed in picture.small]


def test_one_line_stands_right_above_its_source() -> None:
    picture = picture_of(update(1, "Good morning.", transcript="早上好。"))
    assert words(picture) == ["Good morning.", "早上好。"]
    assert [placed.at[1] for placed in picture.words] == [BOX.rows[1].top(), BOX.source.top()]


def test_two_captions_stand_one_above_the_other_over_the_newer_s_source() -> None:
    picture = picture_of(
        update(1, "Good morning.", transcript="早上好。"), update(2, tentative="早", source="en", transcript="Mor")
    )
    assert words(picture) == ["Good morning.", "早", "Mor"]
    assert [placed.at[1] for placed in picture.words] == [BOX.rows[0].top(), BOX.rows[1].top(), BOX.source.top()]


TWO_LANES = (DeviceChanged("microphone", "USB"), DeviceChanged("system", "HDMI"))


@pytest.mark.parametrize("px", [14, 28, 64])
def test_who_speaks_stands_clear_of_the_text(px: int) -> None:
    model = CaptionModel("follow", clock=Clock())
    for event in (StateChanged("listening"), *TWO_LANES, update(1, "Mike cannot come.", lane="system")):
        model.apply(event)
    box = Box.fit(px, 1920)
    text, label = compose(model.view(), box, Roll(), "", 0.0)[0].words
    assert label.line.text == "Them"
    assert text.at[0] - label.at[0] - text_width(label.line) >= box.small_px // 3


def test_who_speaks_stands_small_before_the_text_on_its_baseline() -> None:
    picture = picture_of(
        *TWO_LANES, update(1, "Good morning."), update(2, "早。", target="zh", source="en", lane="system")
    )
    assert words(picture) == ["Good morning.", "早。", "Me", "对方"]
    first, second, mine, theirs = picture.words
    assert first.at[0] == second.at[0]
    for line, label in ((first, mine), (second, theirs)):
        assert label.at[0] == BOX.rows[0].left()
        assert label.at[0] + text_width(label.line) < line.at[0]
        assert (label.line.style.px, label.line.style.colour) == (BOX.small_px, look.QUIET)
        baselines = {round(placed.line.style.px * look.BASELINE_SHARE) + placed.at[1] for placed in (line, label)}
        assert len(baselines) == 1


def test_the_speaker_stands_before_whichever_line_of_a_long_text_is_the_first_one_up() -> None:
    picture = picture_of(*TWO_LANES, update(1, tentative=EN))
    assert len(words(picture)) == 3
    assert words(picture)[2] == "Me"
    assert picture.words[2].at[1] < picture.words[1].at[1]


def test_text_beside_a_speaker_stays_within_the_room() -> None:
    for n in range(1, len(EN) + 1):
        for placed in picture_of(*TWO_LANES, update(1, EN[:n], transcript=EN[:n])).words:
            assert placed.at[0] + text_width(placed.line) <= BOX.captions.right() + 1


def test_where_two_people_speak_at_once_each_has_the_line_that_grows() -> None:
    both = picture_of(*TWO_LANES, update(1, tentative=EN), update(2, tentative=EN + EN, lane="system"))
    assert [placed.line.key[0] for placed in both.words] == [1, 2, 1, 2]
    assert words(both)[2:] == ["Me", "Them"]
    assert EN.endswith(words(both)[0])


def test_what_still_grows_stands_below_what_was_said_meanwhile() -> None:
    picture = picture_of(*TWO_LANES, update(1, tentative="I think"), update(2, "Yes.", lane="system"))
    assert words(picture) == ["Yes.", "I think", "Them", "Me"]


def test_of_a_long_text_the_newest_two_lines_show() -> None:
    shown = words(picture_of(update(1, tentative=EN)))
    assert len(shown) == 2
    assert EN.endswith(shown[1])


def test_the_source_belongs_to_the_lower_line_while_an_older_one_is_held() -> None:
    roll = Roll()
    picture_of(update(1, EN[:80], transcript="一"), roll=roll)
    held = picture_of(update(1, EN[:80], transcript="一"), update(2, "Yes.", transcript="二"), roll=roll, now=0.1)
    assert words(held)[-1] == "一"


def test_a_caption_without_translation_shows_its_transcript() -> None:
    assert words(picture_of(update(1, transcript="早上好。"))) == ["早上好。"]


def test_the_status_stands_in_the_place_of_captions_while_there_are_none() -> None:
    quiet = picture_of()
    assert words(quiet)[0] == "Listening"
    assert small(quiet) == ["中文 ⇄ English"]
    speaking = picture_of(update(1, "Good morning."))
    assert small(speaking) == ["Listening", "中文 ⇄ English"]


def test_loading_fills_the_meter() -> None:
    picture = picture_of(StateChanged("loading"), ModelLoading("embedded", 0.4))
    assert words(picture)[0] == "Loading the model 40 %"
    assert picture.meter == 0.4


def test_the_meter_is_green_while_someone_speaks() -> None:
    quiet = picture_of(LevelChanged("microphone", -30, 0.1))
    speaking = picture_of(LevelChanged("microphone", -30, 0.9))
    assert (quiet.meter, quiet.meter_colour) == (0.5, look.METER)
    assert (speaking.meter, speaking.meter_colour) == (0.5, look.METER_SPEECH)


def test_an_error_is_shown_whole_over_the_captions() -> None:
    picture = picture_of(update(1, "Good morning."), SessionStopped(ERROR), aside="Click to close")
    assert " ".join(words(picture)) == ERROR
    assert small(picture) == ["Stopped", "Click to close"]
    assert [placed.line.style.colour for placed in (picture.words[0], picture.small[0])] == [look.SETTLED, look.ERROR]


@pytest.mark.parametrize("length", [10, 60, 150, 400, 900])
def test_a_sentence_of_any_length_stays_inside(length: int) -> None:
    picture = picture_of(SessionStopped(("The microphone is gone. " * 40)[:length]))
    box = QRect(0, 0, BOX.size.width(), BOX.size.height())
    for placed in picture.words + picture.small:
        height = round(placed.line.style.px * look.LINE_SHARE)
        assert box.contains(QRect(*placed.at, text_width(placed.line), height))


def test_advice_is_shown_to_its_end() -> None:
    silence = [LevelChanged("microphone", -100.0, 0.0)] * 2
    model = CaptionModel("follow", clock=(clock := Clock()))
    for event in (StateChanged("listening"), DeviceChanged("microphone", "A microphone with a long name"), *silence):
        model.apply(event)
    clock.now += PATIENCE_S
    model.apply(silence[0])
    status = model.view().status
    text, *advice = words(compose(model.view(), BOX, Roll(), "", 0.0)[0])
    assert (text, " ".join(advice)) == (status.text, status.hint)


def test_long_words_beside_the_meter_leave_room_for_those_at_the_right() -> None:
    picture = picture_of(update(1, "Yes."), StateChanged("listening", "A very long answer to a command. " * 9))
    left, right = picture.small
    assert left.line.text.endswith("…")
    assert left.at[0] + text_width(left.line) < right.at[0]


def test_why_captions_are_late_stands_in_the_header_where_there_is_room() -> None:
    late = LagChanged(7.2, 1.4, 3.6)
    told = "Listening, 9 s behind: 7 s waiting, 1 s translating, settled 4 s after it is heard"
    assert small(picture_of(update(1, "Yes."), late))[0] == told
    assert small(picture_of(update(1, "Yes."), late, aside="中文 ⇄ English " * 3))[0] == "Listening, 9 s behind"


def test_equal_views_make_equal_pictures_and_nothing_to_repaint() -> None:
    one, other = (picture_of(update(1, "Good morning.")) for _ in range(2))
    assert one == other
    assert one.changed(other, BOX).isEmpty()


def test_a_level_repaints_the_meter_alone() -> None:
    before = picture_of(update(1, "Good morning."))
    after = dataclasses.replace(before, meter=0.7)
    assert meter_rect(BOX).adjusted(-4, -4, 4, 4).contains(after.changed(before, BOX).boundingRect())


def test_new_words_repaint_the_captions_with_their_outline_and_not_the_header() -> None:
    before, after = (picture_of(update(1, text)) for text in ("Good", "Good morning."))
    region = after.changed(before, BOX)
    assert region.contains(BOX.captions.adjusted(-margin(28), 0, 0, 0))
    assert not region.intersects(BOX.header.adjusted(0, 0, 0, -4))


def test_a_mark_shows_all_along_that_sound_is_kept() -> None:
    assert not any(RECORDED_MARK in text for text in small(picture_of(update(1, "Hello."))))
    for events in ([], [update(1, "Hello.")]):
        shown = small(picture_of(RecordingChanged(has_sound=True), *events))
        assert any(text.startswith(f"{RECORDED_MARK} recording") for text in shown)
