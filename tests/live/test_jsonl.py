import dataclasses
import json
import math
import stat
import typing

import pytest
from example_captions import caption

from live import events
from live.events import CaptionUpdated, LagChanged, LevelChanged, SessionStopped, StateChanged
from live.recording.jsonl import EventFile, encode

EXAMPLES = {
    int: 7,
    float: 0.5,
    bool: True,
    str: "text",
    str | None: None,
    events.Lane: "file",
    events.State: "listening",
    events.Caption: caption(0.5, 1.5, "Hello.", "你好。"),
}


def example(kind):
    hints = typing.get_type_hints(kind)
    return kind(*(EXAMPLES[hints[field.name]] for field in dataclasses.fields(kind)))


@pytest.mark.parametrize("kind", typing.get_args(events.Event), ids=lambda kind: kind.__name__)
def test_every_event_becomes_one_line_with_its_name_and_all_its_fields(kind):
    line = encode(example(kind), 1.23456)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    record = json.loads(line)
    assert (record.pop("event"), record.pop("at_s")) == (kind.__name__, 1.235)
    assert set(record) == {field.name for field in dataclasses.fields(kind)}


def test_a_caption_comes_whole_and_readable():
    line = encode(CaptionUpdated(caption(0.5, 1.5, "Hello.", "你好。")), 0.0)
    assert "你好。" in line.decode("utf-8")
    record = json.loads(line)["caption"]
    assert record["translation"] == {"settled": [{"text": "Hello.", "start": None, "end": None}], "tentative": ""}
    assert (record["start"], record["end"], record["is_final"]) == (8000, 24000, True)


def test_numbers_that_json_cannot_say_are_null():
    record = json.loads(encode(LevelChanged("file", -math.inf, math.nan), 0.0))
    assert (record["level_dbfs"], record["speech"]) == (None, None)


def test_times_count_from_the_first_event_and_the_file_is_for_the_owner_only(tmp_path):
    file = EventFile(tmp_path / "talk.jsonl")
    file.take(StateChanged("loading"), 1000.0)
    file.take(LagChanged(0.0, 0.25, 0.0), 1000.5)
    file.take(SessionStopped(), 1002.0)
    file.close()
    records = [json.loads(line) for line in (tmp_path / "talk.jsonl").read_text().splitlines()]
    assert [(record["event"], record["at_s"]) for record in records] == [
        ("StateChanged", 0.0),
        ("LagChanged", 0.5),
        ("SessionStopped", 2.0),
    ]
    assert stat.S_IMODE((tmp_path / "talk.jsonl").stat().st_mode) == 0o600
