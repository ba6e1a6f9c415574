"""whisper_streaming's policy class behind the session's protocol, by a stand-in with the same interface."""

import itertools
import textwrap

import numpy as np
import pytest

from live.audio import Utterance
from live.errors import LiveError
from live.evaluation.simul.costs import Measured
from live.evaluation.simul.player import play
from live.evaluation.simul.whisper_streaming import WhisperStreaming, _timed
from live.policy import Direction
from models.base import Piece
from tests.live.fakes import EnergyDetector
from tests.live.simul_captions import CAN, Scripted, at
from tests.live.test_simul_player import spoken

STAND_IN = textwrap.dedent(
    '''
    """As much of whisper_online.py as its callers see: LocalAgreement on words with times."""
    import numpy as np

    class OnlineASRProcessor:
        SAMPLING_RATE = 16000

        def __init__(self, asr, tokenizer=None, buffer_trimming=("segment", 15), logfile=None):
            self.asr, self.logfile = asr, logfile
            self.buffer_trimming_way, self.buffer_trimming_sec = buffer_trimming
            self.audio_buffer = np.array([], dtype=np.float32)
            self.committed, self.before = [], []

        def insert_audio_chunk(self, audio):
            self.audio_buffer = np.append(self.audio_buffer, audio)

        def process_iter(self):
            result = self.asr.transcribe(self.audio_buffer, init_prompt="")
            words = self.asr.ts_words(result)[len(self.committed):]
            print("HYPOTHESIS", words, file=self.logfile)
            self.asr.segments_end_ts(result)
            new = []
            for (_, _, one), (start, end, other) in zip(self.before, words):
                if one != other:
                    break
                new.append((start, end, other))
            self.committed += new
            self.before = words[len(new):]
            return self._flush(new)

        def finish(self):
            return self._flush(self.before)

        def _flush(self, words):
            text = self.asr.sep.join(word for _, _, word in words)
            return (words[0][0], words[-1][1], text) if words else (None, None, "")
    '''
)


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "whisper_online.py").write_text(STAND_IN)
    return tmp_path


@pytest.mark.parametrize("direction", [Direction("en", {"en": "zh"}), Direction("zh", {"zh": "en"})])
def test_it_settles_what_its_own_class_commits_and_at_the_end_the_rest(checkout, direction):
    policy = WhisperStreaming(CAN, direction, checkout)
    played = play(
        spoken((1, 6)), policy, Scripted(0.1).translate, costs=Measured(), detector=EnergyDetector(), name="peer"
    )
    texts = [update.caption.translation.settled_text for update in played.playback.shown]

    assert len(texts) > 2
    assert texts[0] < texts[-1]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert all(not update.caption.translation.tentative for update in played.playback.shown)


def test_words_stand_where_the_translator_points_and_never_run_backwards():
    pieces = [Piece((1,), " We", 0.0, at=at(2)), Piece((2,), " are", 0.0, at=at(4)), Piece((3,), ".", 0.0, at=at(5))]
    back = [*pieces, Piece((4,), " Yes", 0.0, at=at(3)), Piece((5,), " no", 0.0)]

    assert _timed(pieces, at(1), at(6), " ") == [(1.0, 3.0, "We"), (3.0, 5.0, "are.")]
    assert [start for start, _, _ in _timed(back, at(1), at(6), " ")] == [1.0, 3.0, 3.0, 3.75]


def test_words_of_a_translator_that_does_not_point_are_spread_evenly():
    pieces = [Piece((1,), "甲", 0.0), Piece((2,), "乙", 0.0)]

    assert _timed(pieces, at(1), at(3), "") == [(0.0, 1.0, "甲"), (1.0, 2.0, "乙")]


def test_it_is_asked_about_the_sound_that_it_keeps(checkout):
    model = Scripted()
    policy = WhisperStreaming(CAN, Direction("en", {"en": "zh"}), checkout)
    play(spoken((1, 4)), policy, model.translate, costs=Measured(), detector=EnergyDetector(), name="peer")

    assert all(request.branches[0].committed == () for request in model.requests)
    assert all(later.start == model.requests[0].start for later in model.requests)


def test_a_class_that_decodes_other_sound_is_refused(checkout):
    policy = WhisperStreaming(CAN, Direction("en", {"en": "zh"}), checkout)
    utterance = Utterance(1, "file", np.zeros(at(2), np.float32), 0, is_final=False)
    request = policy.request(utterance)
    policy._open[1].online.asr.transcribe = lambda audio, init_prompt: pytest.fail("the backend is not the class's")
    policy._open[1].online.insert_audio_chunk = None
    policy._open[1].online.asr = policy._open[1].backend.__class__("")

    with pytest.raises(LiveError, match="another version"):
        policy.caption(utterance, Scripted().translate(request))


def test_a_folder_without_the_file_is_no_checkout(tmp_path):
    with pytest.raises(LiveError, match=r"whisper_online\.py"):
        WhisperStreaming(CAN, Direction("en", {"en": "zh"}), tmp_path)


def test_what_the_checkout_needs_and_is_not_here_is_named(tmp_path):
    (tmp_path / "whisper_online.py").write_text("import a_library_nobody_has")

    with pytest.raises(LiveError, match="a_library_nobody_has"):
        WhisperStreaming(CAN, Direction("en", {"en": "zh"}), tmp_path)
