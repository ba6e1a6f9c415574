"""Actions as people write them."""

from __future__ import annotations

import pytest

from live.actions import COPIED_LINES, LONGEST_LABEL, CopyLines, parse_action
from live.errors import LiveError
from live.events import AddMark, Pause, Replay, Resume, SetDirection, SetMode, SetSources, Stop


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("mark", AddMark()),
        ("mark Budget  agreed", AddMark("Budget agreed")),
        ("mark 预算\n通过", AddMark("预算 通过")),
        ("replay", Replay()),
        ("replay microphone", Replay("microphone")),
        ("pause", Pause()),
        ("resume", Resume()),
        ("stop", Stop()),
        ("copy", CopyLines(COPIED_LINES)),
        ("copy 3", CopyLines(3)),
        ("mode reading", SetMode("reading")),
        ("direction zh-en", SetDirection("zh", "en")),
        ("direction auto", SetDirection(None, None)),
        ("direction en-auto", SetDirection("en", None)),
        ("source both", SetSources("both")),
    ],
)
def test_words_are_an_action(words, action):
    assert parse_action(words.split(" ")) == action


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["repaly"], "no action 'repaly'; the nearest is `replay"),
        (["marc", "x"], "the nearest is `mark"),
        ([], "no action ''"),
        (["mode", "folow"], "no mode 'folow'; the nearest is 'follow'"),
        (["replay", "mic"], "no lane 'mic'; the nearest is 'microphone'"),
        (["direction", "zh-eng"], "no language 'eng'; the nearest is 'en'"),
        (["direction", "zh"], "written zh-en or auto"),
        (["source", "speakers"], "no source 'speakers'; the nearest is 'system'"),
        (["copy", "0"], "from 1 to 100"),
        (["copy", "-1"], "from 1 to 100"),
        (["copy", "²"], "from 1 to 100"),
        (["copy", "1" * 5000], "from 1 to 100"),
        (["copy", "1", "2"], "written `copy [N]`"),
        (["pause", "now"], "written `pause`"),
        (["mode"], "written `mode follow|balanced|reading`"),
        (["mark", "x" * (LONGEST_LABEL + 1)], f"at most {LONGEST_LABEL} characters"),
    ],
)
def test_what_is_no_action_is_answered_with_what_is(words, answer):
    with pytest.raises(LiveError) as refusal:
        parse_action(words)
    assert answer in str(refusal.value)
