from itertools import chain, count, repeat

import numpy as np
import pytest
from audio_clips import Loudness, chunks, random_sizes, talk

from live.audio import AudioChunk
from live.segmenter import MAX_LENGTH, Segmenter

SECOND = 16_000


def segmenter(window=512, first_id=1, **options):
    return Segmenter("file", Loudness(window), ids=count(first_id), **options)


def heard(samples, sizes=None, window=512, start=0, **options):
    """Every utterance of a sound, growing ones included."""
    cutter = segmenter(window, **options)
    pushed = [cutter.push(chunk) for chunk in chunks(samples, sizes or repeat(320), start)]
    return [*chain.from_iterable(pushed), *cutter.flush()]


def finals(utterances):
    return [utterance for utterance in utterances if utterance.is_final]


def same(a, b):
    """Equal in every field, samples too."""
    fields = ("id", "lane", "start", "is_final", "continues", "quiet")
    return all(getattr(a, f) == getattr(b, f) for f in fields) and np.array_equal(a.samples, b.samples)


def near(sample, seconds, tolerance_s=0.033):
    return abs(sample / SECOND - seconds) <= tolerance_s


def test_an_utterance_begins_300_ms_before_the_onset_and_ends_200_ms_after_the_last_speech():
    (utterance,) = finals(heard(talk(2.0, 3.0, 2.0)))

    assert near(utterance.start, 1.7)
    assert near(utterance.end, 5.2)
    assert (utterance.id, utterance.lane, utterance.continues) == (1, "file", None)


def test_an_utterance_ends_after_half_a_second_of_quiet():
    cutter = segmenter()
    sound = talk(1.0, 1.0, 1.0)
    ended_at = [chunk.end for chunk in chunks(sound, repeat(160)) if finals(cutter.push(chunk))]

    assert len(ended_at) == 1
    assert 2.55 <= ended_at[0] / SECOND <= 2.62


def test_the_endpoint_is_as_long_as_asked():
    sound = talk(1.0, 1.0, 0.7, 1.0, 1.0)

    assert len(finals(heard(sound))) == 2
    assert len(finals(heard(sound, endpoint_ms=900))) == 1


def test_a_short_pause_does_not_end_an_utterance():
    assert len(finals(heard(talk(1.0, 1.0, 0.4, 1.0, 1.0)))) == 1


def test_a_click_is_no_utterance():
    assert heard(talk(1.0, 0.05, 2.0)) == []


def test_a_click_while_speech_starts_over_does_not_add_up():
    assert heard(talk(1.0, 0.05, 0.1, 0.05, 0.1, 0.05, 2.0)) == []


def test_silence_and_nothing_at_all_are_no_utterance():
    assert heard(talk(10.0)) == []
    assert heard(talk(0.0)) == []
    assert heard(talk(0.0, 0.02)) == []


def test_speech_from_the_first_sample_begins_there():
    (utterance,) = finals(heard(talk(0.0, 1.0, 1.0)))

    assert utterance.start == 0


def test_speech_up_to_the_last_sample_ends_there():
    sound = talk(1.0, 1.0037)
    (utterance,) = finals(heard(sound))

    assert utterance.end == len(sound)


def test_an_utterance_does_not_reach_back_into_the_one_before():
    first, second = finals(heard(talk(1.0, 1.0, 0.4, 1.0, 1.0), endpoint_ms=300))

    assert first.end == second.start


def test_the_samples_are_those_of_the_sound():
    sound = talk(0.7, 2.0, 1.0, 3.0, 1.0)
    for utterance in heard(sound):
        np.testing.assert_array_equal(utterance.samples, sound[utterance.start : utterance.end])
        assert not utterance.samples.flags.writeable


def test_a_growing_utterance_comes_again_with_every_400_ms():
    utterances = heard(talk(1.0, 2.0, 1.0))
    ends = [utterance.end / SECOND for utterance in utterances if not utterance.is_final]

    np.testing.assert_allclose(ends, [1.4, 1.8, 2.2, 2.6, 3.0, 3.2], atol=0.1)
    assert {utterance.id for utterance in utterances} == {1}
    assert [utterance.is_final for utterance in utterances] == [False] * 6 + [True]


def test_a_growing_utterance_comes_once_more_in_each_pause_of_250_ms():
    utterances = heard(talk(1.0, 1.0, 0.2, 1.0, 0.4, 1.0, 2.0), partial_ms=10_000)

    assert [utterance.is_final for utterance in utterances] == [False, False, True]
    for utterance, ended_s in zip(utterances, [3.2, 4.6], strict=False):
        assert 250 <= utterance.quiet * 1000 / SECOND < 290
        assert near(utterance.end, ended_s + 0.2)
    assert utterances[-1].quiet == 0
    assert utterances[-1].end == utterances[-2].end


def test_quiet_is_counted_from_the_last_speech():
    quiet = [utterance.quiet / SECOND for utterance in heard(talk(1.0, 1.0, 1.0), partial_ms=32)]

    assert quiet[:20] == [0] * 20
    assert max(quiet) >= 0.25
    assert quiet[-1] == 0


def test_a_shorter_endpoint_leaves_no_room_for_another_growing_one():
    utterances = heard(talk(1.0, 1.0, 1.0), partial_ms=10_000, endpoint_ms=200)

    assert [utterance.is_final for utterance in utterances] == [True]


def test_an_utterance_never_shrinks():
    growing = heard(talk(1.0, 1.0, 0.3, 1.0, 0.5, 1.0, 1.0), partial_ms=50)
    ends = [utterance.end for utterance in growing]

    assert ends == sorted(ends)
    assert {utterance.start for utterance in growing} == {growing[0].start}


def test_without_partials_the_finals_are_the_same():
    sound = talk(1.0, 2.0, 1.0, 35.0, 1.0)
    with_partials, without = finals(heard(sound)), heard(sound, partial_ms=None)

    assert all(map(same, with_partials, without))
    assert len(with_partials) == len(without) == 3


def conversation(seed):
    """Two minutes of talk with pauses of all lengths, and monologues that have to be cut."""
    random = np.random.default_rng(seed)
    stretches = [random.uniform(low, high) for low, high in [(0.05, 1.2), (0.04, 6.0)] * 10]
    return talk(*stretches, 0.8, 31.0, 0.3, 24.0, 0.25, 3.0, 1.0, 58.0, 0.3, seed=seed)


@pytest.mark.parametrize("window", [480, 512])
@pytest.mark.parametrize("seed", range(3))
def test_how_the_sound_comes_in_chunks_makes_no_difference(seed, window):
    sound = conversation(seed)
    whole = heard(sound, repeat(len(sound)), window)

    for sizes in (repeat(320), repeat(97), random_sizes(seed, 1_000), random_sizes(seed, 30_000)):
        utterances = heard(sound, sizes, window)
        assert len(utterances) == len(whole)
        assert all(map(same, utterances, whole))


@pytest.mark.parametrize("seed", range(6))
def test_no_loud_sample_is_lost_and_none_is_in_two_utterances(seed):
    sound = conversation(seed)
    closed = finals(heard(sound))
    covered = np.zeros(len(sound), int)
    for utterance in closed:
        covered[utterance.start : utterance.end] += 1

    assert covered.max() == 1
    missed = np.flatnonzero((np.abs(sound) > 0.001) & (covered == 0))
    edges = np.flatnonzero(np.diff(missed) > 500)
    runs = np.diff(np.concatenate([[0], edges + 1, [len(missed)]]))
    assert (runs < 0.13 * SECOND).all()  # only clicks, too short to be speech
    assert max(len(utterance.samples) for utterance in closed) <= MAX_LENGTH
    assert [utterance.id for utterance in closed] == sorted(utterance.id for utterance in closed)


def test_a_long_utterance_is_cut_in_its_next_pause():
    first, second = finals(heard(talk(1.0, 21.0, 0.3, 4.0, 1.0)))

    assert near(first.end, 22.1)
    assert second.start == first.end
    assert second.continues == first.id
    assert near(second.end, 26.5)


def test_a_pause_before_20_s_cuts_nothing():
    assert len(finals(heard(talk(1.0, 18.0, 0.3, 4.0, 1.0)))) == 1


def test_speech_without_a_pause_is_cut_at_its_quietest_point_between_20_and_28_s():
    sound = talk(1.0, 40.0, 1.0)
    begin = round(0.7 * SECOND)
    for at_s, loudness in [(15.0, 0.3), (23.0, 0.5), (26.0, 0.8)]:
        dip = slice(begin + round(at_s * SECOND), begin + round((at_s + 0.1) * SECOND))
        sound[dip] *= loudness
    first, second = finals(heard(sound))

    assert near(first.end - begin, 23.05)
    assert (second.start, second.continues) == (first.end, first.id)


def test_no_utterance_is_longer_than_28_s_and_the_parts_join():
    sound = talk(1.0, 100.0, 1.0)
    parts = finals(heard(sound))

    assert len(parts) >= 4
    assert all(len(part.samples) <= 28 * SECOND for part in parts)
    assert all(len(part.samples) >= 20 * SECOND for part in parts[:-1])
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert [part.continues for part in parts] == [None, *(part.id for part in parts[:-1])]


def test_no_utterance_is_longer_than_28_s_where_the_sound_ends_just_then():
    begin = finals(heard(talk(1.0, 5.0)))[0].start
    for length in range(MAX_LENGTH - 600, MAX_LENGTH + 600, 100):
        sound = talk(1.0, (begin + length) / SECOND - 1.0)
        parts = finals(heard(sound))

        assert max(len(part.samples) for part in parts) <= MAX_LENGTH
        assert parts[-1].end == len(sound)


def talked(cutter, sound):
    for chunk in chunks(sound, repeat(320)):
        cutter.push(chunk)
    return chunk.end


def test_a_cut_that_is_asked_for_ends_one_utterance_and_begins_the_next():
    cutter = segmenter(first_id=7)
    sound = talk(1.0, 16.0, 1.0)
    heard_to = talked(cutter, sound[: 16 * SECOND])
    (first,) = cutter.cut(7, 12 * SECOND)
    rest = [*cutter.push(AudioChunk("file", sound[heard_to:], heard_to)), *cutter.flush()]
    (second,) = finals(rest)

    assert (first.id, first.end, first.is_final) == (7, 12 * SECOND, True)
    assert (second.id, second.start, second.continues) == (8, 12 * SECOND, 7)
    assert near(second.end, 17.2)
    assert all(utterance.id == 8 and utterance.start == 12 * SECOND for utterance in rest)


@pytest.mark.parametrize(
    ("utterance_id", "length_s", "at_s"),
    [(1, 6.0, 4.0), (2, 16.0, 10.0), (1, 16.0, 0.5), (1, 16.0, 17.5), (1, 16.0, 30.0)],
    ids=["before 7 s", "another utterance", "before its start", "where nothing is heard yet", "in the future"],
)
def test_a_cut_that_cannot_be_is_ignored(utterance_id, length_s, at_s):
    cutter = segmenter()
    talked(cutter, talk(1.0, length_s))

    assert cutter.cut(utterance_id, round(at_s * SECOND)) == []
    (utterance,) = cutter.flush()
    assert near(utterance.start, 0.7)
    assert near(utterance.end, 1.0 + length_s)


def test_a_cut_after_the_endpoint_is_ignored():
    cutter = segmenter()
    talked(cutter, talk(1.0, 16.0, 1.0))

    assert cutter.cut(1, 10 * SECOND) == []


def test_the_rest_after_a_cut_in_a_pause_is_dropped_when_nobody_speaks_again():
    cutter = segmenter()
    heard_to = talked(cutter, talk(1.0, 16.0, 0.3))
    (first,) = cutter.cut(1, round(17.1 * SECOND))

    assert near(first.end, 17.1)
    assert cutter.push(AudioChunk("file", talk(5.0), heard_to)) == []
    assert cutter.flush() == []


def test_the_rest_after_a_cut_in_a_pause_goes_on_when_somebody_speaks_again():
    cutter = segmenter()
    heard_to = talked(cutter, talk(1.0, 16.0, 0.3))
    (first,) = cutter.cut(1, round(17.1 * SECOND))
    (second,) = finals(cutter.push(AudioChunk("file", talk(0.1, 1.0, 1.0), heard_to)))

    assert (second.start, second.continues) == (first.end, first.id)


def test_after_a_flush_the_lane_goes_on():
    cutter = segmenter()
    heard_to = talked(cutter, talk(1.0, 1.0))
    (first,) = cutter.flush()
    (second,) = finals(cutter.push(AudioChunk("file", talk(0.1, 1.0, 1.0), heard_to)))

    assert (first.end, first.id, second.id) == (heard_to, 1, 2)
    assert second.start == first.end


def test_what_follows_a_flush_or_a_hole_is_new_to_the_detector():
    detector = Scripted([0.9] * 100)
    cutter = Segmenter("file", detector, ids=count(1))
    cutter.push(AudioChunk("file", talk(1.0), 0))
    cutter.push(AudioChunk("file", talk(1.0), 5 * SECOND))
    assert detector.n_resets == 1
    cutter.flush()
    assert detector.n_resets == 2


def test_a_hole_in_the_lane_ends_the_utterance_before_it():
    cutter = segmenter()
    talked(cutter, talk(1.0, 1.0))
    (first,) = cutter.push(AudioChunk("file", talk(0.0), 10 * SECOND))
    (second,) = finals(cutter.push(AudioChunk("file", talk(0.0, 1.0, 1.0), 10 * SECOND)))

    assert first.end == 2 * SECOND
    assert second.start == 10 * SECOND


def test_a_lane_may_begin_late():
    (utterance,) = finals(heard(talk(1.0, 1.0, 1.0), start=5 * SECOND))

    assert near(utterance.start, 5.7)


def test_lanes_share_one_count_of_ids():
    ids = count(1)
    lanes = [Segmenter("microphone", Loudness(), ids=ids), Segmenter("system", Loudness(), ids=ids)]
    sound = talk(0.5, 1.0, 1.0)
    given = [finals(lane.push(AudioChunk("file", sound, 0)))[0] for lane in lanes]

    assert [(utterance.id, utterance.lane) for utterance in given] == [(1, "microphone"), (2, "system")]


def test_the_probability_of_speech_is_that_of_the_latest_window():
    cutter = segmenter()
    assert cutter.speech == 0.0
    heard_to = talked(cutter, talk(0.0, 0.5))
    assert cutter.speech == pytest.approx(0.9)
    cutter.push(AudioChunk("file", talk(0.5), heard_to))
    assert cutter.speech == pytest.approx(0.05)


class Scripted:
    """A detector that answers as it is told."""

    window = 512

    def __init__(self, answers):
        self.answers = list(answers)
        self.n_resets = 0

    def probabilities(self, samples):
        n = len(samples) // self.window
        answers, self.answers = self.answers[:n], self.answers[n:]
        return np.array(answers, np.float32)

    def reset(self):
        self.n_resets += 1


@pytest.mark.parametrize(
    ("answers", "n_utterances"),
    [
        ([0.45] * 60, 0),
        ([0.6, 0.4, 0.4, 0.4] + [0.1] * 30, 1),
        ([0.6] * 20 + [0.4] * 40, 1),
        ([0.6] * 20 + [0.1] * 10 + [0.4] * 40 + [0.6] * 5, 2),
    ],
    ids=["never surely speech", "starts and hesitates", "fades but stays", "a pause is not ended by hesitation"],
)
def test_between_the_two_thresholds_nothing_changes(answers, n_utterances):
    cutter = Segmenter("file", Scripted(answers), ids=count(1))
    sound = talk(len(answers) * 512 / SECOND)

    assert len(finals([*cutter.push(AudioChunk("file", sound, 0)), *cutter.flush()])) == n_utterances
