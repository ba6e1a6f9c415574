import builtins
import struct

import pytest
from matplotlib.axes import Axes

from live.errors import SettingsError
from live.evaluation.simul.chart import Point, draw

POINTS = [
    Point(direction, cost, policy, delay_s, bleu, is_ours=policy == "ours")
    for direction in ("en-zh", "zh-en")
    for cost in ("measured", "8.4 B")
    for policy, delay_s, bleu in [("VAD-final", 5.0, 95.0), ("LocalAgreement-2", 2.4, 94.0), ("ours", 2.0, 94.2)]
]


def size_of(file):
    header = file.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", header[16:24])


def test_the_picture_has_a_panel_for_each_direction_and_cost(tmp_path):
    one, four = tmp_path / "one.png", tmp_path / "four.png"
    draw([POINTS[0]], one)
    draw(POINTS, four)
    assert size_of(four)[0] == 2 * size_of(one)[0]
    assert size_of(four)[1] > 1.5 * size_of(one)[1]


def test_no_two_policies_look_alike(tmp_path, monkeypatch):
    looks = []
    scatter = Axes.scatter
    monkeypatch.setattr(Axes, "scatter", lambda *places, **look: looks.append(look) or scatter(*places, **look))
    draw([Point("en-zh", "measured", f"policy {n}", 1.0, 1.0) for n in range(12)], tmp_path / "picture.png")
    assert len({(look["marker"], look["color"]) for look in looks}) == 12


def test_without_matplotlib_one_line_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"pip install 'tongchuan\[eval\]'"):
        draw(POINTS, tmp_path / "picture.png")
    assert not (tmp_path / "picture.png").exists()
