"""Which sound system this computer has.

In: nothing. Out: the SoundSystem to ask; what it can do is its own business.
"""

from __future__ import annotations

import sys

from live.sound_systems.base import SoundSystem


def sound_system() -> SoundSystem:
    """The one to ask now; on Linux the sound server where there is one, or was since the program began.

    Raises:
        CaptureError: the sound server does not answer.
    """
    if sys.platform == "linux":
        from live.sound_systems.pulse import PulseSystem

        pulse = PulseSystem()
        if pulse.is_here():
            return pulse
    from live.sound_systems.portaudio import PortAudioSystem

    return PortAudioSystem()
