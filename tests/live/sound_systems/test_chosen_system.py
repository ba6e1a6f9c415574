import pytest

from live.sound_systems.choice import sound_system
from live.sound_systems.macos import MacSystem
from live.sound_systems.portaudio import PortAudioSystem
from live.sound_systems.pulse import PulseSystem
from live.sound_systems.windows import WindowsSystem


@pytest.mark.parametrize(("platform", "system"), [("win32", WindowsSystem), ("darwin", MacSystem)])
def test_each_operating_system_has_its_own(platform, system):
    assert isinstance(sound_system(platform), system)


def test_linux_asks_its_sound_server_where_there_is_one(monkeypatch):
    monkeypatch.setattr(PulseSystem, "is_here", lambda _self: True)
    assert isinstance(sound_system("linux"), PulseSystem)
    monkeypatch.setattr(PulseSystem, "is_here", lambda _self: False)
    assert isinstance(sound_system("linux"), PortAudioSystem)


def test_without_the_recorder_there_is_no_sound_server_to_use(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert isinstance(sound_system("linux"), PortAudioSystem)
