"""Who is said to speak on a lane."""

import pytest
from example_captions import caption

from live.events import DeviceChanged
from live.speakers import Speakers, speaker


@pytest.mark.parametrize(
    ("lane", "language", "word"),
    [
        ("microphone", "en", "Me"),
        ("system", "en", "Them"),
        ("microphone", "zh", "我"),
        ("system", "zh", "对方"),
        ("system", "zh_tr", "對方"),
        ("system", "fr", "Them"),
    ],
)
def test_a_speaker_is_named_in_the_language_that_is_read(lane, language, word):
    assert speaker(lane, language) == word


def test_nobody_is_named_while_one_lane_is_heard():
    speakers = Speakers()
    said = caption(0, 1, "Hello.", lane="system")
    assert speakers.of(said) == ""
    speakers.apply(DeviceChanged("system", "HDMI"))
    assert speakers.of(said) == ""
    speakers.apply(DeviceChanged("microphone", None, "it is missing"))
    assert speakers.of(said) == "Them"
    speakers.apply(DeviceChanged("microphone", None, is_wanted=False))
    assert speakers.of(said) == ""
