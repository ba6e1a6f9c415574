"""What every test stands on: no screen, no network, settings and state in a folder of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["HF_HUB_CACHE"] = str(Path(os.devnull) / "hub")  # no test finds what the developer has fetched
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ["PULSE_SERVER"] = "unix:" + os.devnull  # no test listens to the developer's own sound
os.environ.setdefault("OMP_NUM_THREADS", "1")  # several threads on a busy machine wait for one another without end


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Points every per-user folder into a temporary one, so that no test reads or writes the developer's own."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    (home / "runtime").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "runtime"))
    monkeypatch.setenv("TONGCHUAN_SETTINGS", str(home / "settings.toml"))
    return home
