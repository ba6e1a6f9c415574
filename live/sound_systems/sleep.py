"""How long this computer has slept. In: nothing. Out: seconds. Sound that was open meanwhile is not to be trusted."""

from __future__ import annotations

import ctypes
import sys
import time

if sys.platform == "win32":

    def slept_s() -> float:
        """Seconds asleep since some moment in the past; grows only while the computer sleeps."""
        kernel = ctypes.windll.kernel32
        kernel.GetTickCount64.restype = ctypes.c_ulonglong
        awake = ctypes.c_ulonglong()  # in units of 100 ns
        kernel.QueryUnbiasedInterruptTime(ctypes.byref(awake))
        return float(kernel.GetTickCount64()) / 1e3 - awake.value / 1e7

else:
    # Linux and macOS each have a clock that stands still meanwhile, and one that does not.
    if sys.platform == "darwin":
        _AWAKE, _ALWAYS = time.CLOCK_UPTIME_RAW, time.CLOCK_MONOTONIC
    else:
        _AWAKE, _ALWAYS = time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME

    def slept_s() -> float:
        """Seconds asleep since some moment in the past; grows only while the computer sleeps."""
        return time.clock_gettime(_ALWAYS) - time.clock_gettime(_AWAKE)
