"""`tongchuan bench capture`: what it counts, and what it says where there is no sound server."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from live.audio import AudioChunk
from live.events import LevelChanged
from ui.cli import main
from ui.commands import bench_capture
from ui.commands.bench_capture import Ear, Figures

CLICK = np.full(320, 0.5, np.float32)
QUIET = np.zeros(320, np.float32)


@pytest.fixture
def heard(monkeypatch):
    """Has an ear hear blocks (stamp, sound), 5 ms later, and levels, 20 ms after that; gives its figures."""

    def hear(*blocks, played_s=(1.0,), level_dbfs=-10.0):
        figures = Figures(0)
        ear = Ear(figures)
        for stamp_s, sound in blocks:
            assert not ear.note(stamp_s)
            monkeypatch.setattr("time.monotonic", lambda at=stamp_s + 0.005: at)
            ear.hear(AudioChunk("microphone", sound, 0))
            monkeypatch.setattr("time.monotonic", lambda at=stamp_s + 0.025: at)
            ear.emit(LevelChanged("microphone", level_dbfs, 0.0))
        ear.played_s = list(played_s)
        ear.count()
        return figures

    return hear


def test_a_click_is_timed_from_being_played_to_callback_segmenter_and_event(heard):
    figures = heard((1.02, QUIET), (1.04, CLICK))

    assert figures.callback_s == pytest.approx([0.04])
    assert figures.segmenter_s == pytest.approx([0.045])
    assert figures.event_s == pytest.approx([0.065])


def test_each_click_is_timed_from_the_newest_one_played_before_it(heard):
    figures = heard((1.04, CLICK), (1.5, QUIET), (1.73, CLICK), played_s=(1.0, 1.7))

    assert figures.callback_s == pytest.approx([0.04, 0.03])


def test_what_took_too_long_is_another_click_s_and_does_not_count(heard):
    assert heard((2.5, CLICK)).callback_s == []
    assert heard((0.5, CLICK)).callback_s == []


def test_a_level_that_does_not_tell_of_a_click_is_not_its_event(heard):
    assert heard((1.04, CLICK), level_dbfs=-90.0).event_s == []


def test_blocks_later_than_a_sound_card_s_buffer_are_counted(heard):
    figures = heard((1.0, QUIET), (1.02, QUIET), (1.05, QUIET), (1.15, QUIET), played_s=())

    assert figures.gaps_s == pytest.approx([0.02, 0.03, 0.1])
    assert figures.n_late == 1


def test_figures_without_a_click_have_a_line_all_the_same():
    assert "nan" in bench_capture._row(Figures(2, gaps_s=[0.02]))
    assert math.isnan(bench_capture._quantiles([], 50)[0])


@pytest.mark.usefixtures("own_process")
def test_without_a_sound_server_what_is_needed_is_said(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert main(["bench", "capture", "--seconds", "1"]) == 1
    assert "needs a PulseAudio or PipeWire server" in capsys.readouterr().err


@pytest.mark.usefixtures("own_process")
def test_without_the_server_s_commands_what_to_install_is_said(capsys, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert main(["bench", "capture"]) == 1
    assert "needs pactl and pacat: install pulseaudio-utils" in capsys.readouterr().err
