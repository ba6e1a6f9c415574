"""Which devices settings ask for."""

import pytest
from fakes import FakeSource

from live.settings import Settings
from live.sources import chosen_sources, shown_names


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("microphone", [("microphone", "USB")]),
        ("system", [("system", "HDMI")]),
        ("both", [("microphone", "USB"), ("system", "HDMI")]),
    ],
)
def test_settings_ask_for_a_device_a_lane_each_by_its_own_name(source, asked):
    calls = []

    def open_source(kind: str, name: str) -> FakeSource:
        calls.append((kind, name))
        return FakeSource(kind)

    sources = chosen_sources(Settings(source=source, input="USB", output="HDMI"), open_source)
    assert calls == asked
    assert [each.lane for each in sources] == [kind for kind, _ in asked]
    assert shown_names(sources) == ", ".join(f"fake {kind}" for kind, _ in asked)
