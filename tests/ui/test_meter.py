"""The lines of `tongchuan listen --meter`."""

from __future__ import annotations

import io

import pytest
from builders import Clock
from rich.console import Console

from live.events import DeviceChanged, LevelChanged, StateChanged
from ui.meter import CELLS, EMPTY_CELL, NOISE_CELL, Meter
from ui.terminal import REFRESH_S, TerminalView


def lines(*events, width: int = 120) -> list[str]:
    meter = Meter()
    for event in events:
        meter.apply(event)
    return [row.plain for row in meter.rows(width)]


def test_each_lane_has_a_line_with_level_noise_and_probability_beside_its_threshold() -> None:
    me, them = lines(LevelChanged("microphone", -22.6, 0.93, -61.2), LevelChanged("system", -80.0, 0.02, -100.0))

    assert me.startswith("microphone ")
    assert "  -23 dBFS, noise  -61  speech " in me
    assert me.endswith("0.93 ≥ 0.50")
    assert them.startswith("computer sound ")
    assert them.endswith("0.02 < 0.50")


@pytest.mark.parametrize("width", [60, 80, 99, 100])
def test_a_narrow_terminal_shows_every_number(width: int) -> None:
    (line,) = lines(LevelChanged("system", -22.6, 0.93, -61.2), width=width)
    assert line.startswith("computer sound ")
    assert " -23 dBFS, noise  -61  speech " in line
    assert line.endswith("0.93 ≥ 0.50")
    assert len(line) <= width


def test_the_newest_level_counts() -> None:
    (line,) = lines(LevelChanged("microphone", -50, 0.1, -60), LevelChanged("microphone", -20, 0.9, -60))

    assert " -20 dBFS" in line


def test_the_bar_marks_the_noise_floor_and_keeps_its_length() -> None:
    for level in (-200.0, -100.0, -60.0, -30.0, 0.0, 3.0):
        for noise in (-100.0, -60.0, 0.0):
            (line,) = lines(LevelChanged("microphone", level, 0.0, noise))
            bar = line.removeprefix("microphone").strip()[:CELLS]
            assert " " not in bar
            assert bar.count(NOISE_CELL) == 1
    (loud,) = lines(LevelChanged("microphone", 0.0, 0.0, -100.0))
    (quiet,) = lines(LevelChanged("microphone", -100.0, 0.0, -100.0))
    assert loud[:45].count(EMPTY_CELL) == 0
    assert quiet[:45].count(EMPTY_CELL) == CELLS - 1


def test_a_lane_whose_device_went_has_no_line() -> None:
    assert lines(LevelChanged("microphone", -50, 0.1), DeviceChanged("microphone", None, "gone")) == []


def test_while_paused_nothing_is_measured() -> None:
    assert lines(LevelChanged("microphone", -50, 0.1), StateChanged("paused")) == []
    assert len(lines(LevelChanged("microphone", -50, 0.1), StateChanged("listening"))) == 1


def test_the_terminal_shows_the_lines_while_it_is_asked_to() -> None:
    for meter, shows in ((Meter(), True), (None, False)):
        out, clock = Console(file=io.StringIO(), force_terminal=True, width=120, highlight=False), Clock()
        with TerminalView(console=out, clock=clock, meter=meter) as view:
            view.apply(StateChanged("listening"))
            for dbfs in (-40.2, -40.3):
                clock.now += 2 * REFRESH_S
                view.apply(LevelChanged("microphone", dbfs, 0.31, -60))
            assert ("noise  -60" in out.file.getvalue()) is shows


def test_a_level_that_changes_the_line_alone_is_drawn() -> None:
    out, clock = Console(file=io.StringIO(), force_terminal=True, width=120, highlight=False), Clock()
    with TerminalView(console=out, clock=clock, meter=Meter()) as view:
        view.apply(StateChanged("listening"))
        for speech in (0.31, 0.32):
            clock.now += 2 * REFRESH_S
            view.apply(LevelChanged("microphone", -40, speech, -60))
        assert "0.32 < 0.50" in out.file.getvalue()
