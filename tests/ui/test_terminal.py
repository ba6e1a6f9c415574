"""Captions in the terminal, and where standard output is none."""

from __future__ import annotations

import io
import re
import threading

import pytest
from builders import Clock, update
from rich.cells import cell_len
from rich.console import Console

from live.audio import clock_text
from live.events import (
    DeviceChanged,
    LevelChanged,
    MarkAdded,
    ModelLoading,
    RecordingChanged,
    StateChanged,
    UtteranceFailed,
    UtteranceSkipped,
)
from ui.captions import RECORDED_MARK, SKIPPED
from ui.terminal import REFRESH_S, TerminalView, settled_row

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
EN = "The quarterly revenue grew by 15%, mostly because of very strong sales in Asia and in South America."
ZH = "我们公司今年第三季度的收入增长了15%，主要是因为亚洲和南美洲市场的销售非常强劲，所以我们要继续投资。"


def console(width: int = 60, *, is_terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), force_terminal=is_terminal, width=width, highlight=False, legacy_windows=False)


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def drawn_last(on: Console) -> str:
    """The last thing drawn, without colours."""
    return CONTROL.sub("", written(on).rpartition("\x1b[2K")[2] or written(on))


def test_a_pipe_gets_one_line_for_each_final_caption_and_nothing_else() -> None:
    out = console(is_terminal=False)
    with TerminalView(console=out) as view:
        view.apply(ModelLoading("embedded", 0.5))
        view.apply(StateChanged("listening"))
        view.apply(update(1, tentative="Good"))
        view.apply(update(1, EN, transcript=ZH))
        view.apply(update(2, tentative="And"))
        view.apply(update(2, "And?", source="en", target="zh", is_uncertain=True))
    assert written(out) == f"00:01 zh→en {EN} | {ZH}\n00:02 en→zh ? And?\n"


def test_who_speaks_stands_before_the_direction_where_there_are_two_lanes() -> None:
    for is_terminal in (False, True):
        out = console(is_terminal=is_terminal)
        clock = Clock()
        with TerminalView("follow", console=out, clock=clock) as view:
            view.apply(DeviceChanged("microphone", "USB"))
            view.apply(DeviceChanged("system", "HDMI"))
            view.apply(update(1, "Good morning."))
            view.apply(update(2, "你好。", source="en", target="zh", lane="system"))
            if is_terminal:
                clock.now += 2 * REFRESH_S
                view.apply(update(3, tentative="And", lane="system"))
                assert "Them zh→en" in drawn_last(out)
        lines = CONTROL.sub("", written(out)).splitlines()
        rows = [line.split() for line in lines if line.startswith(("00:01", "00:02"))]
        assert [row[:3] for row in rows] == [["00:01", "Me", "zh→en"], ["00:02", "对方", "en→zh"]]


def test_rows_of_both_lanes_stand_below_each_other() -> None:
    out = console()
    for lane, speaker in (("microphone", "我"), ("system", "Them")):
        out.print(settled_row(update(1, "Text.", lane=lane).caption, speaker))
    first, second = CONTROL.sub("", written(out)).splitlines()
    assert cell_len(first.partition("Text.")[0]) == cell_len(second.partition("Text.")[0])


def test_a_failure_is_a_line_of_its_own() -> None:
    out = console(is_terminal=False)
    with TerminalView(console=out) as view:
        view.apply(UtteranceFailed("file", 1, 65 * 16_000, 66 * 16_000, "The model did not answer."))
    assert written(out) == "01:05 -- The model did not answer.\n"


def test_a_sentence_that_was_skipped_is_a_line_of_its_own() -> None:
    for is_terminal in (False, True):
        out = console(is_terminal=is_terminal)
        with TerminalView(console=out) as view:
            view.apply(UtteranceSkipped("microphone", 1, 65 * 16_000, 66 * 16_000))
        assert re.search(rf"01:05 +-- +{SKIPPED}", CONTROL.sub("", written(out)))


def test_a_pipe_is_told_of_a_device_that_is_missing_and_not_of_one_that_nobody_wants() -> None:
    out = console(is_terminal=False)
    with TerminalView(console=out) as view:
        view.apply(DeviceChanged("microphone", "USB"))
        view.apply(DeviceChanged("microphone", None, "it was unplugged"))
        view.apply(DeviceChanged("system", None, is_wanted=False))
    assert written(out) == "-- No microphone: it was unplugged\n"


def test_a_mark_is_a_line_of_its_own() -> None:
    for is_terminal in (False, True):
        out = console(is_terminal=is_terminal)
        with TerminalView(console=out) as view:
            view.apply(MarkAdded(65 * 16_000, "Budget agreed"))
        assert re.search(r"01:05 +⚑ +Budget agreed", CONTROL.sub("", written(out)))


def test_the_keys_there_are_stand_in_the_last_line() -> None:
    out = console(width=24)
    with TerminalView(console=out, help_line="m mark · r replay · c copy · q quit") as view:
        view.apply(StateChanged("listening"))
        region = CONTROL.sub("", written(out))
    assert region.rstrip().splitlines()[-1].startswith("m mark · r replay")
    assert max(map(cell_len, re.split(r"[\r\n]", region))) <= 24


def test_what_was_copied_is_said_in_the_status() -> None:
    out = console(width=100)
    with TerminalView(console=out, clock=Clock()) as view:
        view.apply(StateChanged("listening"))
        view.apply(update(1, "Good morning."))
        assert view.copy(5) is None
    assert "Copied the last line" in CONTROL.sub("", written(out))


def test_a_long_direction_keeps_clear_of_the_text() -> None:
    out = console()
    with TerminalView(console=out) as view:
        view.apply(update(1, "會議開始。", source="en", target="zh_tr", is_uncertain=True))
    assert re.search(r"en→zh_tr \? +會議開始。", CONTROL.sub("", written(out)))


def test_an_empty_final_prints_nothing() -> None:
    out = console(is_terminal=False)
    with TerminalView(console=out) as view:
        view.apply(update(1))
    assert written(out) == ""


def test_a_final_caption_scrolls_once_with_its_source_below() -> None:
    out = console()
    with TerminalView("follow", console=out) as view:
        view.apply(StateChanged("listening"))
        view.apply(update(1, tentative="Good mor"))
        view.apply(update(1, "Good morning.", transcript="早上好。"))
    plain = CONTROL.sub("", written(out))
    assert plain.count("Good morning.") == 1
    assert plain.index("Good morning.") < plain.index("早上好。")
    assert "00:01   zh→en   Good morning." in plain


def test_the_growing_caption_and_the_status_stand_below() -> None:
    out = console()
    clock = Clock()
    with TerminalView("follow", console=out, aside="中文 ⇄ English", clock=clock) as view:
        view.apply(StateChanged("listening"))
        clock.now += 2 * REFRESH_S
        view.apply(update(1, tentative="Good mor", transcript="早上"))
        region = CONTROL.sub("", written(out))
    assert "Good mor" in region
    assert "早上" in region
    assert region.rstrip().endswith("中文 ⇄ English")
    assert "Listening" in region


def test_no_line_of_hanzi_is_wider_than_the_terminal() -> None:
    out = console(width=40)
    clock = Clock()
    with TerminalView("follow", console=out, clock=clock) as view:
        view.apply(StateChanged("listening"))
        clock.now += 2 * REFRESH_S
        view.apply(update(1, tentative=ZH, transcript=EN))
        view.apply(update(1, ZH, transcript=EN))
    lines = re.split(r"[\r\n]", CONTROL.sub("", written(out)))
    assert max(map(cell_len, lines)) == 40
    joined = "".join(line.strip() for line in lines)
    assert ZH[:12] in joined


def test_nothing_is_drawn_again_while_nothing_changes() -> None:
    out = console()
    with TerminalView(console=out, clock=Clock()) as view:
        view.apply(StateChanged("listening"))
        before = written(out)
        view.apply(StateChanged("listening"))
        view.apply(LevelChanged("microphone", -100, 0.0))
        assert written(out) == before


def test_levels_are_drawn_ten_times_a_second_at_most() -> None:
    out = console()
    clock = Clock()
    with TerminalView(console=out, clock=clock) as view:
        view.apply(StateChanged("listening"))
        before = written(out)
        view.apply(LevelChanged("microphone", -10, 0.9))
        assert written(out) == before
        clock.now += 2 * REFRESH_S
        view.apply(LevelChanged("microphone", -9, 0.9))
        assert written(out) != before


def test_events_may_come_from_several_threads() -> None:
    out = console(is_terminal=False)
    with TerminalView(console=out) as view:
        each = [
            threading.Thread(target=lambda n=n: [view.apply(update(n * 100 + k, f"S{n}.{k}")) for k in range(50)])
            for n in range(4)
        ]
        for thread in each:
            thread.start()
        for thread in each:
            thread.join()
    lines = written(out).splitlines()
    assert len(lines) == 200
    for n in range(4):
        own = [line.split()[-1] for line in lines if f" S{n}." in line]
        assert own == [f"S{n}.{k}" for k in range(50)]


@pytest.mark.parametrize(("second", "text"), [(0, "00:00"), (65, "01:05"), (3665, "1:01:05")])
def test_times_are_written_as_a_clock(second: int, text: str) -> None:
    assert clock_text(second * 16_000 + 15_999) == text


def test_a_mark_in_the_status_shows_that_sound_is_kept() -> None:
    for has_sound in (False, True):
        out = console(width=60)
        clock = Clock()
        with TerminalView(console=out, clock=clock) as view:
            view.apply(StateChanged("listening"))
            clock.now += 2 * REFRESH_S
            view.apply(RecordingChanged(has_sound=has_sound))
            assert (RECORDED_MARK in drawn_last(out)) == has_sound
