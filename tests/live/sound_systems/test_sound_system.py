import numpy as np
import pytest

from live.queues import AudioQueue
from live.sound_systems.base import Feed, InputDevice, pcm, refusal

YETI = InputDevice(0, "Yeti", "fake", 1, 16_000, True)


def test_a_feed_counts_what_was_dropped_as_time():
    queue = AudioQueue(10.0, 16_000)
    feed = Feed("system", queue)
    feed.push(np.zeros((320, 1), np.int16))
    feed.push(np.zeros((320, 1), np.int16), n_missing=100)
    blocks = [queue.get(0.0), queue.get(0.0)]

    assert [block.first for block in blocks] == [0, 420]
    assert {block.lane for block in blocks} == {"system"}
    assert blocks[0].stamp_s <= blocks[1].stamp_s == feed.last_s


def test_a_feed_has_begun_with_its_first_block():
    feed = Feed("microphone", AudioQueue(10.0, 16_000))
    assert not feed.has_begun
    feed.push(np.zeros((320, 1), np.int16))
    assert feed.has_begun


def test_samples_become_16_bits_and_those_beyond_full_scale_are_clipped():
    assert pcm(np.array([0.0, 0.5, -1.0, 1.5], np.float32)).tolist() == [0, 16_384, -32_767, 32_767]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Error 0x80070005", "The microphone 'Yeti' may not be used: "),
        ("Stream error: Access denied", "The microphone 'Yeti' may not be used: "),
        ("Error 0x8889000a", "The microphone 'Yeti' is in use by another program: "),
        ("Stream error: No such entity", "The microphone 'Yeti' cannot be opened (Stream error: No such entity): "),
    ],
)
def test_a_refusal_says_what_to_do(error, said):
    assert refusal(YETI, RuntimeError(error)).startswith(said)
