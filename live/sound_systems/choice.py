"""Which sound system this computer has.

In: nothing. Out: the SoundSystem to ask; what it can do is its own business.
"""

from __future__ import annotations

import sys

from live.sound_systems.base import SoundSystem


def sound_system(platform: str = sys.platform) -> SoundSystem:
    """The one to ask now; on Linux the sound server where there is one, or was since the program began.

    Raises:
        CaptureError: the sound server does not answer.
    """
    if platform == "linux":
        from live.sound_systems.pulse import PulseSystem

        pulse = PulseSystem()
        if pulse.is_here():
            return pulse
    if platform == "win32":
        from live.sound_systems.windows import WindowsSystem

        return WindowsSystem()
    if platform == "darwin":
        from live.sound_systems.macos import MacSystem

        return MacSystem()
    from live.sound_systems.portaudio import PortAudioSystem

    return PortAudioSystem()
