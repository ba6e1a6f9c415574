import pytest
from fake_sound_system import FakeSystem, input_device

from ui.cli import main
from ui.commands.devices import _meter

pytestmark = pytest.mark.usefixtures("own_process")


def printed(capsys, monkeypatch, *devices):
    monkeypatch.setattr("live.sound_systems.choice.sound_system", lambda: FakeSystem(*devices))
    assert main(["devices"]) == 0
    return capsys.readouterr().out.splitlines()


def test_without_a_device_what_to_do_is_said_in_one_line(capsys, monkeypatch):
    monkeypatch.setattr("live.sound_systems.choice.sound_system", FakeSystem)
    assert main(["devices"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "No microphone was found: connect one" in err


def test_microphones_stand_above_computer_sound_each_with_its_default_and_level(capsys, monkeypatch):
    lines = printed(
        capsys,
        monkeypatch,
        input_device("Speakers", "spk.monitor", index=0, kind="system", is_default=True),
        input_device("Internal", index=1),
        input_device("USB 麦克风", "usb", index=7, is_default=True),
    )
    assert lines[0] == "Microphones"
    assert lines[1].split() == ["1", "Internal", "█████████·", "-6", "dB", "fake,", "16000", "Hz,", "mono"]
    assert lines[2].split()[:4] == ["*", "7", "USB", "麦克风"]
    assert lines[3] == "Computer sound"
    assert lines[4].split()[:3] == ["*", "0", "Speakers"]
    assert "--output" in lines[-1]


def test_with_outputs_alone_nothing_is_said_of_microphones(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, input_device("Speakers", kind="system"))
    assert lines[0] == "Computer sound"


def test_two_of_a_name_are_told_apart(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, input_device("Yeti", "usb-1"), input_device("Yeti", "usb-2"))
    assert "Yeti (usb-1)" in lines[1]
    assert "Yeti (usb-2)" in lines[2]


@pytest.mark.parametrize(
    ("peak", "shown"),
    [
        (1.0, "██████████   0 dB  "),
        (0.1, "███████··· -20 dB  "),
        (0.0, "·········· silent  "),
        (1e-5, "·········· silent  "),
        (None, ""),
    ],
)
def test_a_level_is_ten_cells_down_to_60_db(peak, shown):
    assert _meter(peak) == shown
