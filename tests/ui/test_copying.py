"""The newest lines, for a clipboard."""

from __future__ import annotations

import base64

from builders import update

from live.actions import MOST_LINES
from live.events import DeviceChanged
from ui.copying import LastLines, copied_words, terminal_clipboard


def test_the_newest_final_captions_come_with_time_and_both_languages() -> None:
    lines = LastLines()
    for number in range(1, 5):
        lines.apply(update(number, tentative="growing"))
        lines.apply(update(number, f"Sentence {number}.", transcript=f"第{number}句。"))
    assert lines.text(2) == ("00:03\nSentence 3.\n第3句。\n00:04\nSentence 4.\n第4句。", 2)


def test_who_spoke_is_copied_where_there_are_two_lanes() -> None:
    lines = LastLines()
    for lane in ("microphone", "system"):
        lines.apply(DeviceChanged(lane, "a device"))
    lines.apply(update(1, "Yes."))
    lines.apply(update(2, "No.", lane="system"))
    assert lines.text(2) == ("00:01 Me\nYes.\n00:02 Them\nNo.", 2)


def test_fewer_lines_than_asked_for_are_all_there_are() -> None:
    lines = LastLines()
    assert lines.text(3) == ("", 0)
    lines.apply(update(1))  # a final without words
    lines.apply(update(65, "One."))
    assert lines.text(3) == ("01:05\nOne.", 1)


def test_no_more_is_remembered_than_can_be_asked_for() -> None:
    lines = LastLines()
    for number in range(MOST_LINES + 10):
        lines.apply(update(number, "x"))
    assert lines.text(10 * MOST_LINES)[1] == MOST_LINES


def test_the_terminal_s_clipboard_takes_base64_of_utf_8() -> None:
    head, _, data = terminal_clipboard("预算 €").rpartition(";")
    assert head == "\x1b]52;c"
    assert base64.b64decode(data.removesuffix("\x07")).decode() == "预算 €"


def test_what_was_copied_is_said() -> None:
    assert (copied_words(1), copied_words(3)) == ("Copied the last line", "Copied the last 3 lines")
