"""Whatever stands in a session's files, the reader raises nothing and keeps every whole line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from talks import caption

from live.events import AudioDropped, MarkAdded, SessionStopped, UtteranceClosed, UtteranceFailed, UtteranceSilent
from live.recording.journal import JOURNAL_NAME, read
from live.recording.records import KINDS, CaptionSettled, decode, encode
from live.recording.session_info import FILE_NAME

SAMPLES = st.integers(0, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)
LANES = st.sampled_from(["microphone", "system", "file"])


@st.composite
def records(draw):
    """Any record that a session may write."""
    start = draw(st.integers(0, 2**40))
    number = draw(st.integers(0, 50))
    match draw(st.sampled_from(["caption", "closed", "failed", "silent", "mark", "dropped", "stopped"])):
        case "caption":
            return CaptionSettled(caption(number, start, draw(TEXTS), draw(TEXTS)), "edit", draw(st.none() | TEXTS))
        case "closed":
            return UtteranceClosed(draw(LANES), start, start + 100, number)
        case "failed":
            return UtteranceFailed(draw(LANES), number, start, start + 100, draw(TEXTS))
        case "silent":
            return UtteranceSilent(draw(LANES), number, start, start + 100)
        case "mark":
            return MarkAdded(start, draw(TEXTS))
        case "dropped":
            return AudioDropped(draw(LANES), start, draw(SAMPLES), draw(TEXTS))
        case _:
            return SessionStopped(draw(st.none() | TEXTS))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
FIELDS = ["lane", "start", "end", "id", "caption", "at", "label", "n_samples", "name", "began", "by", "model", "reason"]
ALMOST = st.builds(
    lambda kind, fields: (json.dumps({"kind": kind, **fields}) + "\n").encode(),
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8),
)
FOREIGN = st.binary(max_size=60).map(lambda data: data.replace(b"\n", b" ") + b"\n")


SAME_EACH_TIME = settings(
    max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@SAME_EACH_TIME
@given(records())
def test_every_record_comes_back_as_it_went(record):
    assert decode(encode(record)) == record


@SAME_EACH_TIME
@given(st.lists(records().map(encode) | ALMOST | FOREIGN, max_size=12), st.binary(max_size=40))
def test_whatever_lies_between_them_every_whole_caption_is_read_and_nothing_raises(lines, tail):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / JOURNAL_NAME).write_bytes(b"".join(lines) + tail)
        transcript = read(folder)
    expected = {}
    for line in lines:
        if line.startswith(b'{"kind": "caption", "caption": {"id"'):
            settled = decode(line)
            expected[settled.caption.id] = settled.caption
    found = {entry.caption.id: entry.caption for entry in transcript.entries}
    assert found == expected
    starts = [entry.caption.start for entry in transcript.entries]
    assert starts == sorted(starts)
    assert all(heard.id not in found for heard in transcript.untranslated)


@SAME_EACH_TIME
@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_describes_a_session_its_captions_are_read(content):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / FILE_NAME).write_bytes(content)
        (folder / JOURNAL_NAME).write_bytes(encode(CaptionSettled(caption(1, 5))))
        assert len(read(folder).entries) == 1
